"""How many neighbours compact embeddings keep; and all of the workbench reads such files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from molkd import library, students
from molkd.embedding import EmbedSettings, embed_file
from molkd.errors import ConfigError, InputError
from molkd.library import compact
from tests.fakes import libraries
from tests.fakes.libraries import SMILES, STUDENT

VALUES = libraries.random(400, 24, missing=(5,)).values


def _by_way(**some: Any) -> dict[tuple[str, int, str], compact.Kept]:
    kept = compact.compare(VALUES, 4.0, queries=100, **some)
    return {(one.encoding.dtype, one.encoding.dim, one.queries): one for one in kept}


def test_more_bytes_keep_more_neighbours() -> None:
    found = _by_way(dimensions=[6])
    recalls = {way: one.recalls[10].mean for way, one in found.items()}
    assert recalls["float16", 24, "float32"] > 0.995
    assert recalls["int8", 24, "float32"] > 0.95
    assert recalls["int8", 24, "the same"] > 0.95
    assert recalls["binary", 24, "the same"] < recalls["int8", 24, "the same"]
    assert recalls["float32", 6, "float32"] < 0.95
    sizes = {way: one.size for way, one in found.items()}
    assert sizes["int8", 24, "float32"] == 24
    assert sizes["binary", 24, "float32"] == 3
    assert sizes["float16", 6, "float32"] == 12


def test_the_recall_is_that_of_a_sort_of_all_cosines() -> None:
    values = VALUES[np.isfinite(VALUES).all(axis=1)]
    keys = np.sort(np.random.default_rng(3).permutation(len(values))[:100])

    def nearest(rows: Any) -> list[set[int]]:
        unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        cosines = unit[keys] @ unit.T
        cosines[np.arange(len(keys)), keys] = -2
        return [set(row[:10]) for row in np.argsort(-cosines, axis=1, kind="stable").tolist()]

    pairs = zip(nearest(values), nearest(values[:, :6]), strict=True)
    shares = [len(one & other) / 10 for one, other in pairs]
    found = _by_way(dimensions=[6], seed=3)["float32", 6, "float32"].recalls[10]
    assert found.mean == pytest.approx(np.mean(shares))
    assert found.half == pytest.approx(1.96 * np.std(shares) / 10)


def test_without_a_reach_there_is_no_int8() -> None:
    kept = compact.compare(VALUES, None, queries=10)
    assert {one.encoding.dtype for one in kept} == {"float16", "binary"}


@pytest.mark.parametrize("some", [{"dimensions": [24]}, {"dimensions": [0]}, {"queries": 0}])
def test_what_cannot_be_asked_is_refused(some: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        list(compact.compare(VALUES, 1.0, **some))


@pytest.fixture(scope="module", params=["int8", "binary", "short"])
def files(request: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path, Path]:
    """A way to store embeddings, a file of it and one of 32 bits, a row of which has none."""
    folder = tmp_path_factory.mktemp("compact")
    source = folder / "in.smi"
    source.write_text("\n".join([*SMILES, "no molecule"]))
    student: Any = students.load(STUDENT)
    way = EmbedSettings(dimensions=64) if request.param == "short" else None
    options = way or EmbedSettings(dtype=request.param)
    for name, some in (("small", options), ("whole", EmbedSettings())):
        embed_file(student, source, folder / f"{name}.parquet", some, name=STUDENT)
    return request.param, folder / "small.parquet", folder / "whole.parquet"


def test_search_picks_and_maps_read_compact_files(files: tuple[str, Path, Path]) -> None:
    _, small, _ = files
    hits = library.search(small, [SMILES[22], "no molecule"], k=3)
    assert hits.neighbours[0][0].smiles == SMILES[22]
    assert list(hits.reasons) == [1]
    picked = library.pick(small, 4)
    assert len(set(picked.table["row"].to_pylist())) == 4
    found = library.read(small)
    assert found.valid.tolist() == [True] * len(SMILES) + [False]
    index = library.build(library.rows_of(small), small.with_name("index"), progress=False)
    again = library.search(index, [SMILES[22]], k=1)
    assert again.neighbours[0][0].smiles == SMILES[22]


def test_familiarity_reads_what_is_whole_or_says_what_is_missing(
    files: tuple[str, Path, Path],
) -> None:
    way, small, whole = files
    student: Any = students.load(STUDENT)
    if way == "int8":
        scores = [library.check(library.read(path), student).known.scores for path in files[1:]]
        np.testing.assert_allclose(*scores, atol=0.02)
        return
    assert whole.exists()
    message = {"binary": "one bit of each value", "short": "64 of 128 dimensions"}[way]
    with pytest.raises(InputError, match=message):
        library.check(library.read(small), student)
