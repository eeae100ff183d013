"""Splits: disjoint, complete, seeded, and never a duplicate or a scaffold on both sides."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from rdkit import Chem, DataStructs
from rdkit.Chem import rdFingerprintGenerator

from molkd.errors import ConfigError
from molkd.items import splits
from molkd.items.splits import cluster_split, clusters, random_split, scaffold_split, time_split

Keys = st.lists(st.sampled_from("abcdefghij"), min_size=2, max_size=60)
Fraction = st.floats(0.01, 0.99)


@given(keys=Keys, fraction=Fraction, seed=st.integers(0, 2**63))
def test_both_sides_are_disjoint_and_cover_all_rows(
    keys: list[str], fraction: float, seed: int
) -> None:
    assume(len(set(keys)) > 1)
    train, valid = random_split(keys, fraction=fraction, seed=seed)
    assert len(train) > 0
    assert len(valid) > 0
    assert sorted([*train, *valid]) == list(range(len(keys)))
    assert train.dtype == valid.dtype == np.int64
    assert not {keys[row] for row in train} & {keys[row] for row in valid}


@given(keys=Keys, seed=st.integers(0, 100), random=st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(keys: list[str], seed: int, random: object) -> None:
    assume(len(set(keys)) > 1)
    shuffled = keys.copy()
    random.shuffle(shuffled)  # pyright: ignore[reportAttributeAccessIssue]
    sides = [
        {order[row] for row in random_split(order, fraction=0.3, seed=seed)[1]}
        for order in (sorted(keys), sorted(shuffled), sorted(keys, reverse=True))
    ]
    assert sides[0] == sides[1] == sides[2]


@pytest.mark.parametrize("fraction", [0.05, 0.9])
def test_the_share_is_exact_without_duplicates(fraction: float) -> None:
    keys = [str(row) for row in range(1000)]
    train, valid = random_split(keys, fraction=fraction, seed=1)
    assert len(valid) == round(1000 * fraction)
    assert len(train) == 1000 - len(valid)


def test_seeds_give_different_splits_that_do_not_change_with_versions() -> None:
    keys = [str(row) for row in range(12)]
    first, second = (random_split(keys, fraction=0.25, seed=seed)[1].tolist() for seed in (0, 1))
    assert first == [6, 9, 11]
    assert second == [1, 7, 8]


def test_validation_is_a_uniform_draw() -> None:
    drawn = np.zeros(40)
    for seed in range(200):
        drawn[random_split([str(row) for row in range(40)], fraction=0.25, seed=seed)[1]] += 1
    # 50 expected, sd 6.1: five of them either way
    assert 19 < drawn.min() <= drawn.max() < 81


@pytest.mark.parametrize("count", [2, 3, 9])
def test_few_rows_leave_one_on_each_side(count: int) -> None:
    keys = [str(row) for row in range(count)]
    for fraction in (0.01, 0.99):
        train, valid = random_split(keys, fraction=fraction, seed=0)
        assert min(len(train), len(valid)) == 1


def test_groups_larger_than_the_share_give_the_smallest() -> None:
    train, valid = random_split(["a"] * 6 + ["b"] * 4, fraction=0.1, seed=0)
    assert train.tolist() == [0, 1, 2, 3, 4, 5]
    assert valid.tolist() == [6, 7, 8, 9]


@pytest.mark.parametrize("keys", [[], ["a"], ["a", "a", "a"]])
def test_a_single_key_cannot_be_split(keys: list[str]) -> None:
    with pytest.raises(ConfigError, match=f"{len(keys)} rows with . different items cannot be"):
        random_split(keys, fraction=0.5, seed=0)


@pytest.mark.parametrize("fraction", [0.0, 1.0, -1.0, float("nan")])
def test_a_fraction_out_of_range_is_refused(fraction: float) -> None:
    with pytest.raises(ConfigError, match="must lie between 0 and 1"):
        random_split(["a", "b"], fraction=fraction, seed=0)


# == Scaffolds

PHENYL = ["c1ccccc1", "Cc1ccccc1", "C[C@H](N)c1ccccc1", "OC(=O)c1ccccc1", "c1ccccc1.Cl"]
PYRIDYL = ["c1ccncc1", "Cc1ccncc1", "CCCc1ccncc1"]
STYRYL = ["C(=C/c1ccccc1)\\c1ccccc1", "C(=C\\c1ccccc1)\\c1ccccc1", "CC(=Cc1ccccc1)c1ccccc1"]
CHAINS = ["C[C@H](N)C(=O)O", "C[C@@H](N)C(=O)O", "OC(=O)C(C)N"]
OTHERS = ["CCO", "CCN", "[Na+].[Cl-]", "C"]


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**63), fraction=Fraction)
def test_no_scaffold_is_on_both_sides(seed: int, fraction: float) -> None:
    smiles = [*PHENYL, *PYRIDYL, *STYRYL, *CHAINS, *OTHERS]
    train, valid = scaffold_split(smiles, fraction=fraction, seed=seed)
    assert sorted([*train, *valid]) == list(range(len(smiles)))
    inside = {smiles[row] for row in valid}
    for family in (PHENYL, PYRIDYL, STYRYL, CHAINS):
        assert len(inside & set(family)) in (0, len(family))


def test_molecules_without_rings_are_not_one_group() -> None:
    train, valid = scaffold_split([f"{'C' * n}O" for n in range(1, 21)], fraction=0.2, seed=0)
    assert (len(train), len(valid)) == (16, 4)


def test_one_scaffold_cannot_be_split() -> None:
    with pytest.raises(ConfigError, match=r"1 different scaffolds .* or split at random"):
        scaffold_split(PHENYL, fraction=0.5, seed=0)


def test_an_invalid_row_is_named() -> None:
    with pytest.raises(ConfigError, match=r"row 1 \('C\('\): SMILES syntax error; leave invalid"):
        scaffold_split(["C", "C("], fraction=0.5, seed=0)


# == Clusters

ALKYLS = ["CCCCCCCCO", "CCCCCCCCCO", "CCCCCCCCCCO"]
STEROIDS = [
    "CC12CCC3C(CCC4=CC(=O)CCC34C)C1CCC2O",
    "CC12CCC3C(CCC4=CC(=O)CCC34C)C1CCC2OC(C)=O",
    "CC12CCC3C(CCC4=CC(=O)CCC34C)C1CCC2OC(=O)CC",
]
SULFONAMIDES = ["CC(=O)Nc1ccc(S(N)(=O)=O)cc1", "CCC(=O)Nc1ccc(S(N)(=O)=O)cc1"]
FAMILIES = [ALKYLS, STEROIDS, SULFONAMIDES]


@pytest.mark.parametrize("seed", [0, 1])
def test_no_cluster_is_on_both_sides(seed: int) -> None:
    smiles = [text for family in FAMILIES for text in family] + ["OCCCCCCCC"]  # the first again
    train, valid = cluster_split(smiles, fraction=0.3, seed=seed)
    assert sorted([*train, *valid]) == list(range(len(smiles)))
    inside = {smiles[row] for row in valid}
    assert 0 < len(inside) < len(smiles)
    for family in ([*ALKYLS, "OCCCCCCCC"], STEROIDS, SULFONAMIDES):
        assert len(inside & set(family)) in (0, len(family))


def test_members_are_near_their_centre_and_centres_are_not_near_each_other() -> None:
    smiles = [*PHENYL, *PYRIDYL, *STYRYL, *CHAINS, *OTHERS, *ALKYLS, *STEROIDS, *SULFONAMIDES]
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048)
    bits = {text: generator.GetFingerprint(Chem.MolFromSmiles(text)) for text in smiles}
    for distance in (0.2, 0.6, 0.9):
        centres = dict(zip(smiles, clusters(smiles, distance=distance), strict=True))
        for text, centre in centres.items():
            other = generator.GetFingerprint(Chem.MolFromSmiles(centre))
            assert 1 - DataStructs.TanimotoSimilarity(bits[text], other) <= distance
        assert len(set(centres.values())) > 1
    assert len(set(clusters(smiles, distance=0.2))) > len(set(clusters(smiles, distance=0.9)))


def test_clusters_do_not_depend_on_the_order_of_rows() -> None:
    smiles = [*PHENYL, *PYRIDYL, *STYRYL, *STEROIDS]
    forward = dict(zip(smiles, clusters(smiles), strict=True))
    assert dict(zip(smiles[::-1], clusters(smiles[::-1]), strict=True)) == forward


def test_too_many_molecules_are_not_clustered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(splits, "MOST_CLUSTERED", 2)
    assert len(clusters(["C", "CC", "C"])) == 3
    with pytest.raises(ConfigError, match=r"3 different molecules are too many .*by scaffold"):
        clusters(["C", "CC", "CCC"])


def test_clustering_refuses_what_makes_no_sense() -> None:
    with pytest.raises(ConfigError, match=r"row 1 \('C\('\)"):
        clusters(["C", "C("])
    with pytest.raises(ConfigError, match=r"must lie in \[0, 1\)"):
        cluster_split(["C", "CC"], fraction=0.5, seed=0, distance=1.0)
    with pytest.raises(ConfigError, match=r"1 different clusters .*or split at random"):
        cluster_split(ALKYLS, fraction=0.5, seed=0)


# == Time


def test_the_newest_rows_are_for_validation() -> None:
    times = np.array([2003.0, 2001, 2010, 2002, 2009, 2004, 2000, 2005, 2008, 2006])
    keys = [str(row) for row in range(10)]
    train, valid = time_split(keys, times, fraction=0.3, seed=0)
    assert valid.tolist() == [2, 4, 8]
    assert sorted([*train, *valid]) == list(range(10))


def test_a_molecule_counts_from_its_first_measurement() -> None:
    times = np.array([2000.0, 2020, 2010, 2011, 2012])
    _, valid = time_split(["a", "a", "b", "c", "d"], times, fraction=0.4, seed=0)
    assert valid.tolist() == [3, 4]


@given(
    data=st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 5)), min_size=2),
    fraction=Fraction,
)
def test_time_and_keys_are_never_mixed(data: list[tuple[str, int]], fraction: float) -> None:
    keys = [key for key, _ in data]
    assume(len(set(keys)) > 1)
    times = np.array([float(time) for _, time in data])
    train, valid = time_split(keys, times, fraction=fraction, seed=3)
    assert min(len(train), len(valid)) > 0
    assert sorted([*train, *valid]) == list(range(len(keys)))
    assert not {keys[row] for row in train} & {keys[row] for row in valid}
    first = {key: min(times[[k == key for k in keys]]) for key in keys}
    assert max(first[keys[row]] for row in train) <= min(first[keys[row]] for row in valid)


def test_the_seed_decides_ties_alone() -> None:
    times = np.repeat([2001.0, 2000], [10, 10])
    keys = [str(row) for row in range(20)]
    drawn = {tuple(time_split(keys, times, fraction=0.2, seed=seed)[1]) for seed in range(5)}
    assert len(drawn) > 1
    assert all(max(rows) < 10 for rows in drawn)


def test_a_row_without_time_is_named() -> None:
    with pytest.raises(ConfigError, match="row 1 has no time"):
        time_split(["a", "b"], np.array([1.0, np.nan]), fraction=0.5, seed=0)
