"""What every probe promises, whatever it is."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import log_loss

from molkd.benchmarks.probes import FLOOR, PROBES, Fitted, Part, describe
from molkd.benchmarks.probes.inputs import Scaler
from molkd.errors import InputError, ShapeError, UnknownNameError
from molkd.types import digest_of
from tests.benchmarks.probes.synthetic import gaussian_classes, gaussian_line, parts, two_gaussians
from tests.fakes.few_trees import make

ROOT = Path(__file__).resolve().parents[3]
KINDS = ("classification", "multiclass", "regression")
READ_COUNTS = {"tanimoto"}
"""Probes that read counts alone, and no sample of these tests: see `test_tanimoto`."""

DENSE = [name for name in PROBES if name not in READ_COUNTS]
LEARNERS = [name for name in DENSE if name != FLOOR]
each = pytest.mark.parametrize(("name", "kind"), [(n, k) for n in DENSE for k in KINDS])
learning = pytest.mark.parametrize(("name", "kind"), [(n, k) for n in LEARNERS for k in KINDS])


def some(kind: str, *sizes: int, d: int = 6, seed: int = 0) -> list[Part]:
    """Parts of an easy sample."""
    n = sum(sizes)
    if kind == "classification":
        return parts(two_gaussians(n, d, distance=2, seed=seed), *sizes)
    if kind == "multiclass":
        return parts(gaussian_classes(n, d, classes=3, distance=2.5, seed=seed), *sizes)
    return parts(gaussian_line(n, d, r2=0.7, seed=seed), *sizes)


def expected(predicted: np.ndarray) -> np.ndarray:
    """One number per row: the probability of class 1, the mean class, or the value."""
    return predicted if predicted.ndim == 1 else predicted @ np.arange(predicted.shape[1])


def digests() -> dict[str, str]:
    """Probe and kind -> checksum of its predictions; also run in another process."""
    found: dict[str, str] = {}
    for kind in KINDS:
        train, valid, test = some(kind, 150, 40, 40, d=120)
        scaler = Scaler.fit(train.x, components=50)
        x_train, x_valid, x_test = (scaler.transform(part.x) for part in (train, valid, test))
        for name in DENSE:
            fitted = make(name).fit(
                Part(x_train, train.y), Part(x_valid, valid.y), kind=kind, seed=3
            )
            bits = fitted.predict(x_test).tobytes() + repr(dict(fitted.chosen)).encode()
            found[f"{name} {kind}"] = hashlib.sha256(bits).hexdigest()
    return found


def test_another_process_with_more_threads_gets_the_same_bits() -> None:
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "2")
    code = "import json, tests.benchmarks.probes.test_probes as t; print(json.dumps(t.digests()))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=os.environ | threads,
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == digests()


@each
def test_the_same_seed_gives_the_same_bits_and_leaves_inputs_and_generators_alone(
    name: str, kind: str
) -> None:
    train, valid, test = some(kind, 100, 40, 40)
    copies = [(part.x.copy(), part.y.copy()) for part in (train, valid, test)]
    for part in (train, valid, test):
        part.x.flags.writeable = part.y.flags.writeable = False
    torch.manual_seed(5)
    np.random.seed(5)  # noqa: NPY002
    before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    threads = torch.get_num_threads()
    first = make(name).fit(train, valid, kind=kind, seed=1)
    predicted = first.predict(test.x)
    after = torch.get_rng_state(), np.random.get_state()[1]  # noqa: NPY002
    assert all(np.array_equal(*pair) for pair in zip(before, after, strict=True))
    assert torch.get_num_threads() == threads
    torch.rand(7)
    np.random.rand(7)  # noqa: NPY002
    second = make(name).fit(train, valid, kind=kind, seed=1)
    np.testing.assert_array_equal(second.predict(test.x), predicted)
    assert second.chosen == first.chosen
    np.testing.assert_array_equal(first.predict(test.x), predicted)  # fits share nothing
    for part, (x, y) in zip((train, valid, test), copies, strict=True):
        np.testing.assert_array_equal(part.x, x)
        np.testing.assert_array_equal(part.y, y)


@learning
def test_predictions_are_values_of_each_row_on_its_own(name: str, kind: str) -> None:
    train, valid, test = some(kind, 200, 80, 40)
    fitted = make(name).fit(train, valid, kind=kind, seed=0)
    predicted = fitted.predict(test.x)
    assert predicted.dtype == np.float64
    assert predicted.shape == ((40, 3) if kind == "multiclass" else (40,))
    others = np.concatenate([test.x[:10], test.x[10:] * 5 + 3])
    np.testing.assert_allclose(fitted.predict(others)[:10], predicted[:10], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(fitted.predict(test.x[:1]), predicted[:1], rtol=1e-5, atol=1e-6)
    assert fitted.predict(test.x[:0]).shape == (0, *predicted.shape[1:])
    if kind == "multiclass":
        np.testing.assert_allclose(predicted.sum(axis=1), 1)
        assert (predicted.argmax(axis=1) == test.y).mean() > 0.6
    if kind == "classification":
        assert predicted[test.y == 1].mean() > predicted[test.y == 0].mean() + 0.25


@learning
def test_validation_rows_choose(name: str, kind: str) -> None:
    train, valid, _ = some(kind, 400, 300, 0)
    mixed = Part(valid.x, np.random.default_rng(0).permutation(valid.y))
    right, wrong = (make(name).fit(train, by, kind=kind, seed=0) for by in (valid, mixed))
    assert right.chosen != wrong.chosen

    def loss(fitted: Fitted, part: Part) -> float:
        predicted = fitted.predict(part.x)
        if kind == "regression":
            return float(np.mean((part.y - predicted) ** 2))
        return log_loss(part.y, predicted)

    assert loss(right, valid) < loss(wrong, valid)
    assert loss(wrong, mixed) < loss(right, mixed)


@each
def test_validation_rows_are_not_fitted(name: str, kind: str) -> None:
    """Labels of the validation rows mirrored: what is fitted must still follow training rows."""
    train, valid, _ = some(kind, 100, 300, 0)
    mirrored = Part(valid.x, valid.y.max() - valid.y if kind != "regression" else -valid.y)
    predicted = expected(make(name).fit(train, mirrored, kind=kind, seed=0).predict(valid.x))
    assert np.mean((predicted - predicted.mean()) * mirrored.y) < 0.02


@learning
@pytest.mark.parametrize(
    ("n", "d"), [(300, 1), (40, 200), (3, 5)], ids=["one column", "wide", "three rows"]
)
def test_odd_shapes_are_fitted(name: str, kind: str, n: int, d: int) -> None:
    train, valid, test = some(kind, n, 30, 30, d=d, seed=2)
    if n == 3:
        train = Part(train.x, np.array([0.0, 1.0, 1.0]))
    fitted = make(name).fit(train, valid, kind=kind, seed=0)
    predicted = expected(fitted.predict(test.x))
    assert np.isfinite(predicted).all()
    if n == 300:
        assert np.corrcoef(predicted, test.y)[0, 1] > 0.5


@pytest.mark.parametrize("name", LEARNERS)
def test_rare_classes_are_fitted(name: str) -> None:
    train, valid, test = parts(two_gaussians(5000, 3, distance=2.5, share=0.02), 600, 200, 4200)
    predicted = make(name).fit(train, valid, kind="classification", seed=0).predict(test.x)
    assert ((predicted >= 0) & (predicted <= 1)).all()
    assert predicted[test.y == 1].mean() > 3 * predicted[test.y == 0].mean()
    assert predicted.mean() == pytest.approx(0.02, abs=0.015)


@pytest.mark.parametrize("name", LEARNERS)
@pytest.mark.parametrize("held", [(0.0, 2.0), (1.0, 2.0, 4.0)], ids=["two of them", "gaps"])
def test_classes_without_a_training_row_are_never_predicted(
    name: str, held: tuple[float, ...]
) -> None:
    """Validation and test rows may hold classes that no training row has, the largest too."""
    train, valid, test = parts(gaussian_classes(900, 4, classes=6, distance=2), 500, 200, 200)
    rows = np.isin(train.y, held)
    fitted = make(name).fit(Part(train.x[rows], train.y[rows]), valid, kind="multiclass", seed=0)
    predicted = fitted.predict(test.x)
    assert predicted.shape == (200, held[-1] + 1)
    assert set(np.flatnonzero(predicted.max(axis=0) > 0.01)) == set(held)
    known = np.isin(test.y, held)
    assert (predicted.argmax(axis=1) == test.y)[known].mean() > 0.75


@pytest.mark.parametrize("name", LEARNERS)
def test_many_classes_of_two_are_the_two_classes(name: str) -> None:
    train, valid, test = some("classification", 400, 200, 100)
    two, many = (
        make(name).fit(train, valid, kind=kind, seed=0) for kind in ("classification", "multiclass")
    )
    found = many.predict(test.x)[:, 1]
    assert np.corrcoef(found, two.predict(test.x))[0, 1] > 0.98
    if name != "mlp":  # whose draws differ with the number of outputs
        assert many.chosen == two.chosen
        np.testing.assert_allclose(found, two.predict(test.x), atol=2e-3)


@pytest.mark.parametrize("name", DENSE)
def test_one_class_among_the_validation_rows_can_still_choose(name: str) -> None:
    train, valid, _ = some("classification", 200, 50, 0)
    zeros = valid.y == 0
    one = Part(valid.x[zeros], valid.y[zeros])
    fitted = make(name).fit(train, one, kind="classification", seed=0)
    assert np.isfinite(fitted.predict(valid.x)).all()


@learning
def test_constant_columns_change_nothing_that_matters(name: str, kind: str) -> None:
    train, valid, test = some(kind, 150, 80, 40)

    def padded(part: Part) -> Part:
        return Part(np.pad(part.x, ((0, 0), (0, 3))), part.y)

    fitted = make(name).fit(padded(train), padded(valid), kind=kind, seed=0)
    predicted = expected(fitted.predict(padded(test).x))
    plain = expected(make(name).fit(train, valid, kind=kind, seed=0).predict(test.x))
    assert np.corrcoef(predicted, plain)[0, 1] > 0.9
    nothing = Part(np.zeros_like(train.x), train.y)
    blind = make(name).fit(nothing, Part(np.zeros_like(valid.x), valid.y), kind=kind, seed=0)
    values = expected(blind.predict(np.zeros_like(test.x)))
    assert np.ptp(values) < 1e-6
    assert values[0] == pytest.approx(train.y.mean(), abs=0.35)


@pytest.mark.parametrize("name", PROBES)
def test_what_cannot_be_fitted_is_refused(name: str) -> None:
    train, valid, _ = some("classification", 20, 10, 0)
    bad = valid.x.copy()
    bad[4, 2] = np.inf

    def fit(train: Part, valid: Part) -> None:
        make(name).fit(train, valid, kind="classification", seed=0)

    with pytest.raises(InputError, match="all training labels are 1"):
        fit(Part(train.x, np.ones(20)), valid)
    with pytest.raises(InputError, match="validation row 4 holds NaN or infinite"):
        fit(train, Part(bad, valid.y))
    with pytest.raises(InputError, match="training labels are not all 0 or 1"):
        fit(Part(train.x, train.y + 1), valid)
    with pytest.raises(InputError, match="are not all a whole number from 0"):
        make(name).fit(Part(train.x, train.y + 0.5), valid, kind="multiclass", seed=0)
    with pytest.raises(InputError, match="no validation rows"):
        fit(train, Part(valid.x[:0], valid.y[:0]))
    with pytest.raises(ShapeError, match=r"\(20, 6\) do not fit labels of shape \(19,\)"):
        fit(Part(train.x, train.y[:-1]), valid)
    with pytest.raises(ShapeError, match="6 wide, validation rows 5"):
        fit(train, Part(valid.x[:, :5], valid.y))


@pytest.mark.parametrize("name", [name for name in PROBES if name != FLOOR])
def test_a_description_holds_all_that_decides_the_numbers(name: str) -> None:
    about = describe(name)
    assert about["name"] == name
    assert about["versions"]
    assert digest_of(about) == digest_of(PROBES[name]().about)
    options = dict(vars(PROBES[name]()))
    assert options.items() <= about.items()
    key, value = next(iter(options.items()))
    other = PROBES[name](**{key: value[1:] if isinstance(value, tuple) else value * 2})
    assert digest_of(other.about) != digest_of(about)


def test_a_mistyped_probe_is_answered_with_near_names() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'linear'"):
        make("liner")
    with pytest.raises(
        UnknownNameError, match="linear, knn, mlp, boosting, forest, kernel, tanimoto, pls, mean"
    ):
        describe("zzz")
