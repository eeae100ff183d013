"""The plot of the losses: every line is seen, and told from the others."""

from __future__ import annotations

import itertools
import math

import pytest

from molkd.distillation import report


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
