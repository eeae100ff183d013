"""Scalings of every form: what they give, and the way back, against NumPy in float64."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import numpy as np
import numpy.typing as npt
import pytest
from scipy.spatial.distance import pdist

from molkd.bank import Bank
from molkd.bank.builder import build
from molkd.errors import ConfigError, ShapeError
from molkd.targets import fitting
from molkd.targets.fitting import fit_scaling
from molkd.targets.scaling import Scaling
from molkd.types import Form, Matrix, Support
from tests.fakes.fake_teachers import TableTeacher

Floats = npt.NDArray[np.floating[Any]]
Make = Callable[..., Bank]

FORMS: tuple[Form, ...] = get_args(Form)
REALS: tuple[Form, ...] = ("standardized", "pca", "whitened", "phi-s")


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Makes a bank of given values; NaN rows are failures."""

    def made(values: Floats, support: Support = "real", **options: object) -> Bank:
        table = values.astype(np.float32)
        teacher = TableTeacher("t", dim=table.shape[1], support=support, table=table)
        items = [str(row) for row in range(len(table))]
        folder = tmp_path / f"bank {len(list(tmp_path.iterdir()))}"
        given: dict[str, Any] = {"dtype": "fp32", **options}
        return build(folder, items, [teacher], progress=False, **given)

    return made


def _fit(bank: Bank, form: Form, **options: Any) -> Scaling:
    return fit_scaling(bank, "t", np.arange(len(bank)), form=form, **options)


def _raw(bank: Bank) -> Matrix:
    return bank.raw("t", np.arange(len(bank)))


def _mixed(width: int, rank: int, *, seed: int = 0, rows: int = 400) -> Floats:
    """Rows that span `rank` of `width` columns, of sizes between 0.1 and 10."""
    random = np.random.default_rng(seed)
    mixed = random.normal(size=(rows, rank)) @ random.normal(size=(rank, width))
    return mixed * 10.0 ** np.linspace(-1, 1, width) + np.linspace(-3, 3, width)


def _values(support: Support) -> Floats:
    """Six columns that vary beside two that do not, and a failed row."""
    mixed = _mixed(8, 8, seed=1) - np.linspace(-3, 3, 8)
    counts = np.minimum(np.round(np.abs(mixed)), 50)
    values = {"real": mixed, "bits": 1.0 * (mixed > 0), "counts": counts}[support]
    values[:, 2], values[:, 5] = 1.0, 0.0
    values[7] = np.nan
    return values


# == PHI-S


@pytest.mark.parametrize(("width", "rank"), [(1, 1), (2, 2), (12, 4), (37, 37), (64, 3)])
def test_phi_s_has_unit_variances_and_keeps_distances(make: Make, width: int, rank: int) -> None:
    bank = make(_mixed(width, rank))
    found = _fit(bank, "phi-s").apply(_raw(bank)).astype(np.float64)
    raw = _raw(bank).astype(np.float64)
    assert found.shape == (400, width)
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(found.var(axis=0), 1, atol=1e-6)
    mean_eigenvalue = np.linalg.eigvalsh(np.cov(raw.T, bias=True).reshape(width, width)).mean()
    np.testing.assert_allclose(pdist(found), pdist(raw) / np.sqrt(mean_eigenvalue), 1e-4, 1e-6)


def test_phi_s_of_counts_is_that_of_their_logarithms(make: Make) -> None:
    counts = np.random.default_rng(2).poisson(3, size=(300, 6))
    bank = make(counts, "counts")
    found = _fit(bank, "phi-s").apply(_raw(bank)).astype(np.float64)
    logs = np.log1p(counts)
    assert _fit(bank, "phi-s").log1p
    np.testing.assert_allclose(pdist(found), pdist(logs) / np.sqrt(logs.var(axis=0).mean()), 1e-4)


@pytest.mark.parametrize("support", ["real", "bits", "counts"])
def test_whitened_is_pca_on_all_axes(make: Make, support: Support) -> None:
    bank = make(_values(support), support)
    values = _raw(bank)
    found = _fit(bank, "whitened").apply(values)
    assert np.array_equal(found, _fit(bank, "pca").apply(values), equal_nan=True)
    assert found.shape == (400, 6)
    known = np.delete(found, 7, axis=0).astype(np.float64)
    np.testing.assert_allclose(np.cov(known, rowvar=False, bias=True), np.eye(6), atol=1e-5)


