"""The study of the likelihood: students, records, resuming, and what the report says."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import torch
from scipy import stats
from torch import nn

from molkd.benchmarks.statistics.across_runs import paired_t
from molkd.benchmarks.statistics.sentences import number
from molkd.benchmarks.studies.likelihood import __main__
from molkd.benchmarks.studies.likelihood.__main__ import QUICK, VARIANTS, StudyJob, StudySettings
from molkd.benchmarks.studies.likelihood.conditions import CONDITIONS, make
from molkd.benchmarks.studies.likelihood.records import REFERENCE, Record, rows
from molkd.benchmarks.studies.likelihood.report import report
from molkd.benchmarks.studies.likelihood.student import SyntheticStudent, gradient_share
from molkd.benchmarks.studies.likelihood.training import StudyVariant, learn, prepared
from molkd.errors import ConfigError, CorruptFileError
from molkd.objectives.headwise import HeadwiseObjective

FEW = [StudyJob("clean", 0, "mse", seed) for seed in (0, 1)] + [
    StudyJob("clean", 0, "mi", seed) for seed in (0, 1)
]


def record(variant: str, seed: int, kept: float, **changes: object) -> Record:
    plain = Record(
        condition="even",
        level=4.0,
        variant=variant,
        seed=seed,
        kept=kept,
        halves=(kept, kept),
        rank=8.0,
        share=None,
    )
    return replace(plain, **changes)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("variant", "condition"), [*((name, "counts") for name in VARIANTS), ("mi", "copies")]
)
def test_every_variant_learns_from_every_form_and_again_the_same(
    variant: str, condition: str
) -> None:
    made = make(condition, CONDITIONS[condition].levels[-1], rows=40, fresh=20, seed=0)
    first, again, other = (
        learn(made, VARIANTS[variant], width=4, steps=3, seed=seed) for seed in (0, 0, 1)
    )
    assert first == again != other
    assert np.isfinite([first.kept, *first.halves, first.rank]).all()
    assert first.kept == pytest.approx(sum(first.halves) / 2)


def test_a_student_of_clean_teachers_keeps_more_than_an_untrained_one() -> None:
    made = make("clean", 0, rows=500, fresh=200, seed=0)
    before, after = (learn(made, VARIANTS["mi"], width=8, steps=n, seed=0) for n in (0, 60))
    assert after.kept > before.kept + 0.2


def test_the_share_of_the_gradient_is_that_of_the_formula_of_a_linear_head() -> None:
    made = make("outliers", 0.05, rows=30, fresh=4, seed=0)
    variant = StudyVariant("mse", {"head_layers": 0})
    settings = variant.settings(made.teachers)
    specs, task = prepared(made, settings, weighted=False)
    torch.manual_seed(0)
    student = SyntheticStudent(3)
    objective = cast("HeadwiseObjective", settings.build(student.spec, specs))
    z = student(task.x[:30]).embedding.detach().double()
    sums = [torch.zeros(30, 3).double(), torch.zeros(30, 3).double()]
    for name, value in task.values.items():
        linear = cast("nn.Linear", objective.head(name).last[-1])
        weight, bias = linear.weight.detach().double(), linear.bias.detach().double()
        slope = 2 * (z @ weight.T + bias - value.double())
        for place in (0, 1):
            sums[place] += (slope * (task.marked[name] == bool(place))) @ weight
    rest, marked = (float(one.square().sum()) for one in sums)
    found = gradient_share(student, objective, task)
    assert found == pytest.approx(marked / (marked + rest), rel=1e-4)


def test_no_share_of_the_gradient_where_nothing_is_marked_or_no_head_tells() -> None:
    clean, spoilt = (make(c, 1, rows=40, fresh=20, seed=0) for c in ("clean", "teachers"))
    assert learn(clean, VARIANTS["mse"], width=8, steps=2, seed=0).share is None
    assert learn(spoilt, VARIANTS["diverse"], width=8, steps=2, seed=0).share is None
    assert learn(spoilt, VARIANTS["mse"], width=8, steps=2, seed=0).share is not None


def test_redundant_teachers_weigh_less() -> None:
    made = make("copies", 3, rows=400, fresh=4, seed=0)
    settings = VARIANTS["mse"].settings(made.teachers)
    lone, *copies = (spec.weight for spec in prepared(made, settings, weighted=True)[0].values())
    assert np.mean([lone, *copies]) == pytest.approx(1)
    for weight in copies:
        assert lone / weight == pytest.approx(3, rel=0.1)


def test_bits_and_counts_are_read_as_they_are_by_a_likelihood_alone() -> None:
    for condition in ("bits", "counts"):
        made = make(condition, CONDITIONS[condition].levels[0], rows=300, fresh=4, seed=0)
        for variant, raw in {"mse": False, "mi": True, "mi-gaussian": False}.items():
            _, task = prepared(made, VARIANTS[variant].settings(made.teachers), weighted=False)
            for name, value in task.values.items():
                same = np.array_equal(value.numpy(), made.teachers[name].values)
                assert same == raw
                if not raw:
                    assert value.mean(0).abs().max() < 1e-4
                    assert (value.std(0, correction=0) - 1).abs().max() < 1e-4


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> list[StudyJob]:
    """Two variants of two seeds; returns the jobs that were run."""
    run: list[StudyJob] = []
    real = __main__.run_one

    def counted(settings: StudySettings, job: StudyJob) -> Record:
        run.append(job)
        return real(settings, job)

    monkeypatch.setattr(__main__, "jobs", lambda seeds: [j for j in FEW if j.seed < seeds])
    monkeypatch.setattr(__main__, "run_one", counted)
    return run


def test_a_study_that_was_cut_goes_on_and_gives_the_same_bytes(
    tmp_path: Path, few: list[StudyJob]
) -> None:
    __main__.study(tmp_path / "whole", QUICK, seeds=2)
    assert len(few) == len(FEW)
    whole = (tmp_path / "whole/results.jsonl").read_bytes()
    cut = tmp_path / "cut/results.jsonl"
    cut.parent.mkdir()
    cut.write_bytes(whole[: whole.rindex(b"kept")])
    few.clear()
    __main__.study(cut.parent, QUICK, seeds=2)
    assert len(few) == 1
    assert cut.read_bytes() == whole
    assert (cut.parent / "report.md").read_bytes() == (tmp_path / "whole/report.md").read_bytes()
    few.clear()
    __main__.study(cut.parent, QUICK, seeds=2)
    assert not few


def test_other_settings_other_files_and_single_seeds_are_refused(
    tmp_path: Path, few: list[StudyJob]
) -> None:
    __main__.study(tmp_path, QUICK, seeds=2)
    few.clear()
    with pytest.raises(ConfigError, match="choose another folder"):
        __main__.study(tmp_path, replace(QUICK, steps=5), seeds=2)
    with pytest.raises(ConfigError, match="at least 2 seeds"):
        __main__.study(tmp_path, QUICK, seeds=1)
    (tmp_path / "results.jsonl").write_text('{"other": 1}\n')
    with pytest.raises(CorruptFileError, match="holds no study"):
        __main__.study(tmp_path, QUICK, seeds=2)
    assert not few


def test_every_level_has_the_reference_and_jobs_are_unique() -> None:
    planned = __main__.jobs(2)
    assert len(set(planned)) == len(planned)
    for condition, about in CONDITIONS.items():
        for level in about.levels:
            assert REFERENCE in __main__.tried(condition, level)
    assert [job.seed for job in planned] == sorted(job.seed for job in planned)


def test_the_paired_test_is_students() -> None:
    one, other = np.random.default_rng(0).normal(size=(2, 6))
    mean, low, high, p = paired_t(one - other)
    known = stats.ttest_rel(one, other)
    assert (mean, p) == pytest.approx(((one - other).mean(), known.pvalue))
    ends = known.confidence_interval(0.95)
    assert (low, high) == pytest.approx((ends.low, ends.high))
    assert paired_t(np.zeros(3)) == (0, 0, 0, 1)


@pytest.mark.parametrize(
    ("gain", "says"),
    [
        (0.2, "mi keeps .200 more than mse"),
        (-0.2, "mi keeps .200 less than mse"),
        (0.0, "no difference between mi and mse can be told"),
    ],
)
def test_the_report_says_what_the_records_say(gain: float, says: str) -> None:
    wobble = (-0.01, 0.0, 0.01, 0.02, -0.02)
    records = [record("mse", seed, 0.5 + 0.1 * seed, share=0.9) for seed in range(5)]
    records += [
        record("mi", seed, 0.5 + 0.1 * seed + gain + wobble[seed], share=0.25) for seed in range(5)
    ]
    text = report(records, {"steps": 7}, {"mse": "mse", "mi": "mi with care", "unic": "not here"})
    assert says in text
    assert text.count("keeps") == (gain != 0)
    found = {row.variant: row for row in rows(records)}
    assert found["mse"].score == pytest.approx(0.7)
    assert found["mi"].score == pytest.approx(0.7 + gain)
    table = [line for line in text.splitlines() if re.match(r"\| 4 \| mi \|", line)]
    assert len(table) == 1
    assert f"| {number(0.7 + gain)} |" in table[0]
    assert "10 students, 5 seeds; steps 7" in text
    assert "Of the names, mi is mi with care." in text
    assert "## rows" not in text


def test_what_a_condition_adds_is_held_against_clean_teachers() -> None:
    def at(condition: str, level: float, gains: tuple[float, ...]) -> list[Record]:
        kept = [("mse", seed, 0.5) for seed in range(3)]
        kept += [("mi", seed, 0.5 + gain) for seed, gain in enumerate(gains)]
        return [record(*one, condition=condition, level=level) for one in kept]

    clean = at("clean", 0, (0.02, 0.03, 0.05))
    same, more = at("even", 4, (0.03, 0.02, 0.05)), at("bits", 0.01, (0.12, 0.14, 0.15))
    by = {row.variant: row for row in rows(more, clean)}
    expected = stats.ttest_1samp([0.1, 0.11, 0.1], 0).confidence_interval(0.95)
    assert by["mi"].beyond == pytest.approx((0.31 / 3, expected.low, expected.high))
    assert by["mse"].beyond is None
    text = report([*clean, *same, *more], {}, {})
    assert text.count("Beyond the difference on clean teachers: .103") == 1
    assert text.count("It may be as large on clean teachers") == 1
    assert text.index("It may be") < text.index("## bits") < text.index("Beyond the")


def test_where_the_embedding_is_narrow_the_worse_half_is_judged() -> None:
    wide = record("mse", 0, 0.5, halves=(0.9, 0.1))
    assert wide.score == 0.5
    assert replace(wide, condition="copies").score == 0.1


def test_the_command_refuses_what_the_study_refuses(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        __main__.main(["--output", str(tmp_path), "--seeds", "1"])
    assert "at least 2 seeds" in capsys.readouterr().err
