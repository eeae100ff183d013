"""Tests and timings on a CUDA device, in less than eight minutes: `make gpu`.

A program of the standard library alone, for machines on which molkd is not installed: it makes what
is carried in build/gpu/wheels importable where it is missing, and runs each part in a process of
its own, with a limit. A part that fails does not stop the next. The exit code is 1 where a test or
a part failed, and 0 where there is no CUDA device.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
FOLDER: Final = ROOT / "build" / "gpu"
WHEELS, SITE = FOLDER / "wheels", FOLDER / "site"

TOTAL: Final = 450.0
"""Seconds for all parts together; what has not begun by then is left out, and said."""

PARTS: Final = {"small": 100.0, "base": 120.0, "tests": 220.0}
"""Name -> its limit in seconds; sizes are timings of a student."""

NEEDED: Final = (
    *("torch", "torch_geometric", "numpy", "scipy", "sklearn", "pandas", "pyarrow", "joblib"),
    *("safetensors", "transformers", "huggingface_hub", "tqdm", "typer", "threadpoolctl"),
)
"""Modules that are expected on the machine; those of wheels.txt come on top."""


def wheel_names() -> list[str]:
    """Returns the distributions of wheels.txt."""
    lines = (ROOT / "benchmarks" / "gpu" / "wheels.txt").read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def missing(modules: list[str]) -> list[str]:
    """Returns the modules that cannot be found."""
    sys.path[:] = [*sys.path, *([str(SITE)] if str(SITE) not in sys.path else [])]
    importlib.invalidate_caches()
    return [name for name in modules if importlib.util.find_spec(name) is None]


def install() -> list[str]:
    """Installs the wheels of missing modules into a folder of ours, without dependencies.

    Returns:
        What is missing still.
    """
    carried = [name.replace("-", "_") for name in wheel_names()]
    lacking = set(missing(carried))
    wheels = [
        str(path)
        for path in sorted(WHEELS.glob("*.whl"))
        if re.sub(r"[-.]", "_", path.name.partition("-")[0]).lower() in lacking
    ]
    if wheels:
        pip = [sys.executable, "-m", "pip", "install", "-q", "--no-index", "--no-deps"]
        # deepchem's wheel names the Pythons of its day; the code of it that we use is plain.
        pip += ["--no-compile", "--ignore-requires-python", "--target", str(SITE)]
        subprocess.run([*pip, *wheels], check=False)
    return missing([*NEEDED, *carried])


def facts() -> dict[str, Any]:
    """Returns versions and the device; without torch or CUDA the device is None."""
    try:
        import torch
    except ImportError:
        return {"python": sys.version.split()[0], "torch": None, "device": None}
    there = torch.cuda.is_available()
    return {
        "python": sys.version.split()[0],
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "device": torch.cuda.get_device_name(0) if there else None,
        "capability": list(torch.cuda.get_device_capability(0)) if there else None,
        "bf16": bool(there and torch.cuda.is_bf16_supported()),
    }


def command(part: str, device: str, rows: int) -> list[str]:
    """Returns the command of a part."""
    if part == "tests":
        # Warnings of another torch than the tested one are no faults here.
        options = ["-q", "-m", "gpu", "-p", "no:cacheprovider", "-W", "default", "-rfE"]
        files = [
            str(path.relative_to(ROOT))
            for path in sorted((ROOT / "tests").rglob("test_*.py"))
            if "mark.gpu" in path.read_text(encoding="utf-8")
        ]
        return [sys.executable, "-m", "pytest", *options, "--continue-on-collection-errors", *files]
    timing = [sys.executable, "-m", "molkd.benchmarks.gpu.timing", part]
    return [*timing, "--device", device, "--rows", str(rows)]


def run(part: str, device: str, rows: int, limit: float) -> dict[str, Any]:
    """Runs a part; returns its exit code, the end of what it said, and what it measured."""
    start = time.monotonic()
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")]), str(SITE)])
    environment = {**os.environ, "PYTHONPATH": path, "OMP_WAIT_POLICY": "passive"}
    try:
        done = subprocess.run(
            command(part, device, rows),
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=limit,
        )
        code, out, err = done.returncode, done.stdout, done.stderr
    except subprocess.TimeoutExpired as error:
        out = error.stdout.decode(errors="replace") if error.stdout else ""
        code, err = 124, f"stopped after {limit:.0f} s"
    rows_of = [json.loads(line) for line in out.splitlines() if line.startswith('{"work"')]
    said = "\n".join([*out.splitlines()[-40:], *err.splitlines()[-20:]])
    if part == "tests" and code == 0 and " passed" not in out:
        code, said = 5, f"no test ran\n{said}"
    seconds = round(time.monotonic() - start, 1)
    return {"part": part, "code": code, "seconds": seconds, "measured": rows_of, "said": said}


COLUMNS: Final = ("student", "work", "precision", "molecules/s", "busy", "of peak", "note")


def table(results: list[dict[str, Any]]) -> str:
    """Returns what was measured, in lines with tabs between."""
    lines = ["\t".join(COLUMNS)]
    for result in results:
        for row in result["measured"]:
            shares = ["-" if row[name] is None else f"{row[name]:.1%}" for name in ("busy", "peak")]
            rate = "-" if row["rate"] is None else f"{row['rate']:,.0f}"
            cells = [result["part"], row["work"], row["precision"], rate, *shares, row["note"]]
            lines.append("\t".join(cells))
    return "\n".join(lines)


def write(about: dict[str, Any], lacking: list[str], results: list[dict[str, Any]]) -> Path:
    """Writes all of it as JSON after every part, so that a kill loses one part."""
    path = FOLDER / "results.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"machine": about, "missing": lacking, "parts": results}, indent=2)
    temporary = path.with_suffix(".partial")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)
    return path


def main() -> int:
    """Runs all parts; see the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda", help="cpu: dry run")
    parser.add_argument("--rows", type=int, default=16384, help="molecules of a timing")
    parser.add_argument("--parts", default=",".join(PARTS), help="which, with commas between")
    given = parser.parse_args()
    chosen = given.parts.split(",")
    if unknown := [part for part in chosen if part not in PARTS]:
        parser.error(f"unknown parts {unknown}; there are {list(PARTS)}")
    start = time.monotonic()
    about = facts()
    say(f"python {about['python']}, torch {about['torch']}, device {about['device']}")
    if given.device == "cuda" and about["device"] is None:
        say("no CUDA device here: nothing to test, nothing to time")
        return 0
    lacking = install()
    if lacking:
        say(f"missing here: {', '.join(lacking)}; what needs them will fail")
    results: list[dict[str, Any]] = []
    for part in chosen:
        left = TOTAL - (time.monotonic() - start)
        if left < 15:
            results.append(
                {"part": part, "code": 124, "seconds": 0, "measured": [], "said": "no time left"}
            )
            continue
        say(f"{part} ...")
        results.append(run(part, given.device, given.rows, min(PARTS[part], left)))
        write(about, lacking, results)
    failed = [result for result in results if result["code"]]
    for result in failed:
        say(f"\n== {result['part']} failed with code {result['code']}\n{result['said']}")
    say(f"\n{table(results)}\n")
    for result in results:
        said = result["said"].splitlines()
        last = next((line for line in reversed(said) if " in " in line and "=" in line), "")
        state = "failed" if result["code"] else "done"
        say(f"{result['part']}: {state} in {result['seconds']} s {last.strip('= ')}".rstrip())
    say(f"written: {write(about, lacking, results)}")
    return 1 if failed else 0


def say(text: str) -> None:
    """Prints at once, for whoever waits."""
    print(text, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
