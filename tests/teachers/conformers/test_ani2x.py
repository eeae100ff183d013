"""ANI-2x gives the energies of the original."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from molkd.errors import WeightsError
from molkd.teachers.base.weights import load_npz
from molkd.teachers.conformers import aev
from molkd.teachers.conformers.ani2x import WEIGHTS, Ani2xNetwork, Ani2xTeacher, state_of
from molkd.types import Matrix
from tests.teachers import pretrained
from tests.teachers.conformers import promises

SIDE = 1.09 / 3**0.5
GEOMETRIES = {
    "methane": (
        ("C", "H", "H", "H", "H"),
        SIDE * np.array([[0, 0, 0], [1, 1, 1], [-1, -1, 1], [-1, 1, -1], [1, -1, -1]]),
        -40.49956,
    ),
    "water": (
        ("O", "H", "H"),
        np.array([[0, 0, 0.1173], [0, 0.7572, -0.4692], [0, -0.7572, -0.4692]]),
        -76.38824,
    ),
}
"""Elements, coordinates in Å, and energy in Hartree as the original gives it."""


@pytest.fixture(scope="module")
def teacher(shared: Path) -> Ani2xTeacher:
    return Ani2xTeacher(weights_dir=shared / "weights")


@pytest.mark.parametrize("name", GEOMETRIES)
def test_energies_are_those_of_the_original(name: str, shared: Path) -> None:
    symbols, where, expected = GEOMETRIES[name]
    published = shared / "weights" / "ani-2x" / "atomic_energies.dat"
    atomic = {
        line.split(",")[0]: float(line.split("=")[1]) for line in published.read_text().splitlines()
    }
    assert tuple(atomic) == aev.ELEMENTS
    network = Ani2xNetwork()
    network.load_state_dict(state_of(load_npz(WEIGHTS, shared / "weights")))
    kinds = [[aev.ELEMENTS.index(symbol) for symbol in symbols]]
    with torch.inference_mode():
        energies = network(aev.environments(kinds, [where.astype(np.float32)]), depth=4)
    total = sum(float(one.sum()) for one in energies) + sum(atomic[symbol] for symbol in symbols)
    assert total == pytest.approx(expected, abs=1e-5)


def test_each_element_has_dimensions_of_its_own(teacher: Ani2xTeacher) -> None:
    methane, water = teacher.transform(["C", "O"])
    hydrogen, carbon, nitrogen, oxygen = np.cumsum([0, 192, 192, 160])
    assert methane[carbon:nitrogen].any()
    assert not methane[nitrogen:].any()
    assert not water[carbon:oxygen].any()
    assert water[oxygen : oxygen + 160].any()
    assert water[hydrogen:carbon].any()


@pytest.mark.parametrize(("layer", "dim"), [(1, 1344), (2, 1088), (3, 864)])
def test_layers(layer: int, dim: int, teacher: Ani2xTeacher) -> None:
    other = Ani2xTeacher(layer, weights_dir=teacher.weights_dir)
    assert other.card.dim == dim
    assert other.card.options["layer"] == layer
    assert np.isfinite(other.transform(["CCO"])).all()


def test_salts_are_the_mean_of_their_parts(teacher: Ani2xTeacher) -> None:
    water, chloride, both = teacher.transform(["O", "[Cl-]", "O.[Cl-]"])
    np.testing.assert_allclose(both, (3 * water + chloride) / 4, atol=2e-4)


def test_what_the_model_does_not_know_has_a_reason(teacher: Ani2xTeacher) -> None:
    embedded = teacher.embed(["CBr", "C", "*C", "[H][H]", "[Na+].[Cl-]"])
    assert embedded.valid.tolist() == [False, True, False, True, False]
    assert embedded.failures[0] == "elements unknown to the model: Br"


def test_failures_cost_their_rows(teacher: Ani2xTeacher, monkeypatch: pytest.MonkeyPatch) -> None:
    promises.check_failures_cost_their_rows(teacher, monkeypatch)


def test_conformers_are_averaged(teacher: Ani2xTeacher) -> None:
    promises.check_conformers_are_averaged(teacher)


def test_card_knows_the_conformers(teacher: Ani2xTeacher) -> None:
    promises.check_card_knows_the_conformers(teacher)


def test_same_bits_in_any_company(teacher: Ani2xTeacher) -> None:
    promises.check_same_bits_in_any_company(teacher)


def test_card_needs_no_weights(tmp_path: Path) -> None:
    assert Ani2xTeacher().card.name == "ani-2x"
    pretrained.check_card_needs_no_weights(Ani2xTeacher(), tmp_path)


def test_refuses_other_weights(tmp_path: Path) -> None:
    pretrained.check_refuses_other_weights(Ani2xTeacher(), tmp_path)


def test_missing_weights_say_that_they_are_hosted_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOLKD_HOME", str(tmp_path))
    monkeypatch.delenv("MOLKD_WEIGHTS_DIR", raising=False)
    with pytest.raises(WeightsError, match=f"hosted nowhere.*{WEIGHTS.path}"):
        Ani2xTeacher().embed(["C"])


@pytest.mark.gpu
def test_a_gpu_gives_the_same_numbers(teacher: Ani2xTeacher) -> None:
    cpu: Matrix = teacher.embed(pretrained.DRUGS).values
    cuda = teacher.set_params(device="cuda").embed(pretrained.DRUGS).values
    teacher.set_params(device="cpu")
    assert pretrained.distance(cuda, cpu) < 1e-4
