"""Statistics and scalings: against numpy, on known answers, on degenerate columns."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from molkd.bank import Bank
from molkd.bank.builder import build
from molkd.errors import ConfigError
from molkd.targets import fitting
from molkd.targets.fitting import Form, describe, fit_scaling
from molkd.types import Embeddings, Matrix, Support
from tests.fakes.fake_teachers import FakeTeacher

Make = Callable[..., Bank]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Makes a bank of given values; NaN rows are failures."""

    def embed(self: FakeTeacher, items: list[str]) -> Embeddings:
        return Embeddings(table[[int(item) for item in items]], {})

    def made(values: npt.NDArray[np.floating], support: Support = "real", **options: int) -> Bank:
        nonlocal table
        table = values.astype(np.float32)
        teacher = FakeTeacher("t", dim=table.shape[1], support=support)
        items = [str(row) for row in range(len(table))]
        name = f"bank {len(list(tmp_path.iterdir()))}"
        return build(tmp_path / name, items, [teacher], progress=False, **options)

    table: Matrix = np.empty((0, 0), dtype=np.float32)
    monkeypatch.setattr(FakeTeacher, "embed", embed)
    return made


RANDOM = np.random.default_rng(0)
WIDE = (RANDOM.normal(size=(500, 8)) * 10.0 ** np.arange(-3, 5) + 100).astype(np.float32)
WIDE[[3, 77]] = np.nan


def _all(bank: Bank) -> npt.NDArray[np.int64]:
    return np.arange(len(bank))


# == Statistics


@given(cuts=st.lists(st.integers(0, 498), max_size=8))
def test_statistics_do_not_depend_on_the_chunks(cuts: list[int]) -> None:
    values = WIDE[~np.isnan(WIDE[:, 0])].astype(np.float64)
    found = describe(iter(np.split(values, sorted(cuts))))
    assert found is not None
    assert found.count == 498
    np.testing.assert_allclose(found.mean, values.mean(axis=0), rtol=1e-9)
    np.testing.assert_allclose(found.sd, values.std(axis=0), rtol=1e-9)
    assert np.array_equal(found.minimum, values.min(axis=0))
    assert np.array_equal(found.maximum, values.max(axis=0))


def test_no_rows_have_no_statistics() -> None:
    assert describe(iter([np.empty((0, 3))])) is None


def test_constant_columns_beside_a_wild_one() -> None:
    random = np.random.default_rng(1)
    columns = [
        np.full(400, 0.1, np.float32),  # constant, its mean is not exact
        np.zeros(400),
        1e3 + 1e-5 * random.normal(size=400),  # rounding of float32 at this height
        1e-9 * random.normal(size=400),  # a dead unit among units of size 1
        random.normal(size=400),
        random.normal(size=400),
        1e12 * random.normal(size=400),
        np.arange(400) == 7,  # one bit set once
    ]
    found = describe(iter([np.stack(columns, axis=1).astype(np.float64)]))
    assert found is not None
    assert found.constant.tolist() == [True, True, True, True, False, False, False, False]


# == Standardised


@pytest.mark.parametrize("options", [{"block": 7}, {"block": 499}])
def test_standardising_equals_numpy(make: Make, options: dict[str, int]) -> None:
    bank = make(WIDE, **options)
    rows = np.random.default_rng(2).permutation(500)[:300]
    scaling = fit_scaling(bank, "t", rows, form="standardized")
    learned = WIDE[rows].astype(np.float64)
    expected = (WIDE - np.nanmean(learned, axis=0)) / np.nanstd(learned, axis=0)
    found = scaling.apply(bank.raw("t", _all(bank)))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)
    assert np.isnan(found[[3, 77]]).all()
    assert scaling.support == "real"
    assert np.array_equal(scaling.mean_of_targets, np.zeros(8))


def test_the_order_of_rows_does_not_matter(make: Make) -> None:
    rows = np.random.default_rng(3).permutation(500)[:300]
    one = fit_scaling(make(WIDE), "t", rows, form="pca", components=3)
    other = fit_scaling(make(WIDE), "t", rows[::-1].copy(), form="pca", components=3)
    assert one.components is not None
    assert np.array_equal(one.components, other.components)
    assert np.array_equal(one.mean, other.mean)


