"""Embedding jobs that are interrupted or killed, and parts that are damaged or foreign."""

from __future__ import annotations

import hashlib
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pytest

from molkd.embedding.parts import Parts
from molkd.errors import CorruptFileError, OutputError, WorkerDiedError
from molkd.formats import WRITERS
from molkd.runtime import locks
from tests.embedding.jobs import SMILES
from tests.embedding.jobs import embed as _embed
from tests.fakes.fake_encoders import FakeEncoder


def _stopped(source: Path, output: Path, row: int, **some: Any) -> None:
    with pytest.raises(KeyboardInterrupt):
        _embed(FakeEncoder(stop=SMILES[row]), source, output, **some)
    assert not output.exists()


# == Interruption


@pytest.mark.parametrize(("row", "jobs"), [(0, 1), (15, 1), (16, 1), (99, 1), (50, 2)])
def test_an_interrupted_job_goes_on_where_it_stopped(
    tmp_path: Path, source: Path, expected: bytes, row: int, jobs: int
) -> None:
    output = tmp_path / "out.npy"
    _stopped(source, output, row, jobs=jobs)
    encoder = FakeEncoder()
    summary = _embed(encoder, source, output, jobs=jobs)
    done = row // 16 * 16
    assert summary.resumed == done
    assert encoder.asked == (SMILES[done:] if jobs == 1 else [])  # workers have copies of it
    assert output.read_bytes() == expected
    assert not (tmp_path / "out.npy.parts").exists()


def test_items_that_lost_their_end_are_counted_over_both_runs(tmp_path: Path, source: Path) -> None:
    limit = 5
    longer = sum(len(text) > limit for text in SMILES)
    output = tmp_path / "out.npy"
    with pytest.raises(KeyboardInterrupt):
        _embed(FakeEncoder(stop=SMILES[70], limit=limit), source, output)
    assert _embed(FakeEncoder(limit=limit), source, output).shortened == longer > 0


def test_a_finished_part_after_a_lost_one_is_used(
    tmp_path: Path, source: Path, expected: bytes
) -> None:
    output = tmp_path / "out.npy"
    _stopped(source, output, 70)
    (tmp_path / "out.npy.parts" / "part-00000001.arrow").unlink()
    encoder = FakeEncoder()
    _embed(encoder, source, output)
    assert encoder.asked == SMILES[16:32] + SMILES[64:]
    assert output.read_bytes() == expected


@pytest.mark.parametrize("place", [3, 500, -1])
def test_a_damaged_part_is_made_anew(
    tmp_path: Path, source: Path, expected: bytes, place: int
) -> None:
    output = tmp_path / "out.npy"
    _stopped(source, output, 70)
    part = tmp_path / "out.npy.parts" / "part-00000002.arrow"
    data = bytearray(part.read_bytes())
    data[place] ^= 1
    part.write_bytes(data)
    encoder = FakeEncoder()
    _embed(encoder, source, output)
    assert encoder.asked == SMILES[32:48] + SMILES[64:]
    assert output.read_bytes() == expected


def test_a_cut_part_is_made_anew(tmp_path: Path, source: Path, expected: bytes) -> None:
    output = tmp_path / "out.npy"
    _stopped(source, output, 70)
    part = tmp_path / "out.npy.parts" / "part-00000000.arrow"
    part.write_bytes(part.read_bytes()[:-1])
    _embed(FakeEncoder(), source, output)
    assert output.read_bytes() == expected


