"""Students that differ in one thing: what is distilled, repeated over seeds, and resumed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from molkd.benchmarks import ablations, records
from molkd.benchmarks.ablations import Ablation, Sources, run
from molkd.benchmarks.quality.evaluation import RESULTS, Workspace
from molkd.distillation.run import DistillSettings
from molkd.errors import ConfigError, UnknownNameError
from molkd.objectives import OBJECTIVES
from molkd.runtime import settings

CORPUS = ["C" * n + tail for n in range(1, 31) for tail in ("N", "O", "F", "c1ccccc1")]

SMALL: dict[str, Any] = {
    "question": "Does the loss matter?",
    "reference": "mi",
    "settings": {
        "teachers": ["maccs", "describe:hashed-ngrams"],
        "student": {"size": "tiny", "hidden": 16, "layers": 1},
        "estimate": {"epochs": 1, "hidden": 8},
    },
    "variants": {
        "mi": {"settings": {"objective": {"name": "mi"}}},
        "mse": {"share": 0.5, "settings": {"objective": {"name": "mse"}}},
    },
    "scales": {
        "minute": {
            "items": 120,
            "seeds": 2,
            "tasks": ["tdc-admet:hia_hou"],
            "settings": {"train": {"epochs": 1, "batch_size": 32}},
        }
    },
    "baselines": ["maccs", "untrained:tiny"],
}

LABELS = ["mi", "mse", "maccs", "untrained:tiny"]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with one task of the ADMET group: which molecules hold nitrogen or oxygen."""
    folder = tmp_path / "data" / "tdc_admet_group" / "hia_hou"
    folder.mkdir(parents=True)
    lines = [f"{row},{text},{int('N' in text or 'O' in text)}" for row, text in enumerate(CORPUS)]
    for name, part in (("train_val", lines[:80]), ("test", lines[80:])):
        (folder / f"{name}.csv").write_text("\n".join(["Drug_ID,Drug,Y", *part, ""]))
    return tmp_path / "data"


def _run(folder: Path, data: Path) -> records.Results:
    place = Workspace(folder=folder, cache=folder / "cache", progress=False)
    chosen = settings.from_table(Ablation, SMALL)
    return run(chosen, "minute", Sources(corpus=CORPUS, data=data, device="cpu"), place)


def test_an_ablation_from_corpus_to_results(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, int, int, int]] = []
    honest = ablations.distill

    def recorded(smiles: Any, made: Any, output: Any, options: DistillSettings, **more: Any) -> Any:
        plan = options.train
        asked.append((options.objective.name, plan.seed, plan.epochs, len(smiles)))
        return honest(smiles, made, output, options, **more)

    monkeypatch.setattr(ablations, "distill", recorded)
    found = _run(tmp_path / "run", data)
    assert asked == [("mi", 0, 1, 120), ("mse", 0, 2, 60), ("mi", 1, 1, 120), ("mse", 1, 2, 60)]
    assert [record.label for record in found.embedders] == LABELS
    assert [record.runs for record in found.embedders] == [2, 2, 1, 2]
    cells = {(score.embedder, score.seed) for score in found.scores}
    assert cells == {(label, seed) for label in LABELS for seed in (0, 1)}
    digests = {score.key for score in found.scores}
    assert len(digests) == len(found.scores)
    assert found.run.settings["scale"] == "minute"
    assert found.run.settings["seeds"] == 2
    first = (tmp_path / "run" / RESULTS).read_bytes()
    assert records.read(tmp_path / "run" / RESULTS).scores

    again = _run(tmp_path / "run", data)
    assert len(asked) == 4, "finished students are not distilled again"
    assert again == found
    assert (tmp_path / "run" / RESULTS).read_bytes() == first

    # Students of other settings are not taken for finished.
    folder = tmp_path / "run" / "students" / "mi-0"
    names = {"teachers": ["maccs", "describe-hashed-ngrams"]}  # as on their cards
    chosen = settings.load(DistillSettings, folder / "settings.toml", names)
    assert ablations.finished(folder, chosen, 120)
    assert not ablations.finished(folder, chosen, 119)
    longer = settings.load(DistillSettings, folder / "settings.toml", {**names, "train.epochs": 7})
    assert not ablations.finished(folder, longer, 120)
    assert not ablations.finished(tmp_path / "nowhere", chosen, 120)


