"""Picks differ, follow seeds, and stop where nothing differs; clusters label every row."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from molkd.errors import ConfigError, InputError
from molkd.library import Library, clusters, exact, pick
from tests.fakes import libraries

LIBRARY = libraries.random(300, missing=(4, 9))


def test_each_pick_is_the_farthest_from_all_before() -> None:
    found = pick(LIBRARY, 12)
    vectors = exact.unit(LIBRARY.values)
    for place in range(1, 12):
        before = (vectors @ vectors[found.rows[:place]].T).max(axis=1)
        assert found.rows[place] == np.nanargmin(before)
        assert found.distances[place] == pytest.approx(1 - np.nanmin(before), abs=1e-5)
    assert np.isnan(found.distances[0])
    assert found.rows[0] == np.nanargmax(vectors @ np.nansum(vectors, axis=0))


def test_rows_without_an_embedding_are_said_and_not_picked() -> None:
    found = pick(LIBRARY, 298)
    assert not {4, 9} & set(found.rows.tolist())
    assert "2 of 300" in found.notes[0]


def test_more_than_there_are_is_as_many_as_differ() -> None:
    doubled = replace(LIBRARY, values=np.repeat(LIBRARY.values[10:160], 2, axis=0), reasons={})
    found = pick(doubled, 1000)
    assert len(found.rows) == 150
    assert "150 molecules instead of 1,000" in found.notes[-1]


@pytest.mark.parametrize("method", ["maxmin", "kmedoids"])
def test_one_molecule_is_picked_from_one(method: str) -> None:
    found = pick(libraries.random(1), 5, method=method)
    assert found.rows.tolist() == [0]
    assert found.table["distance"].to_pylist() == [None]


def test_medoids_lie_in_clouds_that_maxmin_leaves() -> None:
    """The mean distance of all rows to the nearest medoid is what k-medoids makes small."""
    vectors = exact.unit(LIBRARY.values)

    def cost(rows: np.ndarray) -> float:
        return float(np.nanmean(1 - (vectors @ vectors[rows].T).max(axis=1)))

    medoids = pick(LIBRARY, 8, method="kmedoids")
    assert len(medoids.rows) == 8
    assert cost(medoids.rows) < cost(pick(LIBRARY, 8).rows)


def test_picks_go_around_seeds(tmp_path: Path) -> None:
    file = libraries.embedded(tmp_path)
    alone, around = pick(file, 3), pick(file, 3, around=["CCO", "xx"])
    assert alone.rows.tolist() != around.rows.tolist()
    assert "CCO" not in around.texts.items
    assert "1 of 2 seeds are left out: seed 1" in around.notes[-1]
    assert not np.isnan(around.distances).any()
    with pytest.raises(InputError, match="no seed can be read"):
        pick(file, 3, around=["xx"])


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        ({"n": 0}, "at least 1, not 0"),
        ({"method": "sphere"}, "maxmin, kmedoids, not 'sphere'"),
        ({"method": "kmedoids", "around": ["CCO"]}, "around is for method maxmin"),
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, object], match: str) -> None:
    with pytest.raises(ConfigError, match=match):
        pick(LIBRARY, **wrong)


def test_a_library_without_embeddings_is_refused() -> None:
    with pytest.raises(InputError, match="holds no embedding"):
        pick(libraries.random(2, missing=(0, 1)))


def test_clusters_label_every_row_and_keep_reasons() -> None:
    found = clusters(LIBRARY, 8)
    table = found.table.to_pylist()
    assert [row["row"] for row in table] == list(range(300))
    assert [row["row"] for row in table if row["error"]] == [4, 9]
    assert table[4]["error"] == "lost"
    assert table[4]["cluster"] is None
    assert found.sizes.tolist() == sorted(found.sizes.tolist(), reverse=True)
    assert found.sizes.sum() == 298
    assert sum(row["representative"] for row in table) == 8
    assert [row["rank"] for row in table] == list(range(300))


def test_a_representative_is_nearest_to_all_of_its_cluster() -> None:
    found, vectors = clusters(LIBRARY, 5), exact.unit(LIBRARY.values)
    for label, row in enumerate(found.representatives.tolist()):
        members = np.flatnonzero(found.labels == label)
        means = (vectors[members] @ vectors[members].T).mean(axis=1)
        assert row == members[np.argmax(means)]
        np.testing.assert_allclose(
            found.cosines[members], vectors[members] @ vectors[row], atol=1e-5
        )


def test_more_clusters_than_molecules_that_differ() -> None:
    alike = replace(LIBRARY, values=np.repeat(LIBRARY.values[10:13], 100, axis=0), reasons={})
    found = clusters(alike, 10)
    assert found.sizes.tolist() == [100, 100, 100]
    assert "3 clusters instead of 10" in found.notes[0]
    with pytest.raises(ConfigError, match="clusters must be at least 1"):
        clusters(alike, 0)


def test_a_compound_is_in_one_cluster_and_picked_once_however_often_it_is_there() -> None:
    rng = np.random.default_rng(0)
    values = np.repeat(LIBRARY.values[10:50], 5, axis=0)
    values *= 1 + rng.normal(scale=1e-7, size=values.shape).astype(np.float32)
    repeated = replace(LIBRARY, values=values, reasons={})
    found = pick(repeated, 60, method="kmedoids")
    compounds = found.rows // 5
    assert len(set(compounds.tolist())) == len(compounds) >= 30
    assert found.distances.min() >= 0
    labels = clusters(repeated, 60).labels.reshape(40, 5)
    assert (labels == labels[:, :1]).all()


def test_the_same_seed_gives_the_same_clusters() -> None:
    one, other = (clusters(LIBRARY, 6, seed=3).labels for _ in range(2))
    np.testing.assert_array_equal(one, other)


def test_columns_of_the_same_name_are_told_apart() -> None:
    named: Library = replace(LIBRARY, columns={"pick": LIBRARY.columns["rank"]})
    table = pick(named, 3).table
    assert table["library_pick"].to_pylist() == table["row"].to_pylist()
    assert table["pick"].to_pylist() == [1, 2, 3]
