"""`molkd cut`: the first dimensions of an embedding, as a student of their own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from molkd import cli, students
from molkd.errors import ConfigError, OutputError
from molkd.students import GineSettings

SMILES = ["CCO", "c1ccccc1C(=O)O", "xx", "C[C@H](N)C(=O)O"]


def _saved(folder: Path, prefixes: str = "[16]") -> Path:
    students.make(GineSettings(size="tiny", embedding_dim=64)).save_pretrained(
        folder, card="# A student\n"
    )
    (folder / "settings.toml").write_text(f'[objective]\nname = "mi"\nprefixes = {prefixes}\n')
    return folder


def _cut(model: Path, length: int, output: Path) -> None:
    command = ["cut", str(model), "-d", str(length), "-o", str(output)]
    cli.app(command, standalone_mode=False)


def test_the_short_embedding_is_the_beginning_of_the_long_one(tmp_path: Path, capsys):
    whole = _saved(tmp_path / "whole")
    _cut(whole, 16, tmp_path / "short")
    assert "not trained" not in capsys.readouterr().err
    long, short = students.load(whole), students.load(tmp_path / "short")
    assert short.embedding_dim == 16
    assert sum(map(torch.numel, short.parameters())) < sum(map(torch.numel, long.parameters()))
    one, other = (student.embed(SMILES) for student in (long, short))
    assert one.failures == other.failures
    np.testing.assert_allclose(other.values, one.values[:, :16], rtol=1e-5, atol=1e-6)
    card = (tmp_path / "short" / "README.md").read_text()
    assert card.startswith("> The first 16 of 64 dimensions")
    assert card.endswith("# A student\n")


@pytest.mark.parametrize("prefixes", ["[8, 32]", "[]", "[16"])
def test_a_length_that_was_not_trained_is_told(tmp_path: Path, capsys, prefixes: str):
    _cut(_saved(tmp_path / "whole", prefixes), 16, tmp_path / "short")
    assert "not trained to be cut to 16" in capsys.readouterr().err


@pytest.mark.parametrize("length", [0, -1, 64, 100])
def test_a_length_that_does_not_cut_is_refused(tmp_path: Path, length: int):
    with pytest.raises(ConfigError, match=f"64 dimensions cannot be cut to {length}"):
        _cut(_saved(tmp_path / "whole"), length, tmp_path / "short")
    assert not (tmp_path / "short").exists()


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path):
    whole = _saved(tmp_path / "whole")
    with pytest.raises(OutputError, match="not empty"):
        _cut(whole, 16, whole)


def test_a_cut_student_keeps_its_mode_and_its_own_weights():
    whole = students.make(GineSettings(size="tiny")).train()
    before = {name: value.clone() for name, value in whole.state_dict().items()}
    short = whole.cut(8)
    assert short.training
    assert not whole.eval().cut(8).training
    with torch.no_grad():
        for parameter in short.parameters():
            parameter.add_(1)
    assert all(torch.equal(value, before[name]) for name, value in whole.state_dict().items())
