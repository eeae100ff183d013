"""The notebooks of examples/ run, draw what they find, and are kept without what they printed."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from ipykernel.kernelspec import write_kernel_spec

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_as_jupyter_writes_it_and_without_outputs(path: Path) -> None:
    """So that a change of it can be read."""
    text = path.read_text(encoding="utf-8")
    notebook = nbformat.reads(text, as_version=4)
    nbformat.validate(notebook)
    assert nbformat.writes(notebook) + "\n" == text
    for cell in notebook.cells:
        assert re.fullmatch(r"[a-z-]+", cell.id), "name cells, so that they keep their names"
        assert cell.metadata == {}
        if cell.cell_type == "code":
            assert (cell.outputs, cell.execution_count) == ([], None)
    assert {*notebook.metadata} == {"kernelspec", "language_info"}
    assert notebook.metadata.language_info == {"name": "python"}


class Run:
    """What the cells of a notebook gave."""

    def __init__(self, cells: list[Any]) -> None:
        self.outputs = {cell.id: cell.outputs for cell in cells if cell.cell_type == "code"}

    def drawn(self, cell: str) -> str:
        """The HTML of a cell."""
        (found,) = [out for out in self.outputs[cell] if out.output_type == "execute_result"]
        return str(found.data["text/html"])

    def text(self, cell: str) -> str:
        """The plain text of a cell's result."""
        (found,) = [out for out in self.outputs[cell] if out.output_type == "execute_result"]
        return str(found.data["text/plain"])

    @property
    def warnings(self) -> list[str]:
        """What a user would see in red beside bars of progress."""
        said = [
            line
            for outputs in self.outputs.values()
            for out in outputs
            if out.output_type == "stream" and out.name == "stderr"
            for line in re.split(r"[\r\n]", out.text)
        ]
        return [line for line in said if "Warning" in line or "Error" in line]


def _run(name: str, folder: Path) -> Run:
    """Runs a notebook in a folder, by this Python and this checkout, in a process of its own."""
    write_kernel_spec(str(folder / "kernels" / "ours"))
    shutil.copy(ROOT / "examples" / f"{name}.ipynb", folder)
    environment = {
        **os.environ,
        "JUPYTER_PATH": str(folder),
        "IPYTHONDIR": str(folder / "ipython"),
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
    }
    program = Path(sys.executable).with_name("jupyter-execute")
    options = ("--kernel_name=ours", "--timeout=240", "--output=run", f"{name}.ipynb")
    done = subprocess.run(
        [program, *options],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return Run(nbformat.read(folder / "run.ipynb", as_version=4).cells)


@pytest.mark.slow
def test_a_first_look_at_a_library(tmp_path: Path) -> None:
    run = _run("first_look", tmp_path)
    assert run.warnings == []
    molecules = {cell: run.drawn(cell).count("<img") for cell in run.outputs if cell != "write"}
    assert molecules == {
        "library": 10,
        "search": 9,
        "table": 0,
        "map": 0,
        "pick": 12,
        "clusters": 8,
        "check": 20,
        "report": 0,
    }
    assert run.text("library").startswith("<Library: 1,000 molecules, 1,000 of them embedded")
    assert "<strong>ASPIRIN</strong>" in run.drawn("search")
    assert run.drawn("table").count("<tr") == 1 + 8
    assert "Approved drugs" in run.drawn("map")
    assert "&lt;script&gt;" in run.drawn("map")
    assert "Near known drugs" in run.drawn("report")
    assert (tmp_path / "picked.csv").read_text().count("\n") == 1 + 12


@pytest.mark.slow
def test_measured_compounds(tmp_path: Path) -> None:
    run = _run("measured_compounds", tmp_path)
    assert run.warnings == []
    assert run.text("measured") == "<Measured: 197 compounds with SOL: numbers>"
    assert "new scaffolds" in run.drawn("trial")
    assert run.drawn("trial").count("<tr>") == 1 + 6
    assert run.drawn("trial").count("<img") == 10
    assert run.text("predict") == "<Predictions: 500 of 500 molecules predicted>"
    assert run.drawn("predict").count("<img") == 20
    assert run.drawn("check").count("<tr") == 1 + 5
    assert "The highest prediction" in (tmp_path / "predictions.html").read_text()


@pytest.mark.slow
def test_a_student_of_ones_own(tmp_path: Path) -> None:
    run = _run("own_student", tmp_path)
    assert run.warnings == []
    known = json.loads(run.text("known").replace("'", '"'))
    assert known.keys() == {"ecfp4-count", "maccs"}
    assert min(known.values()) > 0.2
    assert run.text("embed") == "((3, 128), {2: 'SMILES syntax error'})"
    for cell in ("search", "beside"):
        assert run.drawn(cell).count("<img") == 1 + 4
    assert (tmp_path / "own-student" / "model.safetensors").is_file()
