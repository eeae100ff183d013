"""Tasks of the user's own: any table, or a folder of MTEB."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from molkd.benchmarks.tasks import mteb, table
from molkd.benchmarks.tasks.task import LabelScale, Task
from molkd.errors import ConfigError

MTEB = "mteb:"
"""Before the name of a folder of MTEB."""


def read(
    source: str,
    *,
    column: str | None = None,
    label_columns: Sequence[str] | None = None,
    metric: str | None = None,
    split_column: str | None = None,
    time_column: str | None = None,
    scale: LabelScale = "linear",
) -> list[Task]:
    """Reads a table, of which the options tell how, or "mteb:FOLDER"; see `table` and `mteb`.

    Raises:
        ConfigError: a table needs a metric.
        MolkdError: see `table.read` and `mteb.read_all`.
    """
    if source.startswith(MTEB):
        return mteb.read_all(Path(source.removeprefix(MTEB)))
    if metric is None:
        raise ConfigError(
            f"--metric is needed for {source}: AUROC or AUPRC for classes 0 and 1, Accuracy for "
            "more, MAE, RMSE, R2 or Spearman for values"
        )
    task = table.read(
        Path(source),
        smiles_column=column,
        label_columns=label_columns,
        metric=metric,
        split_column=split_column,
        time_column=time_column,
        scale=scale,
    )
    return [task]
