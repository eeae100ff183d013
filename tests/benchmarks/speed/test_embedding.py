"""From SMILES to embedding: the whole, its parts, start-up, failures; with a fake clock."""

from __future__ import annotations

import sys
import types
from dataclasses import replace

import pytest
from torch import nn

from molkd import students
from molkd.benchmarks.speed import embedding as measuring
from molkd.benchmarks.speed.embedding import embedding, parameters
from molkd.benchmarks.speed.interleaved import Limits
from molkd.benchmarks.speed.models import SideBySide
from molkd.benchmarks.speed.records import PARTS
from molkd.benchmarks.speed.stages import Staged
from molkd.benchmarks.tasks.modalities import BENCHMARKED, BenchmarkModality
from molkd.errors import InputError
from tests.fakes.clocks import FakeClock, TimedStudent, TimedTeacher

SMILES = ["C" * (1 + n % 5) for n in range(40)]
OF_A_STUDENT = [name for name in PARTS if name not in {"rest", "write"}]
LIMITS = Limits(repeats=3, seconds=1000)


def test_a_students_parts_add_up_to_the_whole(
    clock: FakeClock, modality: BenchmarkModality
) -> None:
    student = TimedStudent(clock)
    found = embedding(lambda: student, SMILES, LIMITS, modality, clock=clock)
    whole = found.ratios("total")
    parts = [found.ratios(name) for name in OF_A_STUDENT]
    assert whole == pytest.approx([10.0] * 3)  # 1 + 1 + 3 + 1 + 4 ms over 1 ms
    assert [round_[0] for round_ in parts] == pytest.approx([1.0, 1.0, 3.0, 1.0, 4.0])
    assert [sum(one) for one in zip(*parts, strict=True)] == pytest.approx(whole)
    assert found.per_second == pytest.approx(100)
    assert "rest" not in found.rounds


def test_a_build_whose_writers_are_asked_otherwise_is_measured_without_them(
    clock: FakeClock, modality: BenchmarkModality, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "molkd.formats.encodings", None)
    found = embedding(lambda: TimedStudent(clock), SMILES, LIMITS, modality, clock=clock)
    assert found.ratios("total") == pytest.approx([10.0] * 3)
    assert "write" not in found.rounds


def test_timing_leaves_the_student_as_it_was(clock: FakeClock, modality: BenchmarkModality) -> None:
    student = TimedStudent(clock)
    embedding(lambda: student, SMILES, LIMITS, modality, clock=clock)
    assert "collate" not in vars(student)
    # Once to start, one trial per size tried (16, 40), once for memory, three rounds; all but the
    # first and that for memory also in parts.
    assert student.calls.count("featurize") == 1 + 2 * 2 + 1 + 3 * 2


def test_of_anything_else_the_rest_is_the_whole_without_parsing(
    clock: FakeClock, modality: BenchmarkModality
) -> None:
    found = embedding(lambda: TimedTeacher(clock), SMILES, LIMITS, modality, clock=clock)
    assert found.ratios("total") == pytest.approx([10.0] * 3)
    assert found.ratios("parse") == found.ratios("check") == pytest.approx([1.0] * 3)
    assert found.ratios("rest") == pytest.approx([8.0] * 3)


def test_an_embedder_that_parses_nothing_has_no_negative_rest(
    clock: FakeClock, modality: BenchmarkModality
) -> None:
    quick = TimedTeacher(clock, cost=lambda count: 0.0001 * count)
    found = embedding(lambda: quick, SMILES, LIMITS, modality, clock=clock)
    assert found.rounds["rest"] == (0.0, 0.0, 0.0)


def test_where_reading_is_not_that_of_the_library_it_is_one_step(
    clock: FakeClock, modality: BenchmarkModality
) -> None:
    texts = replace(modality, parse_reads=False)
    found = embedding(lambda: TimedStudent(clock), SMILES, LIMITS, texts, clock=clock)
    assert found.ratios("parse") == pytest.approx([2.0] * 3)
    assert "check" not in found.rounds


def test_reading_in_less_time_than_the_library_leaves_no_negative_step(
    clock: FakeClock, modality: BenchmarkModality
) -> None:
    class Quick(TimedStudent):
        def featurize(self, items):
            return list(items)

    found = embedding(lambda: Quick(clock), SMILES, LIMITS, modality, clock=clock)
    assert found.ratios() == pytest.approx([5.0] * 3)
    assert found.rounds["featurise"] == (0.0, 0.0, 0.0)


