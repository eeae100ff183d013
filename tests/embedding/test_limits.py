"""Embedding jobs that run out of disk, or are larger than memory should matter."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from molkd.errors import OutputError
from molkd.formats import WRITERS
from tests.embedding.jobs import embed as _embed
from tests.fakes.fake_encoders import FakeEncoder

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
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from molkd.benchmarks.speed.peak_memory import added_by
from molkd.embedding import EmbedSettings, embed_file
from tests.fakes.fake_encoders import FakeEncoder

class Forgets(list):
    def __iadd__(self, other):
        return self

folder = Path(sys.argv[2])
for kind in sys.argv[3:]:
    for rows in (1_000, 15_000):  # the first one warms up
        encoder = FakeEncoder(dim=256, read="unread", asked=Forgets())
        source, output = folder / f"{rows}.smi", folder / f"{rows}.{kind}"
        source.write_text("".join(f"C{row}\\n" for row in range(rows)))
        run = lambda: embed_file(
            encoder, source, output, EmbedSettings(chunk_rows=1000), name="fake", overwrite=True
        )
        added = added_by(run)[2]
    print(kind, added)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads Linux's /proc")
def test_memory_does_not_grow_with_the_number_of_rows(tmp_path: Path) -> None:
    script = tmp_path / "measure.py"
    script.write_text(MEASURE)
    command = [sys.executable, str(script), str(Path(__file__).parents[2]), str(tmp_path), *WRITERS]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    added = dict(line.split() for line in done.stdout.splitlines())
    assert set(added) == set(WRITERS)
    assert max(map(float, added.values())) < 10, "the vectors alone are 15 MB"