@pytest.mark.parametrize("dtype", ["fp16", "fp32"])
def test_whitening_does_not_blow_up_what_storing_rounded(make: Make, dtype: str) -> None:
    bank = make(_mixed(40, 9, rows=500), dtype=dtype)
    assert _fit(bank, "whitened").dim == 9
    assert _fit(bank, "pca").dim == 40 or dtype == "fp32"


def test_a_teacher_of_rounding_alone_is_not_whitened(make: Make) -> None:
    noise = 1000 + 0.2 * np.random.default_rng(3).random((200, 3))
    bank = make(noise.round(0) + (np.arange(600).reshape(200, 3) % 2) * 0.5, dtype="fp16")
    with pytest.raises(ConfigError, match="no more than what storing it rounds off: store it as"):
        _fit(bank, "whitened")


@pytest.mark.parametrize("support", ["real", "bits", "counts"])
def test_raw_is_real_and_without_constant_columns(make: Make, support: Support) -> None:
    bank = make(_values(support), support)
    scaling = _fit(bank, "raw")
    expected = np.delete(_raw(bank), [2, 5], axis=1)
    assert scaling.support == "real"
    assert np.array_equal(scaling.apply(_raw(bank)), expected, equal_nan=True)
    np.testing.assert_allclose(scaling.mean_of_targets, np.nanmean(expected, axis=0), rtol=1e-5)


# == Winsorised


def test_winsorising_cuts_standardised_values(make: Make) -> None:
    values = np.random.default_rng(4).standard_cauchy(size=(500, 4))
    values[9] = np.nan
    bank = make(values)
    free = _fit(bank, "standardized").apply(_raw(bank))
    bound = _fit(bank, "standardized", winsorize=1.5)
    assert (np.abs(free) > 1.5).any()
    for scaling in (bound, _fit(bank, "standardized", winsorize=1.5)):  # the second is read
        assert np.array_equal(scaling.apply(_raw(bank)), np.clip(free, -1.5, 1.5), equal_nan=True)
    again = _fit(bank, "standardized")
    assert again.bound is None
    assert np.array_equal(again.apply(_raw(bank)), free, equal_nan=True)
    assert len(list(bank.folders["t"].path.glob("statistics-*.npz"))) == 2


def test_winsorised_values_come_back_at_the_bound(make: Make) -> None:
    values = np.random.default_rng(5).standard_cauchy(size=(500, 4))
    bank = make(values)
    scaling = _fit(bank, "standardized", winsorize=2)
    raw = _raw(bank).astype(np.float64)
    mean, sd = raw.mean(axis=0), raw.std(axis=0)
    expected = np.clip(raw, mean - 2 * sd, mean + 2 * sd)
    found = scaling.invert(scaling.apply(_raw(bank)))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


def test_a_bound_is_positive(make: Make) -> None:
    bank = make(_values("real"))
    for bound in (0, -1.0, float("nan")):
        with pytest.raises(ConfigError, match="winsorize must be a positive number of sd, not"):
            _fit(bank, "standardized", winsorize=bound)


def test_only_standardised_values_are_winsorised(make: Make) -> None:
    bank = make(_values("real"))
    for form in set(FORMS) - {"standardized"}:
        with pytest.raises(ConfigError, match=f"not form '{form}': leave it out, or take"):
            _fit(bank, form, winsorize=6)


# == The way back


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("support", ["real", "bits", "counts"])
def test_every_form_can_be_inverted(make: Make, form: Form, support: Support) -> None:
    bank = make(_values(support), support)
    for scaling in (_fit(bank, form), _fit(bank, form)):  # the second is read from the file
        found = scaling.invert(scaling.apply(_raw(bank)))
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, _values(support), rtol=1e-4, atol=1e-4)
        known = np.delete(found, 7, axis=0)
        assert (known[:, 2] == 1).all()
        assert (known[:, 5] == 0).all()
        assert np.isnan(found[7]).all()


def test_a_constant_beyond_exact_logarithms_comes_back(make: Make) -> None:
    counts = np.random.default_rng(6).poisson(2, size=(50, 3))
    counts[:, 1] = 7
    scaling = _fit(make(counts, "counts"), "pca")
    assert (scaling.invert(np.zeros((2, scaling.dim), dtype=np.float32))[:, 1] == 7).all()


@pytest.mark.parametrize("form", ["whitened", "phi-s"])
def test_a_low_rank_is_inverted_exactly(make: Make, form: Form) -> None:
    bank = make(_mixed(12, 4))
    scaling = _fit(bank, form)
    found = scaling.invert(scaling.apply(_raw(bank)))
    np.testing.assert_allclose(found, _raw(bank), rtol=1e-4, atol=1e-4)