def test_start_up_is_apart(clock: FakeClock, modality: BenchmarkModality) -> None:
    def make() -> TimedTeacher:
        clock.spend(7.0)
        return TimedTeacher(clock)

    found = embedding(make, SMILES, LIMITS, modality, clock=clock)
    assert found.startup == pytest.approx(7.010)
    assert found.rounds["total"] == pytest.approx([0.4] * 3)


def test_what_grows_faster_than_the_library_shows(
    clock: FakeClock, modality: BenchmarkModality
) -> None:
    def square(count: int) -> float:
        return 1e-4 * count**2

    small = embedding(
        lambda: TimedTeacher(clock, square), SMILES[:10], LIMITS, modality, clock=clock
    )
    large = embedding(lambda: TimedTeacher(clock, square), SMILES, LIMITS, modality, clock=clock)
    assert large.ratios()[0] == pytest.approx(4 * small.ratios()[0])


def test_a_slow_embedder_is_measured_on_fewer_molecules(
    clock: FakeClock, modality: BenchmarkModality
) -> None:
    limits = Limits(repeats=3, seconds=1.0)
    found = embedding(lambda: TimedTeacher(clock), SMILES, limits, modality, clock=clock)
    assert found.count < len(SMILES)
    assert len(found.rounds["total"]) == 3
    assert found.ratios() == pytest.approx([10.0] * 3)


def test_failed_rows_are_counted_and_the_first_reason_kept(
    clock: FakeClock, modality: BenchmarkModality
) -> None:
    found = embedding(
        lambda: TimedTeacher(clock), ["C", "fail", "CC", "fail"], LIMITS, modality, clock=clock
    )
    assert (found.count, found.failed, found.reason) == (4, 2, "too hard")


def test_an_embedder_that_fails_on_all_rows_has_no_speed(
    clock: FakeClock, modality: BenchmarkModality
) -> None:
    with pytest.raises(InputError, match="none of 3 molecules; the first: too hard"):
        embedding(lambda: TimedTeacher(clock), ["fail"] * 3, LIMITS, modality, clock=clock)


def test_the_real_student_can_be_timed_in_parts() -> None:
    student = students.make(students.GineSettings(size="tiny"))
    assert isinstance(student, Staged)
    before = student.embed(SMILES[:3]).values
    found = embedding(
        lambda: student, SMILES[:20], Limits(repeats=2, seconds=60), BENCHMARKED["molecules"]
    )
    assert set(found.rounds) == {"base", "total", "write", *OF_A_STUDENT}
    assert min(min(found.rounds[name]) for name in ("base", "total", "network", "write")) > 0
    assert found.parameters == sum(weight.numel() for weight in student.parameters())
    assert (student.embed(SMILES[:3]).values == before).all()


def test_parameters_of_what_has_some_and_what_has_none() -> None:
    card = types.SimpleNamespace(sha256={})
    loaded = types.SimpleNamespace(_loaded=("key", nn.Linear(3, 2)), card=card)
    weightless = types.SimpleNamespace(card=card)
    hidden = types.SimpleNamespace(card=types.SimpleNamespace(sha256={"a.bin": "0"}))
    assert parameters(nn.Linear(3, 2)) == 8
    assert parameters(loaded) == 8
    inner = types.SimpleNamespace(body=types.SimpleNamespace(net=nn.Linear(3, 2)), steps=[])
    assert parameters(types.SimpleNamespace(_loaded=inner, card=card)) == 8
    assert parameters(weightless) == 0
    assert parameters(hidden) is None
    both: tuple[object, ...] = (loaded, weightless)
    assert parameters(SideBySide(both)) == 8  # pyright: ignore[reportArgumentType]
    assert parameters(SideBySide((loaded, hidden))) is None  # pyright: ignore[reportArgumentType]


def test_memory_is_watched_around_one_embedding(
    clock: FakeClock, modality: BenchmarkModality, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    teacher = TimedTeacher(clock)

    def added_by(work):
        seen.append(len(teacher.asked))
        result = work()
        seen.append(len(teacher.asked))
        return result, 100.0, 25.0

    monkeypatch.setattr(measuring.peak_memory, "added_by", added_by)
    found = embedding(lambda: teacher, SMILES, LIMITS, modality, clock=clock)
    assert (found.resident_mb, found.added_mb) == (100.0, 25.0)
    assert seen[1] == seen[0] + 1
    assert teacher.asked[seen[0]] == len(SMILES)
