"""Labels of a regression are standardised and come back in their unit."""

from __future__ import annotations

import numpy as np
import pytest

from molkd.benchmarks.probes.targets import TargetScaler
from molkd.errors import InputError

LABELS = np.array([1.0, 10.0, 100.0, 1000.0])


@pytest.mark.parametrize("scale", ["linear", "log10"])
def test_targets_have_mean_0_and_sd_1_on_the_rows_fitted_on(scale: str) -> None:
    scaler = TargetScaler.fit(LABELS, scale=scale)
    targets = scaler.transform(LABELS)
    assert targets.dtype == np.float64
    assert targets.mean() == pytest.approx(0, abs=1e-12)
    assert targets.std() == pytest.approx(1)
    np.testing.assert_allclose(scaler.inverse(targets), LABELS, rtol=1e-12)


def test_logarithms_are_decadic() -> None:
    scaler = TargetScaler.fit(LABELS, scale="log10")
    assert scaler.mean == pytest.approx(1.5)
    assert scaler.sd == pytest.approx(np.std([0, 1, 2, 3]))


def test_other_rows_do_not_move_the_scaler() -> None:
    scaler = TargetScaler.fit(LABELS, scale="linear")
    before = scaler.transform(LABELS)
    scaler.transform(LABELS * 1e6)
    np.testing.assert_array_equal(scaler.transform(LABELS), before)


@pytest.mark.parametrize("value", [0.0, -3.0, np.nan, np.inf])
def test_what_has_no_logarithm_is_named_by_its_row(value: float) -> None:
    y = np.array([1.0, 2.0, value])
    with pytest.raises(InputError, match=rf"row 2: label {value:g} is not positive"):
        TargetScaler.fit(y, scale="log10")
    rows = np.array([10, 20, 31])
    with pytest.raises(InputError, match="row 31"):
        TargetScaler.fit(y, scale="log10", rows=rows)
    with pytest.raises(InputError, match="row 31"):
        TargetScaler.fit(LABELS, scale="log10").transform(y, rows=rows)


def test_missing_labels_are_refused() -> None:
    with pytest.raises(InputError, match="row 1: label nan is not a finite number"):
        TargetScaler.fit(np.array([1.0, np.nan]), scale="linear")
    with pytest.raises(InputError, match="no training labels"):
        TargetScaler.fit(np.empty(0), scale="linear")


@pytest.mark.parametrize("scale", ["linear", "log10"])
@pytest.mark.parametrize("value", [0.1, 1e30])
def test_constant_labels_are_refused(scale: str, value: float) -> None:
    with pytest.raises(InputError, match=r"all 3 training labels are .*: nothing can be learnt"):
        TargetScaler.fit(np.full(3, value), scale=scale)


def test_a_small_spread_around_a_large_mean_is_not_lost() -> None:
    y = 1e9 + np.array([0.0, 1.0, 2.0])
    scaler = TargetScaler.fit(y, scale="linear")
    np.testing.assert_allclose(scaler.transform(y), [-(1.5**0.5), 0, 1.5**0.5], rtol=1e-9)


def test_predictions_stay_finite_however_wrong() -> None:
    scaler = TargetScaler.fit(LABELS, scale="log10")
    values = scaler.inverse(np.array([-1e9, 0.0, 1e9]))
    assert np.isfinite(values**2).all()
    assert values[0] < 1e-50
    assert values[2] > 1e50
