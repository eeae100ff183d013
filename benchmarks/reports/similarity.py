"""Teachers beside each other, from what `molkd teachers compare --json` prints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from molkd.benchmarks.reports import heatmap
from molkd.benchmarks.reports.document import Cell, Chapter, Grid, Picture
from molkd.benchmarks.reports.tables import cells
from molkd.errors import InputError
from molkd.targets import similarity

_TITLES = {"cka": "CKA of teachers", "r2": "R2 of column from row"}
_CAPTIONS = {
    "cka": "Linear centred kernel alignment: 1 where two teachers see molecules in one geometry.",
    "r2": "How well a linear map from the teacher of a row predicts the teacher of a column, on "
    "molecules that it was not fitted on.",
}


def chapter(compared: Mapping[str, Any]) -> Chapter:
    """Returns heat maps with like beside like, what is concluded, and a table.

    Args:
        compared: "teachers": name -> facts; "cka" and, if wanted, "r2": rows of numbers, None
            where there is none; "sentences" and "molecules" likewise.

    Raises:
        InputError: teachers or matrix are missing or do not fit.
    """
    try:
        names = list(compared["teachers"])
        matrices = {key: _matrix(compared[key], len(names)) for key in _TITLES if key in compared}
        order = similarity.order(matrices["cka"])
        grid = _facts(compared["teachers"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(
            "the comparison of teachers is not what `molkd teachers compare --json` prints: "
            f"{type(error).__name__}: {error}"
        ) from error
    sorted_names = [names[place] for place in order]
    pictures = tuple(
        Picture(
            name=f"teachers-{key}",
            caption=_CAPTIONS[key],
            panels=(heatmap.panel(sorted_names, matrix[np.ix_(order, order)], title=_TITLES[key]),),
        )
        for key, matrix in matrices.items()
    )
    points = tuple(map(str, compared.get("sentences", ())))
    return Chapter(
        "How alike the teachers are", points=points, pictures=pictures, grids=(grid,), beside=True
    )


def _matrix(rows: Any, count: int) -> npt.NDArray[np.float64]:
    matrix = np.array(rows, dtype=np.float64)  # None becomes NaN
    if matrix.shape != (count, count):
        raise ValueError(f"{count} teachers need a matrix of {count} x {count}, not {matrix.shape}")
    return matrix


def _facts(teachers: Mapping[str, Mapping[str, Any]]) -> Grid:
    rows = [
        (
            Cell(name, role="teacher"),
            *cells(
                [f"{facts['dim']:,}", f"{facts['effective_rank']:,.0f}", f"{facts['failed']:,}"]
            ),
        )
        for name, facts in teachers.items()
    ]
    caption = "Effective rank: about how many dimensions an embedding uses."
    return Grid(caption, cells(["teacher", "dim", "effective rank", "failed"]), tuple(rows), "lrrr")
