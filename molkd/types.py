"""Types that all parts share, and the protocol of a teacher; without torch."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Literal, Protocol, Self, TypeVar, cast, runtime_checkable

import numpy as np
import numpy.typing as npt

from molkd.deprecated import renamed, renamed_fields

Rows = npt.NDArray[np.int64]
"""Shape (m,): positions in a corpus."""

Mask = npt.NDArray[np.bool_]
"""Shape (n,): one truth value per item."""

Matrix = npt.NDArray[np.float32]
"""Shape (n, d): one row per item, in the order given."""

Support = Literal["real", "bits", "counts"]
"""What values a teacher's dimensions take, hence which density can model them."""

Form = Literal["as-is", "raw", "standardized", "pca", "whitened", "phi-s"]
"""How a teacher's values reach the objective; constant columns never do.

`as-is`: bits or counts unchanged, for densities that model them. `raw`: unchanged values of any
support, treated as real, for standardisers that learn during training. `standardized`: mean 0 and
sd 1 per column. `pca`: log1p of counts, or standardised real values, or bits, on their leading
principal components, each with sd 1. `whitened`: the same on all components above rounding.
`phi-s`: log1p of counts, or real values, or bits, rotated so that all dimensions have sd 1 although
one number scales them all: distances between rows keep their ratios.
"""

StoreAs = Literal["auto", "fp16", "fp32"]
"""Type in which a bank stores real values; "auto" takes fp16 unless a column would overflow."""

Item_contra = TypeVar("Item_contra", contravariant=True)


@renamed_fields(reads="modality")
@dataclass(frozen=True, slots=True, kw_only=True)
class TeacherCard:
    """What a teacher is, and everything that its numbers depend on.

    Attributes:
        name: registry name, kebab-case.
        kind: its family: "fingerprint", "descriptor", "graph network", "SMILES model", ...
        modality: what its items are, a name in `molkd.items.MODALITIES`.
        dim: width of the embedding.
        support: what values the dimensions take.
        source: paper or repository, with version or commit.
        license: licence of the weights (or of the code, where there are none).
        limits: what it cannot embed, in a sentence.
        sha256: weight file -> checksum; empty where there are no weights.
        options: options that change the numbers.
        versions: packages whose version may change the numbers.
        trained_on: which molecules and labels its weights have seen, and what that means for its
            evaluation, in sentences; empty where nobody has looked, or nothing was trained.
    """

    name: str
    kind: str
    dim: int
    support: Support
    source: str
    license: str
    limits: str
    sha256: Mapping[str, str] = field(default_factory=dict[str, str])
    options: Mapping[str, object] = field(default_factory=dict[str, object])
    versions: Mapping[str, str] = field(default_factory=dict[str, str])
    modality: str = "molecules"
    trained_on: str = ""

    @property
    def digest(self) -> str:
        """64 hexadecimal digits that change whenever the teacher's numbers may change.

        What only describes the teacher (source, licence, limits, modality, trained_on) does not.
        """
        fields_that_count = (self.dim, self.support, self.sha256, self.options, self.versions)
        return digest_of([self.name, *map(_plain, fields_that_count)])

    def as_json(self) -> dict[str, Any]:
        """Returns the card as files hold it; there the modality is under "reads"."""
        values = {field.name: _plain(getattr(self, field.name)) for field in fields(self)}
        values["reads"] = values.pop("modality")
        if not self.trained_on:  # as cards were before there was the field
            del values["trained_on"]
        return cast("dict[str, Any]", json.loads(json.dumps(values)))

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Self:
        """Reads what `as_json` wrote.

        Raises:
            TypeError: a field is missing or unknown.
        """
        return cls(**{"modality" if name == "reads" else name: raw[name] for name in raw})


@dataclass(frozen=True, slots=True)
class Embeddings:
    """One row per input item.

    Attributes:
        values: shape (n, d); the rows of failed items are NaN.
        failures: row -> why, in words.
        outside: row -> what of an embedded item its student never met while it was distilled, as
            far as that is known: ("element U", "more than 38 heavy atoms").
    """

    values: Matrix
    failures: Mapping[int, str]
    outside: Mapping[int, tuple[str, ...]] = field(default_factory=dict[int, tuple[str, ...]])

    @property
    def valid(self) -> Mask:
        """Shape (n,): False where the item failed."""
        mask = np.ones(len(self.values), dtype=np.bool_)
        mask[list(self.failures)] = False
        return mask


@dataclass(frozen=True, slots=True)
class Predicted:
    """What a student predicts of a teacher's embeddings, in the teacher's units.

    Attributes:
        mean: shape (n, d); NaN for items that the student could not embed.
        sd: shape (n, d), the standard deviation of the teacher's values given the embedding.
        failures: row -> reason.
    """

    mean: Matrix
    sd: Matrix
    failures: Mapping[int, str]


@runtime_checkable
class Teacher(Protocol[Item_contra]):
    """A frozen encoder of items: anything with a card and an `embed`."""

    @property
    def card(self) -> TeacherCard:
        """What it is, and everything that its numbers depend on."""
        ...

    def embed(self, items: Sequence[Item_contra], /) -> Embeddings:
        """Embeds items, one row each; a failed item costs its row, never an exception."""
        ...


@dataclass(frozen=True, slots=True)
class NodeEmbeddings:
    """The states of the atoms of n molecules, end to end; a failed molecule has no atoms.

    Attributes:
        values: shape (a, d), atoms in RDKit's order within each molecule.
        starts: shape (n + 1,), molecule i holds atoms from starts[i] to starts[i + 1].
        failures: row -> why, in words.
    """

    values: Matrix
    starts: Rows
    failures: Mapping[int, str]

    @property
    def counts(self) -> Rows:
        """Shape (n,): atoms per molecule; 0 where it failed."""
        return np.diff(self.starts)


@runtime_checkable
class NodeTeacher(Teacher[Item_contra], Protocol[Item_contra]):
    """A teacher that also has a state per atom.

    Its atoms are those of the molecule as it comes (or as its SMILES is parsed), heavy ones and
    explicit hydrogens alike, in RDKit's order: those that `molkd.items.molecules.graph` reads.
    """

    @property
    def node_dim(self) -> int:
        """Width of an atom's state; two teachers with the same card have the same."""
        ...

    def embed_nodes(self, items: Sequence[Item_contra], /) -> NodeEmbeddings:
        """Returns the atoms' states; a failed item costs its atoms, never an exception."""
        ...


def starts_of(sizes: Rows) -> Rows:
    """Returns where groups of these sizes begin, laid end to end, and the end: shape (n + 1,)."""
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)


def ranges_of(starts: Rows, sizes: Rows) -> Rows:
    """Returns the integers from each start on, as many as its size, end to end."""
    return np.repeat(starts - starts_of(sizes)[:-1], sizes) + np.arange(sizes.sum())


def _plain(value: object) -> object:
    return dict(cast("Mapping[str, object]", value)) if isinstance(value, Mapping) else value


def digest_of(value: object) -> str:
    """Returns the sha256 of a JSON-like value, independent of the order of its keys."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


if not TYPE_CHECKING:  # a checker would take any name for one of these

    def __getattr__(name: str) -> object:
        return renamed(__name__, name)
