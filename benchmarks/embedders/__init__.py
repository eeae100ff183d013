"""Embedders by name: teachers, students, files, and what is made of several of them.

    [LABEL=]SPEC

where SPEC is the name of a teacher, `molkd:DIR` for a trained student, `untrained:DIR` for one of
the same shape with random weights, `untrained:SIZE` for one of a size by name, `file:PATH` for
embeddings computed elsewhere, `peer:NAME` for another library's, `pixels:N` for images shrunk to
N x N pixels, `cut:N:SPEC` for the first N dimensions of one of these, `A+B` for the embeddings of
A and B side by side, or `pca:N:SPEC` for the N leading principal components of SPEC, fitted on the
training rows of each split.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from molkd.benchmarks.embedders.cut import Cut
from molkd.benchmarks.embedders.sources import teachers_of
from molkd.benchmarks.embedders.store import Embeds, store_of
from molkd.benchmarks.records import Role, recipe_of
from molkd.benchmarks.tasks.modalities import BENCHMARKED
from molkd.benchmarks.tasks.task import Item
from molkd.errors import ConfigError, MolkdError, UnknownNameError
from molkd.types import digest_of

ORACLE_COMPONENTS = 512
"""Width of the oracle: all teachers of a student, concatenated, on principal components."""


@dataclass(frozen=True, slots=True)
class Source:
    """One model whose embeddings are computed and kept.

    Attributes:
        digest: changes whenever its numbers may change.
        model: what embeds.
        parameters: number of weights; 0 for what has none, None where unknown.
        modality: what it embeds: "molecules", "texts" or "images".
        megabytes: of the file of its weights; None where they are counted, or looked up.
    """

    digest: str
    model: Embeds
    parameters: int | None
    modality: str = "molecules"
    megabytes: float | None = None


@dataclass(frozen=True, slots=True)
class Embedder:
    """One column of a comparison.

    Attributes:
        label: its name in tables.
        spec: what it was made from.
        role: what it is in the comparison.
        sources: models whose embeddings stand side by side.
        components: principal components that replace the embedding; None leaves it as it is.
    """

    label: str
    spec: str
    role: Role
    sources: tuple[Source, ...]
    components: int | None = None

    @property
    def digest(self) -> str:
        """Changes whenever its numbers may change; not with its label."""
        return digest_of([list(self.digests), self.components])

    @property
    def digests(self) -> tuple[str, ...]:
        """Of its sources: where `store.read` finds its embeddings."""
        return tuple(source.digest for source in self.sources)

    @property
    def parameters(self) -> int | None:
        """Number of weights of all sources; None where one is unknown."""
        counts = [source.parameters for source in self.sources]
        return None if None in counts else sum(count or 0 for count in counts)

    @property
    def modality(self) -> str:
        """What all its sources embed."""
        return self.sources[0].modality

    def fill(self, items: Sequence[Item], *, cache: Path, jobs: int, progress: bool) -> None:
        """Computes the embeddings that the cache lacks.

        Raises:
            OutputError: the cache cannot be written.
        """
        for source in self.sources:
            stored = store_of(cache, source.digest)
            stored.fill(source.model, items, jobs=jobs, name=self.label, progress=progress)


def make(text: str, *, weights_dir: Path | None = None, seed: int = 0) -> Embedder:
    """Makes an embedder from "[LABEL=]SPEC"; see the module.

    Args:
        text: what was typed.
        weights_dir: folder of pretrained weights, for teachers that read some.
        seed: of random weights.

    Raises:
        MolkdError: there is no such embedder.
    """
    label, equals, rest = text.partition("=")
    spec = rest if equals else text
    if not label or not spec:
        raise ConfigError(f"expected [LABEL=]EMBEDDER, got {text!r}")
    components, inner = _components(spec)
    names = inner.split("+")
    sources = tuple(_source(name, weights_dir, seed) for name in names)
    if len({source.modality for source in sources}) > 1:
        modalities = ", ".join(f"{n} {s.modality}" for n, s in zip(names, sources, strict=True))
        raise ConfigError(
            f"{spec}: what stands side by side reads the same items, not {modalities}"
        )
    return Embedder(label, spec, _role(names), sources, components)


def with_baselines(
    embedders: Sequence[Embedder], *, teachers: bool, weights_dir: Path | None, seed: int = 0
) -> tuple[list[Embedder], list[str]]:
    """Adds what every comparison needs beside the embedders that were asked for.

    The baselines of their modality, for molecules ECFP4 counts, RDKit descriptors, both side by
    side; for the students among the given, alone or beside others, an untrained one of the same
    shape in their place, and all their teachers concatenated on principal components (what a
    student tries to compress). Of training runs NAME#0, NAME#1, ... the first decides.

    Args:
        embedders: what was asked for.
        teachers: whether the students' teachers also join one by one.
        weights_dir: see `make`.
        seed: see `make`.

    Returns:
        All embedders, the given ones first, and in sentences what could not be added.
    """
    specs: list[str] = []
    notes: list[str] = []
    students = {recipe_of(one.label): one for one in reversed(embedders) if _students(one)}
    for name, embedder in reversed(students.items()):
        found = {student: teachers_of(student) for student in _students(embedder)}
        notes += [_unnamed(student) for student, some in found.items() if not some]
        names = list(dict.fromkeys(name for some in found.values() for name in some))
        usable = _usable(names, weights_dir, notes)
        specs += usable if teachers else []
        if usable:
            oracle = f"pca:{ORACLE_COMPONENTS}:{'+'.join(usable)}"
            specs.append(f"teachers of {name}, PCA-{ORACLE_COMPONENTS}={oracle}")
        specs.append(f"{name}, untrained={_untrained_spec(embedder)}")
    every = list(embedders)
    taken = {embedder.digest for embedder in embedders}
    kinds = dict.fromkeys(embedder.modality for embedder in embedders)
    for text in [*specs, *(text for kind in kinds for text in BENCHMARKED[kind].baselines)]:
        baseline = make(text, weights_dir=weights_dir, seed=seed)
        if baseline.digest not in taken:
            taken.add(baseline.digest)
            every.append(baseline)
    refuse_doubles(every)
    return every, list(dict.fromkeys(notes))


def _usable(names: Sequence[str], weights_dir: Path | None, notes: list[str]) -> list[str]:
    """The teachers that can embed here; of each other, a note says why not."""
    usable: list[str] = []
    for name in names:
        try:
            (source,) = make(name, weights_dir=weights_dir).sources
            source.model.embed([BENCHMARKED[source.modality].example()])
        except MolkdError as error:
            notes.append(f"teacher {name} is left out: {error}")
        else:
            usable.append(name)
    return usable


def _components(spec: str) -> tuple[int | None, str]:
    return _numbered("pca", spec) if spec.startswith("pca:") else (None, spec)


def _numbered(prefix: str, spec: str) -> tuple[int, str]:
    """Reads "prefix:N:SPEC"."""
    number, _, inner = spec.removeprefix(f"{prefix}:").partition(":")
    if not number.isdecimal() or not int(number) or not inner:
        raise ConfigError(f"expected {prefix}:N:EMBEDDER with N at least 1, got {spec!r}")
    return int(number), inner


def _role(names: Sequence[str]) -> Role:
    if len(names) > 1 or names[0].startswith("untrained:"):
        return "baseline"
    return "student" if names[0].startswith(("molkd:", "cut:")) else "teacher"


def _source(spec: str, weights_dir: Path | None, seed: int) -> Source:
    if spec.startswith("cut:"):
        length, inner = _numbered("cut", spec)
        whole = _source(inner, weights_dir, seed)
        cut = Cut(whole.model, length)
        digest = digest_of([whole.digest, length])
        return replace(whole, digest=digest, model=cut)
    prefix, _, argument = spec.partition(":")
    makers = {"molkd": _trained, "untrained": _untrained, "file": _precomputed}
    makers |= {"pixels": _pixels, "peer": _peer}
    if prefix in makers:
        return makers[prefix](argument, seed)
    from molkd import teachers
    from molkd.students import shipped

    try:
        teacher = teachers.make(spec, weights_dir=weights_dir)
    except UnknownNameError:
        if shipped.folder_of(spec) or Path(spec).is_dir():
            raise ConfigError(f"{spec} is no teacher; a student is molkd:{spec}") from None
        raise
    card = teacher.card
    return Source(card.digest, teacher, None if card.sha256 else 0, card.modality)


def _trained(folder: str, _seed: int) -> Source:
    from molkd import students
    from molkd.students import pretrained, shipped

    weights = (shipped.folder_of(folder) or Path(folder)) / pretrained.WEIGHTS
    source = _student(students.load(folder))
    return replace(source, megabytes=weights.stat().st_size / 1e6 if weights.is_file() else None)


def _untrained(argument: str, seed: int) -> Source:
    from molkd import students

    if argument in students.SIZES:
        return _student(students.make(students.sized(argument), seed=seed))
    return _student(students.untrained_like(students.load(argument), seed=seed))


def _student(student: Any) -> Source:
    count = sum(parameter.numel() for parameter in student.parameters())
    return Source(student.digest, student, count, getattr(student, "modality", "molecules"))


def _precomputed(path: str, _seed: int) -> Source:
    from molkd.benchmarks.embedders.precomputed import Precomputed

    read = Precomputed(path)
    return Source(read.digest, read, None, read.modality)


def _pixels(argument: str, _seed: int) -> Source:
    from molkd.benchmarks.embedders.pixels import Pixels

    if not argument.isdecimal() or not 1 <= int(argument) <= 1024:
        raise ConfigError(f"expected pixels:N with N from 1 to 1024, got pixels:{argument}")
    model = Pixels(int(argument))
    return Source(model.card.digest, model, 0, model.card.modality)


def _peer(name: str, _seed: int) -> Source:
    from molkd.benchmarks.embedders import peers

    peer = peers.make(name)
    return Source(peer.card.digest, peer, peer.weights)


def _students(embedder: Embedder) -> list[str]:
    """Those in "molkd:DIR" or "A+molkd:DIR"."""
    if embedder.components is not None:
        return []
    named = (name.partition(":") for name in embedder.spec.split("+"))
    return [student for prefix, _, student in named if prefix == "molkd"]


def _unnamed(student: str) -> str:
    return (
        f"{student}: neither its settings.toml nor its card names its teachers: they and their "
        "concatenation are left out"
    )


def _untrained_spec(embedder: Embedder) -> str:
    """The same, of untrained students."""
    return re.sub(r"(?<![^+])molkd:", "untrained:", embedder.spec)


def refuse_doubles(embedders: Sequence[Embedder]) -> None:
    """Raises ConfigError where two embedders have one label."""
    labels = [embedder.label for embedder in embedders]
    double = sorted({label for label in labels if labels.count(label) > 1})
    if double:
        raise ConfigError(f"embedders with one label: {', '.join(double)}; write LABEL=EMBEDDER")
