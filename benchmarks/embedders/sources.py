"""Which models stand behind an embedder: what is side by side, and the teachers of students."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from molkd.students import shipped

_WRAPPERS = re.compile(r"^(?:(?:pca|cut):\d+:)+")
_STUDENT, _UNTRAINED, _RUNS = "molkd:", "untrained:", " | "
_BLOCK = re.compile(r"^```json\n(.*?)^```", re.DOTALL | re.MULTILINE)


def sources_of(spec: str) -> tuple[str, ...]:
    """Returns the names of the models that an embedder was made from, each once, in order.

    A student counts as its teachers, which the settings of its run name, or its card; where neither
    is here, as "molkd:NAME". An untrained network has no sources. Runs of an ablation ("A | B")
    count together.

    Args:
        spec: see `molkd.benchmarks.embedders`.
    """
    return tuple(dict.fromkeys(name for run in spec.split(_RUNS) for name in _of_run(run)))


def teachers_of(student: str | Path) -> list[str]:
    """Returns the teachers that a student's run or card names: none where neither is here.

    Args:
        student: its folder, or the name of one that is part of the package.
    """
    folder = shipped.folder_of(str(student)) or Path(student)
    try:
        settings = tomllib.loads((folder / "settings.toml").read_text(encoding="utf-8"))
        return [str(name) for name in settings["teachers"]]
    except (OSError, ValueError, KeyError):
        return _on_card(folder / "README.md")


def _of_run(spec: str) -> Iterator[str]:
    for part in _WRAPPERS.sub("", spec).split("+"):
        name = _WRAPPERS.sub("", part)
        if name.startswith(_STUDENT):
            yield from teachers_of(name.removeprefix(_STUDENT)) or [name]
        elif not name.startswith(_UNTRAINED):
            yield name


def _on_card(card: Path) -> list[str]:
    """The teachers that a card names: of a student without its run, as a published one is."""
    try:
        blocks = _BLOCK.findall(card.read_text(encoding="utf-8"))
        settings = [json.loads(block) for block in blocks]
        return [str(name) for one in settings[:1] for name in one["teachers"]]
    except (OSError, ValueError, LookupError, TypeError):
        return []
