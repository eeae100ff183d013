"""The examples run, on few molecules."""

from __future__ import annotations

import ast
import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from molkd import cli, students

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


def _example(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("examples") / "student"
    _example("02_distill_two_teachers").main(str(folder), molecules=200)
    return folder


def test_distilling_two_teachers_writes_a_student(model: Path) -> None:
    assert {"model.safetensors", "config.json", "README.md"} <= {p.name for p in model.iterdir()}


def test_embedding_shows_vectors_and_reasons(
    model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _example("01_embed").main(str(model))
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [
        "CCO",
        "c1ccccc1O",
        "CC(=O)Oc1ccccc1C(=O)O",
        "not",
    ]
    assert all(line.endswith("...") for line in lines[:3])
    assert lines[3].endswith("SMILES syntax error")


def test_molecules_texts_and_images(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _example("06_texts_and_images").main(str(tmp_path), count=60)
    assert capsys.readouterr().out.splitlines() == [
        "molecules: 128 dimensions, {1: 'no SMILES but a missing value'}",
        "texts: 256 dimensions, {1: 'no text but a missing value'}",
        "images: 128 dimensions, {1: 'no image but a missing value'}",
    ]


def test_a_model_in_an_onnx_file_becomes_a_teacher(capsys: pytest.CaptureFixture[str]) -> None:
    _example("07_onnx_teacher")
    printed = capsys.readouterr().out
    assert "[1.7917595, 1.7917595]" in printed
    assert "failures={1: 'the teacher returned NaN or infinity'}" in printed


def test_a_teacher_of_your_own_can_be_distilled(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _example("03_own_teacher").main(str(tmp_path / "student"), molecules=200)
    assert "linear R2 of polarity: 0." in capsys.readouterr().out


def test_a_pipeline_is_searched(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _example("04_sklearn_pipeline").main(str(model))
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("R2 on 321 test molecules: 0.")
    assert float(last.split()[-1]) > 0.3


@pytest.fixture(scope="module")
def demo() -> Any:
    return _example("demo")


def test_the_demo_ends_with_a_table_of_all_embeddings(
    demo: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MOLKD_WEIGHTS_DIR", str(tmp_path / "none"))
    small = ["--molecules", "200", "--epochs", "1", "--student", "tiny", "--teachers", "maccs,erg"]
    demo.main(["--output", str(tmp_path / "demo"), *small])
    _, rest = capsys.readouterr().out.split("Solubility of 257 test molecules")
    table, meaning = rest.split("\n\nR2 is ")
    rows = [line.split() for line in table.splitlines()[3:]]
    assert [row[0] for row in rows] == ["student", "the", "maccs", "erg"]
    assert f"molkd embed -i MOLECULES.smi -o vectors.parquet --model {tmp_path}/demo" in meaning
    assert all(-1 < float(row[-2]) < 1 and 0 < float(row[-1]) < 3 for row in rows)
    assert float(rows[2][-2]) > 0.6  # counts of groups tell most of solubility


@pytest.mark.parametrize(
    ("r2", "says"),
    [
        (0.9, "A teacher wins: maccs is ahead by 0.100. For this property alone, take it."),
        (0.7, "The student is ahead of every teacher alone; the best of them is maccs (0.700)."),
    ],
)
def test_the_demo_says_who_wins(demo: Any, r2: float, says: str) -> None:
    rows = [("student", 2, 0.8, 1.0), ("untrained", 2, 0.5, 1.0), ("erg", 2, 0.1, 1.0)]
    told = demo.meaning([*rows, ("maccs", 2, r2, 1.0)], Path("model"))
    assert says in told
    assert "worth +0.300 of R2" in told


def test_the_method_on_one_screen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _example("08_the_method").main(str(tmp_path), molecules=100, epochs=8)
    first, last = capsys.readouterr().out.splitlines()
    nats = [[float(value) for value in re.findall(r"-?\d+\.\d+", line)] for line in (first, last)]
    assert [len(line) for line in nats] == [2, 2]
    assert all(end < start for start, end in zip(*nats, strict=True))
    assert students.load(tmp_path).embedding_dim == 128


def test_every_example_opens_with_one_sentence() -> None:
    for path in EXAMPLES.glob("*.py"):
        sentence, _, rest = (ast.get_docstring(ast.parse(path.read_text())) or "").partition("\n")
        assert re.fullmatch(r"\S.*[.:]( `make demo` runs it.)?", sentence), path
        assert rest[:1] in {"", "\n"}, path


def test_the_demo_keeps_test_molecules_out_of_the_corpus(demo: Any) -> None:
    corpus, left_out = demo.unlabelled(["c1ccccc1"])
    skeletons = {demo.skeleton(text) for text in corpus}
    assert left_out == 1
    assert demo.skeleton("C1=CC=CC=C1") not in skeletons
    assert demo.skeleton("CC(=O)NC1=CC=C(O)C=C1") in skeletons


def test_an_objective_of_your_own_can_be_distilled_with(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _example("05_own_objective").main(str(tmp_path / "student"), molecules=200)
    assert capsys.readouterr().out.count("linear R2 of") == 2
    monkeypatch.syspath_prepend(str(EXAMPLES))
    monkeypatch.delitem(sys.modules, "05_own_objective")
    library = tmp_path / "library.smi"
    library.write_text("\n".join("C" * n + "O" for n in range(1, 41)))
    given = ["--objective", "05_own_objective:Huber", "--set", "objective.delta=0.5"]
    size = ["--student", "tiny", "--epochs", "1", "-t", "maccs", "-j", "1"]
    out = tmp_path / "named"
    cli.app(["distill", "-i", str(library), "-o", str(out), *given, *size], standalone_mode=False)
    assert "delta = 0.5" in (out / "settings.toml").read_text()
