"""Which models stand behind an embedder: what is side by side, and the teachers of students."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from molkd.benchmarks.embedders import teachers_of

_WRAPPERS = re.compile(r"^(?:(?:pca|cut):\d+:)+")
_STUDENT, _UNTRAINED, _RUNS = "molkd:", "untrained:", " | "


def sources_of(spec: str) -> tuple[str, ...]:
    """Returns the names of the models that an embedder was made from, each once, in order.

    A student counts as its teachers, which its folder names; where the folder is not here, as
    "molkd:DIR". An untrained network has no sources. Runs of an ablation ("A | B") count together.

    Args:
        spec: see `molkd.benchmarks.embedders`.
    """
    return tuple(dict.fromkeys(name for run in spec.split(_RUNS) for name in _of_run(run)))


def _of_run(spec: str) -> Iterator[str]:
    for part in _WRAPPERS.sub("", spec).split("+"):
        name = _WRAPPERS.sub("", part)
        if name.startswith(_STUDENT):
            teachers, _ = teachers_of(Path(name.removeprefix(_STUDENT)))
            yield from teachers or [name]
        elif not name.startswith(_UNTRAINED):
            yield name
