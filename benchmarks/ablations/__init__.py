"""Ablations: students that differ in one thing, each with several seeds, compared on tasks.

A seed is the seed of everything: weights, order and validation rows of the student, split and
probe of the task. So the spread over seeds is that of repeating the whole experiment.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import resources
from pathlib import Path
from typing import Any

from molkd import teachers
from molkd.benchmarks import embedders, tasks
from molkd.benchmarks import records as results
from molkd.benchmarks.quality import evaluation
from molkd.benchmarks.quality.evaluation import Place, QualitySettings
from molkd.benchmarks.records import Results
from molkd.distillation.run import DistillSettings, distill
from molkd.errors import ConfigError, UnknownNameError
from molkd.items import Modality
from molkd.runtime import settings
from molkd.runtime.registry import near
from molkd.types import digest_of


@dataclass(frozen=True, kw_only=True)
class Scale:
    """How large an ablation is.

    Attributes:
        items: of the corpus, from its start.
        seeds: repetitions of everything.
        tasks: names of tasks or groups of them.
        settings: changes to the settings of every student.
    """

    items: int
    seeds: int
    tasks: tuple[str, ...] = ("tdc-admet",)
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, kw_only=True)
class Variant:
    """What is different about some of the students.

    Attributes:
        share: of the scale's items, from the start; epochs are multiplied, so that the number
            of steps stays the same.
        settings: changes to the settings.
    """

    share: float = 1.0
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, kw_only=True)
class Ablation:
    """A question, and the students that answer it.

    Attributes:
        question: in a sentence.
        reference: the variant that is compared with every other one.
        settings: of every student; a table of `DistillSettings`.
        variants: name -> what is different.
        scales: name -> how large.
        probes: names of probes.
        baselines: embedders that stand beside the students.
    """

    question: str
    reference: str
    settings: Mapping[str, Any]
    variants: Mapping[str, Variant]
    scales: Mapping[str, Scale]
    probes: tuple[str, ...] = ("linear",)
    baselines: tuple[str, ...] = embedders.BASELINES

    def __post_init__(self) -> None:
        if self.reference not in self.variants:
            raise ConfigError(f"reference {self.reference!r} is none of {', '.join(self.variants)}")

    def modality(self, scale: Scale) -> Modality:
        """What the students read."""
        return settings_of(self, scale, self.variants[self.reference], seed=0).modality

    def scale(self, name: str) -> Scale:
        """Returns a scale by name.

        Raises:
            UnknownNameError: there is none.
        """
        if name not in self.scales:
            raise UnknownNameError(f"unknown scale {name!r}: scales are {', '.join(self.scales)}")
        return self.scales[name]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where an ablation finds what it needs.

    Attributes:
        corpus: what to distil on: SMILES, texts or images.
        data: folder of the tasks; None for the usual one.
        weights_dir: folder of pretrained weights; None for the usual one.
        device: where students are trained.
    """

    corpus: Sequence[Any]
    data: Path | None = None
    weights_dir: Path | None = None
    device: str = "auto"


def names() -> list[str]:
    """Returns the ablations that come with molkd."""
    folder = resources.files("molkd.benchmarks") / "ablations"
    files = (entry.name for entry in folder.iterdir())
    return sorted(name.removesuffix(".toml") for name in files if name.endswith(".toml"))


def load(name: str) -> Ablation:
    """Reads an ablation that comes with molkd, or a TOML file.

    Raises:
        UnknownNameError: there is no such ablation and no such file.
        ConfigError: the file does not hold one.
    """
    if name.endswith(".toml"):
        return settings.load(Ablation, Path(name))
    if name not in names():
        raise UnknownNameError(
            f"unknown ablation {name!r}.{near(name, names())} Ablations are {', '.join(names())}, "
            "or a file that ends in .toml"
        )
    with resources.as_file(resources.files("molkd.benchmarks") / "ablations") as folder:
        return settings.load(Ablation, folder / f"{name}.toml")


