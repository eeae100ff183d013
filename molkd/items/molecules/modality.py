"""Molecules as items: canonical SMILES that are parsed once for all teachers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast, get_args

from molkd.items.base import FileConventions, Modality, ReadItems
from molkd.items.molecules import chem
from molkd.items.splits import random_split, scaffold_split

SMILES = FileConventions(
    noun="SMILES",
    column="smiles",
    usual=frozenset({"smiles", "canonical_smiles", "drug"}),
    formats=("smi", "csv", "tsv", "parquet", "sdf"),
    ids=(
        "id",
        "mol_id",
        "molecule_id",
        "compound_id",
        "drug_id",
        "molecule_chembl_id",
        "chembl_id",
        "zinc_id",
        "drugbank_id",
        "cid",
        "pubchem_cid",
        "idnumber",
        "catalog_id",
        "name",
        "mol_name",
        "molecule_name",
        "compound_name",
        "title",
    ),
    missing=frozenset(
        {"nan", "NaN", "NAN", "None", "none", "null", "NULL", "NA", "N/A", "<NA>", "NaT"}
    ),
)
"""No text of `missing` is a SMILES."""


def check(items: Sequence[object], level: str) -> ReadItems:
    """Standardises molecules and writes them as canonical SMILES."""
    texts, failures = chem.standardize_all(items, cast("chem.Standardization", level))
    return ReadItems(texts, list(texts), failures)


def parse(items: Sequence[str]) -> list[Any]:
    """Reads canonical SMILES."""
    return [chem.parse(item) for item in items]


MOLECULES = Modality(
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
