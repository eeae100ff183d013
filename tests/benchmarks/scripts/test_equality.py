"""The program that counts how often the fast path differs from the plain one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from molkd import students
from molkd.benchmarks.scripts import equality
from molkd.errors import ConfigError
from molkd.items.molecules import graph, stereo
from molkd.students import GineSettings
from molkd.types import Embeddings

SMILES = ["CCO", "CC(=O)Oc1ccccc1C(=O)O", "C[C@H](N)C(=O)O", "C", r"C/C=C/Cl"]


@pytest.fixture
def student(tmp_path: Path) -> str:
    folder = tmp_path / "student"
    students.make(GineSettings(size="tiny")).eval().save_pretrained(folder)
    return str(folder)


def test_odd_and_changed_texts_stand_between_molecules():
    texts = equality.with_odd(SMILES, seed=0)
    assert set(SMILES) < set(texts)
    assert set(equality.ODD) < set(texts)
    assert len(texts) == len(SMILES) + 1 + len(equality.ODD)
    assert texts == equality.with_odd(SMILES, seed=0)


def test_what_is_read_otherwise_is_found():
    rows = equality.differing(
        graph.featurize([*SMILES, "xx"]), equality.reference(["CCN", *SMILES[1:], ""])
    )
    assert rows == [0, len(SMILES)]


def test_another_code_is_found(monkeypatch: pytest.MonkeyPatch):
    assert equality.compare(None, SMILES).differing == ()
    monkeypatch.setattr(stereo, "BOND_CODES", {})
    monkeypatch.setattr(stereo, "_DOUBLE_BONDS", {})
    assert equality.compare(None, SMILES).differing == (SMILES[-1],)


def test_embeddings_that_are_apart_or_there_once_only():
    one = Embeddings(np.array([[0, 1], [2, 2], [np.nan] * 2], dtype=np.float32), {2: "no"})
    other = Embeddings(
        np.array([[0.5, 1], [np.nan] * 2, [np.nan] * 2], dtype=np.float32), {1: "x", 2: "no"}
    )
    np.testing.assert_array_equal(equality.apart(one, other), [0.5, np.inf, 0])


@pytest.mark.parametrize("name", ["default", "avx2"])
def test_an_older_processor_embeds_alike(student: str, name: str):
    there = equality.on_processor(name, student, [*SMILES, "xx"])
    here = students.load(student).embed([*SMILES, "xx"]).values
    np.testing.assert_allclose(there, here, atol=1e-5)


def test_a_process_that_fails_is_an_error(tmp_path: Path):
    with pytest.raises(
        ConfigError, match=r"embedding on 'avx2' failed: [\s\S]*no student in folder"
    ):
        equality.on_processor("avx2", str(tmp_path / "nothing"), SMILES)


def test_the_whole_program(tmp_path: Path, student: str, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "all.smi").write_text("\n".join(SMILES) + "\n")
    arguments = ["--from", str(tmp_path / "all.smi"), "--model", student, "--processors"]
    equality.main([*arguments, "avx2"])
    said = capsys.readouterr().out
    assert "0 have other integers or reasons" in said
    assert "embeddings here and on avx2" in said
    with pytest.raises(SystemExit, match="1"):
        equality.main([*arguments, "--tolerance", "-1"])
