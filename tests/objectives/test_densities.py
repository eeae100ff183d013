"""Every conditional density against SciPy in float64, and what the richer families are for."""

from __future__ import annotations

import pytest

from molkd.errors import ConfigError, UnknownNameError
from molkd.objectives import densities


def test_options_follow_the_name():
    assert densities.make("gaussian") == densities.Gaussian()
    assert densities.make("gaussian:0.1") == densities.Gaussian(smallest_sd=0.1)
    assert repr(densities.make("gaussian:0.1")) == "Gaussian(smallest_sd=0.1)"


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("gausian", UnknownNameError, "Did you mean 'gaussian'"),
        ("gaussian:x", ConfigError, "expected gaussian:smallest_sd, for example"),
        ("gaussian:2", ConfigError, "between 0 and 1, not 2"),
        ("poisson:3", ConfigError, "expected 'poisson', which has no options"),
    ],
)
def test_what_is_no_density_is_refused(text: str, error: type[Exception], message: str):
    with pytest.raises(error, match=message):
        densities.make(text)
