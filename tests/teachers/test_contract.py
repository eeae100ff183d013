"""Every registered teacher of molecules keeps the same promises."""

from __future__ import annotations

import math
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rdkit import Chem
from sklearn.base import clone

from molkd import teachers
from molkd.errors import ItemError
from molkd.teachers import catalogue
from molkd.types import Embeddings, Teacher

GOOD = [
    "CC(=O)Oc1ccccc1C(=O)O",
    "CN1C=NC2=C1C(=O)N(C(=O)N2C)C",
    "C[C@H](N)C(=O)O",
    "CC(C)Cc1ccc(cc1)C(C)C(=O)O",
    "Clc1ccccc1C2=NCC(=O)Nc3c2cc(cc3)[N+](=O)[O-]",
    "CCO",
]
ODD = ["C", "[Na+].[Cl-]", "O", "[He]", "*C", "CC[Pt]", "C" * 300]
"""May be embedded or refused with a reason: single atoms, salts, metals, dummies, a long chain."""
BAD: list[Any] = [None, math.nan, "", "xx", "C(C)(C)(C)(C)C", "C" * 1200]
ADAPTED = ["molfeat:secfp", "molfeat:estate", "deepchem:CircularFingerprint"]
SHARED = os.environ.get("MOLKD_SHARED", Path(__file__).resolve().parents[3] / "shared")
WEIGHTS = Path(SHARED) / "weights"
READINESS = {
    entry.name: entry.readiness
    for entry in catalogue.entries(WEIGHTS)
    if entry.modality not in {"texts", "images"}  # whose own tests say what they promise
} | dict.fromkeys(ADAPTED, "ready")

HANDCRAFTED = {
    *("ecfp4", "ecfp4-count", "ecfp6", "ecfp6-count", "fcfp4", "atom-pair", "topological-torsion"),
    *("maccs", "rdkit-path", "avalon", "erg", "cats2d", "rdkit2d"),
}
"""Teachers that need neither weights nor a network: never skipped."""


@pytest.fixture(scope="module", params=READINESS)
def teacher(request: pytest.FixtureRequest) -> Any:
    name = request.param
    if READINESS[name] != "ready":
        pytest.skip(f"{name}: {READINESS[name]} on this machine")
    return teachers.make(name, weights_dir=WEIGHTS)


def test_no_teacher_is_broken_and_the_handcrafted_ones_are_ready() -> None:
    assert set(READINESS.values()) <= {"ready", "weights missing"}
    assert {name for name, state in READINESS.items() if state == "ready"} >= HANDCRAFTED


def _same(first: Embeddings, second: Embeddings) -> None:
    assert first.failures == second.failures
    np.testing.assert_allclose(first.values, second.values, rtol=1e-4, atol=1e-4)


def test_fits_the_protocol(teacher: Any) -> None:
    assert isinstance(teachers.as_teacher(teacher), Teacher)
    card = teacher.card
    assert all((card.name, card.kind, card.source, card.license, card.limits, card.versions))


def test_one_row_per_item_in_order(teacher: Any) -> None:
    items = [item for pair in zip(GOOD, BAD, strict=True) for item in pair]
    embedded = teacher.embed(items)
    assert embedded.values.shape == (len(items), teacher.card.dim)
    assert embedded.values.dtype == np.float32
    np.testing.assert_array_equal(embedded.valid, [True, False] * len(GOOD))
    assert np.isfinite(embedded.values[::2]).all()
    assert np.isnan(embedded.values[1::2]).all()
    assert list(embedded.failures) == list(range(1, len(items), 2))
    assert all(len(reason) > 5 for reason in embedded.failures.values())
    alone = teacher.embed(GOOD)
    np.testing.assert_allclose(embedded.values[::2], alone.values, rtol=1e-4, atol=1e-4)
    assert len(np.unique(alone.values, axis=0)) == len(GOOD)