def run(ablation: Ablation, scale_name: str, sources: Sources, place: Place) -> Results:
    """Distils the students, probes them, and writes `results.jsonl`; resumes after a kill.

    Untrained students among the baselines get new weights with every seed, like the others.

    Raises:
        MolkdError: the corpus is too small, or something cannot be read or written.
    """
    scale = ablation.scale(scale_name)
    if len(sources.corpus) < scale.items:
        raise ConfigError(
            f"the scale {scale_name!r} needs {scale.items} items, the corpus has "
            f"{len(sources.corpus)}"
        )
    asked = tasks.load(scale.tasks, data=sources.data)
    found: list[Results] = []
    for seed in range(scale.seeds):
        students = list(_distilled(ablation, scale, seed, sources, place))
        made = [embedders.make(spec, weights_dir=sources.weights_dir) for spec in students]
        given = [
            *made,
            *(
                embedders.make(one, weights_dir=sources.weights_dir, seed=seed)
                for one in ablation.baselines
            ),
        ]
        quality = QualitySettings(probes=ablation.probes, seeds=1, first_seed=seed)
        folder = place.folder / f"seed-{seed}"
        found.append(evaluation.evaluate(asked, given, quality, replace(place, folder=folder)))
    joined = join(found, {"ablation": ablation.question, "scale": scale_name})
    results.write(place.folder / evaluation.RESULTS, joined)
    return joined


def join(parts: Sequence[Results], about: Mapping[str, Any]) -> Results:
    """Puts the results of several seeds together; an embedder may differ from seed to seed."""
    first = parts[0]
    digests = [[record.digest for record in part.embedders] for part in parts]
    records = tuple(
        replace(
            record,
            spec=" | ".join(dict.fromkeys(part.embedders[place].spec for part in parts)),
            digest=digest_of([column[place] for column in digests]),
            runs=len({column[place] for column in digests}),
        )
        for place, record in enumerate(first.embedders)
    )
    run_record = replace(first.run, settings={**first.run.settings, "seeds": len(parts), **about})
    scores = tuple(score for part in parts for score in part.scores)
    return Results(run_record, first.tasks, records, scores)


def _distilled(
    ablation: Ablation, scale: Scale, seed: int, sources: Sources, place: Place
) -> Iterator[str]:
    """Distils the students of a seed; gives each as an embedder, labelled by its variant."""
    for name, variant in ablation.variants.items():
        count = round(scale.items * variant.share)
        wanted = settings_of(ablation, scale, variant, seed=seed)
        folder = place.folder / "students" / f"{name}-{seed}"
        made = [teachers.make(one, weights_dir=sources.weights_dir) for one in wanted.teachers]
        kept = replace(wanted, teachers=tuple(teacher.card.name for teacher in made))
        if not finished(folder, kept, count):
            settings.write(folder / "settings.toml", wanted)
            distill(
                sources.corpus[:count],
                made,
                folder,
                wanted,
                bank=place.folder / "banks" / str(count),
                device=sources.device,
                jobs=place.jobs,
                progress=place.progress,
            )
        yield f"{name}=molkd:{folder}"


def settings_of(
    ablation: Ablation, scale: Scale, variant: Variant, *, seed: int
) -> DistillSettings:
    """Returns the settings of one student.

    Raises:
        ConfigError: the tables do not hold settings of a distillation.
    """
    merged = _merged(ablation.settings, scale.settings, variant.settings)
    wanted = settings.from_table(DistillSettings, merged)
    epochs = round(wanted.plan.epochs / variant.share)
    return replace(wanted, plan=replace(wanted.plan, epochs=epochs, seed=seed))


def finished(folder: Path, wanted: DistillSettings, items: int) -> bool:
    """Whether a folder holds the student of these settings; teachers as their cards name them."""
    try:
        report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    same = settings.from_table(DistillSettings, _without_none(report["settings"])) == wanted
    return same and report["rows"][wanted.modality.name] == items


def _without_none(table: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: _without_none(value) if isinstance(value, dict) else value
        for key, value in table.items()
        if value is not None
    }


def _merged(first: Mapping[str, Any], *rest: Mapping[str, Any]) -> dict[str, Any]:
    """Later tables override earlier ones, key by key."""
    merged = dict(first)
    for table in rest:
        for key, value in table.items():
            both = isinstance(merged.get(key), dict) and isinstance(value, dict)
            merged[key] = _merged(merged[key], value) if both else value
    return merged
