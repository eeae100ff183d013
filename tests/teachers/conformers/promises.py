"""What the tests of all teachers of conformers share."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone

from molkd.teachers.conformers.teacher import ConformerTeacher

SOME = ["CCO", "OCC(N)CCCC(=O)Nc1ccccc1", "CC(=O)Oc1ccccc1C(=O)O"]


def check_conformers_are_averaged(teacher: ConformerTeacher) -> None:
    first, second = (clone(teacher).set_params(seed=seed).transform(SOME) for seed in (0, 1))
    both = clone(teacher).set_params(conformers=2).transform(SOME)
    np.testing.assert_allclose(both, (first + second) / 2, atol=1e-5)
    scale = np.abs(first).max()
    assert np.abs(first[1] - second[1]).max() > 1e-3 * scale


def check_card_knows_the_conformers(teacher: ConformerTeacher) -> None:
    cards = [
        clone(teacher).set_params(**options).card
        for options in ({}, {"conformers": 2}, {"seed": 1}, {"batch_size": 7})
    ]
    assert [card.digest == cards[0].digest for card in cards] == [True, False, False, True]
    assert cards[1].options["conformers"] == 2


def check_same_bits_in_any_company(teacher: ConformerTeacher) -> None:
    alone = np.concatenate([teacher.transform([smiles]) for smiles in SOME])
    np.testing.assert_array_equal(teacher.transform(SOME[::-1])[::-1], alone)


def check_failures_cost_their_rows(
    teacher: ConformerTeacher, monkeypatch: pytest.MonkeyPatch
) -> None:
    from molkd.teachers.conformers import geometry

    make = geometry.with_conformers

    def spoilt(mol, numbers):
        if mol.smiles == "CCS":
            raise RuntimeError("no luck")
        return "no conformer" if mol.smiles == "CCN" else make(mol, numbers)

    monkeypatch.setattr(geometry, "with_conformers", spoilt)
    embedded = teacher.embed(["CCN", "CCO", "CCS", "C" * 101, "[Xe]", "xx"])
    assert embedded.valid.tolist() == [False, True, False, False, False, False]
    assert embedded.failures[0] == "no conformer"
    assert embedded.failures[2] == "RuntimeError: no luck"
    assert embedded.failures[3] == "101 heavy atoms, more than the 100 of a conformer"
    assert embedded.failures[4] == "elements unknown to the model: Xe"
    monkeypatch.undo()
    again = teacher.embed(["CCO", "xx", "OCC", "C(C)O"])
    assert again.valid.tolist() == [True, False, True, True]
    np.testing.assert_array_equal(again.values[[0, 2, 3]], embedded.values[[1, 1, 1]])
    np.testing.assert_array_equal(embedded.values[1:2], teacher.transform(["CCO"]))