def test_with_few_components_the_inverse_is_a_projection(make: Make) -> None:
    bank = make(_mixed(9, 9))
    scaling = _fit(bank, "pca", components=3)
    raw = _raw(bank).astype(np.float64)
    mean, sd = raw.mean(axis=0), raw.std(axis=0)
    left, singular, right = np.linalg.svd((raw - mean) / sd, full_matrices=False)
    expected = (left[:, :3] * singular[:3]) @ right[:3] * sd + mean
    np.testing.assert_allclose(scaling.invert(scaling.apply(_raw(bank))), expected, 1e-3, 1e-3)


@pytest.mark.parametrize("form", ["as-is", "raw", *REALS])
def test_sds_of_independent_errors_are_exact_where_linear(make: Make, form: Form) -> None:
    bank = make(_values("real"))
    scaling = _fit(bank, form)
    random = np.random.default_rng(7)
    values = random.normal(size=(5, scaling.dim)).astype(np.float32)
    sd = random.random((5, scaling.dim)).astype(np.float32)
    origin = scaling.invert(np.zeros((1, scaling.dim), dtype=np.float32)).astype(np.float64)
    steps = scaling.invert(np.eye(scaling.dim, dtype=np.float32)) - origin  # the linear map
    expected = [np.sqrt(np.diagonal(steps.T @ np.diag(row**2) @ steps)) for row in sd]
    found = scaling.invert_sd(values, sd)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-6)
    assert (found[:, [2, 5]] == 0).all()
    assert (np.delete(found, [2, 5], axis=1) > 0).all()


@pytest.mark.parametrize("form", ["pca", "whitened", "phi-s"])
def test_small_sds_of_counts_are_those_of_a_sample(make: Make, form: Form) -> None:
    bank = make(_values("counts"), "counts")
    scaling = _fit(bank, form)
    random = np.random.default_rng(8)
    middle = scaling.apply(_raw(bank)[:1])
    sd = 0.02 * (0.5 + random.random(middle.shape))
    draws = middle + sd * random.normal(size=(20_000, scaling.dim))
    expected = scaling.invert(draws.astype(np.float32)).std(axis=0, dtype=np.float64)
    found = scaling.invert_sd(middle, sd.astype(np.float32))[0]
    np.testing.assert_allclose(found, expected, rtol=0.03, atol=1e-6)


def test_rows_with_nan_stay_nan_on_the_way_back(make: Make) -> None:
    scaling = _fit(make(_values("real")), "phi-s")
    values = np.zeros((3, scaling.dim), dtype=np.float32)
    sd = np.ones_like(values)
    values[0], sd[1] = np.nan, np.nan
    assert np.isnan(scaling.invert(values)).all(axis=1).tolist() == [True, False, False]
    found = np.isnan(scaling.invert_sd(values, sd))
    assert found.all(axis=1).tolist() == found.any(axis=1).tolist() == [True, True, False]


def test_other_shapes_are_refused(make: Make) -> None:
    scaling = _fit(make(_values("real")), "standardized")
    good = np.zeros((3, 6), dtype=np.float32)
    with pytest.raises(ShapeError, match=r"targets have shape \(m, 6\), not \(3, 8\)"):
        scaling.invert(np.zeros((3, 8), dtype=np.float32))
    with pytest.raises(ShapeError, match=r"targets have shape \(m, 6\), not \(6,\)"):
        scaling.invert_sd(good, good[0, :6])
    with pytest.raises(ShapeError, match=r"sd must have the shape \(3, 6\) of values"):
        scaling.invert_sd(good, good[:1])


@pytest.mark.parametrize("form", REALS)
def test_chunks_and_blocks_do_not_matter(
    make: Make, form: Form, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = _mixed(6, 6)
    whole = _fit(make(values), form)
    monkeypatch.setattr(fitting, "_CHUNK", 7)
    bank = make(values, block=11)
    shuffled = np.random.default_rng(9).permutation(400)
    parts = fit_scaling(bank, "t", shuffled, form=form)
    np.testing.assert_allclose(
        parts.apply(_raw(bank)), whole.apply(_raw(bank)), rtol=1e-5, atol=1e-6
    )


def test_a_scaling_of_an_older_version_is_fitted_again(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    bank = make(_values("real"))
    for count, form in enumerate(FORMS):
        with monkeypatch.context() as older:
            older.setattr(fitting, "_VERSION", 1)
            _fit(bank, form)
        _fit(bank, form)
        files = list(bank.folders["t"].path.glob("statistics-*.npz"))
        assert len(files) == 2 * (count + 1), form
