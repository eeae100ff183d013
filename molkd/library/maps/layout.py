"""Where molecules lie on a map: two numbers for each embedding, by PCA or UMAP."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from molkd.errors import InputError, MissingExtraError
from molkd.library.maps.settings import MapSettings
from molkd.types import Matrix

FEWEST = 10
"""Rows below which UMAP has nothing to say: PCA is drawn instead."""

LANDMARKS = 200_000
"""Rows that UMAP places itself; of more, so many are drawn and the others join neighbours."""

_JOINED = 5
"""Landmarks of which another row takes the mean place."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Places of embeddings on a map.

    Attributes:
        places: shape (n, 2); NaN in rows without an embedding.
        words: how they were found.
    """

    places: Matrix
    words: str


def layout(values: Matrix, settings: MapSettings) -> Layout:
    """Places embeddings on a plane.

    PCA shows the two directions of largest variance. UMAP shows who is near whom, by cosine, and
    says nothing with large distances; the same seed gives the same places with the same versions
    of its libraries. Of fewer than 10 embeddings PCA is drawn whatever is asked for.

    Args:
        values: shape (n, d); NaN in rows without an embedding.
        settings: layout, seed and neighbours count.

    Raises:
        InputError: no row has an embedding.
        MissingExtraError: umap-learn is not installed.
    """
    valid = np.isfinite(values).all(axis=1)
    count = int(valid.sum())
    if not count:
        raise InputError(
            f"none of the {len(values)} rows has an embedding: there is nothing to draw"
        )
    places = np.full((len(values), 2), np.nan, dtype=np.float32)
    if settings.layout == "pca":
        places[valid], words = _pca(_unit(values[valid]))
    elif count < FEWEST:
        places[valid], words = _pca(_unit(values[valid]))
        words += f" (UMAP needs {FEWEST} embeddings, there are {count})"
    else:
        neighbours = min(settings.neighbours, count - 1)
        places[valid], words = _umap(_unit(values[valid]), settings.seed, neighbours)
    return Layout(places, words)


def _unit(values: Matrix) -> Matrix:
    """Rows of length 1, whose Euclidean distances have the order of cosines; zeros stay."""
    lengths = np.linalg.norm(values, axis=1, keepdims=True)
    return (values / np.where(lengths > 0, lengths, 1)).astype(np.float32)


def _pca(values: Matrix) -> tuple[Matrix, str]:
    scores, shares = _components(values, 2)
    places = np.zeros((len(values), 2), dtype=np.float32)
    places[:, : scores.shape[1]] = scores
    return places, f"PCA, {shares[:2].sum():.0%} of the variance"


def _components(values: Matrix, count: int) -> tuple[Matrix, npt.NDArray[np.float64]]:
    """Principal components, shape (n, at most count), and the share of variance of each.

    By the covariance in float64, whose eigenvectors are turned so that the largest entry is
    positive: the same for any order of rows up to rounding.
    """
    centred = values - values.mean(axis=0, dtype=np.float64).astype(np.float32)
    covariance = np.zeros((values.shape[1], values.shape[1]))
    for start in range(0, len(centred), 8192):
        part = centred[start : start + 8192].astype(np.float64)
        covariance += part.T @ part
    variances, vectors = np.linalg.eigh(covariance)
    variances, vectors = np.clip(variances[::-1], 0, None), vectors[:, ::-1][:, :count]
    largest = np.abs(vectors).argmax(axis=0)
    vectors = vectors * np.where(vectors[largest, np.arange(vectors.shape[1])] < 0, -1, 1)
    shares = variances / (variances.sum() or 1)
    return (centred @ vectors.astype(np.float32)), shares[:count]


def _umap(unit: Matrix, seed: int, neighbours: int) -> tuple[Matrix, str]:
    words = f"UMAP, cosine, {neighbours} neighbours, seed {seed}"
    if len(unit) <= LANDMARKS:
        return _placed(unit, seed, neighbours), words
    drawn = np.random.default_rng(seed).choice(len(unit), LANDMARKS, replace=False)
    drawn.sort()
    places = np.empty((len(unit), 2), dtype=np.float32)
    places[drawn] = _placed(unit[drawn], seed, neighbours)
    others = np.setdiff1d(np.arange(len(unit)), drawn)
    places[others] = _joined(unit[drawn], places[drawn], unit[others], seed)
    return places, f"{words}; {LANDMARKS:,} rows placed, the others among their neighbours"


def _placed(unit: Matrix, seed: int, neighbours: int) -> Matrix:
    """UMAP itself, from the first two components, as spread as umap-learn's own beginning."""
    umap = _library("umap")
    start = _components(unit, 2)[0]
    start = 10 * start / (np.abs(start).max() or 1)
    noise = np.random.default_rng(seed).normal(scale=1e-4, size=(len(unit), 2))  # equal rows part
    noise[:, : start.shape[1]] += start
    model = umap.UMAP(
        n_neighbors=neighbours,
        metric="cosine",
        init=noise.astype(np.float32),
        random_state=seed,
        n_jobs=1,  # more threads give other bits each time
    )
    return _quietly(model.fit_transform, unit)


def _joined(landmarks: Matrix, places: Matrix, others: Matrix, seed: int) -> Matrix:
    """Mean places of the nearest landmarks of other rows, the nearer the heavier."""
    index = _quietly(
        _library("pynndescent").NNDescent,
        landmarks,
        metric="cosine",
        random_state=seed,
        n_jobs=1,
        n_neighbors=15,
    )
    near, distances = _quietly(index.query, others, k=_JOINED)
    weights = 1 / (distances + 1e-6) ** 2
    weights /= weights.sum(axis=1, keepdims=True)
    return np.einsum("nk,nkd->nd", weights, places[near]).astype(np.float32)


def _library(name: str) -> Any:
    try:
        return _quietly(importlib.import_module, name)
    except ImportError as error:
        raise MissingExtraError(
            "UMAP needs umap-learn: pip install 'molkd[workbench]', or choose the layout pca"
        ) from error


def _quietly(call: Callable[..., Any], *given: Any, **options: Any) -> Any:
    """Without warnings about choices that we make on purpose, as of one thread."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return call(*given, **options)
