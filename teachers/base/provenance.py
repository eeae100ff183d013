"""Where the weights of a model of the hub come from, as its card says it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self

if TYPE_CHECKING:  # it loads torch, which a list of teachers does not need
    from molkd.hub import checkpoints

UNSTATED = "not stated upstream: see the hub page"
"""Stands for a licence that no source states."""


class Known(Protocol):
    """What is known of a model by name; see the lists of named models."""

    @property
    def name(self) -> str:
        """Registry name."""
        ...

    @property
    def source(self) -> str:
        """Paper."""
        ...

    @property
    def license(self) -> str:
        """Licence of the weights."""
        ...


@dataclass(frozen=True, slots=True)
class Origin:
    """What a card says of the weights.

    Attributes:
        dim: width of the embedding.
        revision: commit on the hub; None of a local directory.
        sha256: file -> checksum of a local directory; a commit fixes all files of the hub.
    """

    dim: int
    revision: str | None
    sha256: Mapping[str, str]

    @classmethod
    def of(
        cls, dim: int, found: checkpoints.Checkpoint, files: Sequence[str] | None = None
    ) -> Self:
        """Reads the origin of a model that was found.

        Args:
            dim: width of the embedding.
            found: the model.
            files: patterns of the files that decide its numbers; None is `hub.FILES`.
        """
        from molkd.hub import checkpoints

        if found.commit is not None:
            return cls(dim, found.commit, {})
        return cls(
            dim,
            None,
            checkpoints.checksums(found.folder, checkpoints.FILES if files is None else files),
        )


def stated(
    model: str,
    known: Known | None,
    *,
    name: str | None,
    license: str | None,  # noqa: A002
) -> dict[str, str]:
    """Returns name, source and licence for a card.

    Args:
        model: local directory, or name on the hub.
        known: what is known of it.
        name: the one that was asked for.
        license: the same.
    """
    local = Path(model).expanduser().is_dir()
    place = "local directory" if local else model if known else f"https://huggingface.co/{model}"
    return {
        "name": name or (known.name if known else kebab(Path(model).name)),
        "source": f"{known.source}; {place}" if known else place,
        "license": license or (known.license if known else UNSTATED),
    }


def kebab(text: str) -> str:
    """Returns a name that a card can carry: "My Model_v2" is "my-model-v2"."""
    return re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-")