@pytest.mark.parametrize(
    ("encoder", "some"),
    [
        (FakeEncoder(digest="other", scale=2.0), {}),
        (FakeEncoder(), {"dtype": "float16"}),
        (FakeEncoder(), {"standardize": "light"}),
        (FakeEncoder(), {"batch_size": 7}),
        (FakeEncoder(), {"chunk_rows": 15}),
    ],
)
def test_parts_of_something_else_are_never_used(
    tmp_path: Path, source: Path, encoder: FakeEncoder, some: dict[str, Any]
) -> None:
    output = tmp_path / "out.npy"
    _stopped(source, output, 70)
    encoder.asked.clear()
    summary = _embed(encoder, source, output, **some)
    assert summary.resumed == 0
    assert len(encoder.asked) == 100
    _embed(encoder, source, tmp_path / "whole.npy", **some)
    assert output.read_bytes() == (tmp_path / "whole.npy").read_bytes()


@pytest.mark.parametrize(
    "change",
    [
        lambda table: table.slice(0, 0),
        lambda table: table.drop_columns(["error"]),
        lambda table: table.replace_schema_metadata({"shortened": ""}),
        lambda table: table.replace_schema_metadata(None),
        lambda table: table.drop_columns(["values"]).append_column("values", table["id"]),
    ],
)
def test_parts_of_another_molkd_are_made_anew(
    tmp_path: Path, source: Path, expected: bytes, change: Callable[[Any], Any]
) -> None:
    output = tmp_path / "out.npy"
    _stopped(source, output, 70)
    path = tmp_path / "out.npy.parts" / "part-00000001.arrow"
    content = path.read_bytes()
    table = change(pa.ipc.open_stream(content[130:]).read_all())
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    data = sink.getvalue().to_pybytes()
    path.write_bytes(content[:65] + hashlib.sha256(data).hexdigest().encode() + b"\n" + data)
    assert _embed(FakeEncoder(), source, output).resumed == 48
    assert output.read_bytes() == expected


def test_parts_of_changed_molecules_are_never_used(tmp_path: Path, source: Path) -> None:
    output = tmp_path / "out.npy"
    _stopped(source, output, 70)
    lines = source.read_text().splitlines()
    source.write_text("\n".join([*lines[:20], lines[20] + " name", *lines[21:60]]))
    encoder = FakeEncoder()
    assert _embed(encoder, source, output).total == 60
    assert encoder.asked == SMILES[16:32] + SMILES[48:60]
    assert not (tmp_path / "out.npy.parts").exists()  # parts beyond the new end too