def test_rows_that_are_not_named_have_no_influence(make: Make) -> None:
    changed = WIDE.copy()
    changed[200:] = 7
    rows = np.arange(200)
    one = fit_scaling(make(WIDE), "t", rows, form="standardized")
    other = fit_scaling(make(changed), "t", rows, form="standardized")
    assert np.array_equal(one.mean, other.mean)
    assert np.array_equal(one.sd, other.sd)


def test_constant_columns_are_dropped(make: Make) -> None:
    values = WIDE.copy()
    values[:, [1, 4]] = 0.1
    values[400:, 1] = 5  # varies only where nobody looks
    scaling = fit_scaling(make(values), "t", np.arange(400), form="standardized")
    assert scaling.kept.tolist() == [0, 2, 3, 5, 6, 7]
    assert scaling.apply(values).shape == (500, 6)
    assert scaling.dim == 6


# == As they are


def test_bits_stay_as_they_are(make: Make) -> None:
    bits = np.random.default_rng(4).random((300, 6)) < [0.0, 0.1, 0.5, 0.9, 1.0, 0.02]
    scaling = fit_scaling(make(bits, "bits"), "t", np.arange(300), form="as-is")
    assert scaling.support == "bits"
    assert scaling.kept.tolist() == [1, 2, 3, 5]
    assert np.array_equal(scaling.apply(bits.astype(np.float32)), bits[:, [1, 2, 3, 5]])
    np.testing.assert_allclose(scaling.mean_of_targets, bits[:, [1, 2, 3, 5]].mean(axis=0))


# == Principal components


def test_components_of_a_known_covariance(make: Make) -> None:
    random = np.random.default_rng(5)
    hidden = random.normal(size=(20_000, 2)) * [1.0, 0.5]
    values = hidden @ np.array([[1, 1, 0], [1, -1, 0]]) / np.sqrt(2)
    values[:, 2] = 4.0
    counts = np.expm1(values - values.min())
    counts[:, 2] = 3.0
    bank = make(counts, "counts", block=5000)
    # float16 would round: the test is about the algebra
    scaling = fit_scaling(bank, "t", np.arange(20_000), form="pca", components=10)
    assert scaling.kept.tolist() == [0, 1]
    assert scaling.components is not None
    assert scaling.scale is not None
    half = np.sqrt(0.5)
    axes = [[half, half], [half, -half]]
    np.testing.assert_allclose(np.abs(scaling.components), np.abs(axes), atol=0.02)
    assert np.sign(scaling.components[0]).tolist() == [1, 1]
    assert sorted(np.sign(scaling.components[1]).tolist()) == [-1, 1]
    np.testing.assert_allclose(scaling.scale, [1.0, 0.5], rtol=0.02)
    _is_white(scaling.apply(bank.raw("t", _all(bank))))


@pytest.mark.parametrize("support", ["real", "bits", "counts"])
def test_components_are_white_and_span_what_they_keep(make: Make, support: Support) -> None:
    random = np.random.default_rng(6)
    mixed = random.normal(size=(2000, 6)) @ random.normal(size=(6, 12)) + 5
    values = {
        "real": mixed * 10.0 ** np.arange(-2, 10),
        "bits": mixed > 5,
        "counts": np.maximum(np.round(mixed), 0),
    }[support]
    bank = make(values, support)
    scaling = fit_scaling(bank, "t", _all(bank), form="pca")
    assert scaling.support == "real"
    assert scaling.dim == (6 if support == "real" else 12)  # rank, not width
    found = scaling.apply(bank.raw("t", _all(bank)))
    _is_white(found)
    assert scaling.components is not None
    assert scaling.scale is not None
    assert (np.diff(scaling.scale) <= 0).all()
    leading = np.abs(scaling.components).argmax(axis=1)
    assert (scaling.components[np.arange(scaling.dim), leading] > 0).all()
    raw = bank.raw("t", _all(bank)).astype(np.float64)
    seen = np.log1p(raw) if support == "counts" else raw
    restored = (found * scaling.scale) @ scaling.components * scaling.sd + scaling.mean
    np.testing.assert_allclose(restored, seen, atol=1e-4 * seen.std(axis=0).max(), rtol=1e-3)


def _is_white(values: Matrix) -> None:
    covariance = np.cov(values.astype(np.float64), rowvar=False, bias=True)
    np.testing.assert_allclose(values.mean(axis=0, dtype=np.float64), 0, atol=1e-4)
    np.testing.assert_allclose(covariance, np.eye(len(covariance)), atol=1e-4)


