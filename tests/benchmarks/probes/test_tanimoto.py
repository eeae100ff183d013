"""The Tanimoto probe is kernel ridge regression on the similarity that RDKit computes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rdkit import Chem, DataStructs
from rdkit.Chem import rdFingerprintGenerator
from sklearn.kernel_ridge import KernelRidge
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import KernelCenterer

from molkd.benchmarks.embedders import make
from molkd.benchmarks.probes import Part
from molkd.benchmarks.probes.tanimoto import Counts, Tanimoto
from molkd.benchmarks.quality.evaluation import QualitySettings, Workspace, evaluate
from molkd.benchmarks.tasks import table
from molkd.errors import InputError

SMILES = ["CCO", "CCCCN", "c1ccccc1O", "CC(C)(C)c1ccc(O)cc1", "CCCCCCCCCC", "OCC(O)CO", "N"]


def _counts(n: int, seed: int) -> Part:
    rng = np.random.default_rng(seed)
    x = rng.poisson(0.5, size=(n, 30)).astype(np.float32)
    return Part(x, np.minimum(x[:, 0], x[:, 1]) - x[:, 2] + 0.1 * rng.normal(size=n))


@pytest.mark.parametrize("counted", [True, False])
def test_similarities_are_those_of_rdkit(counted: bool) -> None:
    maker = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=256)
    mols = [Chem.MolFromSmiles(text) for text in SMILES]
    count = [maker.GetCountFingerprint(mol) for mol in mols]
    bits = [maker.GetFingerprint(mol) for mol in mols]
    x = [maker.GetCountFingerprintAsNumPy(mol) for mol in mols]
    if not counted:
        x = [maker.GetFingerprintAsNumPy(mol) for mol in mols]
    counts = Counts.of(np.array(x[:4], dtype=np.float32))
    found = counts.similarity(np.array(x, dtype=np.float32))
    prints: Any = count if counted else bits
    expected = [[DataStructs.TanimotoSimilarity(a, b) for b in prints] for a in prints[:4]]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_predictions_are_those_of_kernel_ridge_regression() -> None:
    train, valid, test = (_counts(n, seed) for n, seed in ((200, 0), (80, 1), (80, 2)))
    fitted = Tanimoto().fit(train, valid, kind="regression", seed=0)
    counts, centre = Counts.of(train.x), KernelCenterer()
    kernel = centre.fit_transform(counts.similarity(train.x))
    options: Any = {"alpha": fitted.chosen["alpha"]}
    model = KernelRidge(**options, kernel="precomputed")
    model.fit(kernel, train.y - train.y.mean())
    expected = model.predict(centre.transform(counts.similarity(test.x).T)) + train.y.mean()
    np.testing.assert_allclose(fitted.predict(test.x), expected, atol=2e-3)
    assert np.corrcoef(fitted.predict(test.x), test.y)[0, 1] > 0.7


def test_rows_without_any_count_and_classes() -> None:
    train, valid = _counts(300, 0), _counts(100, 1)
    x = train.x.copy()
    x[:5] = 0
    fitted = Tanimoto(landmarks=150).fit(
        Part(x, (train.y > 0).astype(np.float64)),
        Part(valid.x, (valid.y > 0).astype(np.float64)),
        kind="classification",
        seed=0,
    )
    test = _counts(200, 2)
    assert roc_auc_score(test.y > 0, fitted.predict(test.x)) > 0.7
    assert np.isfinite(fitted.predict(np.zeros((2, 30), dtype=np.float32))).all()


def test_many_classes_have_a_probability_each_and_a_seed_gives_the_same_bits() -> None:
    train, valid, test = (_counts(n, seed) for n, seed in ((300, 0), (100, 1), (100, 2)))
    few, held = (Part(p.x, np.digitize(p.y, [-1.0, 0.0]).astype(float)) for p in (train, valid))
    probe = Tanimoto(landmarks=150)
    predicted = [
        probe.fit(few, held, kind="multiclass", seed=seed).predict(test.x) for seed in (0, 0, 1)
    ]
    assert predicted[0].shape == (100, 3)
    np.testing.assert_allclose(predicted[0].sum(axis=1), 1, atol=1e-6)
    np.testing.assert_array_equal(predicted[0], predicted[1])
    assert (predicted[0] != predicted[2]).any()
    mean_class = predicted[0] @ np.arange(3)
    assert np.corrcoef(mean_class, test.y)[0, 1] > 0.5


def test_numbers_that_count_no_substructures_are_refused() -> None:
    train = _counts(50, 0)
    train.x[3, 2] = 1e6
    with pytest.raises(InputError, match="counts up to 1000000 are too large"):
        Tanimoto().fit(train, train, kind="regression", seed=0)


@pytest.mark.parametrize("value", [-1.0, 0.5])
def test_what_is_no_count_is_refused(value: float) -> None:
    train = _counts(50, 0)
    train.x[3, 2] = value
    with pytest.raises(InputError, match=r"column 2 of the embeddings.*--only tanimoto=NAME"):
        Tanimoto().fit(train, train, kind="regression", seed=0)


def test_rows_of_another_fingerprint_are_refused() -> None:
    x = _counts(10, 0).x
    for wide, narrow in ((x, x[:, :-1]), (x[:, :-1], x)):
        with pytest.raises(InputError, match="were to be compared with"):
            Counts.of(wide).similarity(narrow)


def test_it_reads_counts_as_they_are_beside_probes_that_read_them_scaled(tmp_path: Path) -> None:
    ends = ("O", "N", "c1ccccc1")
    rows = [f"{'C' * (1 + n % 30)}{ends[n // 30]},{n % 30}" for n in range(90)]
    (tmp_path / "t.csv").write_text("\n".join(["smiles,y", *rows]))
    task = table.read(tmp_path / "t.csv", metric="Spearman")
    settings = QualitySettings(probes=("linear", "tanimoto"), seeds=1, splits=("random",))
    space = Workspace(folder=tmp_path / "out", cache=tmp_path / "cache", jobs=1)
    found = evaluate([task], [make("ecfp4-count")], settings, space)
    assert {score.probe: score.test["Spearman"] > 0.5 for score in found.scores} == {
        "linear": True,
        "tanimoto": True,
    }
    settings = replace(settings, probes=("tanimoto",), labelled=(20, 40), draws=2)
    curve = evaluate([task], [make("ecfp4-count")], settings, space)
    assert {score.labelled for score in curve.scores} == {None, 20, 40}
