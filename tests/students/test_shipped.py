"""Students that are part of the package: found by name, whole, small, and of one vector."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from rdkit import Chem

import molkd
from molkd import cli, students
from molkd.embedding import settings_path
from molkd.errors import WeightsError
from molkd.featurizers import MolKDTransformer
from molkd.students import shipped

NAMES = shipped.names()
ODD = ["[Na+].[Cl-]", "[H][H]", "C", "OB(O)c1ccccc1", "C[Si](C)(C)C", "F[P-](F)(F)(F)(F)F", "[Xe]"]
PAIRS = [
    ("C[C@H](N)C(=O)O", "C[C@@H](N)C(=O)O"),
    ("C/C=C/C(=O)O", "C/C=C\\C(=O)O"),
    ("CC(=O)O", "CC(=O)[O-]"),
    ("c1ccncc1", "c1cc[nH+]cc1"),
]
EVERY = pytest.mark.parametrize("name", NAMES)


@pytest.fixture
def few(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("molkd-a-1", "molkd-a-2", "molkd-a-10", "molkd-b-1", "molkd-c"):
        (tmp_path / name).mkdir()
    (tmp_path / "README.md").touch()
    monkeypatch.setattr(shipped, "FOLDER", tmp_path)
    return tmp_path


def test_without_a_version_the_newest_is_meant(few: Path) -> None:
    assert shipped.folder_of("molkd-a") == few / "molkd-a-10"
    assert shipped.folder_of("molkd-a-2") == few / "molkd-a-2"
    for other in ("molkd-a-3", "molkd-", "molkd", "./molkd-a", "a", "molkd-c", ""):
        assert shipped.folder_of(other) is None


def test_a_name_that_nobody_has_lists_those_that_there_are(few: Path) -> None:
    with pytest.raises(WeightsError, match=r"one of molkd-a-1, .*, which are part of molkd"):
        students.load("molkd-smal")


def test_the_default_is_there() -> None:
    assert shipped.folder_of(shipped.DEFAULT) is not None
    vectors = molkd.embed(["CCO", "xx"], device="cpu")
    assert list(vectors.failures) == [1]
    student = molkd.load()
    assert student.folder == shipped.folder_of(shipped.DEFAULT)
    np.testing.assert_array_equal(vectors.values[0], MolKDTransformer().transform(["CCO"])[0])


@pytest.fixture
def command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    """Runs the command line in a folder; returns the exit code and what it said."""
    (tmp_path / "in.smi").write_text("CCO ethanol\nxx bad\n")
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["molkd", *arguments])
        try:
            cli.main()
        except SystemExit as stop:
            return int(stop.code or 0), capsys.readouterr().err
        return 0, capsys.readouterr().err

    return run


def test_a_file_is_enough_for_the_command(
    command: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    code, said = command("embed", "in.smi", "-o", "out.npy")
    assert code == 0
    assert "1 of 2 molecules embedded" in said
    assert command("embed", "in.smi", "-o", "named.npy", "-m", "molkd-small-1")[0] == 0
    np.testing.assert_array_equal(*(np.load(tmp_path / f"{name}.npy") for name in ("out", "named")))
    assert "molkd-small-1" in settings_path(tmp_path / "out.npy").read_text()


@pytest.mark.parametrize(
    ("given", "said"),
    [([], "got none"), (["a.smi"], "cannot read a.smi"), (["in.smi", "-i", "b.smi"], "b.smi")],
)
def test_every_file_that_is_named_must_be_there(
    command: Callable[..., tuple[int, str]], given: list[str], said: str
) -> None:
    code, message = command("embed", *given, "-o", "out.npy")
    assert code != 0
    assert said in message


def test_they_fit_into_a_wheel() -> None:
    sizes = {
        name: sum(file.stat().st_size for file in (shipped.FOLDER / name).rglob("*"))
        for name in NAMES
    }
    assert sum(sizes.values()) < 55 * 2**20
    assert sizes["molkd-small-1"] < 8 * 2**20


@EVERY
def test_the_card_says_what_must_be_known(name: str) -> None:
    card = (shipped.FOLDER / name / "README.md").read_text()
    assert f"\n# {name}\n" in card
    for word in ("licence", "minimol", "Corpus digest", "known weaknesses", "ADMET"):
        assert word.lower() in card.lower()


@EVERY
def test_a_compound_has_one_vector_however_it_is_written(name: str) -> None:
    student = students.load(name)
    texts = [*ODD, *(one for pair in PAIRS for one in pair), "CC(=O)Oc1ccccc1C(=O)O"]
    vectors = student.embed(texts).values
    assert np.isfinite(vectors).all()
    written = [
        Chem.MolToRandomSmilesVect(Chem.MolFromSmiles(text), 3, randomSeed=1) for text in texts
    ]
    for spelling in zip(*written, strict=True):
        np.testing.assert_allclose(student.embed(spelling).values, vectors, atol=1e-5)


@EVERY
def test_isomers_and_charge_states_differ(name: str) -> None:
    student = students.load(name)
    one, other = (student.embed(list(side)).values for side in zip(*PAIRS, strict=True))
    assert (np.abs(one - other).max(axis=1) > 0.01).all()


@EVERY
def test_what_is_strange_is_named(name: str) -> None:
    (said,) = students.load(name).embed(["CCO", "[U]"]).outside.values()
    assert "element U" in said
