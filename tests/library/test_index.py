"""An index finds near rows, knows its library and its model, and is whole or refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from molkd.errors import CorruptFileError, InputError
from molkd.library import Index, build, exact, rows_of
from molkd.library.indexing import GOAL
from tests.fakes import libraries

LIBRARY = libraries.random(3000, missing=(0, 7, 2999))


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    return build(rows_of(LIBRARY), tmp_path_factory.mktemp("index") / "own", progress=False)


def test_it_finds_what_exact_search_finds_as_often_as_it_says(index: Index) -> None:
    queries = exact.unit(LIBRARY.values[100:300])
    found, true = index.nearest(queries, 10), exact.nearest(queries, [LIBRARY.values], 10)
    shares = [
        len(set(one) & set(other)) / 10
        for one, other in zip(found.rows.tolist(), true.rows.tolist(), strict=True)
    ]
    assert index.facts.recall >= GOAL - 0.03
    assert np.mean(shares) >= GOAL - 0.03
    assert index.facts.probes < index.facts.lists
    assert found.rows[:, 0].tolist() == list(range(100, 300))
    np.testing.assert_allclose(found.cosines[:, 0], 1, atol=2e-3)


def test_rows_without_an_embedding_are_counted_and_never_found(index: Index) -> None:
    assert (index.facts.rows, index.facts.indexed) == (3000, 2997)
    every = index.nearest(exact.unit(LIBRARY.values[1:2]), 3000)
    assert not {0, 7, 2999} & set(every.rows[0].tolist())


def test_rows_come_back_with_their_columns(index: Index) -> None:
    texts = index.take(np.array([5, 2, 5]))
    assert texts.ids == ["M5", "M2", "M5"]
    assert texts.columns["rank"].to_pylist() == [5, 2, 5]


def test_it_is_opened_again_as_it_was(index: Index) -> None:
    again = Index.open(index.folder)
    assert again.facts.library == index.facts.library == LIBRARY.digest
    queries = exact.unit(LIBRARY.values[10:20])
    np.testing.assert_array_equal(again.nearest(queries, 5).rows, index.nearest(queries, 5).rows)


def test_one_that_does_not_belong_names_both_digests(index: Index) -> None:
    other = libraries.random(3000, seed=1)
    with pytest.raises(InputError, match=f"{other.digest[:12]}.*{LIBRARY.digest[:12]}"):
        index.refuse_other(rows_of(other))
    with pytest.raises(
        InputError, match="the model has digest 0123456789ab, that of the index unk"
    ):
        index.refuse_other(rows_of(replace(LIBRARY, model_digest="0123456789abcdef")))
    index.refuse_other(rows_of(LIBRARY))


def test_a_library_of_equal_rows_has_an_index(tmp_path: Path) -> None:
    alike = replace(LIBRARY, values=np.ones((3000, 4), dtype=np.float32))
    found = build(rows_of(alike), tmp_path / "index", progress=False)
    assert found.nearest(exact.unit(alike.values[:1]), 3).rows.min() >= 0


def test_what_a_build_that_was_killed_has_left_goes_with_the_next(tmp_path: Path) -> None:
    left = tmp_path / ".own.999999999.partial"
    left.mkdir()
    (left / "vectors.npy").touch()
    build(rows_of(libraries.random(30)), tmp_path / "own", progress=False)
    assert [path.name for path in tmp_path.iterdir()] == ["own"]


def test_one_row_is_enough(tmp_path: Path) -> None:
    found = build(rows_of(libraries.random(1)), tmp_path / "index", progress=False)
    assert found.nearest(np.eye(1, 16, dtype=np.float32), 3).rows.tolist() == [[0, -1, -1]]


def test_a_library_of_hardly_any_embedding_has_an_index(tmp_path: Path) -> None:
    sparse = libraries.random(20_000, missing=tuple(range(1, 20_000)))
    found = build(rows_of(sparse), tmp_path / "index", progress=False)
    assert (found.facts.rows, found.facts.indexed) == (20_000, 1)


def test_a_library_without_embeddings_has_none(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no embedding"):
        build(rows_of(libraries.random(2, missing=(0, 1))), tmp_path / "index", progress=False)
    assert not (tmp_path / "index").exists()


@pytest.mark.parametrize("name", ["vectors.npy", "rows.parquet", "index.json"])
def test_a_cut_file_is_refused(tmp_path: Path, name: str) -> None:
    made = build(rows_of(libraries.random(50)), tmp_path / "index", progress=False)
    file = made.folder / name
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(CorruptFileError, match=name):
        Index.open(made.folder)


def test_another_version_is_refused(tmp_path: Path) -> None:
    made = build(rows_of(libraries.random(50)), tmp_path / "index", progress=False)
    facts = json.loads((made.folder / "index.json").read_text())
    (made.folder / "index.json").write_text(json.dumps({**facts, "version": 9}))
    with pytest.raises(CorruptFileError, match=r"version 9.*build it again"):
        Index.open(made.folder)
