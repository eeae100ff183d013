from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import admet
import embedders
import numpy as np
import pytest
import tdc

from molkd.types import Embedded

ALKANES = ["C" * length for length in range(1, 61)]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two tasks on alkanes: is it long (dili), how long is it (half_life_obach)."""
    for name, label in (("dili", lambda n: int(n > 30)), ("half_life_obach", lambda n: 2.0**n)):
        rows = [f"x,{text},{label(len(text))}\n" for text in ALKANES]
        (tmp_path / name).mkdir()
        (tmp_path / name / "train_val.csv").write_text("Drug_ID,Drug,Y\n" + "".join(rows[::2]))
        (tmp_path / name / "test.csv").write_text("Drug_ID,Drug,Y\n" + "".join(rows[1::2]))
    return tmp_path


class Length:
    """Knows the answer, but fails on some molecules."""

    def __init__(self, fails: Sequence[str] = ()) -> None:
        self.fails = fails
        self.calls = 0

    def embed(self, items: Sequence[object], /) -> Embedded:
        self.calls += 1
        values = np.array([[len(str(item)), 1.0] for item in items], dtype=np.float32)
        failures = {row: "no" for row, item in enumerate(items) if item in self.fails}
        values[list(failures)] = np.nan
        return Embedded(values, failures)


class Noise:
    """Knows nothing."""

    def embed(self, items: Sequence[object], /) -> Embedded:
        rows = [np.random.default_rng(len(str(item))).normal(size=4) for item in items]
        return Embedded(np.array(rows, dtype=np.float32), {})


def _compare(data: Path, *made: embedders.Embedder, **options: object) -> dict[str, object]:
    tasks = tdc.load(data, ["dili", "half_life_obach"])
    return admet.compare(tasks, made, jobs=1, **options)  # pyright: ignore[reportArgumentType]


def test_an_embedder_that_knows_scores_one_and_noise_does_not(data: Path) -> None:
    made = [embedders.Embedder("length", "1", Length()), embedders.Embedder("noise", "2", Noise())]
    result = _compare(data, *made, reference="length")
    scores, summary = result["scores"], result["summary"]
    assert scores["length"]["dili"] == {"official": 1.0, "common": 1.0, "failed_rows": 0}
    assert scores["length"]["half_life_obach"]["official"] == pytest.approx(1.0)
    assert summary["length"] == pytest.approx({"mean": 1, "auroc": 1, "spearman": 1, "rank": 1})
    assert summary["noise"]["mean"] < 0.8
    assert result["against"]["noise"]["wins"] == 2
    assert result["tasks"]["half_life_obach"] == {
        "metric": "Spearman", "train": 30, "test": 30, "log10": True,
    }  # fmt: skip


def test_failed_molecules_keep_their_rows_and_are_counted(data: Path) -> None:
    fails = (ALKANES[0], ALKANES[1])  # one in training, one in test
    result = _compare(data, embedders.Embedder("length", "1", Length(fails)))
    assert result["embedders"]["length"]["failed_molecules"] == 2
    assert result["scores"]["length"]["dili"]["failed_rows"] == 2
    assert 0.9 < result["scores"]["length"]["half_life_obach"]["common"] < 1


def test_two_runs_write_the_same_bytes(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--embedders", "few=maccs,untrained:tiny:8", "--tasks", "dili,half_life_obach"]
    arguments += ["--data", str(data), "--jobs", "1", "--reference", "few", "--seed", "5"]
    written: list[bytes] = []
    for name in ("a.json", "b.json"):
        assert admet.main([*arguments, "--out", str(tmp_path / name)]) == 0
        written.append((tmp_path / name).read_bytes())
    assert written[0] == written[1]
    assert json.loads(written[0])["embedders"]["untrained:tiny:8"]["dim"] == 8
    assert "| few | 167 |" in capsys.readouterr().out


def test_the_cache_spares_the_second_embedding(data: Path, tmp_path: Path) -> None:
    model = Length()
    first, again = (
        _compare(data, embedders.Embedder("length", "1", model), cache=tmp_path / "cache")
        for _ in range(2)
    )
    assert model.calls == 1
    assert first == again
    _compare(data, embedders.Embedder("length", "other", model), cache=tmp_path / "cache")
    assert model.calls == 2
    assert [path.suffix for path in (tmp_path / "cache").iterdir()] == [".npy", ".npy"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--embedders", "maccs,maccs"], "embedders with one label: maccs"),
        (["--embedders", "maccs", "--reference", "ecfp4"], "reference 'ecfp4' is none of maccs"),
        (["--embedders", "maccz"], "unknown teacher 'maccz'"),
        (["--embedders", "untrained:tiny:x"], "whole number for DIM, not 'x'"),
        (["--embedders", "molkd:/nowhere"], "'/nowhere'"),
        (["--embedders", "maccs", "--data", "/nowhere"], "cannot read /nowhere/dili/train_val.csv"),
        (["--embedders", "maccs", "--tasks", "dilli"], "unknown task 'dilli'"),
    ],
)
def test_wrong_arguments_are_explained(
    data: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    given = ["--data", str(data), "--tasks", "dili", "--out", str(tmp_path / "out.json")]
    assert admet.main([*given, *arguments]) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out.json").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [("Drug,Z\nC,1\n", "has no column Y"), ("Drug,Y\nC,1\nCC,\n", "row 2: the label is not")],
)
def test_broken_tables_are_named(data: Path, text: str, message: str) -> None:
    (data / "dili" / "test.csv").write_text(text)
    with pytest.raises(tdc.InputError, match=message):
        tdc.load(data, ["dili"])


def test_the_group_has_thirteen_classifications_and_nine_regressions(shared: Path) -> None:
    tasks = tdc.load(shared / "data" / "tdc_admet_group")
    assert sum(task.classification for task in tasks) == 13
    assert len(tasks) == 22
    for task in tasks:
        if task.classification:
            assert set(np.unique(task.train.y)) == {0, 1}
        elif task.name in tdc.LOGARITHMIC:
            assert min(task.train.y) > 0


def test_official_metrics_are_the_published_ones(shared: Path) -> None:
    published = (shared / "reference" / "tdc-admet-published.csv").read_text().splitlines()[1:]
    assert dict(line.split(",")[:2] for line in published) == dict(tdc.METRICS)
