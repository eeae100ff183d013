"""How alike two embeddings of the same items are, without labels.

Values are compared in one form, that of `prepared`: real columns count equally, rare bits and
counts count by how often they vary. All measures are exact; none depends on the order of columns.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.cluster.hierarchy import fcluster, leaves_list, linkage
from scipy.spatial.distance import squareform

from molkd.errors import ShapeError
from molkd.targets.fitting import describe
from molkd.types import Matrix, Rows, Support

Floats = npt.NDArray[np.float64]
"""Of the shape that the docstring names."""

_BLOCK = 512


def prepared(values: Matrix, support: Support) -> Floats:
    """Returns the columns that vary, in the form in which embeddings are compared.

    Real columns get mean 0 and sd 1. Bits, and logarithms of 1 + count, are centred and keep their
    variance: else a bit that is set once would weigh as much as one that is set in every second
    molecule.

    Args:
        values: shape (n, d), without NaN.
        support: what values they take.

    Returns:
        Shape (n, d'), of the d' columns that vary; d' may be 0.
    """
    taken = values.astype(np.float64)
    if support == "counts":
        taken = np.log1p(taken)
    statistics = describe(iter([taken]))
    if statistics is None:
        raise ShapeError("embeddings of no rows cannot be compared")
    kept = ~statistics.constant
    centred = taken[:, kept] - statistics.mean[kept]
    return centred / statistics.sd[kept] if support == "real" else centred


def cka(matrices: Sequence[Floats]) -> Floats:
    """Returns the linear centred kernel alignment of all pairs, debiased.

    Kornblith et al., 2019 (arXiv:1905.00414), with the unbiased estimator of HSIC of Song et al.,
    2012 (JMLR 13), equation 5: the plain one approaches 1 for any two embeddings that are wider
    than there are rows, and would call all fingerprints alike. 1 for the same up to rotation,
    reflection and one factor; about 0, perhaps slightly negative, for independent ones.

    Args:
        matrices: t of them, each of shape (n, d_t), n at least 4; columns need not be centred.

    Returns:
        Shape (t, t), symmetric; NaN where an embedding does not vary.

    Raises:
        ShapeError: fewer than 4 rows.
    """
    centred = [matrix - matrix.mean(axis=0) for matrix in matrices]
    count = len(centred)
    hsic = np.empty((count, count))
    for a in range(count):
        for b in range(a, count):
            hsic[a, b] = hsic[b, a] = _hsic(centred[a], centred[b])
    own = np.diagonal(hsic).copy()
    own[own <= 0] = np.nan
    return hsic / np.sqrt(np.outer(own, own))


def _hsic(x: Floats, y: Floats) -> float:
    """Returns n (n - 3) times the unbiased HSIC of linear kernels of centred columns.

    Row sums of a linear kernel of centred columns are 0, so that those of the kernel without its
    diagonal are minus the diagonal, and no kernel of shape (n, n) is needed.
    """
    n = len(x)
    if n < 4:
        raise ShapeError(f"CKA needs at least 4 rows, not {n}")
    k, l = np.square(x).sum(axis=1), np.square(y).sum(axis=1)  # noqa: E741 (as in the paper)
    in_columns = x.shape[1] * y.shape[1] <= n * (x.shape[1] + y.shape[1])  # what is cheaper
    cross = np.square(x.T @ y).sum() if in_columns else ((x @ x.T) * (y @ y.T)).sum()
    return float(cross - n / (n - 2) * (k @ l) + k.sum() * l.sum() / ((n - 1) * (n - 2)))


def neighbours(values: Matrix, support: Support, *, k: int = 10) -> Rows:
    """Returns the k nearest other rows of each row, exactly and in bounded memory.

    Bits and counts are compared by their Tanimoto coefficient a·b / (a·a + b·b - a·b) (Willett et
    al., 1998), as chemists do; real values by Euclidean distance of standardised columns. Of
    equally near rows the earlier ones are taken.

    Args:
        values: shape (n, d), without NaN.
        support: what values they take.
        k: neighbours per row, less than n.

    Returns:
        Shape (n, k), ascending in each row.

    Raises:
        ShapeError: there are not more than k rows.
    """
    n = len(values)
    if n <= k:
        raise ShapeError(f"{k} neighbours need at least {k + 1} rows, not {n}")
    real = support == "real"
    taken = prepared(values, support).astype(np.float32) if real else values
    squares = np.square(taken).sum(axis=1)
    nearest = np.empty((n, k), dtype=np.int64)
    for start in range(0, n, _BLOCK):
        rows = np.arange(start, min(start + _BLOCK, n))
        common = taken[rows] @ taken.T
        both = squares[rows, None] + squares
        close = 2 * common - both if real else _tanimoto(common, both)
        close[rows - start, rows] = -np.inf
        nearest[rows] = _nearest(close, k)
    return nearest


def _tanimoto(common: Matrix, both: Matrix) -> Matrix:
    union = both - common
    return np.divide(common, union, out=np.ones_like(common), where=union > 0)


def _nearest(close: Matrix, k: int) -> Rows:
    """Returns the columns of the k largest values of each row; of equal ones the first."""
    least = np.partition(close, -k, axis=1)[:, -k, None]
    above, equal = close > least, close == least
    room = k - above.sum(axis=1, keepdims=True)
    chosen = above | (equal & (equal.cumsum(axis=1) <= room))
    return np.nonzero(chosen)[1].reshape(-1, k)


def overlap(a: Rows, b: Rows) -> float:
    """Returns the mean share of neighbours in common; k / (n - 1) is what chance gives.

    Args:
        a: shape (n, k), see `neighbours`.
        b: shape (n, k).
    """
    return float((a[:, :, None] == b[:, None, :]).any(axis=2).mean())


def effective_rank(values: Floats) -> float:
    """Returns how many dimensions an embedding uses: exp of the entropy of its singular values.

    Roy & Vetterli, 2007 (EUSIPCO): the singular values are divided by their sum. The number of
    columns where all directions are alike and 1 where there is one direction.

    Args:
        values: shape (n, d); columns are centred here. NaN where nothing varies.
    """
    spectrum = np.sqrt(_variances(values))
    if not spectrum.any():
        return float("nan")
    share = spectrum[spectrum > 0] / spectrum.sum()
    return float(np.exp(-(share * np.log(share)).sum()))


def participation_ratio(values: Floats) -> float:
    """Returns (sum of variances)² / sum of squared variances along the principal axes.

    Like `effective_rank`, but dominated by the leading axes; NaN where nothing varies.
    """
    variances = _variances(values)
    if not variances.any():
        return float("nan")
    return float(variances.sum() ** 2 / np.square(variances).sum())


def _variances(values: Floats) -> Floats:
    """Squared singular values of the centred columns; those within rounding are 0."""
    centred = values - values.mean(axis=0)
    n, d = centred.shape
    if not d:
        return np.zeros(1)
    squares = np.linalg.eigvalsh(centred.T @ centred if d <= n else centred @ centred.T)
    rounding = squares[-1] * max(n, d) * np.finfo(np.float64).eps
    return np.where(squares > rounding, squares, 0.0)


def groups(similarity: Floats, *, least: float) -> list[list[int]]:
    """Returns groups of embeddings whose mean similarity to each other is at least `least`.

    Args:
        similarity: shape (t, t), symmetric, 1 for the same; NaN counts as 0.
        least: in [0, 1].

    Returns:
        All t positions, ascending in each group, groups by their first member.
    """
    if len(similarity) < 2:
        return [[row] for row in range(len(similarity))]
    labels = fcluster(_tree(similarity), t=1 - least, criterion="distance").tolist()
    members: dict[int, list[int]] = {}
    for row, label in enumerate(labels):
        members.setdefault(label, []).append(row)
    return list(members.values())


def order(similarity: Floats) -> list[int]:
    """Returns all positions, similar embeddings next to each other, for a heat map."""
    if len(similarity) < 3:
        return list(range(len(similarity)))
    return leaves_list(_tree(similarity)).tolist()


def _tree(similarity: Floats) -> Floats:
    distance = np.clip(1 - np.nan_to_num(similarity, nan=0.0), 0, None)
    np.fill_diagonal(distance, 0)
    return linkage(squareform(distance, checks=False), method="average", optimal_ordering=True)
