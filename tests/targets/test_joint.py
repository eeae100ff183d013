"""Components over all teachers: decorrelated, of equal shares, and absent where a teacher is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from molkd.bank import Bank, build
from molkd.errors import ConfigError
from molkd.targets import joint
from molkd.targets.joint import JOINT, fit_joint
from molkd.types import Embeddings, TeacherCard

ITEMS = [f"item {place}" for place in range(300)]


class Fixed:
    """A teacher with given values, one row per item; some rows fail."""

    def __init__(self, name: str, values: np.ndarray, fails: tuple[int, ...] = ()) -> None:
        self.card = TeacherCard(
            name=name,
            kind="fake",
            dim=values.shape[1],
            support="real",
            source="tests",
            license="none",
            limits="none",
        )
        self._rows = dict(zip(ITEMS, values.astype(np.float32), strict=True))
        self._fails = {ITEMS[row] for row in fails}

    def embed(self, items: list[str], /) -> Embeddings:
        values = np.stack([self._rows[item] for item in items])
        failures = {row: "no" for row, item in enumerate(items) if item in self._fails}
        values[list(failures)] = np.nan
        return Embeddings(values, failures)


def _bank(folder: Path, *teachers: Fixed) -> Bank:
    return build(folder, ITEMS, teachers, parse=list, dtype="fp32", progress=False)


def test_components_are_decorrelated_and_know_every_teacher_alike(tmp_path: Path):
    rng = np.random.default_rng(0)
    common = rng.normal(size=(300, 3))
    one = common @ rng.normal(size=(3, 5)) + rng.normal(size=(300, 5))
    bank = _bank(tmp_path, Fixed("a", one), Fixed("b", 1000 * common, fails=(7,)))
    reader = fit_joint(bank, ["a", "b"], np.arange(300), 6)
    targets = reader.targets(np.arange(300))
    there = targets.present[JOINT].numpy()
    assert np.flatnonzero(~there).tolist() == [7]
    assert not targets.values[JOINT][7].any()
    values = targets.values[JOINT].numpy()[there]
    assert values.shape == (299, reader.specs[JOINT].dim) == (299, 6)
    np.testing.assert_allclose(np.cov(values.T, bias=True), np.eye(6), atol=1e-4)
    np.testing.assert_allclose(values.mean(axis=0), 0, atol=1e-4)


def test_what_two_teachers_say_comes_first(tmp_path: Path):
    rng = np.random.default_rng(1)
    said = rng.normal(size=(300, 1))
    bank = _bank(
        tmp_path,
        Fixed("a", np.hstack([said, rng.normal(size=(300, 1))])),
        Fixed("b", np.hstack([said, rng.normal(size=(300, 1))])),
    )
    first = fit_joint(bank, ["a", "b"], np.arange(300), 1).targets(np.arange(300)).values[JOINT]
    assert abs(np.corrcoef(first[:, 0].numpy(), said[:, 0])[0, 1]) > 0.95


def test_no_more_components_than_there_are(tmp_path: Path):
    values = np.random.default_rng(2).normal(size=(300, 2))
    bank = _bank(tmp_path, Fixed("a", values), Fixed("b", values[:, :1]))
    assert fit_joint(bank, ["a", "b"], np.arange(300), 50).specs[JOINT].dim == 2


def test_components_that_are_not_kept_are_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    values = np.random.default_rng(2).normal(size=(300, 6))
    bank = _bank(tmp_path, Fixed("a", values, fails=(3,)), Fixed("b", values[:, :2] ** 2))
    rows = np.array([5, 3, 299])
    kept = fit_joint(bank, ["a", "b"], np.arange(300), 5).targets(rows)
    monkeypatch.setattr(joint, "KEPT", 0)
    anew = fit_joint(bank, ["a", "b"], np.arange(300), 5).targets(rows)
    assert kept.present[JOINT].tolist() == anew.present[JOINT].tolist() == [True, False, True]
    np.testing.assert_allclose(kept.values[JOINT], anew.values[JOINT], atol=1e-5)


def test_components_are_fitted_on_no_more_rows_than_are_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    values = np.random.default_rng(2).normal(size=(300, 6))
    values[1:150] *= 100  # rows that are passed over
    monkeypatch.setattr(joint, "ROWS", 2)
    rows = np.array([0, *range(1, 150), *range(150, 300)])
    assert fit_joint(_bank(tmp_path, Fixed("a", values)), ["a"], rows, 5).specs[JOINT].dim == 1


def test_rows_that_no_teacher_shares_are_refused(tmp_path: Path):
    values = np.random.default_rng(3).normal(size=(300, 2))
    bank = _bank(
        tmp_path,
        Fixed("a", values, fails=tuple(range(150))),
        Fixed("b", values, fails=tuple(range(150, 300))),
    )
    with pytest.raises(ConfigError, match="rows that all teachers could embed"):
        fit_joint(bank, ["a", "b"], np.arange(300), 2)


def test_components_of_values_are_those_of_the_bank(tmp_path: Path):
    rng = np.random.default_rng(0)
    one, other = rng.normal(size=(300, 4)), np.exp(rng.normal(size=(300, 3)))
    bank = _bank(tmp_path, Fixed("a", one), Fixed("b", other))
    reader = fit_joint(bank, ["a", "b"], np.arange(300), 5)
    values = {"b": other.astype(np.float32), "a": one.astype(np.float32)}
    values["b"][3] = np.nan
    found = reader.components(values)
    expected = reader.targets(np.arange(300)).values[JOINT].numpy()
    assert np.isnan(found[3]).all()
    np.testing.assert_allclose(np.delete(found, 3, 0), np.delete(expected, 3, 0), atol=1e-5)
