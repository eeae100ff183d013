"""What a series is: actives of one target, one scaffold, each skeleton once."""

from __future__ import annotations

import numpy as np
import pytest

from molkd.benchmarks.analogues import series
from molkd.benchmarks.analogues.series import Series, Tables
from molkd.benchmarks.quality import leakage
from molkd.benchmarks.tasks.task import Task
from molkd.errors import InputError

CORE = "c1ccc(-c2ccc(-c3ccccc3)cc2)cc1"
GROUPS = ("C", "CC", "O", "N", "F", "Cl")


def terphenyls(count: int) -> list[str]:
    return [f"{group}{CORE}" for group in GROUPS[:count]]


def task(name: str, molecules: dict[str, float]) -> Task:
    """A target: SMILES -> nM."""
    return Task(
        name=name,
        group="moleculeace",
        kind="regression",
        metric="RMSE",
        items=tuple(molecules),
        labels=-np.log10(np.array(list(molecules.values())))[:, None],
    )


def test_actives_of_one_scaffold_are_a_series() -> None:
    molecules = dict.fromkeys(terphenyls(5), 1000.0) | {f"Br{CORE}": 1001.0, "CCO": 1.0}
    tables = Tables.of([task("t", molecules)])
    assert tables.series == (Series("t", CORE, tuple(terphenyls(5))),)
    assert tables.skeletons == set(leakage.skeletons(list(molecules)))  # of the inactive ones too


def test_small_scaffolds_and_small_series_do_not_count() -> None:
    biphenyls = {f"{group}c1ccc(-c2ccccc2)cc1": 1.0 for group in GROUPS}
    with pytest.raises(InputError, match="no series is left: expected 5 actives"):
        Tables.of([task("t", biphenyls | dict.fromkeys(terphenyls(4), 1.0))])


def test_stereoisomers_and_charge_states_count_once() -> None:
    forms = [f"C[C@H](N){CORE}", f"C[C@@H](N){CORE}", f"CC([NH3+]){CORE}"]
    with pytest.raises(InputError, match="no series is left"):
        Tables.of([task("t", dict.fromkeys([*terphenyls(3), *forms], 1.0))])
    (found,) = Tables.of([task("t", dict.fromkeys([*terphenyls(4), *forms], 1.0))]).series
    assert found.members == (*terphenyls(4), forms[0])


def test_a_scaffold_of_two_targets_counts_where_it_has_most_actives() -> None:
    few, many = (dict.fromkeys(terphenyls(count), 1.0) for count in (5, 6))
    (found,) = Tables.of([task("a", few), task("b", many)]).series
    assert found.target == "b"


def test_what_cannot_be_read_is_no_member() -> None:
    (found,) = Tables.of([task("t", dict.fromkeys(["C1CC", *terphenyls(5)], 1.0))]).series
    assert len(found.members) == 5


def test_members_that_an_embedder_cannot_read_are_left_out() -> None:
    whole = Series("t", CORE, tuple(terphenyls(6)))
    (left,) = series.of_readable([whole], set(terphenyls(5)))
    assert left == Series("t", CORE, tuple(terphenyls(5)))
    with pytest.raises(InputError, match="which all embedders read"):
        series.of_readable([whole], set(terphenyls(4)))


def test_a_framework_joins_scaffolds_of_one_shape() -> None:
    shape = "C1CCC(C2CCC(C3CCCCC3)CC2)CC1"
    assert series.framework(CORE) == shape
    assert series.framework("O=C1C=CC(=C2CCC(c3ccncc3)SC2)CS1(=O)=O") == shape
    assert series.framework("CCO") == ""


def test_members_by_framework_have_different_scaffolds() -> None:
    rings = ["c1ccc(X)cc1", "c1cnc(X)cc1", "c1cc(X)ccn1", "C1CCC(X)CC1", "C1CCN(X)CC1"]
    hops = [ring.replace("X", "-c2ccc(-c3ccccc3)cc2") for ring in rings]
    molecules = dict.fromkeys([*hops, *terphenyls(3)], 1.0)
    tables = Tables.of([task("t", molecules)], by="framework")
    (found,) = tables.series
    assert found == Series("t", "C1CCC(C2CCC(C3CCCCC3)CC2)CC1", tuple(hops))
    assert len(tables.scaffolds) == 5
    with pytest.raises(InputError, match="no series is left"):
        Tables.of([task("t", molecules)])
