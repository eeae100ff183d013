"""Embedding on a cluster of Ray: the same bytes as here, whatever happens there."""

from __future__ import annotations

import builtins
import os
import signal
import subprocess
import sys
import time
import types
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from molkd import students
from molkd.embedding import EmbedSettings, Summary, embed_file
from molkd.embedding.engines import ENGINES
from molkd.embedding.parts import Parts
from molkd.errors import MissingExtraError, ShapeError
from tests.embedding.jobs import SMILES
from tests.fakes.fake_encoders import FakeEncoder

pytestmark = [pytest.mark.xdist_group("ray"), pytest.mark.timeout(600)]


@dataclass
class MortalEncoder(FakeEncoder):
    """A FakeEncoder that kills its process once, at one text."""

    deadly: str = ""
    marker: str = ""

    def encode(self, prepared: Any, *, batch_size: int) -> Any:
        if self.deadly in prepared.texts and not Path(self.marker).exists():
            Path(self.marker).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().encode(prepared, batch_size=batch_size)


def _embed(
    encoder: Any, source: Path, output: Path, *, rows_per_file: int | None = None, **some: Any
) -> Summary:
    return embed_file(
        encoder,
        source,
        output,
        EmbedSettings(**{"chunk_rows": 16, **some}),
        name="fake",
        jobs=2,
        engine="ray",
        rows_per_file=rows_per_file,
    )


def _files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.usefixtures("ray_cluster")
def test_a_worker_that_dies_changes_no_byte(tmp_path: Path, source: Path, expected: bytes) -> None:
    encoder = MortalEncoder(deadly=SMILES[40], marker=str(tmp_path / "died"))
    with pytest.warns(UserWarning, match=r"died: .*\brows 32 to 47\b.* done again"):
        summary = _embed(encoder, source, tmp_path / "out.npy")
    assert summary.total == 100
    assert (tmp_path / "out.npy").read_bytes() == expected


@pytest.mark.usefixtures("ray_cluster")
def test_print_stays_what_it_is(tmp_path: Path, source: Path) -> None:
    """Ray puts a function of its own there when a worker says anything; Numba then fails."""
    encoder = MortalEncoder(deadly=SMILES[40], marker=str(tmp_path / "died"))
    with pytest.warns(UserWarning, match="a worker of the cluster died"):
        _embed(encoder, source, tmp_path / "out.npy")
    time.sleep(1)  # what workers say arrives later
    assert isinstance(builtins.print, types.BuiltinFunctionType)


@pytest.mark.usefixtures("ray_cluster")
def test_files_named_by_their_rows_are_the_same(tmp_path: Path) -> None:
    lines = [f"{text} molecule-{row}\n" for row, text in enumerate(SMILES * 3)]
    lines[7], lines[250] = "nonsense bad\n", "\n"
    (tmp_path / "in.smi").write_text("".join(lines))
    student = students.load("molkd-static-1")
    for name, engine in (("here", "local"), ("there", "ray")):
        embed_file(
            student,
            tmp_path / "in.smi",
            tmp_path / name,
            EmbedSettings(chunk_rows=16, with_domain=True),
            name="static",
            jobs=2,
            engine=engine,
            rows_per_file=70,
        )
    assert len(list((tmp_path / "there").glob("*.parquet"))) == 5
    here, there = _files(tmp_path / "here"), _files(tmp_path / "there")
    assert here.keys() == there.keys()
    assert [name for name in here if here[name] != there[name]] == []  # pages of bytes say nothing


@pytest.mark.gpu
@pytest.mark.usefixtures("ray_cluster")
def test_a_student_on_a_gpu_is_fed_by_other_workers(tmp_path: Path, source: Path) -> None:
    for name, engine in (("here.npy", "local"), ("there.npy", "ray")):
        student = students.load("molkd-static-1").to("cuda")
        options = EmbedSettings(chunk_rows=16)
        embed_file(student, source, tmp_path / name, options, name="s", jobs=2, engine=engine)
    assert (tmp_path / "there.npy").read_bytes() == (tmp_path / "here.npy").read_bytes()


@pytest.mark.usefixtures("ray_cluster")
def test_an_interrupted_job_goes_on_where_it_stopped(
    tmp_path: Path, source: Path, expected: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Parts.write

    def stopping(self: Parts, index: int, key: str, part: Any) -> None:
        if index == 3:
            raise KeyboardInterrupt
        real(self, index, key, part)

    with monkeypatch.context() as patch:
        patch.setattr(Parts, "write", stopping)
        with pytest.raises(KeyboardInterrupt):
            _embed(FakeEncoder(), source, tmp_path / "out.npy")
    summary = _embed(FakeEncoder(), source, tmp_path / "out.npy")
    assert summary.resumed == 48
    assert (tmp_path / "out.npy").read_bytes() == expected


@pytest.mark.usefixtures("ray_cluster")
def test_an_encoder_that_fails_is_reported_as_it_is_here(tmp_path: Path, source: Path) -> None:
    with pytest.raises(ShapeError, match=r"^fake returned an array of shape \(16, 3\) for rows"):
        _embed(FakeEncoder(width=3), source, tmp_path / "out.npy")


SCRIPT = """
import signal
import sys
sys.path.insert(0, sys.argv[1])
from molkd.embedding import EmbedSettings, embed_file
from tests.fakes.fake_encoders import FakeEncoder

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have had it ignored
    source, output = sys.argv[2:4]
    options = EmbedSettings(chunk_rows=4)
    encoder = FakeEncoder(seconds=0.5)
    embed_file(encoder, source, output, options, name="fake", jobs=2, engine="ray")
"""


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_job_that_is_ended_leaves_no_ray_and_goes_on(
    tmp_path: Path, source: Path, how: signal.Signals
) -> None:
    script, output = tmp_path / "job.py", tmp_path / "out.npy"
    script.write_text(SCRIPT)
    command = [sys.executable, str(script), str(Path(__file__).parents[2]), str(source)]
    with subprocess.Popen([*command, str(output)], stderr=subprocess.PIPE, text=True) as process:
        while len(list(tmp_path.glob("out.npy.parts/part-*"))) < 3:
            assert process.poll() is None, "it ended before its time"
            time.sleep(0.05)
        others = psutil.Process(process.pid).children(recursive=True)
        assert any("raylet" in one.name() for one in others)
        process.send_signal(how)
        said = process.communicate()[1]
    assert process.returncode == -how
    assert "KeyboardInterrupt" in said or how == signal.SIGKILL
    assert psutil.wait_procs(others, timeout=120)[1] == []
    options = EmbedSettings(chunk_rows=4)
    summary = embed_file(FakeEncoder(), source, output, options, name="fake")
    assert 12 <= summary.resumed < 100
    embed_file(FakeEncoder(), source, tmp_path / "whole.npy", options, name="fake")
    assert output.read_bytes() == (tmp_path / "whole.npy").read_bytes()


def test_what_is_finished_needs_no_cluster(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = EmbedSettings(chunk_rows=16)
    embed_file(FakeEncoder(), source, tmp_path / "out.npy", options, name="fake")
    monkeypatch.setattr("molkd.runtime.cluster.connected", pytest.fail)
    assert _embed(FakeEncoder(), source, tmp_path / "out.npy").already_done


def test_without_ray_an_error_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: str) -> None:
        raise ModuleNotFoundError("No module named 'ray'", name="ray")

    monkeypatch.setattr("importlib.import_module", missing)
    with pytest.raises(MissingExtraError, match=r"engine needs ray: pip install 'molkd\[ray\]'"):
        ENGINES["ray"]
