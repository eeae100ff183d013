"""The program that counts how often an embedding depends on how a molecule is written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from molkd import students
from molkd.benchmarks.scripts import spellings
from molkd.students import GineSettings
from molkd.types import Embeddings

SMILES = ["CCO", "CC(=O)Oc1ccccc1C(=O)O", "nonsense", "C[C@H](N)C(=O)O", "C"]


class Lengths:
    """Embeds a text by how long it is; reads none that begins with an oxygen."""

    def embed(self, smiles: list[str]) -> Embeddings:
        values = np.array([[len(one)] for one in smiles], dtype=np.float32)
        values[[one.startswith(("n", "O")) for one in smiles]] = np.nan
        return Embeddings(values, {})


def test_what_depends_on_the_spelling_is_found() -> None:
    found = spellings.compare(Lengths(), SMILES, spellings=20, tolerance=0.5, seed=0)
    assert (found.molecules, found.unread) == (4, 1)
    assert found.beyond == 3  # methane can be written in one way only
    assert found.largest == np.inf  # ethanol may begin with its oxygen
    assert found.worst in SMILES


def test_a_student_depends_on_it_nowhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    students.make(GineSettings(size="tiny")).eval().save_pretrained(tmp_path / "student")
    (tmp_path / "all.smi").write_text("\n".join(SMILES) + "\n")
    arguments = ["--from", str(tmp_path / "all.smi"), "--model", str(tmp_path / "student")]
    spellings.main(arguments)
    said = capsys.readouterr().out
    assert "4 molecules in 5 random SMILES each (1 could not be read)" in said
    assert "0 beyond 1e-05" in said
    with pytest.raises(SystemExit, match="1"):
        spellings.main([*arguments, "--tolerance", "-1"])