def test_fewer_components_are_the_leading_ones(make: Make) -> None:
    bank = make(WIDE)
    many = fit_scaling(bank, "t", _all(bank), form="pca", components=8).apply(WIDE)
    few = fit_scaling(bank, "t", _all(bank), form="pca", components=3).apply(WIDE)
    assert few.shape == (500, 3)
    np.testing.assert_allclose(few, many[:, :3], rtol=1e-5, atol=1e-5)
    assert np.isnan(few[[3, 77]]).all()


# == What travels with the bank


@pytest.mark.parametrize("form", ["as-is", "raw", "standardized", "pca", "whitened", "phi-s"])
def test_a_scaling_is_fitted_once(make: Make, form: Form, monkeypatch: pytest.MonkeyPatch) -> None:
    bank = make(WIDE)
    first = fit_scaling(bank, "t", np.arange(100), form=form)
    other = fit_scaling(bank, "t", np.arange(101), form=form)
    monkeypatch.setattr(fitting, "_fit", None)
    again = fit_scaling(Bank.open(bank.path), "t", np.arange(100), form=form)
    assert np.array_equal(again.apply(WIDE), first.apply(WIDE), equal_nan=True)
    assert np.array_equal(again.mean_of_targets, first.mean_of_targets)
    assert not np.array_equal(other.apply(WIDE), first.apply(WIDE), equal_nan=True) or (
        form in ("as-is", "raw")
    )
    assert (again.support, again.log1p) == (first.support, first.log1p)


@pytest.mark.parametrize("damage", [lambda data: data[:-200], lambda _: b"", lambda _: b"text"])
def test_a_damaged_scaling_is_fitted_again(make: Make, damage: Callable[[bytes], bytes]) -> None:
    bank = make(WIDE)
    first = fit_scaling(bank, "t", _all(bank), form="standardized")
    (path,) = bank.folders["t"].path.glob("statistics-*.npz")
    whole = path.read_bytes()
    path.write_bytes(damage(whole))
    again = fit_scaling(bank, "t", _all(bank), form="standardized")
    assert np.array_equal(first.apply(WIDE), again.apply(WIDE), equal_nan=True)
    assert len(path.read_bytes()) == len(whole)


def test_a_scaling_with_a_flipped_byte_is_fitted_again(make: Make) -> None:
    bank = make(WIDE)
    first = fit_scaling(bank, "t", _all(bank), form="standardized")
    assert first.mean is not None
    (path,) = bank.folders["t"].path.glob("statistics-*.npz")
    content = path.read_bytes()
    place = content.index(first.mean.tobytes())
    path.write_bytes(content[:place] + b"\xff" + content[place + 1 :])
    again = fit_scaling(bank, "t", _all(bank), form="standardized")
    assert np.array_equal(again.mean, first.mean)


@pytest.mark.parametrize("renamed", [False, True])
def test_a_scaling_of_other_values_is_not_taken(make: Make, *, renamed: bool) -> None:
    one, other = make(WIDE), make(WIDE + 1)
    fitted, right = (fit_scaling(bank, "t", np.arange(9), form="pca") for bank in (one, other))
    (foreign,) = one.folders["t"].path.glob("statistics-*.npz")
    (own,) = other.folders["t"].path.glob("statistics-*.npz")
    name = own.name if renamed else foreign.name
    own.unlink()
    (own.parent / name).write_bytes(foreign.read_bytes())
    again = fit_scaling(other, "t", np.arange(9), form="pca")
    assert np.array_equal(again.mean, right.mean)
    assert not np.array_equal(again.mean, fitted.mean)


# == Nothing to learn from


def test_a_teacher_that_failed_on_all_rows(make: Make) -> None:
    with pytest.raises(ConfigError, match="'t' failed on all 2 rows to learn from: leave it out"):
        fit_scaling(make(WIDE), "t", np.array([3, 77]), form="standardized")


def test_a_single_row_or_only_constant_columns(make: Make) -> None:
    with pytest.raises(ConfigError, match="all columns of teacher 't' are constant over the 1 row"):
        fit_scaling(make(WIDE), "t", np.array([3, 5]), form="as-is")


def test_settings_are_checked(make: Make) -> None:
    bank = make(WIDE)
    with pytest.raises(ConfigError, match=r"form is one of .*, not 'white'"):
        fit_scaling(bank, "t", np.arange(9), form="white")  # pyright: ignore[reportArgumentType]
    with pytest.raises(ConfigError, match="components must be at least 1, not 0"):
        fit_scaling(bank, "t", np.arange(9), form="pca", components=0)
