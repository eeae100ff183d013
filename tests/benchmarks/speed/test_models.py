"""Embedders as objects on a device."""

from __future__ import annotations

import numpy as np

from molkd.benchmarks import embedders
from molkd.benchmarks.speed import models
from tests.fakes.clocks import FakeClock, TimedTeacher


def test_several_stand_side_by_side_and_fail_together() -> None:
    parts = (TimedTeacher(FakeClock()), TimedTeacher(FakeClock()))
    found = models.SideBySide(parts).embed(["C", "fail"])
    assert found.values.shape == (2, 6)
    assert found.failures == {1: "too hard"}
    assert np.isnan(found.values[1]).all()


def test_only_a_student_can_be_trained() -> None:
    names = ("untrained:tiny", "maccs", "maccs+untrained:tiny")
    made = [embedders.make(name) for name in names]
    assert [models.can_be_trained(one) for one in made] == [True, False, False]


def test_a_student_and_a_teacher_embed_on_the_device_asked_for() -> None:
    student, teacher, both = (
        models.make(name, weights_dir=None, device="cpu")
        for name in ("untrained:tiny", "maccs", "pca:2:maccs+untrained:tiny")
    )
    widths = [one.embed(["CCO", "CCN"]).values.shape[1] for one in (student, teacher, both)]
    assert widths[2] == widths[0] + widths[1]
    assert isinstance(both, models.SideBySide)


def test_networks_are_told_their_device() -> None:
    teacher = models.make("hu-gcn-contextpred", weights_dir=None, device="meta")
    assert getattr(teacher, "device", "") == "meta"
