"""Molecules of a task that a corpus holds, too, however they are written."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rdkit import Chem

from molkd.benchmarks.quality import leakage
from molkd.benchmarks.tasks.task import Task
from molkd.errors import InputError

ALANINE, ALANINE_L, ALANINE_ION = "CC(N)C(=O)O", "C[C@H](N)C(=O)O", "CC([NH3+])C(=O)[O-]"


def task(*items: str, test: str | None = None, name: str = "t") -> Task:
    """A task whose test rows are marked by 1 in a text such as "0110"."""
    return Task(
        name=name,
        group="g",
        kind="regression",
        metric="MAE",
        items=items,
        labels=np.zeros((len(items), 1)),
        test=None if test is None else np.array([mark == "1" for mark in test]),
    )


def test_a_skeleton_ignores_stereo_charge_isotopes_and_spelling() -> None:
    forms = [ALANINE, ALANINE_L, ALANINE_ION, "OC(=O)C(N)C", "[13CH3]C(N)C(=O)O"]
    assert set(leakage.skeletons(forms)) == {"QNAYBMKLOCPYGJ"}


def test_a_skeleton_joins_mobile_hydrogens() -> None:
    assert len(set(leakage.skeletons(["Cc1c[nH]cn1", "Cc1cnc[nH]1"]))) == 1


def test_a_skeleton_separates_isomers_and_salts() -> None:
    assert len(set(leakage.skeletons(["CCCO", "CC(C)O", "CCO", "CCO.Cl"]))) == 4


def test_what_cannot_be_read_has_no_skeleton() -> None:
    assert leakage.skeletons(["C1CC", "", "no", None, "*"])[:4] == [""] * 4


@pytest.mark.parametrize("jobs", [1, 2])
def test_skeletons_keep_the_order_over_chunks(jobs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leakage, "_CHUNK", 3)
    smiles = ["C" * length + end for length in range(1, 6) for end in ("O", "N")]
    expected = [Chem.MolToInchiKey(Chem.MolFromSmiles(text))[:14] for text in smiles]
    assert leakage.skeletons(smiles, jobs=jobs) == expected


def test_known_holds_each_skeleton_once_in_order() -> None:
    seen = leakage.known([ALANINE, "CCO", ALANINE_L, "C1CC", "CCO"])
    assert seen.dtype == np.uint64
    assert len(seen) == 2
    assert (np.diff(seen.astype(np.float64)) > 0).all()


def test_known_takes_little_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leakage, "_CHUNK", 5)
    taken = 0

    def corpus() -> Iterator[str]:
        nonlocal taken
        for length in range(1, 41):
            taken += 1
            yield "C" * length

    first = next(leakage.stream(corpus()))
    assert len(first) == 5
    assert taken == 5


def test_leaked_marks_the_rows_of_a_task() -> None:
    seen = leakage.known([ALANINE, "CCO"])
    found = leakage.leaked(seen, task(ALANINE_L, "CCC", "OCC", "C1CC", ALANINE_ION))
    assert found.tolist() == [True, False, True, False, True]


def test_an_unreadable_item_is_not_leaked_by_an_unreadable_corpus() -> None:
    seen = leakage.known(["C1CC", "also not", "CCO"])
    assert leakage.leaked(seen, task("C1CC", "nor this")).tolist() == [False, False]


def test_texts_have_no_skeletons() -> None:
    with pytest.raises(InputError, match="t holds texts: leave out the corpus"):
        leakage.leaked(leakage.known(["CCO"]), replace(task("CCO", "CCC"), modality="texts"))


def test_an_empty_corpus_leaks_nothing() -> None:
    assert leakage.leaked(leakage.known([]), task("CCO", "CCC")).tolist() == [False, False]


def test_skeletons_at_both_ends_of_the_hashes_are_found() -> None:
    corpus = ["C" * length for length in range(1, 30)]
    assert leakage.leaked(leakage.known(corpus), task(*corpus)).all()


def test_count_by_part_of_the_official_split() -> None:
    seen = leakage.known([ALANINE, "CCO"])
    given = task(ALANINE, "CCC", "CCO", "OCC", test="0011", name="given")
    free = task(ALANINE, "CCC", "CCO", name="free")
    assert leakage.count(seen, [given, free]) == {
        "given": {"test": 2, "train": 1, "items": 3},
        "free": {"items": 2},
    }


def test_a_file_is_computed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, cache = tmp_path / "corpus.smi", tmp_path / "cache"
    path.write_text("CCO\nCCC\n")
    first = leakage.known_of_file(path, cache=cache)
    np.testing.assert_array_equal(first, leakage.known(["CCO", "CCC"]))
    with monkeypatch.context() as patched:
        patched.setattr(leakage, "known", None)
        np.testing.assert_array_equal(leakage.known_of_file(path, cache=cache), first)
    path.write_text("CCO\nCCN\n")
    changed = leakage.known_of_file(path, cache=cache)
    np.testing.assert_array_equal(changed, leakage.known(["CCO", "CCN"]))


def test_a_cut_cache_is_computed_again(tmp_path: Path) -> None:
    path, cache = tmp_path / "corpus.smi", tmp_path / "cache"
    path.write_text("CCO\nCCC\n")
    first = leakage.known_of_file(path, cache=cache)
    (kept,) = (cache / "skeletons").iterdir()
    for size in (0, 20, kept.stat().st_size - 1):
        kept.write_bytes(kept.read_bytes()[:size])
        np.testing.assert_array_equal(leakage.known_of_file(path, cache=cache), first)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no file"):
        leakage.known_of_file(tmp_path / "x.smi", cache=tmp_path)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "Drug_ID,Drug,Y\n1,CCO,0\n2,,1\n3,CCC,0\n"),
        ("b.csv", "mol,Class,CID,Model\nCCO,1,x,y\nCCC,0,x,y\n"),
        ("c.tab", '"ID"\t"X"\t"Y"\n"1"\t"CCO"\t0.5\n"2"\t"CCC"\t0.1\n'),
        ("d.csv", "SMILES\nCCO\nCCC\n"),
        ("e.csv", "mol,smiles\nm1,CCO\nm2,CCC\n"),
        ("f.smi", "CCO ethanol\nCCC propane\n"),
        ("g.csv", "smiles;name\nCCO;ethanol\nC\xe9;methane\nCCC;propane\xe9\n"),
    ],
)
def test_molecules_finds_the_column(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text, encoding="latin-1")
    assert list(leakage.molecules(tmp_path / name)) == ["CCO", "CCC"]


def test_molecules_reads_compressed_tables(tmp_path: Path) -> None:
    path = tmp_path / "corpus.csv.gz"
    path.write_bytes(gzip.compress(b"id,mol\n1,CCO\n"))
    assert list(leakage.molecules(path)) == ["CCO"]


def test_molecules_refuses_a_table_without_a_usual_column(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("name,y\nCCO,1\n")
    with pytest.raises(InputError, match=r"a\.csv has no column"):
        list(leakage.molecules(tmp_path / "a.csv"))
    with pytest.raises(InputError, match=r"missing\.csv"):
        list(leakage.molecules(tmp_path / "missing.csv"))


def test_the_training_rows_of_a_real_task_leak_and_its_test_rows_do_not(shared: Path) -> None:
    from molkd.benchmarks import tasks

    (dili,) = tasks.load(["tdc-admet:dili"], data=shared / "data")
    assert dili.test is not None
    train = [text for text, test in zip(dili.items, dili.test, strict=True) if not test]
    found = leakage.count(leakage.known(train), [dili])[dili.name]
    assert found["train"] == len(train)
    assert found["test"] == 0  # its split is by scaffold
    assert found["items"] == len(train)
