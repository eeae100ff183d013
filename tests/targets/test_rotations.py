"""Axes of a covariance: against numpy, and the properties that rotations must have."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from molkd.targets.rotations import covariance, equalizing_rotation, principal

RANDOM = np.random.default_rng(0)
SPECTRA = {
    "falling": lambda n: 10.0 ** -np.linspace(0, 14, n),
    "one": lambda n: np.eye(n)[0],
    "the last": lambda n: np.eye(n)[-1],
    "equal": np.ones,
    "none": np.zeros,
    "heavy": lambda n: RANDOM.exponential(size=n) ** 4,
    "half": lambda n: 1.0 * (np.arange(n) < (n + 1) // 2),
}


@pytest.mark.parametrize("spectrum", SPECTRA)
def test_levelling_is_a_rotation_to_equal_variances(spectrum: str) -> None:
    for count in (1, 2, 3, 5, 8, 12, 37, 100, 250):
        variances = SPECTRA[spectrum](count)
        rotation = equalizing_rotation(variances)
        np.testing.assert_allclose(rotation @ rotation.T, np.eye(count), atol=1e-12)
        found = np.diagonal(rotation @ np.diag(variances) @ rotation.T)
        np.testing.assert_allclose(found, variances.mean(), rtol=1e-12, err_msg=f"{count} axes")


@pytest.mark.parametrize("spectrum", SPECTRA)
def test_every_coordinate_is_a_mixture_of_all(spectrum: str) -> None:
    for count in (37, 250):  # a single rotation of two coordinates would give count / 2
        assert (np.square(equalizing_rotation(SPECTRA[spectrum](count))) * count).max() < 5
    np.testing.assert_allclose(np.square(equalizing_rotation(SPECTRA[spectrum](8))), 1 / 8)


def test_levelling_gives_the_same_bits_twice() -> None:
    variances = SPECTRA["falling"](37)
    assert np.array_equal(equalizing_rotation(variances), equalizing_rotation(variances.copy()))


def test_principal_axes_are_those_of_numpy() -> None:
    rows = RANDOM.normal(size=(300, 6)) @ RANDOM.normal(size=(6, 6))
    rows -= rows.mean(axis=0)
    _, singular, expected = np.linalg.svd(rows, full_matrices=False)
    variances, axes = principal(covariance(iter(np.split(rows, [7, 100])), 300))
    np.testing.assert_allclose(variances, singular**2 / 300, rtol=1e-9)
    np.testing.assert_allclose(np.abs((axes * expected).sum(axis=1)), 1, rtol=1e-9)
    assert (_largest(axes) > 0).all()
    some = principal(covariance(iter([rows]), 300), 4)
    np.testing.assert_allclose(some[0], variances[:4], rtol=1e-9)
    np.testing.assert_allclose(some[1], axes[:4], atol=1e-9)


def _largest(axes: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)]
