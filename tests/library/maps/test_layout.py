"""Places on a plane: rows keep theirs, a seed gives the same bits, few rows are drawn too."""

from __future__ import annotations

import numpy as np
import pytest

from molkd.errors import ConfigError, InputError, MissingExtraError
from molkd.library.maps import layout as layouts
from molkd.library.maps.layout import layout
from molkd.library.maps.settings import MapSettings

PCA = MapSettings(layout="pca")


def _values(count: int, width: int = 16) -> np.ndarray:
    return np.random.default_rng(1).normal(size=(count, width)).astype(np.float32)


@pytest.mark.parametrize("count", [1, 2, 5, 300])
def test_pca_places_every_row_that_has_an_embedding(count: int) -> None:
    values = np.insert(_values(count), 0, np.nan, axis=0)
    found = layout(values, PCA)
    assert np.isnan(found.places[0]).all()
    assert np.isfinite(found.places[1:]).all()


def test_pca_shows_the_directions_of_largest_variance() -> None:
    from sklearn import decomposition

    values = _values(200) * np.linspace(1, 4, 16, dtype=np.float32)
    unit = values / np.linalg.norm(values, axis=1, keepdims=True)
    expected = decomposition.PCA(2, svd_solver="full").fit_transform(unit)
    np.testing.assert_allclose(np.abs(layout(values, PCA).places), np.abs(expected), atol=1e-4)


@pytest.mark.parametrize("values", [np.ones((6, 4)), np.zeros((6, 4)), np.ones((6, 1))])
def test_equal_rows_lie_in_one_place(values: np.ndarray) -> None:
    places = layout(values.astype(np.float32), PCA).places
    np.testing.assert_allclose(places, 0, atol=1e-6)


def test_few_rows_are_drawn_by_pca_and_the_words_say_why() -> None:
    found = layout(_values(5), MapSettings())
    assert np.isfinite(found.places).all()
    assert "UMAP needs 10 embeddings, there are 5" in found.words


def test_nothing_to_draw_is_an_error() -> None:
    with pytest.raises(InputError, match="none of the 3 rows"):
        layout(np.full((3, 4), np.nan, dtype=np.float32), PCA)


@pytest.mark.parametrize("wrong", [{"neighbours": 1}, {"clusters": 1}, {"layout": "tsne"}])
def test_settings_out_of_range_are_refused(wrong: dict) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        MapSettings(**wrong)


def test_without_umap_the_error_names_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(layouts.importlib, "import_module", absent)
    with pytest.raises(MissingExtraError, match=r"molkd\[workbench\]"):
        layout(_values(20), MapSettings())


@pytest.mark.slow
@pytest.mark.timeout(900)  # numba compiles for most of it
def test_umap_is_seeded_and_keeps_neighbours_together(monkeypatch: pytest.MonkeyPatch) -> None:
    centres = 8 * np.eye(16, dtype=np.float32)[:3]
    values = np.repeat(centres, 60, axis=0) + _values(180) / 4
    first = layout(values, MapSettings(seed=3))
    assert first.places.tobytes() == layout(values, MapSettings(seed=3)).places.tobytes()
    assert first.places.tobytes() != layout(values, MapSettings(seed=4)).places.tobytes()
    for places in (first.places, _beyond_landmarks(values, monkeypatch)):
        means = places.reshape(3, 60, 2).mean(axis=1)
        nearest = np.linalg.norm(places[:, None] - means, axis=2).argmin(axis=1)
        assert nearest.tolist() == [0] * 60 + [1] * 60 + [2] * 60


def _beyond_landmarks(values: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    monkeypatch.setattr(layouts, "LANDMARKS", 100)
    found = layout(values, MapSettings())
    assert "100 rows placed" in found.words
    return found.places
