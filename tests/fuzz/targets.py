"""The targets by name, and their shares of a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pkgutil import resolve_name

from tests.fuzz.cases import Target

SHARES: dict[str, tuple[str, int, int]] = {
    "smiles": ("tests.fuzz.compounds:SMILES", 25, 640_000),
    "molecules": ("tests.fuzz.drawn_molecules:MOLECULES", 25, 150_000),
    "smi": ("tests.fuzz.item_files:SMI", 1, 40_000),
    "csv": ("tests.fuzz.item_files:CSV", 1, 40_000),
    "jsonl": ("tests.fuzz.item_files:JSONL", 1, 20_000),
    "txt": ("tests.fuzz.item_files:TXT", 1, 20_000),
    "sdf": ("tests.fuzz.item_files:SDF", 1, 25_000),
    "parquet": ("tests.fuzz.parquet_files:PARQUET", 1, 20_000),
    "embeddings": ("tests.fuzz.embedding_files:EMBEDDINGS", 1, 20_000),
    "students": ("tests.fuzz.student_folders:STUDENTS", 1, 5_000),
    "adaptors": ("tests.fuzz.student_folders:ADAPTORS", 1, 2_000),
    "settings": ("tests.fuzz.student_folders:SETTINGS", 1, 5_000),
    "checkpoints": ("tests.fuzz.work_folders:CHECKPOINTS", 1, 3_000),
    "parts": ("tests.fuzz.work_folders:PARTS", 1, 3_000),
    "banks": ("tests.fuzz.work_folders:BANKS", 1, 5_000),
    "results": ("tests.fuzz.work_folders:RESULTS", 1, 2_000),
}
"""Target -> where it is, inputs per recipe, inputs of a million.

Shares follow from what each costs on one core, so that a million take about forty minutes.
"""


class _Targets(Mapping[str, Target]):
    """Imports a target when it is asked for; a name with a colon is one that lies elsewhere."""

    def __getitem__(self, name: str) -> Target:
        return resolve_name(name if ":" in name else SHARES[name][0])

    def __iter__(self) -> Iterator[str]:
        return iter(SHARES)

    def __len__(self) -> int:
        return len(SHARES)


TARGETS = _Targets()


def recipes(count: int, names: Mapping[str, object] | list[str] | None = None) -> dict[str, int]:
    """Returns target -> recipes, for about so many inputs in all."""
    chosen = {name: SHARES[name] for name in names or SHARES}
    total = sum(share for _, _, share in chosen.values())
    return {
        name: max(1, -(-count * share // (total * inputs)))
        for name, (_, inputs, share) in chosen.items()
    }
