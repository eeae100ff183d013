"""Molecules as items: canonical SMILES that are parsed once for all teachers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast, get_args

from molkd.items.base import FileConventions, Modality, ReadItems
from molkd.items.molecules import chem, standardization
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
    texts, failures = standardization.standardize_all(
        items, cast("standardization.Standardization", level)
    )
    return ReadItems(texts, list(texts), failures)


def parse(items: Sequence[str]) -> list[Any]:
    """Reads canonical SMILES."""
    return [chem.from_canonical(item) for item in items]


MOLECULES = Modality(
    name="molecules",
    one="molecule",
    example="""from molkd.featurizers import MolKDTransformer

vectors = MolKDTransformer("path/to/this/folder").transform(["CCO", "c1ccccc1"])""",
    style=SMILES,
    sees="""Stereoisomers (R and S, E and Z), charges, tautomers and radicals have different
embeddings. The form of a molecule makes no difference (SMILES, RDKit object, hydrogens, conformers,
order of atoms, atom maps), nor do isotopes, axial chirality, and the isomers of square planar and
octahedral centres.""",
    standardizations=get_args(standardization.Standardization),
    check=check,
    parse=parse,
    splits={"random": random_split, "scaffold": scaffold_split},
)
