"""Tasks of texts and of images, from embedders and tasks to the words of the report."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from molkd.benchmarks import records
from molkd.benchmarks.embedders import make
from molkd.benchmarks.quality.evaluation import RESULTS, QualitySettings, Workspace, evaluate
from molkd.benchmarks.tasks import load
from molkd.cli import app
from molkd.errors import ConfigError

WORDS = {"pin": "code number secret", "card": "plastic wallet lost", "transfer": "money sent bank"}


def _sentence(row: int) -> str:
    words = list(WORDS.values())[row % 3].split()
    return f"{words[row // 3 % 3]} {words[row // 9 % 3]} {row}"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A small Banking77."""
    (tmp_path / "text").mkdir()
    for part, rows in {"train": range(90), "test": range(90, 135)}.items():
        frame = pd.DataFrame({
            "text": [_sentence(row) for row in rows],
            "category": [list(WORDS)[row % 3] for row in rows],
        })  # fmt: skip
        frame.to_csv(tmp_path / "text" / f"banking77_{part}.csv", index=False)
    return tmp_path


def _bench(*arguments: object) -> str:
    done = CliRunner().invoke(app, ["bench", *map(str, arguments)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_texts_go_from_the_command_line_to_a_report_that_speaks_of_texts(data: Path) -> None:
    out = data / "out"
    printed = _bench(
        *("quality", "-e", "hashed-ngrams", "-e", "half=cut:400:hashed-ngrams", "--seeds", 1),
        *("--tasks", "text", "--probe", "linear,knn", "--data", data, "-o", out, "-j", 1),
        *("--cache", data / "cache"),
    )
    found = records.read(out / RESULTS)
    assert {embedder.label for embedder in found.embedders} == {"hashed-ngrams", "half"}
    asked = {(score.task, score.probe) for score in found.scores}
    assert asked == {
        ("banking77", "linear"),
        ("banking77", "knn"),
        ("banking77-clustering", "kmeans"),
        ("banking77-neighbours", "nearest"),
    }
    whole = {score.probe: score.test for score in found.scores if score.embedder == "hashed-ngrams"}
    assert whole["linear"]["Accuracy"] > 0.95
    assert whole["nearest"]["Accuracy"] > 0.95
    page = (out / "report.md").read_text()
    for text in (printed, page, (out / "report.html").read_text()):
        assert not re.search("molecul", text, flags=re.IGNORECASE)
    assert "# Benchmark of embeddings of texts" in page
    assert "text: kmeans measure, given split" in page
    assert "V-measure" in page
    assert "Accuracy ↑" in page


def test_a_folder_of_mteb_is_a_task_of_ones_own(tmp_path: Path) -> None:
    folder = tmp_path / "Pairs"
    folder.mkdir()
    words = " ".join(WORDS.values()).split()
    rows = [
        {"sentence1": " ".join(words), "sentence2": " ".join(words[: 1 + n % 9]), "score": n % 9}
        for n in range(40)
    ]
    (folder / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    out = tmp_path / "out"
    _bench(
        *("quality", "-e", "hashed-ngrams", "--table", f"mteb:{folder}", "--seeds", 1),
        *("-o", out, "-j", 1, "--cache", tmp_path / "cache"),
    )
    (score,) = records.read(out / RESULTS).scores
    assert (score.task, score.probe) == ("pairs", "cosine")
    assert score.test["Spearman"] > 0.9
    assert score.rows == {"train": 0, "valid": 0, "test": 40}


def test_molecular_embedders_are_refused_for_texts(data: Path) -> None:
    with pytest.raises(ConfigError, match="maccs reads molecules, but the task banking77 holds"):
        _bench(
            *("quality", "-e", "maccs", "--tasks", "banking77", "--no-baselines"),
            *("--data", data, "-o", data / "out", "-j", 1, "--cache", data / "cache"),
        )
    assert not (data / "out").exists()


def test_pixels_tell_digits_apart(tmp_path: Path) -> None:
    """A linear map of 64 pixels reads about nine digits of ten of other writers."""
    place = Workspace(folder=tmp_path, cache=tmp_path / "cache", progress=False)
    found = evaluate(
        load(["digits"]), [make("pixels:8")], QualitySettings(seeds=1, probes=("linear",)), place
    )
    (score,) = found.scores
    assert 0.85 < score.test["Accuracy"] < 0.97
    assert abs(score.test["Macro-F1"] - score.test["Accuracy"]) < 0.02
    assert score.rows == {"train": 1000, "valid": 397, "test": 400}
    assert found.noun == "images"
    assert np.isfinite(list(score.valid.values())).all()
