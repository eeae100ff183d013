"""Do nearest neighbours mean something? Analogues of actives, looked for among decoys.

Every active of a series of MoleculeACE looks for the other members among molecules that are no
analogues, by exact search. ECFP4 with Tanimoto is the reference.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import get_args

import numpy as np

from molkd.benchmarks import embedders as registry
from molkd.benchmarks.analogues import records, search
from molkd.benchmarks.analogues import series as definition
from molkd.benchmarks.analogues.decoys import Decoys
from molkd.benchmarks.analogues.records import Found, Run
from molkd.benchmarks.analogues.series import Definition, Series
from molkd.benchmarks.embedders import Embedder, store
from molkd.benchmarks.quality.evaluation import Workspace
from molkd.errors import ConfigError, InputError
from molkd.runtime import versions
from molkd.runtime.progress import Progress
from molkd.types import Embeddings, Matrix, digest_of

REFERENCE, TANIMOTO = "ECFP4", "Tanimoto"
"""What all others are compared with: label of the embedder, and its metric."""

COSINE, STANDARDISED = "cosine", "cosine, standardised"
"""Metrics of all embedders: as they come, and with mean 0 and variance 1 over the decoys."""

CHUNK = store.CHUNK
"""Decoys that are in memory at once."""

_PACKAGES = ("numpy", "scikit-learn", "torch", "rdkit")


@dataclass(frozen=True, kw_only=True)
class AnalogueSettings:
    """How neighbours are counted.

    Attributes:
        neighbours: how many count as the first ones.
        seed: decoys were drawn with it.
        by: what the members of a series share.
    """

    neighbours: int = 50
    seed: int = 0
    by: Definition = "scaffold"

    def __post_init__(self) -> None:
        if self.neighbours < 1:
            raise ConfigError(f"neighbours must be at least 1, not {self.neighbours}")
        if self.by not in get_args(Definition):
            raise ConfigError(f"series must be scaffold or framework, not {self.by!r}")


def compared_with_reference(embedders: Sequence[Embedder]) -> list[Embedder]:
    """Returns the reference and the embedders.

    Raises:
        ConfigError: one reads no molecules, needs training rows, or has the label of another.
    """
    for embedder in embedders:
        if embedder.modality != "molecules":
            raise ConfigError(
                f"{embedder.label} reads {embedder.modality}, and series hold molecules: leave it "
                "out"
            )
        if embedder.components is not None:
            raise ConfigError(
                f"{embedder.spec}: principal components are fitted on training rows, and a search "
                "has none: leave pca:N: out"
            )
    every = [registry.make(f"{REFERENCE}=ecfp4"), *embedders]
    registry.refuse_doubles(every)
    return every


def run(
    embedders: Sequence[Embedder],
    series: Sequence[Series],
    decoys: Decoys,
    settings: AnalogueSettings,
    space: Workspace,
) -> tuple[Run, list[Found]]:
    """Looks for analogues with every embedder, and writes `analogues.jsonl`.

    Run again after a kill, it goes on. All embedders are compared on the molecules that every one
    of them could embed; the notes say how many each could not.

    Args:
        embedders: what is compared, the reference first; see `compared_with_reference`.
        series: what is looked for.
        decoys: among what.
        settings: how neighbours are counted.
        space: where to work.

    Returns:
        What was asked, and what each embedder found by each of its metrics.

    Raises:
        InputError: no decoy, or no series, can be read by all embedders.
        OutputError: the folder or the cache cannot be written.
    """
    actives = [text for one in series for text in one.members]
    items = list(dict.fromkeys([*decoys.smiles, *actives]))
    for embedder in embedders:
        embedder.fill(items, cache=space.cache, jobs=space.jobs, progress=space.progress)
    readable, notes = _readable(embedders, items, space)
    among = [text for text in decoys.smiles if text in readable]
    if not among:
        raise InputError(f"no decoy can be read by all embedders: {'; '.join(notes)}")
    left = definition.of_readable(series, readable)
    asked = Run(
        settings={**asdict(settings), **definition.LIMITS},
        versions=versions.installed(_PACKAGES),
        decoys=len(among),
        series=tuple((one.target, one.shared, len(one.members)) for one in left),
        notes=(decoys.left_out, *notes),
    )
    return asked, _search_all(embedders, _Question(left, among, settings.neighbours), asked, space)


@dataclass(frozen=True, slots=True)
class _Question:
    """What every embedder is asked: see `run`."""

    series: Sequence[Series]
    among: Sequence[str]
    neighbours: int

    @property
    def actives(self) -> list[str]:
        return [text for one in self.series for text in one.members]

    @property
    def digest(self) -> str:
        members = [list(one.members) for one in self.series]
        return digest_of([list(self.among), members, self.neighbours])


def _search_all(
    embedders: Sequence[Embedder], question: _Question, asked: Run, space: Workspace
) -> list[Found]:
    """What was found: in an earlier run where nothing has changed, and now."""
    known, found = records.earlier(space.folder), list[Found]()
    pairs = [(one, metric) for one in embedders for metric in _metrics(one)]
    count, about = len(question.among), question.digest
    with Progress("search", count * len(pairs), unit="decoys", shown=space.progress) as bar:
        for done, (embedder, metric) in enumerate(pairs, 1):
            bar.note(f"{embedder.label}, {metric}")
            key = digest_of([embedder.digest, metric, about])
            one = known.get(key) or _search(embedder, metric, question, space, bar)
            found.append(replace(one, embedder=embedder.label, spec=embedder.spec, key=key))
            records.write(space.folder, asked, [*found, *known.values()])  # none is lost by a kill
            bar.reach(done * count)
    records.write(space.folder, asked, found)
    return found


def _metrics(embedder: Embedder) -> tuple[str, ...]:
    return (TANIMOTO,) if embedder.label == REFERENCE else (COSINE, STANDARDISED)


def _search(
    embedder: Embedder, metric: str, question: _Question, space: Workspace, bar: Progress
) -> Found:
    """See `Found`; its key is not known here."""

    def decoys() -> Iterator[Matrix]:
        for part in _parts(embedder, question.among, space):
            yield part.values

    def counted() -> Iterator[Matrix]:
        for chunk in decoys():
            yield chunk
            bar.update(len(chunk))

    similarity = search.Tanimoto() if metric == TANIMOTO else search.Cosine()
    if metric == STANDARDISED:
        similarity = search.standardised(decoys())
    actives = store.read(space.cache, embedder.digests, question.actives).values
    ends = np.cumsum([len(one.members) for one in question.series])[:-1]
    ranks = search.ranks(similarity, np.split(actives, ends), counted())
    shares = [[search.share(row, question.neighbours) for row in own] for own in ranks]
    firsts = [[np.log(row[0]) for row in own] for own in ranks]
    return Found(
        embedder=embedder.label,
        spec=embedder.spec,
        dim=actives.shape[1],
        metric=metric,
        shares=tuple(float(np.mean(own)) for own in shares),
        firsts=tuple(float(np.exp(np.mean(own))) for own in firsts),
        key="",
    )


def _parts(embedder: Embedder, texts: Sequence[str], space: Workspace) -> Iterator[Embeddings]:
    for start in range(0, len(texts), CHUNK):
        yield store.read(space.cache, embedder.digests, texts[start : start + CHUNK])


def _readable(
    embedders: Sequence[Embedder], items: Sequence[str], space: Workspace
) -> tuple[set[str], list[str]]:
    """What all embedders could embed, and how many molecules each could not."""
    alive, notes = np.ones(len(items), dtype=np.bool_), list[str]()
    for embedder in embedders:
        own = np.concatenate([part.valid for part in _parts(embedder, items, space)])
        if not own.all():
            notes.append(
                f"{embedder.label} cannot embed {(~own).sum():,} of {len(own):,} molecules"
            )
        alive &= own
    return {text for text, usable in zip(items, alive.tolist(), strict=True) if usable}, notes
