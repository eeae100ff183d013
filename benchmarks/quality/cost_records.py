"""What embeddings cost, as data: a file beside the results.

Times differ from run to run, so they stand in a file of their own: results have the same bytes for
the same seed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

from molkd.errors import CorruptFileError
from molkd.runtime import files

FILE = "embedding-cost.json"


@dataclass(frozen=True, slots=True)
class EmbeddingCost:
    """What one embedder costs.

    Attributes:
        digest: of the embedder.
        per_second: items per second of processor time, from what a user has to embedding; None for
            embeddings that were computed elsewhere.
        items: that were timed.
        megabytes: of the files of its weights, 0 for what has none, None where unknown.
    """

    digest: str
    per_second: float | None
    items: int
    megabytes: float | None


def read(folder: Path) -> tuple[dict[str, EmbeddingCost], dict[str, EmbeddingCost]]:
    """Returns label -> cost of an embedder, and digest -> cost of a model that it is made from.

    Args:
        folder: of the results; without the file in it, nothing was measured.

    Raises:
        CorruptFileError: the file is something else.
    """
    path = folder / FILE
    if not path.is_file():
        return {}, {}
    fields = cast("Any", files.read_json(path))
    try:
        costs, known = (
            {name: EmbeddingCost(**cost) for name, cost in fields[part].items()}
            for part in ("embedders", "models")
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise CorruptFileError(
            f"{path} holds no costs of embeddings ({error}): delete it, it is measured again"
        ) from error
    return costs, known


def write(
    folder: Path, costs: Mapping[str, EmbeddingCost], known: Mapping[str, EmbeddingCost]
) -> None:
    """Writes what `read` returns.

    Raises:
        OutputError: it cannot be written.
    """
    parts = {"embedders": costs, "models": known}
    files.write_json(
        folder / FILE,
        {part: {n: asdict(cost) for n, cost in held.items()} for part, held in parts.items()},
    )


def join(folders: Sequence[Path], into: Path) -> None:
    """Writes the costs of several folders as one; of what occurs twice, the first stays."""
    costs: dict[str, EmbeddingCost] = {}
    known: dict[str, EmbeddingCost] = {}
    for folder in reversed(folders):
        of_folder, of_models = read(folder)
        costs |= of_folder
        known |= of_models
    if costs:
        write(into, costs, known)
