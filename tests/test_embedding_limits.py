"""Embedding jobs that run out of disk, or are larger than memory should matter."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent / "fakes"))
from fake_encoders import FakeEncoder

from molkd.embedding import EmbedSettings, Summary, embed_file
from molkd.errors import OutputError
from molkd.formats import WRITERS

SMILES = [f"{'C' * (1 + row % 20)}{'N' * (row // 20)}O" for row in range(100)]


def _embed(encoder: FakeEncoder, source: Path, output: Path, **some: Any) -> Summary:
    jobs, overwrite = some.pop("jobs", 1), some.pop("overwrite", False)
    options = EmbedSettings(**{"chunk_rows": 16, **some})
    return embed_file(encoder, source, output, options, name="fake", jobs=jobs, overwrite=overwrite)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "in.smi"
    path.write_text("".join(f"{text}\n" for text in SMILES))
    return path


@pytest.fixture
def expected(source: Path, tmp_path: Path) -> bytes:
    _embed(FakeEncoder(), source, tmp_path / "whole.npy")
    return (tmp_path / "whole.npy").read_bytes()


# == A disk that fills up


@pytest.mark.parametrize("kind", list(WRITERS))
def test_a_full_disk_at_the_output_keeps_the_parts(
    tmp_path: Path, source: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / f"out.{kind}"
    real = Path.open

    def full(self: Path, mode: str = "r", *rest: Any, **options: Any) -> Any:
        here = self.name.startswith(".out") and mode == "wb"
        return real(Path("/dev/full") if here else self, mode, *rest, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", full)
        with pytest.raises(OutputError, match=r"out.* the disk is full: free some space and run"):
            _embed(FakeEncoder(), source, output)
    assert not output.exists()
    encoder = FakeEncoder()
    summary = _embed(encoder, source, output)
    assert summary.resumed == 100
    assert encoder.asked == []


def test_a_full_disk_at_a_part_keeps_the_others(
    tmp_path: Path, source: Path, expected: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "out.npy"
    real = Path.write_bytes

    def full(self: Path, data: bytes) -> int:
        if self.name.startswith(".part-00000003"):
            real(self, data[:100])
            raise OSError(28, "No space left on device")
        return real(self, data)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        with pytest.raises(OutputError, match="the disk is full: free some space and run the same"):
            _embed(FakeEncoder(), source, output)
    assert _embed(FakeEncoder(), source, output).resumed == 48
    assert output.read_bytes() == expected


def test_a_folder_that_cannot_be_made(tmp_path: Path, source: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"cannot write .*file"):
        _embed(FakeEncoder(), source, tmp_path / "file" / "out.npy")


# == Memory

MEASURE = """
import resource, sys
sys.path.insert(0, sys.argv[1])
from fake_encoders import FakeEncoder
from molkd.embedding import EmbedSettings, embed_file

encoder = FakeEncoder(dim=256, read="unread")
encoder.asked = type("Forgets", (list,), {"__iadd__": lambda self, other: self})()
options = EmbedSettings(chunk_rows=1000)
embed_file(encoder, sys.argv[2], sys.argv[3], options, name="fake")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def _peak(tmp_path: Path, rows: int, kind: str) -> float:
    source = tmp_path / f"{rows}.smi"
    source.write_text("".join(f"C{row}\n" for row in range(rows)))
    script = tmp_path / "measure.py"
    script.write_text(MEASURE)
    fakes = str(Path(__file__).parent / "fakes")
    command = [sys.executable, str(script), fakes, str(source), str(tmp_path / f"{rows}.{kind}")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout)


@pytest.mark.parametrize("kind", list(WRITERS))
def test_memory_does_not_grow_with_the_number_of_rows(tmp_path: Path, kind: str) -> None:
    small, large = (_peak(tmp_path, rows, kind) for rows in (4_000, 24_000))
    assert large < 1.1 * small
