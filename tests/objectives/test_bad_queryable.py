"""Live teachers that are absent, cannot read an item, or are asked for by mistake."""

from __future__ import annotations

from typing import cast

import pytest
import torch

from molkd import objectives
from molkd.errors import ConfigError
from molkd.objectives.diverse.objective import Diverse
from tests.fakes.queryable_teachers import Letters
from tests.objectives import samples
from tests.objectives.queryable_samples import (
    ITEMS,
    ask,
    make_diverse,
    make_queryable,
    make_targets,
)


def test_an_item_that_a_live_teacher_cannot_read_is_absent_for_its_answer():
    live = make_queryable("real", "bits")
    objective, features = make_diverse(live), samples.features()
    items = [*ITEMS[:2], "", *ITEMS[3:]]
    targets = make_targets(live, items=items)
    able, weights, _, answers = ask(objective, features, targets)
    for place, name in enumerate(objective.specs):
        expected = [name not in live or bool(item) for item in items]
        assert able[place].tolist() == expected
        assert (weights[place] > 0).tolist() == expected
        assert answers[place].any(dim=1).tolist() == expected
    loss = objective(features, targets)
    assert live["real"].forwards == 2 * (len(items) - 1)
    present = torch.ones(samples.BATCH, dtype=torch.bool)
    anchor = objective.anchors["to real"](features.embedding) - targets.values["real"]
    assert loss.parts["real"].item() == pytest.approx(
        anchor[present].square().mean().item(), rel=1e-5
    )  # the embedding predicts what the bank holds all the same
    loss.total.backward()
    assert all(one.grad is None or one.grad.isfinite().all() for one in objective.parameters())


def test_an_item_without_any_row_in_the_bank_is_not_run_and_spoils_nothing():
    live = make_queryable("real")
    objective = make_diverse(live, "real")
    targets = make_targets(live, "real")
    targets.values["real"][1:] = torch.nan
    targets.present["real"][1:] = False
    cast("Letters", targets.queried["real"]).counts[1:] = torch.nan
    objective(samples.features(), targets).total.backward()
    assert live["real"].forwards == 1
    targets.present["real"][:] = False
    loss = objective(samples.features(), targets)
    loss.total.backward()
    assert live["real"].forwards == 1
    assert loss.total.item() == 0
    assert loss.facts["live forwards real"].isnan()
    assert all(one.grad is None or one.grad.isfinite().all() for one in objective.parameters())


def test_losses_under_autocast_are_close_and_in_single_precision():
    live = make_queryable("real", "bits")
    objective, features, targets = make_diverse(live), samples.features(), make_targets(live)
    expected = objective(features, targets)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = objective(features, targets)
    assert found.total.dtype == torch.float32
    assert found.total.item() == pytest.approx(expected.total.item(), rel=0.05)


# Who cannot


def test_a_teacher_that_is_not_there_is_refused():
    settings = objectives.configured("diverse", {"queried": ["bit"]})
    for refused in (
        lambda: settings.check_teachers(["bits", "real"]),
        lambda: Diverse(samples.FEATURES, samples.specs(), settings, make_queryable("bit")),
    ):
        with pytest.raises(
            ConfigError,
            match=r"objective.queried: 'bit' is not among .*bits.*real.* Did you mean 'bits'\?",
        ):
            refused()


def test_a_teacher_that_is_not_handed_over_is_refused():
    settings = objectives.configured("diverse", {"queried": ["real", "bits"]})
    with pytest.raises(ConfigError, match="queried: bits cannot be asked: hand the teachers"):
        settings.build(samples.FEATURES, samples.specs(), queryable=make_queryable("real"))


@pytest.mark.parametrize("name", ["mi", "mse", "cosine", "unic"])
def test_other_objectives_ask_nobody(name: str):
    settings = objectives.configured(name)
    assert settings.queried_teachers == ()
    with pytest.raises(ConfigError, match="unknown setting 'queried'"):
        objectives.configured(name, {"queried": ["real"]})


def test_teachers_that_are_not_live_are_asked_through_the_bank():
    live = make_queryable("real")
    objective = make_diverse(live)
    kinds = {name: type(module).__name__ for name, module in objective.answers.items()}
    assert kinds == {"to bits": "Gate", "to counts": "Gate", "to real": "QueriedAnswer"}
    other = make_diverse({})
    assert other.settings.queried_teachers == ()
    more = other.settings.build(samples.FEATURES, samples.specs(), queryable=live)
    more(samples.features(), samples.targets())
    assert live["real"].forwards == 0
