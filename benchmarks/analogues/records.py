"""What the search for analogues found: JSON lines, written after every embedder and metric."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from molkd.runtime import files

RESULTS = "analogues.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What was asked of all embedders.

    Attributes:
        settings: options and definitions that decide the numbers.
        versions: package -> version.
        decoys: how many were compared.
        series: (target, what they share, members) of those compared.
        notes: in sentences: what was left out, and why.
    """

    settings: Mapping[str, Any]
    versions: Mapping[str, str]
    decoys: int
    series: tuple[tuple[str, str, int], ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What one embedder found by one metric.

    Attributes:
        embedder: its label.
        spec: what it was made from.
        dim: width.
        metric: "cosine", "cosine, standardised" or "Tanimoto".
        shares: of each series, the mean over its members of the share of its other members that
            are among the first neighbours; of as many as there can be, where the series is larger.
        firsts: of each series, the geometric mean over its members of the rank of the first.
        key: digest of all that decides the numbers.
    """

    embedder: str
    spec: str
    dim: int
    metric: str
    shares: tuple[float, ...]
    firsts: tuple[float, ...]
    key: str


def write(folder: Path, run: Run, found: list[Found]) -> None:
    """Writes `analogues.jsonl`, whole or not at all.

    Raises:
        OutputError: the folder cannot be written.
    """
    lines = [{"record": "run", **asdict(run)}]
    lines += [{"record": "found", **asdict(one)} for one in found]
    text = "".join(json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n" for line in lines)
    files.write_bytes(folder / RESULTS, text.encode())


def earlier(folder: Path) -> dict[str, Found]:
    """Returns key -> what a run in the folder has found; a line that is none is dropped."""
    path = folder / RESULTS
    if not path.is_file():
        return {}
    lines = map(_found, files.lines(path, errors="replace"))
    return {one.key: one for one in lines if one is not None}


def _found(line: str) -> Found | None:
    try:
        fields = json.loads(line)
        if fields.pop("record") != "found":
            return None
        fields |= {name: tuple(fields[name]) for name in ("shares", "firsts")}
        return Found(**fields)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
