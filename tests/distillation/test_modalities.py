"""A whole distillation, and the file of embeddings that follows, for every kind of items."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from molkd import students
from molkd.cli import app
from molkd.distillation import trainer
from molkd.distillation.run import Distilled, DistillSettings, distill
from molkd.errors import ConfigError, StaleBankError
from molkd.runtime import settings
from tests.fakes.kinds import SAMPLES, ByContent, Sample


def _settings(sample: Sample, **more: Any) -> DistillSettings:
    given = {f"student.{key}": value for key, value in sample.options.items()}
    return settings.load(
        DistillSettings,
        None,
        {
            "student.size": sample.size,
            **given,
            "objective.head_hidden": 8,
            "train.epochs": 2,
            "train.lr": 3e-3,
            "train.batch_size": 16,
            "valid_fraction": 0.2,
            "estimate.epochs": 1,
            "estimate.hidden": 8,
            **more,
        },
    )


def _run(name: str, folder: Path, **more: Any) -> Distilled:
    sample = SAMPLES[name]
    items = [*sample.items[:50], *sample.wrong, *sample.items[50:], *sample.items[:2]]
    teacher = ByContent(sample.kind.name)
    jobs = more.pop("jobs", 1)
    return distill(
        items, [teacher], folder, _settings(sample, **more), device="cpu", jobs=jobs, progress=False
    )


@pytest.fixture(scope="module", params=list(SAMPLES))
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def folder(name: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the distillation of `whole` left its files; tests only read them."""
    return tmp_path_factory.mktemp(name)


@pytest.fixture(scope="module")
def whole(name: str, folder: Path) -> Distilled:
    return _run(name, folder)


def test_a_distillation_from_items_to_a_folder(name: str, folder: Path, whole: Distilled):
    sample = SAMPLES[name]
    assert sorted(whole.failures) == list(range(50, 50 + len(sample.wrong)))
    assert whole.history[-1]["train"] < whole.history[0]["train"]
    assert students.load(folder).digest == whole.student.digest
    card = (folder / "README.md").read_text()
    assert f"nats per {sample.kind.one}" in card
    assert sample.kind.example in card
    report = json.loads((folder / "report.json").read_text())
    assert report["rows"]["train"] + report["rows"]["valid"] == 62


def test_interrupted_in_two_processes_and_resumed_it_ends_with_the_same_bits(
    name: str, whole: Distilled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    learn, count = trainer.Distiller._learn, [0]

    def stopping(self: Any, *args: Any) -> None:
        count[0] += 1
        if count[0] == 6:
            raise KeyboardInterrupt
        learn(self, *args)

    with monkeypatch.context() as patch:
        patch.setattr(trainer.Distiller, "_learn", stopping)
        with pytest.raises(KeyboardInterrupt):
            _run(name, tmp_path, jobs=2, **{"train.checkpoint_minutes": 1e-9})
    resumed = _run(name, tmp_path)
    assert resumed.student.digest == whole.student.digest
    assert resumed.history == whole.history


def test_teachers_of_other_items_are_refused(name: str, tmp_path: Path):
    sample = SAMPLES[name]
    other = "images" if sample.kind.name == "texts" else "texts"
    with pytest.raises(ConfigError, match=f"'content' reads {other}, but a student of size"):
        distill(sample.items, [ByContent(other)], tmp_path, _settings(sample), device="cpu")
    assert not list(tmp_path.iterdir())


def test_a_bank_of_other_items_is_refused(
    name: str, folder: Path, whole: Distilled, tmp_path: Path
):
    sample = SAMPLES[name]
    with pytest.raises(StaleBankError, match="built for other items"):
        distill(
            sample.items[:30],
            [ByContent(sample.kind.name)],
            tmp_path,
            _settings(sample),
            bank=folder / "bank",
            device="cpu",
            progress=False,
        )


def test_settings_fit_the_kind_of_items():
    for name, key, value, message in (
        ("static", "split", "scaffold", "split: expected one of random for texts"),
        ("vit", "standardize", "light", "standardize: expected one of none for images"),
    ):
        with pytest.raises(ConfigError, match=message):
            _settings(SAMPLES[name], **{key: value})
    assert _settings(SAMPLES["gine"], split="scaffold").split == "scaffold"


def _file(sample: Sample, folder: Path) -> Path:
    """A file of the first items and one that cannot be read."""
    first = list(sample.items[:9])
    wrong = (
        "xx" if sample.kind.name == "molecules" else b"xx" if sample.kind.name == "images" else ""
    )
    path = folder / "in.parquet"
    pq.write_table(pa.table({sample.kind.style.column: [*first, wrong, first[0]]}), path)
    return path


def test_molkd_embed_gives_what_the_student_gives(name: str, tmp_path: Path):
    sample = SAMPLES[name]
    wanted = settings.from_table(students.StudentSettings, {"size": sample.size, **sample.options})
    student = students.make(wanted, items=sample.items)
    student.save_pretrained(tmp_path / "s")
    out = tmp_path / "out.parquet"
    arguments = ["embed", "-i", str(_file(sample, tmp_path)), "-o", str(out)]
    done = CliRunner().invoke(app, [*arguments, "-m", str(tmp_path / "s"), "-j", "1"])
    assert done.exit_code == 0, done.output
    assert f"10 of 11 {sample.kind.name} embedded" in done.output
    table = pq.read_table(out)
    assert table.column_names == ["id", sample.kind.style.column, "valid", "error", "embedding"]
    assert table["valid"].to_pylist() == [True] * 9 + [False, True]
    found = np.array([row for row in table["embedding"].to_pylist() if row is not None])
    expected = student.eval().embed([*sample.items[:9], sample.items[0]]).values
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_molkd_distill_takes_texts_and_embeds_them(tmp_path: Path):
    texts = tmp_path / "texts.txt"
    texts.write_text("\n".join([*SAMPLES["static"].items, "", "one more"]) + "\n")
    options = ["--set", "student.vocabulary=80", "--epochs", "1", "-j", "1"]
    arguments = ["distill", "-i", str(texts), "-o", str(tmp_path / "s"), "-t", "hashed-ngrams"]
    done = CliRunner().invoke(app, [*arguments, "--student", "static-small", *options])
    assert done.exit_code == 0, done.output
    assert "61 of 62 texts used" in done.output
    assert "row 60: empty text" in done.output
    assert "lost their end" not in done.output
    kept = settings.load(DistillSettings, tmp_path / "s" / "settings.toml")
    assert dataclasses.asdict(kept)["student"]["size"] == "static-small"
    embedded = CliRunner().invoke(
        app, ["embed", "-i", str(texts), "-m", str(tmp_path / "s"), "-o", str(tmp_path / "e.npy")]
    )
    assert embedded.exit_code == 0, embedded.output
    assert np.load(tmp_path / "e.npy").shape == (62, 256)


def test_texts_that_are_cut_are_counted(name: str, folder: Path, whole: Distilled, tmp_path: Path):
    if name != "text-encoder":  # the only one here that reads a limited number of tokens
        assert whole.shortened == 0
        return
    longer = sum(len(text.split()) > 8 for text in SAMPLES[name].items)
    assert whole.shortened >= longer > 0
    texts = tmp_path / "texts.txt"
    texts.write_text("short\n" + 200 * "long " + "\n")
    arguments = ["embed", "-i", str(texts), "-m", str(folder), "-o", str(tmp_path / "e.npy")]
    embedded = CliRunner().invoke(app, arguments)
    assert embedded.exit_code == 0, embedded.output
    assert "1 were longer than the model reads and lost their end" in embedded.output
