"""Teacher dropping: the rule beside a loop, its share of chance, and teachers that are noise."""

from __future__ import annotations

import copy
import warnings

import pytest
import torch
from torch import Tensor

from molkd.objectives.dropping import Hardness, TeacherDropping, kept

TEACHERS, ROWS = 4, 2000


def _draws(seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """Losses, who is present (in some rows nobody) and uniforms."""
    rng = torch.Generator().manual_seed(seed)
    losses, share, uniforms = torch.rand(3, TEACHERS, ROWS, generator=rng)
    present = share < 0.7
    assert not present.any(dim=0).all()
    return losses, present, uniforms


def _dropping(
    teachers: int = TEACHERS, probability: float = 0.5, hardness: Hardness = "absolute"
) -> TeacherDropping:
    return TeacherDropping([f"t{i}" for i in range(teachers)], probability, hardness)


def test_the_rule_is_that_of_a_loop():
    losses, present, uniforms = _draws()
    counted = kept(losses, present, uniforms, 0.5)
    for b in range(ROWS):
        here = [i for i in range(TEACHERS) if present[i, b]]
        hardest = max(here, key=lambda i: losses[i, b].item(), default=None)
        for i in range(TEACHERS):
            expected = i in here and (i == hardest or uniforms[i, b].item() >= 0.5)
            assert counted[i, b].item() == expected


@pytest.mark.parametrize("sign", [1, -1])
def test_the_hardest_present_teacher_always_counts_whatever_the_sign_of_its_loss(sign: int):
    losses, present, uniforms = _draws()
    losses = sign * (losses + 1)
    losses[~present] = 1e9
    counted = kept(losses, present, uniforms, 1.0)
    assert torch.equal(counted.sum(dim=0) == 1, present.any(dim=0))
    best = torch.where(present, losses, -torch.inf).max(dim=0).values
    assert torch.equal(losses.T[counted.T], best[present.any(dim=0)])


def test_without_probability_all_present_count():
    losses, present, uniforms = _draws()
    assert torch.equal(kept(losses, present, uniforms, 0.0), present)
    assert torch.equal(_dropping(probability=0.0)(losses, present), present)


@pytest.mark.parametrize("probability", [0.2, 0.5, 0.8])
def test_as_many_count_as_chance_says_and_each_row_draws_for_itself(probability: float):
    torch.manual_seed(0)
    losses, everyone = torch.rand(TEACHERS, 20_000), torch.ones(TEACHERS, 20_000, dtype=torch.bool)
    counted = _dropping(probability=probability)(losses, everyone).sum(dim=0).double()
    error = counted.std() / len(counted) ** 0.5
    assert abs(counted.mean() - (1 + 3 * (1 - probability))) < 3 * error
    binomial = 3 * probability * (1 - probability)
    assert counted.var().item() == pytest.approx(binomial, rel=0.05)


def test_evaluation_drops_nothing_and_learns_nothing():
    losses, present, _ = _draws()
    dropping = _dropping(hardness="relative")
    dropping(losses, present)
    before, random = copy.deepcopy(dropping.state_dict()), torch.get_rng_state()
    assert torch.equal(dropping.eval()(losses, present), present)
    assert torch.equal(torch.get_rng_state(), random)
    assert all(torch.equal(value, before[name]) for name, value in dropping.state_dict().items())


def test_the_share_of_the_hardest_is_that_of_the_rows_with_teachers():
    losses, present, _ = _draws()
    dropping = _dropping()
    dropping(losses, present)
    hardest = torch.where(present, losses, -1.0).argmax(dim=0)[present.any(dim=0)]
    expected = torch.tensor([(hardest == i).float().mean() for i in range(TEACHERS)])
    torch.testing.assert_close(dropping.hardest, expected)
    nobody = torch.zeros_like(present)
    assert not dropping(losses, nobody).any()
    torch.testing.assert_close(dropping.hardest, expected)


def _steps(dropping: TeacherDropping, steps: int, noise: float = 1.0, rows: int = 32) -> None:
    """Three teachers are learnt, with losses near 0.1; the last one is as hard as its noise."""
    rng = torch.Generator().manual_seed(0)
    level = torch.tensor([0.1, 0.1, 0.1, noise])[:, None]
    for _ in range(steps):
        losses = level * (1 + 0.2 * torch.randn(TEACHERS, rows, generator=rng))
        dropping(losses, torch.ones(TEACHERS, rows, dtype=torch.bool))


def test_a_noise_teacher_is_the_hardest_of_all_rows_unless_hardness_is_relative():
    absolute, relative = _dropping(), _dropping(hardness="relative")
    _steps(absolute, 150)
    _steps(relative, 150)
    assert absolute.hardest[3] > 0.99
    torch.testing.assert_close(relative.hardest, torch.full((4,), 0.25), atol=0.05, rtol=0)


def test_relative_hardness_ignores_what_teachers_are_measured_in():
    one, other = _dropping(hardness="relative"), _dropping(hardness="relative")
    scale, shift = torch.tensor([[1.0], [5.0], [0.1], [2.0]]), torch.tensor([[0.0], [1], [-3], [4]])
    for seed in range(20):
        losses, present, _ = _draws(seed)
        one(losses, present)
        other(losses * scale + shift, present)
    torch.testing.assert_close(one.hardest, other.hardest, atol=2e-3, rtol=0)


def test_a_teacher_that_is_first_seen_late_is_not_the_hardest_for_that():
    dropping = _dropping(hardness="relative")
    for seed in range(60):
        losses, present, _ = _draws(seed)
        present[3] &= seed >= 50
        dropping(losses, present)
    assert dropping.hardest[3] < 0.05  # of a quarter, in 10 of the 100 steps that are remembered


def test_a_teacher_that_crowds_the_others_out_is_named_once():
    dropping = _dropping()
    with pytest.warns(UserWarning, match="'t3' is the hardest .* or set drop_by") as said:
        _steps(dropping, 900, rows=4)
    assert len(said) == 1


def test_the_warning_also_comes_when_the_others_are_learnt_later():
    dropping = _dropping()
    _steps(dropping, 250, noise=0.1)
    with pytest.warns(UserWarning, match="teacher 't3'"):
        _steps(dropping, 600)


@pytest.mark.parametrize(
    ("dropping", "noise"),
    [
        (_dropping(), 0.12),
        (_dropping(hardness="relative"), 1.0),
        (_dropping(probability=0.0), 1.0),
    ],
)
def test_no_warning_where_nobody_is_crowded_out(dropping: TeacherDropping, noise: float):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _steps(dropping, 401, noise=noise)


def test_a_single_teacher_is_no_reason_to_warn():
    dropping = _dropping(teachers=1)
    everyone = torch.ones(1, 4, dtype=torch.bool)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(401):
            assert torch.equal(dropping(torch.rand(1, 4), everyone), everyone)
