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
from molkd.benchmarks import embedders, records, tasks
from molkd.benchmarks.quality import evaluation
from molkd.benchmarks.quality.evaluation import QualitySettings, Workspace
from molkd.benchmarks.records import Part, Results
from molkd.benchmarks.tasks.modalities import BENCHMARKED
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
        without: teachers that its students do not have.
        add: teachers that they have besides.
        settings: changes to the settings.
    """

    share: float = 1.0
    without: tuple[str, ...] = ()
    add: tuple[str, ...] = ()
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
        concatenated: principal components on which the teachers of each variant stand side by side
            as one more embedder; 0 for none.
    """

    question: str
    reference: str
    settings: Mapping[str, Any]
    variants: Mapping[str, Variant]
    scales: Mapping[str, Scale]
    probes: tuple[str, ...] = ("linear",)
    baselines: tuple[str, ...] = BENCHMARKED["molecules"].baselines
    concatenated: int = 0

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


def run(
    ablation: Ablation,
    scale_name: str,
    sources: Sources,
    space: Workspace,
    *,
    part: Part = "test",
) -> Results:
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
    selected = tasks.load(scale.tasks, data=sources.data)
    parts: list[Results] = []
    for seed in range(scale.seeds):
        students = list(_distilled(ablation, scale, seed, sources, space))
        specs = [*students, *_concatenations(ablation, scale), *ablation.baselines]
        compared = [embedders.make(o, weights_dir=sources.weights_dir, seed=seed) for o in specs]
        quality = QualitySettings(probes=ablation.probes, seeds=1, first_seed=seed, part=part)
        folder = space.folder / f"seed-{seed}"
        parts.append(
            evaluation.evaluate(selected, compared, quality, replace(space, folder=folder))
        )
    joined = join(parts, {"ablation": ablation.question, "scale": scale_name})
    records.write(space.folder / evaluation.RESULTS, joined)
    return joined


def join(parts: Sequence[Results], about: Mapping[str, Any]) -> Results:
    """Puts the results of several seeds together; an embedder may differ from seed to seed."""
    first = parts[0]
    digests = [[record.digest for record in part.embedders] for part in parts]
    embedder_records = tuple(
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
    return Results(run_record, first.tasks, embedder_records, scores)


def _distilled(
    ablation: Ablation, scale: Scale, seed: int, sources: Sources, space: Workspace
) -> Iterator[str]:
    """Distils the students of a seed; gives each as an embedder, labelled by its variant."""
    for name, variant in ablation.variants.items():
        count = round(scale.items * variant.share)
        options = settings_of(ablation, scale, variant, seed=seed)
        folder = space.folder / "students" / f"{name}-{seed}"
        own = [teachers.make(one, weights_dir=sources.weights_dir) for one in options.teachers]
        named = replace(options, teachers=tuple(teacher.card.name for teacher in own))
        if not finished(folder, named, count):
            settings.write(folder / "settings.toml", options)
            distill(
                sources.corpus[:count],
                own,
                folder,
                options,
                bank=space.folder / "banks" / str(count),
                device=sources.device,
                jobs=space.jobs,
                progress=space.progress,
            )
        yield f"{name}=molkd:{folder}"


def _concatenations(ablation: Ablation, scale: Scale) -> Iterator[str]:
    """The teachers of each variant side by side, as embedders."""
    for name, variant in ablation.variants.items() if ablation.concatenated else ():
        names = settings_of(ablation, scale, variant, seed=0).teachers
        count = ablation.concatenated
        yield f"teachers of {name}, PCA-{count}=pca:{count}:{'+'.join(names)}"


def settings_of(
    ablation: Ablation, scale: Scale, variant: Variant, *, seed: int
) -> DistillSettings:
    """Returns the settings of one student.

    Raises:
        ConfigError: the tables do not hold settings of a distillation.
    """
    merged = _merged(ablation.settings, scale.settings, variant.settings)
    options = settings.from_table(DistillSettings, merged)
    epochs = round(options.train.epochs / variant.share)
    strange = [name for name in variant.without if name not in options.teachers]
    if strange:
        raise ConfigError(f"a variant is to be without {', '.join(strange)}, which it has not")
    kept = tuple(name for name in options.teachers if name not in variant.without)
    train = replace(options.train, epochs=epochs, seed=seed)
    return replace(options, teachers=(*kept, *variant.add), train=train)


def finished(folder: Path, options: DistillSettings, items: int) -> bool:
    """Whether a folder holds the student of these settings; teachers as their cards name them."""
    try:
        report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    same = settings.from_table(DistillSettings, _without_none(report["settings"])) == options
    return same and report["rows"][options.modality.name] == items


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
