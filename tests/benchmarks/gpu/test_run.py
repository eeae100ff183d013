"""`make gpu`, as far as a machine without one can show it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from molkd.benchmarks.gpu import run as gpu

SCRIPT = gpu.ROOT / "benchmarks" / "gpu" / "run.py"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(gpu, "FOLDER", tmp_path)
    monkeypatch.setattr(gpu, "install", list[str])
    return tmp_path


def _main(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["run.py", *arguments])
    return gpu.main()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_without_a_device_it_says_so_and_ends_well() -> None:
    done = subprocess.run([sys.executable, SCRIPT], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "no CUDA device here: nothing to test" in done.stdout


@pytest.mark.slow
def test_a_timing_runs_on_a_cpu(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(gpu.PARTS, "tiny", 240.0)  # type: ignore[arg-type]
    assert _main(monkeypatch, "--device", "cpu", "--rows", "32", "--parts", "tiny") == 0
    (part,) = json.loads((folder / "results.json").read_text())["parts"]
    measured = [(row["work"], row["precision"], row["note"]) for row in part["measured"]]
    expected = [(work, bits, "") for work in ("embedding", "training") for bits in ("fp32", "bf16")]
    assert measured == expected
    assert all(row["rate"] > 0 and row["peak"] > 0 for row in part["measured"])
    assert "tiny\ttraining\tbf16" in capsys.readouterr().out


def test_a_part_that_fails_does_not_stop_the_next_and_counts(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def command(part: str, *_: object) -> list[str]:
        ends = {"small": "raise SystemExit('it broke')", "base": "print('fine')"}
        ends["tests"] = "print('3 skipped')"
        return [sys.executable, "-c", ends[part]]

    monkeypatch.setattr(gpu, "command", command)
    assert _main(monkeypatch, "--device", "cpu") == 1
    parts = json.loads((folder / "results.json").read_text())["parts"]
    assert [(part["part"], part["code"]) for part in parts] == [
        ("small", 1),
        ("base", 0),
        ("tests", 5),
    ]
    said = capsys.readouterr().out
    assert "it broke" in said
    assert "no test ran" in said


def test_a_part_that_hangs_is_stopped_and_keeps_what_it_measured(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = {"work": "embedding", "precision": "fp32", "rate": 1, "busy": 0.5, "peak": 0.1}
    row = json.dumps({**fields, "note": ""})
    program = f"import time; print({row!r}, flush=True); time.sleep(60)"
    monkeypatch.setattr(gpu, "command", lambda *_: [sys.executable, "-c", program])
    result = gpu.run("small", "cuda", 1, 3.0)
    assert (result["code"], result["measured"][0]["busy"]) == (124, 0.5)
    assert "small\tembedding\tfp32\t1\t50.0%\t10.0%" in gpu.table([result])


def test_all_parts_together_take_less_than_eight_minutes() -> None:
    assert gpu.TOTAL < 480
    assert sum(gpu.PARTS.values()) <= gpu.TOTAL


def test_the_command_of_the_tests_names_every_file_with_one() -> None:
    files = gpu.command("tests", "cuda", 1)
    assert "tests/test_gpu.py" in files
    assert sum(name.startswith("tests/") for name in files) >= 8


def test_no_wheel_is_one_of_torch_and_none_is_expected_twice() -> None:
    names = gpu.wheel_names()
    assert "rdkit" in names
    assert not {name for name in names if name.startswith(("torch", "nvidia", "triton"))}
    assert not {name.replace("-", "_") for name in names} & set(gpu.NEEDED)
