"""What a model says of a library: one row per molecule, as a file and as a table in a notebook."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq

from molkd.benchmarks.tasks.task import Labels
from molkd.errors import ConfigError
from molkd.prediction.facts import Facts
from molkd.runtime import files

SUFFIXES = (".csv", ".parquet")

_SHOWN = 10


@dataclass(frozen=True, eq=False, kw_only=True)
class Predictions:
    """What a model says of a library.

    Attributes:
        facts: of the model.
        ids: one per row.
        smiles: one per row, as the library holds them.
        values: shape (n,), numbers, or probabilities of class 1; NaN in rows that failed.
        bounds: shape (n, 2), ends of the intervals; of classes, 1 where one cannot be ruled out.
        measured: shape (n,), the label of compounds that the model learnt from; else NaN.
        reasons: row -> why it has no prediction.
        confidence: what the intervals promise.
        held: what they held of compounds whose scaffold was held out.
    """

    facts: Facts
    ids: Sequence[str]
    smiles: Sequence[str]
    values: Labels
    bounds: Labels
    measured: Labels
    reasons: Mapping[int, str]
    confidence: float
    held: float

    def __len__(self) -> int:
        return len(self.values)

    @property
    def columns(self) -> dict[str, Any]:
        """Name -> column, n values each; what is missing is null."""
        classes = self.facts.classes
        there = np.isfinite(self.values)
        columns: dict[str, Any] = {"id": list(self.ids), "smiles": list(self.smiles)}
        if classes:
            ruled = [(bool(low), bool(high)) for low, high in np.nan_to_num(self.bounds).tolist()]
            words = {
                (True, False): classes[0],
                (False, True): classes[1],
                (True, True): f"{classes[0]} or {classes[1]}",
            }
            columns["predicted"] = _where(there, [classes[int(p >= 0.5)] for p in self.values])
            columns[f"probability of {classes[1]}"] = _where(there, self.values)
            columns["cannot rule out"] = _where(there, [words.get(one) for one in ruled])
            names = [classes[int(y)] if np.isfinite(y) else None for y in self.measured]
            columns["measured"] = pa.array(names, pa.string())
        else:
            columns["predicted"] = _where(there, self.values)
            columns["low"] = _where(there, self.bounds[:, 0])
            columns["high"] = _where(there, self.bounds[:, 1])
            columns["measured"] = _where(np.isfinite(self.measured), self.measured)
        columns["valid"] = there
        columns["error"] = pa.array(
            [self.reasons.get(row) for row in range(len(self))], pa.string()
        )
        return columns

    def write(self, path: str | Path) -> None:
        """Writes a row per molecule, in the library's order, as CSV or Parquet.

        Raises:
            ConfigError: the suffix is another one.
            OutputError: the file cannot be written.
        """
        path = Path(path)
        check_suffix(path)
        table = pa.table(self.columns)
        with files.atomic_path(path) as temporary:
            write = pc.write_csv if path.suffix == ".csv" else pq.write_table
            write(table, temporary)

    def describe(self) -> str:
        """Returns what there is, in sentences."""
        done = f"{int(np.isfinite(self.values).sum())} of {len(self)} molecules predicted"
        known = int(np.isfinite(self.measured).sum())
        lines = [done]
        if known:
            verb = "was" if known == 1 else "were"
            lines.append(
                f"{known} of them {verb} measured, and the model has learnt from that: for these "
                "the column 'measured' counts"
            )
        for row, why in list(self.reasons.items())[:5]:
            lines.append(f"  row {row}: {why}")
        if len(self.reasons) > 5:
            lines.append(f"  ... and {len(self.reasons) - 5} more, see the column 'error'")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        columns = {
            name: list(pa.array(each)[:_SHOWN].to_pylist()) for name, each in self.columns.items()
        }
        head = "".join(f"<th>{html.escape(name)}</th>" for name in columns)
        rows = "".join(
            "<tr>" + "".join(f"<td>{_cell(each[row])}</td>" for each in columns.values()) + "</tr>"
            for row in range(min(_SHOWN, len(self)))
        )
        said = html.escape(self.describe()).replace("\n", "<br>")
        return f"<p>{said}</p><table><tr>{head}</tr>{rows}</table>"


def check_suffix(path: Path) -> None:
    """Refuses a file of another format before anything is computed.

    Raises:
        ConfigError: predictions are written as CSV and Parquet alone.
    """
    if path.suffix not in SUFFIXES:
        raise ConfigError(f"{path}: predictions are written as {' or '.join(SUFFIXES)}")


def _where(there: Any, values: Any) -> Any:
    return pa.array(values, mask=~np.asarray(there))


def _cell(value: object) -> str:
    text = f"{value:.3f}" if isinstance(value, float) else "" if value is None else str(value)
    return html.escape(text)