def test_odd_molecules_embed_or_get_a_reason(teacher: Any) -> None:
    embedded = teacher.embed(ODD)
    assert np.isfinite(embedded.values[embedded.valid]).all()
    assert np.isnan(embedded.values[~embedded.valid]).all()
    assert all(embedded.failures.values())


def test_support_is_honest(teacher: Any) -> None:
    embedded = teacher.embed([*GOOD, *ODD])
    values = embedded.values[embedded.valid]
    if teacher.card.support == "bits":
        assert set(np.unique(values)) == {0, 1}
    elif teacher.card.support == "counts":
        assert (values >= 0).all()
        assert (values == np.round(values)).all()
        assert values.max() > 1
    else:
        assert (values != np.round(values)).any()


def test_rows_do_not_depend_on_each_other(teacher: Any) -> None:
    whole = teacher.embed([*GOOD, *ODD])
    parts = [teacher.embed(GOOD), teacher.embed(ODD)]
    failures = parts[0].failures | {
        len(GOOD) + row: reason for row, reason in parts[1].failures.items()
    }
    _same(whole, Embeddings(np.concatenate([part.values for part in parts]), failures))


def test_molecules_embed_like_their_smiles(teacher: Any) -> None:
    _same(teacher.embed([Chem.MolFromSmiles(smiles) for smiles in GOOD]), teacher.embed(GOOD))


def test_molecules_stay_as_they_were(teacher: Any) -> None:
    mol = Chem.MolFromSmiles(GOOD[0])
    before = (Chem.MolToCXSmiles(mol), mol.GetNumAtoms(), sorted(vars(mol)))
    teacher.embed([mol])
    assert (Chem.MolToCXSmiles(mol), mol.GetNumAtoms(), sorted(vars(mol))) == before


def test_nothing_gives_no_rows(teacher: Any) -> None:
    embedded = teacher.embed([])
    assert embedded.values.shape == (0, teacher.card.dim)
    assert embedded.failures == {}


def test_digest_depends_on_numbers_only(teacher: Any) -> None:
    digest = teacher.card.digest
    assert clone(teacher).card.digest == digest
    elsewhere = clone(teacher)
    if "device" in elsewhere.get_params():
        elsewhere.set_params(device="meta")
    assert elsewhere.card.digest == digest
    assert clone(teacher).set_params(on_invalid="null").card.digest == digest


def test_clones_and_pickles(teacher: Any) -> None:
    fresh = clone(teacher)
    expected = teacher.embed(GOOD)
    travelled = [pickle.loads(pickle.dumps(item)) for item in (fresh, teacher)]  # noqa: S301
    for other in (fresh, *travelled):
        assert repr(other.get_params()) == repr(teacher.get_params())
        _same(other.embed(GOOD), expected)


def test_is_a_featurizer_on_its_own(teacher: Any) -> None:
    assert len(teacher) == teacher.card.dim
    assert teacher(["CCO"]).shape == (1, teacher.card.dim)
    np.testing.assert_array_equal(teacher("CCO"), teacher.transform(["CCO"]))
    names = teacher.get_feature_names_out()
    assert len(set(names)) == teacher.card.dim
    with pytest.raises(ItemError, match="row 1: SMILES syntax error"):
        teacher.transform(["CCO", "xx"])
    kept = clone(teacher).set_params(on_invalid="null").transform(["CCO", "xx"])
    assert np.isnan(kept).any(axis=1).tolist() == [False, True]


def test_digests_are_the_same_in_another_process() -> None:
    local = ["ecfp4-count", "maccs", "erg", "cats2d", "rdkit2d", "molclr-gcn", *ADAPTED]
    code = (
        "import sys; from molkd import teachers\n"
        "for name in sys.argv[1:]: print(teachers.make(name).card.digest)"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    printed = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, *local],
        check=True,
        capture_output=True,
        text=True,
        env=environment,
    ).stdout.split()
    assert printed == [teachers.make(name).card.digest for name in local]