def test_a_corpus_too_small_says_so(tmp_path: Path, data: Path) -> None:
    place = Workspace(folder=tmp_path, cache=tmp_path, progress=False)
    chosen = settings.from_table(Ablation, SMALL)
    with pytest.raises(ConfigError, match="needs 120 items, the corpus has 3"):
        run(chosen, "minute", Sources(corpus=CORPUS[:3], data=data), place)


def test_names_that_are_wrong_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="objective"):
        ablations.load("objectiv")
    with pytest.raises(UnknownNameError, match="minute"):
        settings.from_table(Ablation, SMALL).scale("minutes")
    with pytest.raises(ConfigError, match="reference"):
        settings.from_table(Ablation, {**SMALL, "reference": "other"})
    with pytest.raises(ConfigError, match="unknown setting 'variant'"):
        settings.from_table(Ablation, {**SMALL, "variant": {}})


def test_the_ablations_that_come_with_molkd_are_whole() -> None:
    folder = Path(ablations.__file__).parent
    assert ablations.names() == sorted(path.stem for path in folder.glob("*.toml"))
    for name in ablations.names():
        chosen = ablations.load(name)
        assert chosen.question.endswith("?"), name
        assert set(chosen.scales) == {"minute", "hour", "day"}, name
        assert len(chosen.variants) >= 2, name
        every = [
            ablations.settings_of(chosen, scale, variant, seed=1)
            for scale in chosen.scales.values()
            for variant in chosen.variants.values()
        ]
        assert all(one.train.seed == 1 for one in every), name
        seeds = [scale.seeds for scale in chosen.scales.values() for _ in chosen.variants]
        assert len(set(zip(seeds, map(str, every), strict=True))) == len(every), name


@pytest.mark.parametrize("name", ["objective", "vision-objective"])
def test_the_ablations_of_objectives_cover_all_objectives(name: str) -> None:
    chosen = ablations.load(name)
    named = {variant.settings["objective"]["name"] for variant in chosen.variants.values()}
    assert named == set(OBJECTIVES)


def test_a_variant_may_lack_teachers_or_have_more() -> None:
    table = SMALL | {
        "variants": {
            "mi": {},
            "less": {"without": ["maccs"]},
            "more": {"add": ["erg"]},
            "wrong": {"without": ["erg"]},
        }
    }
    chosen = settings.from_table(Ablation, table)
    scale = chosen.scale("minute")

    def names(variant: str) -> tuple[str, ...]:
        return ablations.settings_of(chosen, scale, chosen.variants[variant], seed=0).teachers

    assert names("less") == ("describe:hashed-ngrams",)
    assert names("more") == ("maccs", "describe:hashed-ngrams", "erg")
    with pytest.raises(ConfigError, match="without erg, which it has not"):
        names("wrong")


def test_teachers_of_a_variant_stand_side_by_side(tmp_path: Path, data: Path) -> None:
    changes = {"teachers": ["maccs", "avalon"]}
    table = SMALL | {
        "settings": SMALL["settings"] | changes,
        "variants": {"mi": {}, "less": {"without": ["maccs"]}},
        "baselines": [],
        "concatenated": 8,
    }
    place = Workspace(folder=tmp_path, cache=tmp_path / "cache", progress=False)
    found = run(
        settings.from_table(Ablation, table),
        "minute",
        Sources(corpus=CORPUS, data=data, device="cpu"),
        place,
    )
    assert {record.label: record.spec for record in found.embedders if ":" in record.spec[:4]} == {
        "teachers of mi, PCA-8": "pca:8:maccs+avalon",
        "teachers of less, PCA-8": "pca:8:avalon",
    }
    chosen_on = records.reported(found, "valid")
    assert [score.test for score in chosen_on.scores] == [score.valid for score in found.scores]
    assert chosen_on.run.settings["part"] == "valid"
