"""Exact ranks against a plain sort; metrics against scikit-learn and RDKit."""

from __future__ import annotations

import numpy as np
import pytest
from rdkit import Chem, DataStructs
from rdkit.Chem import rdFingerprintGenerator
from sklearn.metrics.pairwise import cosine_similarity
from sklearn.preprocessing import StandardScaler

from molkd.benchmarks.analogues import search
from molkd.benchmarks.analogues.search import Cosine, Tanimoto

SMILES = ["CCO", "CCN", "c1ccccc1", "Cc1ccccc1", "CC(=O)Oc1ccccc1C(=O)O", "C"]


def _random(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def test_cosine_and_standardised_cosine_are_those_of_scikit_learn() -> None:
    x, y = _random(5, 7) * 1e25, _random(9, 7, seed=1) * 1e25  # squares overflow float32
    x[0] = 0
    plain = Cosine()
    found = plain.between(plain.place(x), plain.place(y))
    assert found == pytest.approx(cosine_similarity(x.astype(float), y.astype(float)), abs=1e-6)
    y[:, 3] = 4.0  # constant
    own = search.standardised([y[:4], y[4:]])
    scaler = StandardScaler().fit(y.astype(float))
    expected = cosine_similarity(
        scaler.transform(x.astype(float)), scaler.transform(y.astype(float))
    )
    assert own.between(own.place(x), own.place(y)) == pytest.approx(expected, abs=1e-5)


def test_tanimoto_is_that_of_rdkit() -> None:
    generator = rdFingerprintGenerator.GetMorganGenerator(2, fpSize=256)
    bits = [generator.GetFingerprint(Chem.MolFromSmiles(text)) for text in SMILES]
    x = np.array([list(one) for one in bits] + [[0] * 256], dtype=np.float32)
    tanimoto = Tanimoto()
    found = tanimoto.between(tanimoto.place(x), tanimoto.place(x))
    expected = [DataStructs.BulkTanimotoSimilarity(one, bits) for one in bits]
    assert found[:-1, :-1] == pytest.approx(np.array(expected))
    assert not found[-1].any()


@pytest.mark.parametrize("chunk", [7, 100])
@pytest.mark.parametrize("similarity", [Cosine(), Tanimoto()], ids=["cosine", "tanimoto"])
def test_ranks_are_those_of_a_plain_sort(
    similarity: search.Similarity, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "_BLOCK", 3)
    series = [np.maximum(_random(m, 12, seed=m), 0) for m in (2, 5, 4)]
    decoys = np.maximum(_random(60, 12, seed=9), 0)
    chunks = [decoys[start : start + chunk] for start in range(0, len(decoys), chunk)]
    found = search.ranks(similarity, series, iter(chunks))
    assert [len(own) for own in found] == [2, 5, 4]
    for own, members in zip(found, series, strict=True):
        for row, ranks in enumerate(own):
            others = np.delete(members, row, axis=0)
            pool = similarity.place(np.concatenate([decoys, others]))
            near = similarity.between(similarity.place(members[row : row + 1]), pool)[0]
            order = np.argsort(-near.round(5), kind="stable")  # decoys first among equal ones
            assert ranks.tolist() == (np.flatnonzero(order >= len(decoys)) + 1).tolist()


def test_an_embedding_that_says_nothing_finds_nothing() -> None:
    (own,) = search.ranks(Cosine(), [np.ones((3, 4), np.float32)], [np.ones((50, 4), np.float32)])
    assert [ranks.tolist() for ranks in own] == [[51, 52]] * 3


def test_the_share_is_of_as_many_as_can_be_found() -> None:
    assert search.share(np.array([1, 3, 80]), 50) == pytest.approx(2 / 3)
    assert search.share(np.arange(1, 101), 50) == 1
