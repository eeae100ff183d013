"""How much of an embedding is the draw and not the molecule.

What reads a conformer, which is drawn, gives another row for another draw. A student sees no draw:
this share of the variance is what it cannot learn from such a teacher.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from molkd.errors import ConfigError, InputError
from molkd.runtime.processes import one_thread
from molkd.runtime.progress import Progress
from molkd.types import Mask, Matrix, Teacher

LEAST_ITEMS = 10
"""Items below which nothing is said."""

_CHUNK = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class NoiseFloor:
    """What part of the variance over items and draws is variance over draws.

    Attributes:
        whole: of all dimensions together, as they are.
        mean: over dimensions, each by itself: of the standardised embedding.
        median: over dimensions.
        worst: nine in ten dimensions have less.
        dims: how many vary.
        items: how many all draws could embed.
        failed: how many they could not.
        draws: how often each was embedded.
    """

    whole: float
    mean: float
    median: float
    worst: float
    dims: int
    items: int
    failed: int
    draws: int


def draw(
    teacher: Teacher[Any], items: Sequence[Any], *, draws: int, progress: bool = False
) -> npt.NDArray[np.float32]:
    """Embeds items again and again, from seeds that share no conformer.

    Args:
        teacher: with a parameter `seed`, from which it draws, and perhaps `conformers`, how many it
            draws from there on.
        items: at least one.
        draws: at least two.
        progress: whether to show a bar.

    Returns:
        Shape (draws, n, d); NaN where an item failed.

    Raises:
        ConfigError: the teacher draws nothing, or there are fewer than two draws.
    """
    if draws < 2:
        raise ConfigError(f"noise needs at least 2 draws, not {draws}")
    parameters = cast("Any", teacher).get_params() if hasattr(teacher, "get_params") else {}
    if "seed" not in parameters:
        raise ConfigError(
            f"{teacher.card.name} draws nothing: it has no parameter seed, and no noise floor"
        )
    step = parameters.get("conformers", 1)
    drawn: list[Matrix] = []
    bar = Progress(f"{teacher.card.name}: draws", draws * len(items), shown=progress)
    with one_thread(), bar:
        for number in range(draws):
            other: Any = copy.copy(teacher)
            other.set_params(seed=parameters["seed"] + number * step)
            for start in range(0, len(items), _CHUNK):
                drawn.append(other.embed(items[start : start + _CHUNK]).values)
                bar.update(len(drawn[-1]))
    return np.concatenate(drawn).reshape(draws, len(items), teacher.card.dim)


def noise_floor(drawn: npt.NDArray[np.float32]) -> NoiseFloor:
    """Splits the variance of embeddings into that over draws and that over items.

    The variance over draws is estimated within each item, that over both from all rows of one draw
    (the mean over draws): both without bias, so that their ratio is 1 for an embedding that says
    nothing of the item.

    Args:
        drawn: what `draw` returned.

    Raises:
        InputError: fewer than `LEAST_ITEMS` items came out of all draws, or nothing varies.
    """
    valid: Mask = np.asarray(np.isfinite(drawn).all(axis=(0, 2)))
    if valid.sum() < LEAST_ITEMS:
        raise InputError(
            f"only {valid.sum()} of {len(valid)} items could be embedded in all draws, at least "
            f"{LEAST_ITEMS} are needed: give more items"
        )
    rows = drawn[:, valid].astype(np.float64)
    within = rows.var(axis=0, ddof=1).mean(axis=0)
    total = rows.var(axis=1, ddof=1).mean(axis=0)
    varying = total > np.finfo(np.float32).eps ** 2 * np.square(rows).mean(axis=(0, 1))
    if not varying.any():
        raise InputError(f"all columns are constant over {valid.sum()} items: give other items")
    shares = within[varying] / total[varying]
    return NoiseFloor(
        whole=float(within.sum() / total.sum()),
        mean=float(shares.mean()),
        median=float(np.median(shares)),
        worst=float(np.quantile(shares, 0.9)),
        dims=int(varying.sum()),
        items=int(valid.sum()),
        failed=int((~valid).sum()),
        draws=len(drawn),
    )
