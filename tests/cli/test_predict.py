"""`molkd predict` and `molkd check`: from files to files, and what is refused before any work."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from molkd import cli
from molkd.benchmarks.probes.forest import Forest
from molkd.prediction import learners
from tests.prediction.compounds import VALUES, table

Molkd = Callable[..., tuple[int, str, str]]


@pytest.fixture
def molkd(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Molkd:
    """Runs the command line; returns exit code, standard output and standard error."""

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["molkd", *map(str, arguments)])
        monkeypatch.setattr(learners, "Forest", lambda: Forest(trees=10))
        monkeypatch.chdir(tmp_path)
        try:
            cli.main()
            code = 0
        except SystemExit as stop:
            code = int(stop.code or 0)
        return code, *capsys.readouterr()

    return run


@pytest.mark.parametrize("model", ["embedding", "forest", "tanimoto"])
def test_from_a_table_to_predictions_and_again_from_the_model(
    molkd: Molkd, tmp_path: Path, model: str
) -> None:
    table(tmp_path / "measured.csv", "pIC50", VALUES)
    lines = ["structure,id", "CCCc1ccccc1,a", "xx,b", "Cc1ccccc1,c"]
    (tmp_path / "library.csv").write_text("\n".join(lines))
    asked = ("--library", "library.csv", "--library-column", "structure", "-j", 1)
    code, out, err = molkd(
        *("predict", "measured.csv", "-t", "pIC50", "--model-of", model, "--repeats", 1),
        *("-m", "molkd-tiny", "--save", "model", "-o", "p.csv", *asked),
    )
    assert code == 0, err
    assert out.startswith("held out\tmodel\tMAE\tRMSE\tR2\tSpearman\n")
    assert "On new scaffolds" in err
    assert "2 of 3 molecules predicted" in err
    first = pd.read_csv(tmp_path / "p.csv")
    assert first["valid"].tolist() == [True, False, True]
    assert first["measured"][2] == VALUES[0]
    code, _, err = molkd("predict", "--load", "model", "-o", "q.csv", *asked)
    assert code == 0, err
    pd.testing.assert_frame_equal(first, pd.read_csv(tmp_path / "q.csv"))
    named = ("predict", "--load", "model", "-o", "r.csv", *asked, "-m", "molkd-tiny")
    code, _, err = molkd(*named)
    if model == "embedding":
        assert code == 0, err
    else:
        assert code == 2
        assert "--load and --model: this model reads ecfp4-count" in err


def test_compounds_are_read_as_the_library_was(molkd: Molkd, tmp_path: Path) -> None:
    plain = table(tmp_path / "measured.csv", "pIC50", VALUES).read_text().splitlines()
    (smiles, _), *rows = (line.split(",") for line in plain)
    both = [smiles + ",pIC50", *plain[1:], *(f"{text}.Cl,{value}" for text, value in rows)]
    (tmp_path / "both.csv").write_text("\n".join(both))
    (tmp_path / "in.smi").write_text("".join(f"{text}.Cl\n" for text, _ in rows))
    made = molkd("embed", "in.smi", "-o", "e.npz", "-m", "molkd-tiny", "--standardize", "full")
    assert made[0] == 0, made[2]
    found = []
    for name in ("measured.csv", "both.csv"):
        code, _, err = molkd(
            *("predict", name, "-t", "pIC50", "--model-of", "embedding", "--repeats", 1),
            *("--save", f"m-{name}", "-o", f"p-{name}", "--library", "e.npz", "-j", 1),
        )
        assert code == 0, err
        found.append(pd.read_csv(tmp_path / f"p-{name}"))
        assert found[-1]["measured"].tolist() == VALUES  # a salt is the compound that was measured
    np.testing.assert_array_equal(found[0]["predicted"], found[1]["predicted"])
    loaded = ("predict", "--load", "m-both.csv", "-o", "q.csv", "--library", "in.smi", "-j", 1)
    code, _, err = molkd(*loaded)  # which embeds the molecules as the compounds were
    assert code == 0, err
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "q.csv"), found[1])


@pytest.mark.parametrize("model", ["embedding", "tanimoto"])
def test_the_student_of_the_library_is_tried(
    molkd: Molkd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str
) -> None:
    tried: list[object] = []

    def fit(*_: object, name: str, **__: object) -> None:
        tried.append(name)
        raise InterruptedError

    monkeypatch.setattr("molkd.prediction.run", fit)
    table(tmp_path / "measured.csv", "y", VALUES)
    (tmp_path / "in.smi").write_text("CCO\n")
    assert molkd("embed", "in.smi", "-o", "tiny.parquet", "-m", "molkd-tiny")[0] == 0
    asked = ("-o", "p.csv", "--library", "tiny.parquet", "--model-of", model)
    with pytest.raises(InterruptedError):
        molkd("predict", "measured.csv", "-t", "y", *asked)
    assert tried == ["molkd-tiny-1"]


def test_what_cannot_be_predicted_is_known_before_anything_is_fitted(
    molkd: Molkd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fit(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr("molkd.prediction.run", fit)
    table(tmp_path / "measured.csv", "y", VALUES)
    (tmp_path / "in.csv").write_text("structure\nCCO\n")
    (tmp_path / "in.smi").write_text("CCO\n")
    assert molkd("embed", "in.smi", "-o", "tiny.parquet", "-m", "molkd-tiny")[0] == 0
    asked = ("predict", "measured.csv", "-t", "y", "-o", "p.csv", "--library")
    code, _, err = molkd(*asked, "in.csv")
    assert (code, "choose one with --library-column" in err) == (3, True)
    code, _, err = molkd(*asked, "in.csv", "--library-column", "structur")
    assert (code, "no column 'structur'. Did you mean 'structure'" in err) == (3, True)
    code, _, err = molkd(*asked, "tiny.parquet", "-m", "molkd-small")
    assert (code, "name the student that made them" in err) == (3, True)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ((), 2, "either a table of measured compounds or --load"),
        (("t.csv",), 2, "--target"),
        (("t.csv", "-t", "y", "--library", "l.smi"), 2, "--library and -o belong together"),
        (("t.csv", "-t", "y", "--library", "l.smi", "-o", "p.xls"), 3, "there is no file l.smi"),
        (("t.csv", "-t", "y", "-l", "l-*.smi", "-o", "p.csv"), 3, "no file matches 'l-*.smi'"),
        (("t.csv", "-t", "y", "-l", "memory://l.smi", "-o", "p.csv"), 2, "say with --work FILE"),
        (("t.csv", "-t", "y", "--library", "t.csv", "-o", "p.xls"), 2, ".csv, .parquet, .html"),
        (("t.csv", "-t", "y", "--library", "t.csv", "-o", "t.csv"), 2, "what the command reads"),
        (("t.csv", "-t", "y", "--save", "."), 4, "is there already"),
        (("--load", "m", "--save", "n"), 2, "the model is in a folder already"),
        (("--load", "m"), 2, "name what to predict with --library"),
        (("--load", "m", "-t", "y"), 2, "--load and --target: the model has learnt from a table"),
        (("--load", "m", "--kind", "regression"), 2, "--load and --kind"),
        (("--load", "m", "--model-of", "forest"), 2, "--load and --model-of"),
        (("--load", "m", "--repeats", 3), 2, "--load and --repeats"),
        (
            ("t.csv", "-t", "y", "-l", "-", "-o", "p.csv"),
            2,
            "standard input cannot be: name a file",
        ),
        (("t.csv", "-t", "z"), 3, "no column 'z'"),
        (("t.csv", "-t", "y", "--confidence", 2), 2, "confidence must be"),
    ],
)
def test_what_cannot_work_is_refused_at_once(
    molkd: Molkd, tmp_path: Path, arguments: tuple[object, ...], code: int, message: str
) -> None:
    table(tmp_path / "t.csv", "y", VALUES)
    found, _, err = molkd("predict", *arguments)
    assert found == code
    assert message in err


def test_check_scores_molecules_and_says_how_many_are_strange(molkd: Molkd, tmp_path: Path) -> None:
    (tmp_path / "library.smi").write_text("CCCc1ccccc1 a\nxx b\n[U] c\n")
    code, _, err = molkd("check", "library.smi", "-o", "checked.csv", "-j", 1)
    assert code == 0, err
    assert "1 never met: element U" in err
    assert pd.read_csv(tmp_path / "checked.csv")["familiarity"][2] == 0
    code, _, err = molkd("check", "library.smi", "-o", "checked.csv")
    assert code == 4
    assert "--overwrite" in err
    assert molkd("check", "library.smi", "-o", "checked.txt")[0] == 2