def test_a_part_that_vanishes_meanwhile_is_reported(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def removing(*_: object, **__: object) -> None:
        (tmp_path / "out.csv.parts" / "part-00000001.arrow").unlink()
        write(*_, **__)  # type: ignore[arg-type]

    write = WRITERS["csv"]
    monkeypatch.setattr("molkd.formats.writers.csv.write_csv", removing)
    with pytest.raises(CorruptFileError, match=r"part-00000001\.arrow was removed meanwhile"):
        _embed(FakeEncoder(), source, tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()


def test_a_kill_after_the_output_is_in_place_leaves_only_cleaning(
    tmp_path: Path, source: Path, expected: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "out.npy"
    with monkeypatch.context() as patch:
        patch.setattr(Parts, "remove", _interrupt)
        with pytest.raises(KeyboardInterrupt):
            _embed(FakeEncoder(), source, output)
    assert (tmp_path / "out.npy.parts").exists()
    assert _embed(FakeEncoder(), source, output).already_done
    assert output.read_bytes() == expected
    assert not (tmp_path / "out.npy.parts").exists()


def test_a_kill_before_the_output_is_in_place_leaves_no_output(
    tmp_path: Path, source: Path, expected: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "out.npy"
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", _interrupt_at(output))
        with pytest.raises(KeyboardInterrupt):
            _embed(FakeEncoder(), source, output)
    assert not output.exists()
    (tmp_path / ".out.npy.999999999.partial").write_text("left by a kill")
    (tmp_path / ".out.npyx.123.partial").write_text("of another output")
    assert _embed(FakeEncoder(), source, output).resumed == 100
    assert output.read_bytes() == expected
    assert [path.name for path in tmp_path.glob(".*")] == [".out.npyx.123.partial"]


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _interrupt_at(output: Path) -> Any:
    real = Path.replace

    def replace(self: Path, target: Path) -> Path:
        if target == output:
            raise KeyboardInterrupt
        return real(self, target)

    return replace


def test_files_of_somebody_else_in_the_folder_of_parts_survive(
    tmp_path: Path, source: Path
) -> None:
    (tmp_path / "out.npy.parts").mkdir()
    (tmp_path / "out.npy.parts" / "diary.txt").write_text("mine")
    _embed(FakeEncoder(), source, tmp_path / "out.npy")
    assert [path.name for path in (tmp_path / "out.npy.parts").iterdir()] == ["diary.txt"]


SCRIPT = """
import sys
sys.path.insert(0, sys.argv[1])
from molkd.runtime import locks
from tests.embedding.jobs import SMILES
from tests.embedding.jobs import embed as _embed
from tests.fakes.fake_encoders import FakeEncoder
from molkd.embedding import EmbedSettings, embed_file

if __name__ == "__main__":
    source, output, jobs, rows = sys.argv[2:6]
    encoder = FakeEncoder(seconds=0.1)
    print("ready", flush=True)
    options = EmbedSettings(chunk_rows=int(rows))
    embed_file(encoder, source, output, options, name="fake", jobs=int(jobs))
"""


def _start(tmp_path: Path, source: Path, output: Path, jobs: int) -> subprocess.Popen[bytes]:
    script = tmp_path / "job.py"
    script.write_text(SCRIPT)
    root = str(Path(__file__).parents[2])
    arguments = [root, str(source), str(output), str(jobs), "4"]
    return subprocess.Popen([sys.executable, str(script), *arguments], stdout=subprocess.PIPE)


@pytest.mark.parametrize("jobs", [1, 2])
def test_killed_at_random_moments_it_gives_the_same_bytes(
    tmp_path: Path, source: Path, jobs: int
) -> None:
    output = tmp_path / "out.parquet"
    moments = random.Random(jobs)  # noqa: S311
    most = {1: 0.8, 2: 1.2}[jobs]
    starts = (_start(tmp_path, source, output, jobs) for _ in range(2))
    # A fast machine may finish the last of them before its moment has come.
    assert sum(_killed(process, moments.uniform(0, most)) for process in starts) >= 1
    _embed(FakeEncoder(), source, output, chunk_rows=4)
    _embed(FakeEncoder(), source, tmp_path / "whole.parquet", chunk_rows=4)
    assert output.read_bytes() == (tmp_path / "whole.parquet").read_bytes()
    rest = {path.name for path in tmp_path.iterdir() if path.name.startswith((".", "out"))}
    assert rest == {"out.parquet", "out.parquet.settings.toml"}


def _killed(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Kills a job some time after it started to work; says whether it was still at it."""
    pipe: IO[bytes] | None = process.stdout
    assert pipe is not None
    pipe.readline()
    time.sleep(seconds)
    running = process.poll() is None
    process.kill()  # does nothing where it has ended
    process.wait()
    pipe.close()
    return running


def test_a_dead_worker_is_reported(tmp_path: Path, source: Path) -> None:
    with pytest.raises(WorkerDiedError, match="run the same command again"):
        _embed(FakeEncoder(read="dies"), source, tmp_path / "out.npy", jobs=2)


def test_a_second_process_on_the_same_output_is_refused_and_harms_nothing(
    tmp_path: Path, source: Path, expected: bytes
) -> None:
    output = tmp_path / "out.npy"
    _stopped(source, output, 50)
    parts = tmp_path / "out.npy.parts"
    with (
        locks.held(parts),
        pytest.raises(OutputError, match=r"another process is writing .*out\.npy\.parts"),
    ):
        _embed(FakeEncoder(), source, output)
    assert _embed(FakeEncoder(), source, output).resumed == 48
    assert output.read_bytes() == expected
    assert not parts.exists()
