"""What a distillation says of itself; its plot shows every line, told from the others."""

from __future__ import annotations

import itertools
import math

import pytest

from molkd.distillation import report
from molkd.information.estimate import Information


def _history(teachers: int, epochs: int) -> list[dict[str, float]]:
    return [
        {"epoch": float(epoch), "train": 1.0, "valid": 0.9}
        | {f"valid/teacher-with-a-long-name-{n}": n / (1 + epoch) for n in range(teachers)}
        for epoch in range(epochs)
    ]


@pytest.mark.parametrize("teachers", [1, 13, 40])
def test_no_two_lines_are_drawn_alike(teachers: int) -> None:
    figure = report.losses_figure(_history(teachers, 3), "nats")
    lines = figure.axes[0].get_lines()
    assert len(lines) == teachers + 2
    looks = {(line.get_color(), line.get_linestyle(), line.get_marker()) for line in lines}
    assert len(looks) == len(lines)


@pytest.mark.parametrize("teachers", [1, 13, 40])
def test_the_legend_hides_nothing_and_is_whole(teachers: int) -> None:
    figure = report.losses_figure(_history(teachers, 3), "nats")
    figure.draw_without_rendering()
    (legend,) = figure.legends
    box, axes = legend.get_window_extent(), figure.axes[0].get_window_extent()
    assert not box.overlaps(axes)
    assert axes.width > 0.5 * figure.bbox.width
    assert figure.bbox.y0 <= box.y0 < box.y1 <= figure.bbox.y1
    assert box.x1 <= figure.bbox.x1
    assert len(legend.get_texts()) == teachers + 2


def test_teachers_are_listed_from_the_highest_loss_to_the_lowest() -> None:
    figure = report.losses_figure(_history(5, 2), "nats")
    last = [line.get_ydata()[-1] for line in figure.axes[0].get_lines()[2:]]
    assert last == sorted(last, reverse=True)


def test_one_epoch_is_seen_and_a_teacher_without_rows_does_no_harm() -> None:
    history = _history(2, 1)
    history[0]["valid/teacher-with-a-long-name-0"] = math.nan
    lines = report.losses_figure(history, "nats").axes[0].get_lines()
    assert not {"", "None", None} & {line.get_marker() for line in lines}
    assert report.plot_losses(history, "nats").startswith(b"\x89PNG")


def test_epochs_are_whole_numbers() -> None:
    figure = report.losses_figure(_history(2, 3), "nats")
    figure.draw_without_rendering()
    ticks = figure.axes[0].get_xticks()
    assert all(float(tick).is_integer() for tick in ticks)
    assert all(a < b for a, b in itertools.pairwise(ticks))


def _known(r2: float, untrained: float | None) -> Information:
    return Information(
        conditional_entropy=1.0,
        marginal_entropy=2.0,
        r2=r2,
        dim=3,
        rows=100,
        r2_untrained=untrained,
    )


def test_a_student_that_learnt_is_set_beside_an_untrained_one() -> None:
    (said,) = report.sentences({"a": _known(0.8, 0.5), "b": _known(0.6, 0.3)})
    assert "explains 0.70 linearly (R2, mean over teachers)" in said
    assert said.endswith("the same network untrained 0.40.")


@pytest.mark.parametrize(
    ("r2", "untrained", "unlearnt"), [(0.52, 0.5, False), (0.5, 0.6, True), (0.5, 0.5, True)]
)
def test_a_student_that_learnt_little_says_so_and_what_helps(
    r2: float, untrained: float, unlearnt: bool
) -> None:
    said = " ".join(report.sentences({"a": _known(r2, untrained)}))
    assert ("Of a it knows no more, linearly, than before training." in said) is unlearnt
    assert "more molecules, or more passes over these (--epochs)" in said


def test_one_teacher_that_was_not_learnt_is_named_though_others_were() -> None:
    said = " ".join(report.sentences({"a": _known(0.9, 0.1), "b": _known(0.2, 0.3)}))
    assert "Of b it knows no more" in said
    assert "That is little" not in said  # of the others it did learn


def test_what_was_not_compared_is_not_spoken_of() -> None:
    alone = {"a": _known(0.9, math.nan), "b": _known(0.9, None)}
    assert report.sentences(alone) == []
    assert [line[5] for line in report.table(alone)] == ["R2 untrained", "nan", ""]
    assert report.sentences({}) == []
