"""What an engine must not change: the bytes, whatever the threads and the device."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from molkd import students
from molkd.embedding import EmbedSettings, embed_file
from tests.embedding.jobs import SMILES as GOOD
from tests.embedding.jobs import embed as _embed
from tests.fakes.fake_encoders import FakeEncoder


def _smi(folder: Path, smiles: list[str]) -> Path:
    path = folder / "in.smi"
    path.write_text("".join(f"{text}\tm{row}\n" for row, text in enumerate(smiles)))
    return path


@pytest.mark.parametrize("jobs", [1, 2])
def test_the_number_of_threads_changes_no_byte(tmp_path: Path, jobs: int) -> None:
    source, student = _smi(tmp_path, GOOD), students.load("molkd-static-1")
    found: list[bytes] = []
    before = torch.get_num_threads()
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            output = tmp_path / str(threads) / "out.npy"
            embed_file(
                student, source, output, EmbedSettings(chunk_rows=15), name="static", jobs=jobs
            )
            assert torch.get_num_threads() == threads
            found.append(output.read_bytes())
    finally:
        torch.set_num_threads(before)
    assert found[0] == found[1]


def test_a_gpu_is_fed_by_processes_without_torch(tmp_path: Path) -> None:
    source = _smi(tmp_path, [*GOOD, "bad", *GOOD])
    alone, fed = tmp_path / "alone.npy", tmp_path / "fed.npy"
    _embed(FakeEncoder(), source, alone)
    encoder = FakeEncoder(device="cuda:0")
    _embed(encoder, source, fed, jobs=2)
    assert fed.read_bytes() == alone.read_bytes()
    assert encoder.asked == [*GOOD, "bad", *GOOD]
    assert "molkd.items.molecules.chem" in encoder.modules
    assert "torch" not in encoder.modules
