"""Searches give every query its neighbours or a reason, by cosine beside Tanimoto."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import molkd
from molkd import library
from molkd.errors import ConfigError, InputError
from molkd.library import Queries, build, read, rows_of, search
from tests.fakes import libraries

ASPIRIN = "CC(=O)Oc1ccccc1C(=O)O"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return libraries.embedded(tmp_path_factory.mktemp("searched"))


def test_neighbours_are_those_of_a_sort_of_all_cosines(file: Path) -> None:
    found = search(file, [ASPIRIN], k=6)
    values = read(file).values
    query = molkd.embed([ASPIRIN], libraries.STUDENT).values[0]
    cosines = values @ query / np.linalg.norm(values, axis=1) / np.linalg.norm(query)
    order = np.argsort(-np.nan_to_num(cosines, nan=-2), kind="stable")[:6]
    hits = found.neighbours[0]
    assert [hit.row for hit in hits] == order.tolist()
    np.testing.assert_allclose([hit.cosine for hit in hits], cosines[order], atol=1e-5)
    assert hits[0].smiles == ASPIRIN
    assert hits[0].tanimoto == 1


def test_a_file_a_library_and_an_index_answer_alike(file: Path, tmp_path: Path) -> None:
    index = build(rows_of(file), tmp_path / "index", progress=False)
    queries = ["CCO", ASPIRIN, "c1ccccc1"]
    answers = [search(place, queries, k=1).table for place in (file, read(file), index)]
    for table in answers[1:]:
        assert table.drop(["cosine"]) == answers[0].drop(["cosine"])
        np.testing.assert_allclose(table["cosine"], answers[0]["cosine"], atol=2e-3)


def test_queries_that_cannot_be_read_keep_their_place(file: Path) -> None:
    table = search(file, ["CCO", "no molecule", "", "c1ccccc1"], k=2).table.to_pylist()
    assert [row["query"] for row in table] == [0, 0, 1, 2, 3, 3]
    assert [row["rank"] for row in table] == [1, 2, None, None, 1, 2]
    assert "SMILES" in table[2]["error"]
    assert "empty" in table[3]["error"]
    assert all(row["error"] is None for row in table if row["rank"])


def test_no_query_that_can_be_read_is_no_crash(file: Path) -> None:
    found = search(file, ["xx"], k=2)
    assert found.table.num_rows == 1
    assert "1 of 1 queries" in found.notes[0]


def test_more_neighbours_than_rows_are_as_many_as_there_are(file: Path) -> None:
    found = search(file, ["CCO"], k=100)
    assert len(found.neighbours[0]) == 39  # one of 40 is no molecule
    assert "39 molecules with an embedding" in found.notes[-1]


def test_neighbours_are_ranked_anew_among_the_candidates(file: Path) -> None:
    by_cosine = search(file, [ASPIRIN], k=12).neighbours[0]
    again = search(file, [ASPIRIN], k=12, rank_by="tanimoto", candidates=12).neighbours[0]
    assert {hit.row for hit in again} == {hit.row for hit in by_cosine}
    assert [hit.tanimoto for hit in again] == sorted((hit.tanimoto for hit in again), reverse=True)
    both = search(file, [ASPIRIN], k=12, rank_by="mean", candidates=12).neighbours[0]
    means = [hit.cosine + hit.tanimoto for hit in both]
    assert means == sorted(means, reverse=True)


def test_a_molecule_of_the_library_that_has_no_fingerprint_has_no_tanimoto(file: Path) -> None:
    whole = read(file)
    strange = replace(whole, smiles=["?" for _ in whole.smiles])
    hit = search(strange, ["CCO"], k=1, rank_by="tanimoto").neighbours[0][0]
    assert math.isnan(hit.tanimoto)


def test_columns_of_the_library_stand_beside_each_neighbour(file: Path) -> None:
    table = search(file, ["CCO", "xx", "c1ccccc1"], k=3).table
    for row in table.to_pylist():
        assert row["library_rank"] == (None if row["rank"] is None else row["row"] / 2)


def test_another_student_is_refused_with_both_digests(file: Path) -> None:
    own, other = read(file).model_digest, molkd.load("molkd-static").digest
    with pytest.raises(InputError, match=f"{own[:12]}.*{other[:12]}"):
        search(file, ["CCO"], model="molkd-static")


def test_a_library_of_nobody_and_of_another_width_is_refused(file: Path) -> None:
    unknown = replace(read(file), model="", model_digest="")
    with pytest.raises(InputError, match="--model"):
        search(unknown, ["CCO"])
    with pytest.raises(InputError, match=r"128 dimensions.*512"):
        search(unknown, ["CCO"], model="molkd-static")
    assert search(unknown, ["CCO"], k=1, model=libraries.STUDENT).neighbours[0]


def test_queries_are_standardised_as_the_library_was(file: Path) -> None:
    salt = "[Na+].CC(=O)[O-]"
    whole = replace(read(file), standardize="full")
    assert search(whole, [salt], k=1).neighbours[0][0].smiles == "CC(=O)O"
    assert search(whole, [salt], k=1).neighbours[0][0].cosine == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("wrong", [{"k": 0}, {"candidates": 0}, {"rank_by": "dice"}])
def test_settings_out_of_range_are_refused(file: Path, wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=str(next(iter(wrong.values())))):
        search(file, ["CCO"], **wrong)


def test_queries_of_a_file_keep_their_identifiers(file: Path, tmp_path: Path) -> None:
    (tmp_path / "queries.smi").write_text("CCO ethanol\nxx oops\nc1ccccc1\n")
    table = search(file, Queries.read(tmp_path / "queries.smi"), k=1).table
    assert table["query_id"].to_pylist() == ["ethanol", "oops", ""]


def test_one_text_is_one_query(file: Path) -> None:
    assert library.search(file, "CCO", k=1).table.num_rows == 1


def test_no_query_at_all_is_refused(file: Path) -> None:
    with pytest.raises(ConfigError, match="got none"):
        search(file, [])
