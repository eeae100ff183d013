"""A teacher of another kind, applied to a view: rows, cards, parameters and names."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from rdkit import Chem
from sklearn.base import clone

from molkd import teachers
from molkd.bank.builder import build
from molkd.bank.files import folder_name
from molkd.errors import ConfigError, ItemError, UnknownNameError
from molkd.teachers import through as through_module
from molkd.teachers.base.items import ImageTeacher, TextTeacher
from molkd.teachers.through import ViewedTeacher, through
from molkd.teachers.views import depict, describe
from molkd.types import Teacher, TeacherCard

DRUGS = ["CCO", "c1ccccc1", "CC(=O)Oc1ccccc1C(=O)O", "C[C@H](N)C(=O)O", "C1CCNCC1"]


sizes: list[int] = []
"""How many pictures `Ink` was given at once."""


class Ink(ImageTeacher):
    """How much of each channel is not white, and how large the picture is."""

    def __init__(self, *, power: float = 1.0, device: str = "cpu") -> None:
        self.power = power
        self.device = device

    @property
    def card(self) -> TeacherCard:
        return TeacherCard(
            name="ink",
            kind="toy",
            modality="images",
            dim=4,
            support="real",
            source="this test",
            license="none",
            limits="none",
            sha256={"ink.bin": "0" * 64},
            options={"power": self.power},
            versions={"ink": "1"},
        )

    def _compute(self, readable: list[Any]) -> tuple[Any, Mapping[int, str]]:
        sizes.append(len(readable))
        rows = [[*(255.0 - one).mean(axis=(0, 1)), len(one)] for one in readable]
        return np.array(rows) ** self.power, {}


class Letters(TextTeacher):
    """How often letters occur; refuses texts that speak of nitriles."""

    @property
    def card(self) -> TeacherCard:
        return TeacherCard(
            name="letters",
            kind="toy",
            modality="texts",
            dim=3,
            support="counts",
            source="this test",
            license="none",
            limits="none",
        )

    def _compute(self, readable: list[str]) -> tuple[Any, Mapping[int, str]]:
        values = np.array([[text.count(letter) for letter in "aei"] for text in readable], float)
        reasons = {row: "a nitrile" for row, text in enumerate(readable) if "nitrile" in text}
        values[list(reasons)] = np.nan
        return values, reasons


@dataclass(frozen=True)
class Backwards:
    """Texts read from the end; refuses what reads the same."""

    name: ClassVar[str] = "backwards"
    modality: ClassVar[str] = "texts"
    gives: ClassVar[str] = "texts"
    options: ClassVar[Mapping[str, object]] = {}
    versions: ClassVar[Mapping[str, str]] = {"mirror": "2"}

    def __call__(self, item: str) -> str:
        if item == item[::-1]:
            raise RuntimeError
        return item[::-1]


def test_it_is_the_teacher_of_the_views() -> None:
    teacher = through(depict(size=64), Ink())
    expected = Ink().embed([depict(size=64)(smiles) for smiles in DRUGS])
    np.testing.assert_array_equal(teacher.embed(DRUGS).values, expected.values)
    assert isinstance(teacher, Teacher)
    assert teachers.as_teacher(teacher) is teacher
    assert teacher.transform(DRUGS).shape == (5, 4)


def test_molecules_embed_like_their_smiles() -> None:
    teacher = through(depict(size=64), Ink())
    mols = [Chem.MolFromSmiles(smiles) for smiles in DRUGS]
    np.testing.assert_array_equal(teacher.embed(mols).values, teacher.embed(DRUGS).values)


def test_rows_line_up_and_failures_have_reasons(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(through_module, "AT_ONCE", 3)
    items: list[Any] = ["CCO", "xx", "CC#N", None, "CCN", "", "CC#N", "C"]
    embedded = through(describe(), Letters()).embed(items)
    assert embedded.failures == {
        1: "SMILES syntax error",
        2: "a nitrile",
        3: "no SMILES but a missing value",
        5: "empty SMILES",
        6: "a nitrile",
    }
    good = [0, 4, 7]
    assert np.isnan(embedded.values[list(embedded.failures)]).all()
    expected = Letters().embed([describe()(items[row]) for row in good]).values
    np.testing.assert_array_equal(embedded.values[good], expected)


def test_all_failed_and_none_at_all() -> None:
    teacher = through(depict(), Ink())
    assert np.isnan(teacher.embed(["xx", "yy"]).values).all()
    assert teacher.embed([]).values.shape == (0, 4)
    with pytest.raises(ItemError, match="row 1: SMILES syntax error"):
        teacher.transform(["C", "xx"])


def test_an_error_without_words_still_has_a_reason() -> None:
    embedded = through(Backwards(), Letters()).embed(["abba", "abc"])
    assert embedded.failures == {0: "RuntimeError"}
    assert embedded.values[1].tolist() == [1, 0, 0]


def test_few_views_are_held_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(through_module, "AT_ONCE", 2)
    sizes.clear()
    through(depict(size=32), Ink()).embed(DRUGS)
    assert sizes == [2, 2, 1]


# == Cards


def test_card() -> None:
    card = through(depict(size=64), Ink()).card
    inner = Ink().card
    assert (card.name, card.modality, card.dim) == ("depict-ink", "molecules", 4)
    assert (card.support, card.sha256) == (inner.support, inner.sha256)
    assert set(card.versions) == {"ink", "rdkit"}
    assert card.options["view"] == {"name": "depict", **depict(size=64).options}
    assert card.options["teacher"] == {"name": "ink", "power": 1.0}
    assert folder_name(card.name) == "depict-ink"
    assert through(depict(), Ink(), name="mine").card.name == "mine"


def test_digest_tells_views_teachers_and_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    teacher = through(depict(size=64), Ink(), name="mine")
    digests = {
        teacher.card.digest,
        through(depict(size=65), Ink(), name="mine").card.digest,
        through(depict(size=64, colours=False), Ink(), name="mine").card.digest,
        through(depict(size=64), Ink(power=2.0), name="mine").card.digest,
        through(describe(), Letters(), name="mine").card.digest,
    }
    assert len(digests) == 5
    other = replace(Ink().card, sha256={"ink.bin": "1" * 64})
    monkeypatch.setattr(Ink, "card", other)
    assert teacher.card.digest not in digests


def test_digest_tells_versions_of_rdkit(monkeypatch: pytest.MonkeyPatch) -> None:
    before = through(depict(), Ink()).card.digest
    monkeypatch.setattr("rdkit.__version__", "1999.1")
    assert through(depict(), Ink()).card.digest != before


@pytest.mark.parametrize(("view", "teacher"), [(describe(), Ink()), (depict(), Letters())])
def test_a_view_must_give_what_the_teacher_reads(view: Any, teacher: Any) -> None:
    with pytest.raises(ConfigError, match=r"gives (texts|images), but the teacher .* reads"):
        through(view, teacher)


def test_only_teachers_are_taken() -> None:
    with pytest.raises(ConfigError, match="is not a teacher"):
        through(depict(), "ink")  # type: ignore[arg-type]


# == Parameters


def test_clones_pickles_and_nests() -> None:
    teacher = through(depict(size=48), Ink(power=2.0))
    expected = teacher.embed(DRUGS).values
    for other in (clone(teacher), pickle.loads(pickle.dumps(teacher))):  # noqa: S301
        assert other.view == teacher.view
        assert other.teacher.get_params() == teacher.teacher.get_params()
        assert other.card == teacher.card
        np.testing.assert_array_equal(other.embed(DRUGS).values, expected)
    twice = through(describe(), through(Backwards(), Letters()))
    assert twice.card.name == "describe-backwards-letters"
    assert twice.card.modality == "molecules"
    assert not twice.embed(["CCO"]).failures


def test_batches_and_order_do_not_matter(shared: Path) -> None:
    teacher = teachers.make("depict:48:resnet20-cifar10", weights_dir=shared / "weights")
    together = teacher.embed(DRUGS).values
    alone = np.concatenate([teacher.embed([one]).values for one in DRUGS])
    backwards = teacher.embed(DRUGS[::-1]).values[::-1]
    np.testing.assert_allclose(alone, together, atol=1e-5)
    np.testing.assert_allclose(backwards, together, atol=1e-5)


def test_a_bank_holds_it_beside_other_teachers(shared: Path, tmp_path: Path) -> None:
    """It goes to worker processes, and its card comes back from the disk as it was."""
    drawn: Any = teachers.make("depict:48:resnet20-cifar10", weights_dir=shared / "weights")
    items = [*DRUGS, "xx", "CCN"]
    for _ in range(2):  # the second time it is found finished
        given = [teachers.make("maccs"), drawn]
        bank = build(tmp_path / "bank", items, given, jobs=2, block=4, progress=False)
    name, rows = drawn.card.name, np.array([0, 2, 4, 6])
    assert bank.cards[name].digest == drawn.card.digest
    assert bank.failures(name) == {5: "SMILES syntax error"}
    expected = drawn.embed([items[row] for row in rows]).values
    np.testing.assert_allclose(bank.raw(name, rows), expected, rtol=2e-3, atol=1e-3)


# == Names


def test_a_depiction_by_name(shared: Path) -> None:
    teacher: Any = teachers.make("depict:resnet20-cifar10", weights_dir=shared / "weights")
    assert isinstance(teacher, ViewedTeacher)
    assert teacher.card.name == "depict-resnet20-cifar10"
    assert teacher.view.size == teacher.teacher.size == through_module.DRAWN
    assert teacher.teacher.weights_dir == shared / "weights"
    assert len(pickle.dumps(teacher)) < 3000
    assert np.isfinite(teacher.embed(["CCO"]).values).all()


def test_the_size_of_a_depiction_by_name() -> None:
    teacher: Any = teachers.make("depict:64:resnet32-cifar10", device="cuda")
    assert teacher.card.name == "depict-64-resnet32-cifar10"
    assert (teacher.view.size, teacher.teacher.size, teacher.teacher.device) == (64, 64, "cuda")


def test_a_teacher_with_a_size_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(through_module, "make", {"ink": Ink(), "letters": Letters()}.__getitem__)
    assert through_module.depicted("ink").view == depict(size=224)
    assert through_module.depicted("100:ink").view == depict(size=100)
    assert through_module.described("letters").card.name == "describe-letters"


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("depict:ecfp4", ConfigError, "gives images, but the teacher 'ecfp4' reads molecules"),
        ("describe:resnet20-cifar10", ConfigError, "gives texts, but the teacher"),
        ("depict:7:resnet20-cifar10", ConfigError, "16 to 2048 pixels"),
        ("depict:resnet21-cifar10", UnknownNameError, "Did you mean .*'resnet20-cifar10'"),
        ("depict:", UnknownNameError, "unknown teacher ''"),
        ("depict:nothing:at-all", UnknownNameError, "unknown prefix 'nothing'"),
    ],
)
def test_names_that_make_nothing(name: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        teachers.make(name)
