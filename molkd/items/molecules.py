"""Molecules as items: canonical SMILES that are parsed once for all teachers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast, get_args

from molkd import chem
from molkd.formats.records import SMILES
from molkd.items.base import Checked, ItemKind
from molkd.splits import random_split, scaffold_split


def check(items: Sequence[object], level: str) -> Checked:
    """Standardises molecules and writes them as canonical SMILES."""
    texts, failures = chem.standardize_all(items, cast("chem.Standardization", level))
    return Checked(texts, list(texts), failures)


def parse(items: Sequence[str]) -> list[Any]:
    """Reads canonical SMILES."""
    return [chem.parse(item) for item in items]


MOLECULES = ItemKind(
    name="molecules",
    one="molecule",
    example="""from molkd.featurizers import MolKDTransformer

vectors = MolKDTransformer("path/to/this/folder").transform(["CCO", "c1ccccc1"])""",
    style=SMILES,
    standardizations=get_args(chem.Standardization),
    check=check,
    parse=parse,
    splits={"random": random_split, "scaffold": scaffold_split},
)
