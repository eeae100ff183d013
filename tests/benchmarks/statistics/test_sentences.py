"""What a comparison concludes: every verdict, its numbers and its caveats."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from molkd.benchmarks import statistics
from molkd.benchmarks.statistics import Against, ScoreTable, Section, sentences, significance

TWENTY = tuple(f"{chr(97 + place)}_task" for place in range(20))
STEPS = np.linspace(0.01, 0.05, 20)


def section(
    values: np.ndarray,
    *,
    tasks: Sequence[str] = TWENTY,
    split: str = "random",
    metrics: Sequence[str] | None = None,
    left_out: Sequence[str] = (),
) -> Section:
    """Embedders "ours", "other", "third", ... on tasks, the same with two seeds unless shaped."""
    array = np.asarray(values, dtype=np.float64)
    array = np.stack([array, array], axis=2) if array.ndim == 2 else array
    names = ("ours", "other", "third", "fourth")[: array.shape[1]]
    table = ScoreTable(tuple(tasks), names, array)
    own = tuple(metrics or ["AUROC"] * len(tasks))
    return Section("group", "linear", split, table, own, tuple(left_out))


def said(given: Section) -> list[str]:
    return sentences.sentences(given, statistics.compare(given.table, "ours"))


def the(found: Sequence[str], words: str) -> str:
    """The one sentence that holds the words."""
    (one,) = [sentence for sentence in found if words in sentence]
    return one


def test_a_better_embedder_is_called_better() -> None:
    other = -STEPS
    other[3] = 0.01
    found = said(section(np.column_stack([0 * STEPS, other])))
    pair = the(found, "ours is better than other")
    assert "ahead on 19 of 20 tasks, mean difference .029 (95 % .022 to .035)" in pair
    assert pair.endswith("p < .0001.")
    assert not any("hangs" in sentence for sentence in found)


def test_a_worse_embedder_is_called_worse() -> None:
    found = said(section(np.column_stack([0 * STEPS, STEPS])))
    assert "ahead on 0 of 20 tasks, mean difference -.030" in the(found, "ours is worse than other")


def test_chance_is_called_undecided() -> None:
    alternating = STEPS * np.where(np.arange(20) % 2, 1, -1)
    found = said(section(np.column_stack([0 * STEPS, alternating])))
    pair = the(found, "ours and other cannot be told apart")
    assert "ours is ahead on 10 of 20 tasks" in pair


def test_ties_are_counted_and_full_ties_said() -> None:
    other = -STEPS
    other[:2] = 0
    found = said(section(np.column_stack([0 * STEPS, other, 0 * STEPS])))
    assert "ahead on 18 of 20 tasks, tied on 2" in the(found, "better than other")
    assert "ours and third" in the(found, "the same score on every task")


def test_p_values_are_after_holm_where_there_are_several() -> None:
    found = said(section(np.column_stack([0 * STEPS, -STEPS, -2 * STEPS])))
    assert "after Holm." in the(found, "better than other")


def test_no_better_without_the_interval() -> None:
    # Ahead on all tasks but one, which outweighs them: the test over ranks does not see how far.
    other = -STEPS
    other[7] = 2.0
    found = said(section(np.column_stack([0 * STEPS, other])))
    assert not any("better than other" in sentence for sentence in found)
    assert "neither is called better" in the(found, "ours and other: ")


def test_a_task_that_turns_the_sign_is_named() -> None:
    other = -STEPS
    other[7] = 2.0
    found = said(section(np.column_stack([0 * STEPS, other])))
    assert "hangs on one task: .030 without h_task." in the(found, "The sign of the mean")


def test_a_task_that_makes_the_difference_significant_is_named() -> None:
    # Five gains and no loss reach p = .0625, six .03125.
    other = np.array([-1.0, -2.0, -3.0, -4.0, -5.0, -6.0])
    tasks = ("a", "b", "c", "d", "e", "f")
    found = said(section(np.column_stack([0 * other, other]), tasks=tasks))
    hinge = the(found, "differs significantly")
    assert "hangs on any one of 6 tasks, as in p = .062 without a, p = .062 without b" in hinge


def test_a_task_that_hides_a_difference_is_named() -> None:
    other = -STEPS[:9]
    other[4] = 0.2
    given = section(np.column_stack([0 * other, other]), tasks=TWENTY[:9])
    assert statistics.compare(given.table, "ours").against["other"].p > 0.05
    assert "one task: p = .0078 without e_task" in the(said(given), "differs significantly")


def test_a_task_that_carries_the_margin_is_named() -> None:
    other = -STEPS
    other[11] = -1.0
    found = said(section(np.column_stack([0 * STEPS, other])))
    assert "comes from l_task" in the(found, "More than half of the mean difference")


def test_few_tasks_can_show_nothing() -> None:
    values = np.column_stack([np.ones(4), np.arange(4) / 10])
    found = said(section(values, tasks=("a", "b", "c", "d")))
    assert "p = .12 " in the(found, "4 tasks cannot show any difference")
    assert "ours and other cannot be told apart" in " ".join(found)


def test_one_task_is_readable() -> None:
    found = said(section(np.array([[0.9, 0.5]]), tasks=("a",)))
    pair = the(found, "told apart")
    for fact in ("ahead on 1 of 1 task,", "mean difference .400", "p = 1."):
        assert fact in pair
    assert the(found, "cannot show").startswith("1 task cannot")


def test_one_embedder_is_not_compared() -> None:
    found = said(section(np.array([[0.9], [0.5]]), tasks=("a", "b")))
    assert len(found) == 1
    assert "linear" in found[0]


def test_ranks_of_all_embedders() -> None:
    base = np.random.default_rng(0).normal(size=20)
    close = base + 0.01 * (np.arange(20) < 12) - 0.005  # better in 12 tasks, worse in 8
    found = said(section(np.column_stack([base, close, base - 1, base - 2])))
    best = the(found, "other has the best mean rank, 1.40")
    assert "4 embedders on 20 tasks of group" in best
    friedman = the(found, "Friedman")
    assert "The embedders rank differently" in friedman
    assert "are 1.05 or more apart (Nemenyi)" in friedman
    assert "so ours cannot be told apart from the best by rank." in friedman


def test_a_leader_far_from_all_others() -> None:
    base = np.random.default_rng(0).normal(size=20)
    found = said(section(np.column_stack([base, base - 1, base - 2])))
    assert "so no other comes near the best." in the(found, "Friedman")


def test_ranks_that_may_be_chance() -> None:
    values = np.random.default_rng(3).normal(size=(20, 4))
    assert "may be chance (Friedman" in the(said(section(values)), "Friedman")


def test_leaders_that_tie_are_all_named() -> None:
    values = np.array([[1.0, 2.0, 0.0], [2.0, 1.0, 0.0]])
    assert "ours and other have the best mean rank, 1.50" in said(section(values, tasks="ab"))[0]


def test_caveats_depend_on_the_data() -> None:
    values = np.column_stack([0 * STEPS, -STEPS])
    plain = " ".join(said(section(values)))
    for words in ("Test rows are the same", "one seed", "left out", "mix", "independent"):
        assert words not in plain
    assert "holds for the probe linear, random splits" in plain
    tasks = ("g:cyp2c9_veith", "g:cyp2d6_veith", "g:herg", *TWENTY[:17])
    found = said(
        section(
            values,
            tasks=tasks,
            split="given",
            metrics=["AUROC"] * 12 + ["Spearman"] * 8,
            left_out=["dili"],
        )
    )
    assert "seeds vary the validation rows" in the(found, "Test rows")
    assert "2 tasks named cyp... are related" in the(found, "independent")
    assert "AUROC on 12 tasks and Spearman on 8 tasks" in the(found, "mix")
    assert the(found, "left out").endswith("dili.")
    assert "one seed" in " ".join(said(section(values[:, :, None])))


def against(**changed: float) -> Against:
    fields = {"wins": 9, "losses": 1, "low": 0.1, "high": 0.3, "p_holm": 0.01, **changed}
    return Against(
        wins=int(fields["wins"]),
        ties=0,
        losses=int(fields["losses"]),
        mean_difference=0.0,
        low=fields["low"],
        high=fields["high"],
        p=0.0,
        p_holm=fields["p_holm"],
    )


def test_decided_needs_test_interval_and_direction() -> None:
    assert sentences.decided(against()) == 1
    assert sentences.decided(against(p_holm=0.05)) == 0
    assert sentences.decided(against(low=-0.1)) == 0
    assert sentences.decided(against(wins=1, losses=9)) == 0
    assert sentences.decided(against(wins=1, losses=9, low=-0.3, high=-0.1)) == -1


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0481, ".048"), (-0.0123, "-.012"), (-0.0001, ".000"), (1.2, "1.200"), (-10.5, "-10.500")],
)
def test_number(value: float, text: str) -> None:
    assert sentences.number(value) == text


@pytest.mark.parametrize(
    ("p", "text"),
    [
        (0.000412, "p = .00041"),
        (0.04962, "p = .0496"),
        (0.0504, "p = .0504"),
        (0.412, "p = .41"),
        (1.0, "p = 1"),
        (0.00009, "p < .0001"),
    ],
)
def test_p_value(p: float, text: str) -> None:
    assert sentences.p_value(p) == text


def test_null_data_are_seldom_called_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(significance, "RESAMPLES", 500)
    rng = np.random.default_rng(0)
    wrong = sum(
        any(
            map(
                sentences.decided,
                statistics.compare(
                    ScoreTable(TWENTY, ("a", "b", "c", "d"), rng.normal(size=(20, 4, 1))), "a"
                ).against.values(),
            )
        )
        for _ in range(60)
    )
    assert wrong <= 8  # 60 draws at .05: more than 8 in 2 of 1,000 cases
