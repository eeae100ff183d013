"""Teachers beside each other, and a student's view of them: known answers, bad rows, real data."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from molkd import bank as banks
from molkd import teachers
from molkd.benchmarks import diagnostics
from molkd.benchmarks.diagnostics import (
    TeacherComparison,
    compare_teachers,
    diagnose,
    samples,
    sentences,
)
from molkd.benchmarks.diagnostics.comparable import Facts
from molkd.errors import ConfigError, InputError
from molkd.types import Embeddings, Matrix, TeacherCard

N = 400
KEYS = [f"item {row}" for row in range(N)]


def _values(seed: int = 0) -> dict[str, Matrix]:
    """A wide teacher, a rotation of it, a part of it, and an unrelated one."""
    rng = np.random.default_rng(seed)
    first = rng.normal(size=(N, 12))
    turned = first @ np.linalg.qr(rng.normal(size=(12, 12)))[0]
    part = first[:, :3] @ rng.normal(size=(3, 40))
    found = {"first": first, "turned": turned, "part": part, "other": rng.normal(size=(N, 8))}
    return {name: values.astype(np.float32) for name, values in found.items()}


def test_a_teacher_that_is_a_linear_image_is_called_redundant() -> None:
    found = compare_teachers(_values(), keys=KEYS)
    first, turned, part, other = range(4)
    assert found.r2[first, turned] == pytest.approx(1, abs=1e-4)
    assert found.r2[first, part] == pytest.approx(1, abs=1e-4)
    assert found.r2[part, first] == pytest.approx(3 / 12, abs=0.08)
    assert abs(found.r2[first, other]) < 0.05
    assert found.cka[first, turned] > 0.97
    assert abs(found.cka[first, other]) < 0.05
    assert found.overlap[first, first] == 1
    assert found.overlap[first, other] == pytest.approx(found.chance, abs=0.03)
    assert found.chance == pytest.approx(10 / 399)
    assert found.groups == (("first", "turned"), ("part",), ("other",))
    assert found.facts["first"].effective_rank == pytest.approx(12, rel=0.02)
    assert found.facts["part"].effective_rank < 3.01
    said = sentences(found)
    assert "turned is predicted from first with R2 1.00: distilling both adds little." in said
    assert any(sentence.startswith("part is predicted from ") for sentence in said)
    assert not any("other" in sentence for sentence in said)
    assert any(sentence.startswith("first, turned are alike in geometry") for sentence in said)
    assert "part uses about 3 of its 40 dimensions." in said


def test_without_redundancy_the_nearest_pair_is_named() -> None:
    values = _values()
    found = compare_teachers({name: values[name] for name in ("part", "other")}, keys=KEYS)
    (said, _) = sentences(found)
    assert said.startswith("No teacher is redundant, as far as linear maps and CKA tell")


def test_rare_bits_are_compared_with_what_the_teacher_says_of_itself() -> None:
    facts = Facts(dim=9, varying=9, effective_rank=9, participation_ratio=9, failed=0)
    given = TeacherComparison(
        facts={"a": facts, "b": facts},
        cka=np.eye(2),
        r2=np.array([[0.6, 0.55], [0.2, 0.99]]),
        overlap=np.eye(2),
        chance=0.1,
        groups=(("a",), ("b",)),
        order=(0, 1),
        items=100,
        compared=100,
    )
    nothing, few = sentences(given)
    assert "b, predicted from a with R2 0.55" in nothing
    assert few.startswith("100 items are too few to predict a (0.60) even from itself")
    near = replace(given, r2=np.array([[0.6, 0.2], [0.55, 0.99]]))
    assert sentences(near)[0] == (
        "a is predicted from b with R2 0.55 (0.60 from itself): distilling both adds little."
    )


def test_rows_that_one_cannot_embed_are_left_out_for_all() -> None:
    values = _values()
    values["first"][:30], values["other"][20:50] = np.nan, np.nan
    found = compare_teachers(values, keys=KEYS)
    short = compare_teachers({name: v[50:] for name, v in values.items()}, keys=KEYS[50:])
    np.testing.assert_array_equal(found.r2, short.r2)
    np.testing.assert_array_equal(found.cka, short.cka)
    assert (found.items, found.compared) == (400, 350)
    assert found.facts["first"].failed == 30
    assert sentences(found)[-1] == (
        "50 of 400 items were left out for all: first failed on 30, other failed on 30."
    )


def test_the_same_seed_gives_the_same_bits_and_another_one_another_split() -> None:
    one, two, three = (compare_teachers(_values(), keys=KEYS, seed=seed) for seed in (0, 0, 1))
    for field in ("cka", "r2", "overlap"):
        assert getattr(one, field).tobytes() == getattr(two, field).tobytes()
    assert one.r2.tobytes() != three.r2.tobytes()
    assert one.cka.tobytes() == three.cka.tobytes()


def test_what_cannot_be_compared_is_refused() -> None:
    values = _values()
    with pytest.raises(ConfigError, match="at least two teachers, not 1"):
        compare_teachers({"first": values["first"]}, keys=KEYS)
    values["other"][40:] = np.nan
    with pytest.raises(InputError, match=r"only 40 of 400 .* at least 50 .* other failed on 360"):
        compare_teachers(values, keys=KEYS)
    values = {**_values(), "flat": np.ones((N, 3), dtype=np.float32)}
    with pytest.raises(InputError, match="flat: all columns are constant over 400 items"):
        compare_teachers(values, keys=KEYS)


@dataclass
class _Table:
    """A teacher that looks its answers up."""

    name: str
    values: Matrix

    @property
    def card(self) -> TeacherCard:
        dim = self.values.shape[1]
        return TeacherCard(
            name=self.name, kind="", dim=dim, support="real", source="", license="", limits=""
        )

    def embed(self, items: Sequence[str], /) -> Embeddings:
        rows = [int(item.split()[1]) for item in items]
        values = self.values[rows]
        failed = np.flatnonzero(np.isnan(values[:, 0])).tolist()
        return Embeddings(values, dict.fromkeys(failed, "not in the table"))


def test_a_student_knows_what_it_was_made_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(diagnostics, "_STEPS", 100)
    values = _values()
    values["other"][-1] = np.nan
    made = [_Table(name, values[name]) for name in ("turned", "other")]
    bank = banks.build(tmp_path, KEYS, made, progress=False)
    rows = np.arange(N)[::-1]  # any rows of a bank, in any order
    noise = np.random.default_rng(7).normal(size=(N, 5)).astype(np.float32)
    student = values["first"][rows]
    student[5] = np.nan
    found = diagnose(student, bank, rows, untrained=noise)
    assert found.trained["turned"].r2 == pytest.approx(1, abs=1e-4)
    assert found.trained["turned"].cka > 0.97
    assert found.trained["turned"].overlap > 0.8
    assert found.untrained["turned"].r2 < 0.05
    assert found.untrained["turned"].overlap < 0.1
    assert found.trained["other"].r2 < 0.05
    assert found.mutual_information["turned"] > 3
    assert found.mutual_information["other"] < 1
    assert (found.items, found.compared) == (400, 398)
    assert (found.student.dim, found.student.failed) == (12, 1)
    again = diagnose(student, bank, rows, untrained=noise)
    assert again == found
    forward = diagnose(student[::-1], bank, np.arange(N))  # the split goes with the molecules
    assert forward.trained["other"].r2 == pytest.approx(found.trained["other"].r2, abs=1e-9)
    assert forward.untrained == {}


def test_real_teachers_on_real_molecules(shared: Path) -> None:
    with gzip.open(shared / "data" / "unlabelled" / "zinc250k.smi.gz", "rt") as stream:
        rows = [stream.readline().split()[0] for _ in range(400)]
    sample = samples.draw(rows, count=300, seed=0)
    made = [teachers.make(name) for name in ("ecfp4-count", "maccs", "rdkit2d")]
    with samples.banked(sample, made, folder=None, jobs=1, progress=False) as bank:
        every = np.arange(len(bank))
        found = compare_teachers(
            {name: bank.raw(name, every) for name in bank.cards},
            keys=bank.items,
            supports={name: card.support for name, card in bank.cards.items()},
        )
    assert found.compared == len(sample.items) == 300
    ecfp, maccs, rdkit2d = range(3)
    apart = ~np.eye(3, dtype=np.bool_)
    assert (found.cka[apart] > 0.3).all()  # all of them see the same molecules ...
    assert (found.cka[apart] < 0.8).all()  # ... and none sees what another does
    assert (found.overlap[apart] > 2 * found.chance).all()
    assert found.r2[rdkit2d, maccs] > 0.3
    assert found.r2[maccs, maccs] > 0.95 > found.r2[ecfp, ecfp]  # bits that are rare in 300
    assert found.r2[ecfp, maccs] > found.r2[maccs, ecfp]
    assert found.groups == (("ecfp4-count",), ("maccs",), ("rdkit2d",))
    assert sentences(found)[0].startswith("No teacher is redundant")
