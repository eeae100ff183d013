"""CSP5 gives the numbers of the original code."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from rdkit import Chem

from molkd.teachers.conformers.csp5 import Csp5Teacher, Nucleus
from molkd.teachers.conformers.painn import UNITS, neighbourhoods
from tests.teachers import pretrained
from tests.teachers.conformers import promises
from tests.teachers.packages import originals

ETHANOL = np.array(
    [
        *((-0.89, 0.05, 0.01), (0.47, -0.58, -0.03), (1.41, 0.47, 0.02)),
        *((-1.03, 0.67, 0.90), (-1.68, -0.72, 0.02), (-1.02, 0.67, -0.88)),
        *((0.60, -1.26, 0.83), (0.59, -1.18, -0.95), (2.30, 0.08, 0.0)),
    ],
    dtype=np.float32,
)
ORIGINAL: dict[Nucleus, tuple[float, ...]] = {
    "13C": (0.951974, -4.838212, 0.173631, 0.997629, -0.650732, -0.891216, -0.255562, 2.515890),
    "1H": (-0.370143, -0.463822, -1.876562, -0.604549, -0.502626, -0.748857, 0.110243, -0.802729),
    "19F": (-1.189775, -5.706849, 0.856978, 4.556922, -1.709044, -3.689340, 0.978919, 3.833696),
}
"""Of the mean state of heavy atoms, and of that of hydrogens, the first four values for `ETHANOL`.

`PaiNNModel(..., return_features=True)` of csp5 0.3.1 gave them, with torch 2.13.0. On conformers of
296 molecules of ChEMBL no value differed from its by more than 2.3e-5 (13C), 2.0e-4 (1H, of a value
of 33; both are 1e-4 off what float64 gives) and 1.7e-5 (19F).
"""


@pytest.fixture(scope="module")
def teacher() -> Csp5Teacher:
    teacher = Csp5Teacher()
    originals.needs_package(teacher)
    return teacher


@pytest.mark.parametrize("nucleus", ORIGINAL)
def test_equals_the_original(nucleus: Nucleus, teacher: Csp5Teacher) -> None:
    other = Csp5Teacher(nucleus, weights_dir=teacher.weights_dir)
    mol = Chem.AddHs(Chem.MolFromSmiles("CCO"))
    with torch.inference_mode():
        (row,) = other._embed_atoms(other._ready(), [mol], [ETHANOL], torch.device("cpu"))
    np.testing.assert_allclose(row[[0, 1, 2, 3, 256, 257, 258, 259]], ORIGINAL[nucleus], atol=2e-5)


def test_no_code_of_the_package_runs(teacher: Csp5Teacher) -> None:
    teacher.transform(["CCO"])
    assert "csp5" not in sys.modules


def test_batches_do_not_matter(teacher: Csp5Teacher) -> None:
    pretrained.check_batches_do_not_matter(teacher)
    teacher.set_params(batch_size=1)


def test_travels(teacher: Csp5Teacher) -> None:
    pretrained.check_travels(teacher.set_params(on_invalid="null"))


def test_means_over_no_atoms_are_zero(teacher: Csp5Teacher) -> None:
    hydrogen, tetrachloride = teacher.transform(["[H][H]", "ClC(Cl)(Cl)Cl"])
    assert not hydrogen[:UNITS].any()
    assert hydrogen[UNITS:].any()
    assert tetrachloride[:UNITS].any()
    assert not tetrachloride[UNITS:].any()


def test_what_the_model_does_not_know_has_a_reason(teacher: Csp5Teacher) -> None:
    embedded = teacher.embed(["CCN.Cl", "C[NH3+].[Cl-]", "CB(O)O", "[Br-]", "C"])
    assert embedded.valid.tolist() == [True, False, False, False, True]
    assert embedded.failures[1] == "an atom without neighbours, of which the model makes no numbers"
    assert embedded.failures[2] == "elements unknown to the model: B"


def test_the_nearest_atoms_within_reach_are_heard() -> None:
    where = np.zeros((30, 3), dtype=np.float32)
    where[:, 0] = np.arange(30) * 0.2
    line = neighbourhoods([[2] * 30, [4, 4]], [where, where[[0, 29]]])
    assert line.near[0].tolist() == list(range(1, 21)), "the nearest twenty"
    assert line.there[:30].min() == 1
    assert line.there[30:].max() == 0, "5.8 Å apart"
    np.testing.assert_allclose(line.offsets[1, 2], [-0.4, 0, 0], atol=1e-6)


def test_failures_cost_their_rows(teacher: Csp5Teacher, monkeypatch: pytest.MonkeyPatch) -> None:
    promises.check_failures_cost_their_rows(teacher, monkeypatch)


def test_numbers_that_are_none_have_a_reason(
    teacher: Csp5Teacher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        teacher, "_compute", lambda mols: np.full((len(mols), 512), np.inf, dtype=np.float32)
    )
    embedded = teacher.embed(["C"])
    assert np.isnan(embedded.values).all()
    assert embedded.failures == {0: "the network gives no finite numbers for its conformer"}


def test_conformers_are_averaged(teacher: Csp5Teacher) -> None:
    promises.check_conformers_are_averaged(teacher)


def test_card_knows_the_conformers(teacher: Csp5Teacher) -> None:
    promises.check_card_knows_the_conformers(teacher)


def test_same_bits_in_any_company(teacher: Csp5Teacher) -> None:
    promises.check_same_bits_in_any_company(teacher)


@pytest.mark.parametrize(
    ("nucleus", "name"), [("13C", "csp5"), ("1H", "csp5-1h"), ("19F", "csp5-19f")]
)
def test_card_needs_no_weights(nucleus: Nucleus, name: str, tmp_path: Path) -> None:
    assert Csp5Teacher(nucleus).card.name == name
    pretrained.check_card_needs_no_weights(Csp5Teacher(nucleus), tmp_path)


def test_refuses_other_weights(tmp_path: Path) -> None:
    pretrained.check_refuses_other_weights(Csp5Teacher(), tmp_path)


def test_a_missing_package_is_named_with_its_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    originals.check_missing_package_is_named(
        Csp5Teacher(), "pip install --no-deps csp5==0.3.1", tmp_path, monkeypatch
    )


@pytest.mark.gpu
def test_a_gpu_gives_the_same_numbers(teacher: Csp5Teacher) -> None:
    cpu = teacher.embed(pretrained.DRUGS).values
    cuda = teacher.set_params(device="cuda").embed(pretrained.DRUGS).values
    teacher.set_params(device="cpu")
    assert pretrained.distance(cuda, cpu) < 1e-4
