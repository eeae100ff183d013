"""What training steps cost: the real distiller by a fake clock, and runs that are resumed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from molkd import students
from molkd.bank import Bank
from molkd.benchmarks import ablations, cost
from molkd.benchmarks.ablations import Ablation, Sources
from molkd.benchmarks.cost import CostJob, CostOptions, records
from molkd.benchmarks.cost import table as cost_table
from molkd.benchmarks.cost.records import CostCell, CostMeasurement, CostRequest, CostResults
from molkd.benchmarks.cost.worker import measure
from molkd.benchmarks.speed import machine
from molkd.benchmarks.speed.subprocess_ import CellError
from molkd.errors import ConfigError, InputError, UnknownNameError
from molkd.runtime import settings
from tests.fakes import costs
from tests.fakes.costs import BALLAST_MB, CLOCK, EXTRA, STEPS

CORPUS = ["C" * n + tail for n in range(1, 31) for tail in ("N", "O", "F", "Cl")]
QUICK, SLOW, HEAVY = (
    {"settings": {"objective": {"name": f"tests.fakes.costs:{kind.__name__}"}}}
    for kind in (costs.Quick, costs.Slow, costs.Heavy)
)
OPTIONS = CostOptions(steps=2, repeats=2, progress=False)


def _table(**variants: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "question": "What does it cost?",
        "reference": "quick",
        "settings": {
            "teachers": ["maccs"],
            "student": {"size": "tiny", "hidden": 16, "layers": 1},
            "train": {"batch_size": 16, "epochs": 7},
        },
        "variants": {"quick": QUICK, **variants},
        "scales": {"minute": {"items": 120, "seeds": 2}},
    }


def _job(folder: Path, options: CostOptions = OPTIONS, **variants: Mapping[str, Any]) -> CostJob:
    chosen = settings.from_table(Ablation, _table(**variants))
    sources = Sources(corpus=CORPUS, device="cpu")
    return CostJob(ablation=chosen, scale="minute", sources=sources, folder=folder, options=options)


def measured(ratio: float = 2.0, **changes: Any) -> CostMeasurement:
    """Two rounds that take `ratio` times as long as the reference's."""
    fields: dict[str, Any] = {
        "batch": 16,
        "seconds": (ratio, 2 * ratio),
        "reference": (1.0, 2.0),
        "added_mb": 20.0,
        "objective": 1234,
        "student": 5678,
    }
    return CostMeasurement(**{**fields, **changes})


@dataclass
class FakeMachine:
    """Answers each request alike, after noting it; objectives in `broken` fail."""

    broken: set[str] = field(default_factory=set[str])
    stop_after: int | None = None
    asked: list[CostRequest] = field(default_factory=list[CostRequest])
    said: list[str] = field(default_factory=list[str])

    def ask(self, request: CostRequest) -> CostMeasurement:
        if len(self.asked) == self.stop_after:
            raise KeyboardInterrupt
        self.asked.append(request)
        if request.variant.settings["objective"]["name"] in self.broken:
            raise CellError("RuntimeError: it raised")
        return measured()

    def run(self, job: CostJob) -> CostResults:
        return cost.run(job, measure=self.ask, say=self.said.append)


@pytest.fixture
def fake() -> FakeMachine:
    return FakeMachine()


def _request(
    folder: Path, name: str, options: CostOptions = OPTIONS, **variants: Any
) -> CostRequest:
    """What the child process is asked about a variant."""
    fake = FakeMachine()
    job = _job(folder, options, **variants)
    fake.run(job)
    return fake.asked[list(job.ablation.variants).index(name)]


def test_a_slow_objective_costs_more_by_turns_with_the_reference(tmp_path: Path) -> None:
    STEPS.clear()
    request = _request(tmp_path, "slow", slow=SLOW)
    slow = measure(request, clock=CLOCK)
    assert slow.seconds == pytest.approx((3.0, 3.0))
    assert slow.reference == pytest.approx((1.0, 1.0))
    assert slow.ratios == pytest.approx((3.0, 3.0))
    runs = [STEPS[start] for start in range(0, len(STEPS), request.steps)]
    # Warm-up and memory of the variant, warm-up of the reference, A B A B A.
    assert runs == ["Slow", "Slow", "Quick", "Quick", "Slow", "Quick", "Slow", "Quick"]
    assert len(STEPS) == request.steps * len(runs)

    quick = measure(replace(request, variant=request.reference), clock=CLOCK)
    assert quick.ratios == pytest.approx((1.0, 1.0))
    assert slow.objective - quick.objective == EXTRA
    tiny = students.make(students.GineSettings(size="tiny", hidden=16, layers=1))
    assert slow.student == sum(weight.numel() for weight in tiny.parameters())
    assert slow.batch == 16


def test_a_heavy_objective_needs_more_memory(tmp_path: Path) -> None:
    request = _request(
        tmp_path, "heavy", CostOptions(steps=1, repeats=1, progress=False), heavy=HEAVY
    )
    heavy = measure(request, clock=CLOCK).added_mb
    quick = measure(replace(request, variant=request.reference), clock=CLOCK).added_mb
    if heavy is None or quick is None:
        pytest.skip("this system does not say how much memory a process has")
    assert BALLAST_MB * 0.8 < heavy - quick < BALLAST_MB * 1.5


@pytest.mark.gpu
def test_on_a_gpu_its_memory_counts(tmp_path: Path) -> None:
    request = _request(
        tmp_path, "heavy", CostOptions(steps=1, repeats=1, progress=False), heavy=HEAVY
    )
    sides = (request, replace(request, variant=request.reference))
    heavy, quick = (measure(replace(side, device="cuda"), clock=CLOCK) for side in sides)
    assert heavy.added_mb is not None
    assert quick.added_mb is not None
    assert heavy.added_mb - quick.added_mb == pytest.approx(BALLAST_MB, rel=0.05)


def test_too_few_molecules_that_can_be_used(tmp_path: Path) -> None:
    request = replace(_request(tmp_path, "quick"), steps=100)
    with pytest.raises(InputError, match=r"100 steps of 16 rows need 1600 .* 114 can be used"):
        measure(request)


def test_what_a_process_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost, "FITTED", 50)
    wide: dict[str, Any] = {"share": 0.5, "settings": {"teachers": ["maccs", "ecfp4"]}}
    fake = FakeMachine()
    found = fake.run(_job(tmp_path, wide=wide))
    quick, other = fake.asked
    assert quick.variant == quick.reference == other.reference
    assert quick.variant.settings["train"]["batch_size"] == 16
    assert other.variant.settings["teachers"] == ["maccs", "ecfp4"]
    assert (other.steps, other.repeats, other.threads, other.device) == (2, 2, 1, "cpu")
    assert Path(other.bank) == tmp_path / "banks" / "50", "one bank, whatever a variant's share"
    assert list(Bank.open(Path(other.bank)).items) == CORPUS[:50]
    assert set(Bank.open(Path(other.bank)).cards) == {"maccs", "ecfp4"}
    assert found.settings["molecules"] == 50
    assert found.machine == machine.facts("cpu")
    assert [cell.name for cell in found.cells] == ["quick", "wide"]


def test_nothing_is_measured_twice_and_a_killed_run_goes_on(
    tmp_path: Path, fake: FakeMachine
) -> None:
    fake.stop_after = 1
    with pytest.raises(KeyboardInterrupt):
        fake.run(_job(tmp_path, slow=SLOW))
    first = records.read(tmp_path / cost.RESULTS)
    assert [cell.name for cell in first.cells] == ["quick"]
    fake.stop_after = None
    found = fake.run(_job(tmp_path, slow=SLOW))
    assert len(fake.asked) == 2
    assert "quick: measured already" in fake.said
    assert records.read(tmp_path / cost.RESULTS) == found
    assert fake.run(_job(tmp_path, slow=SLOW)) == found
    assert len(fake.asked) == 2


def test_what_has_changed_is_measured_again(
    tmp_path: Path, fake: FakeMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked(job: CostJob) -> list[str]:
        before = len(fake.asked)
        fake.run(job)
        names = [one.variant.settings["objective"]["name"] for one in fake.asked[before:]]
        return [name.partition(":")[2] for name in names]

    assert asked(_job(tmp_path, other=SLOW)) == ["Quick", "Slow"]
    assert asked(_job(tmp_path, other=HEAVY)) == ["Heavy"]
    assert asked(_job(tmp_path, replace(OPTIONS, steps=3), other=HEAVY)) == ["Quick", "Heavy"]
    job = _job(tmp_path, replace(OPTIONS, steps=3), other=HEAVY)
    assert asked(replace(job, ablation=replace(job.ablation, reference="other"))) == [
        "Quick",
        "Heavy",
    ]
    monkeypatch.setattr(machine, "facts", lambda device: {"processor": "another", "device": device})
    assert asked(_job(tmp_path, other=HEAVY)) == ["Quick", "Heavy"]
    (tmp_path / cost.RESULTS).write_text('{"cells": [{"name"')
    assert asked(_job(tmp_path, other=HEAVY)) == ["Quick", "Heavy"]
    assert "everything is measured again" in fake.said[-3]


def test_a_failure_is_said_not_kept_and_others_are_measured(
    tmp_path: Path, fake: FakeMachine
) -> None:
    fake.broken = {"tests.fakes.costs:Slow"}
    found = fake.run(_job(tmp_path, slow=SLOW, heavy=HEAVY))
    assert [cell.error for cell in found.cells] == ["", "RuntimeError: it raised", ""]
    assert "slow failed: RuntimeError: it raised" in fake.said
    assert "slow failed: RuntimeError: it raised" in (tmp_path / cost.PAGE).read_text()
    fake.broken = set()
    again = fake.run(_job(tmp_path, slow=SLOW, heavy=HEAVY))
    assert len(fake.asked) == 4
    assert [cell.name for cell in again.cells if cell.measured] == ["quick", "slow", "heavy"]


def test_results_of_quality_stay_as_they_are(tmp_path: Path, fake: FakeMachine) -> None:
    names = ("results.jsonl", "report.md", "report.html")
    for name in names:
        (tmp_path / name).write_text(name)
    fake.run(_job(tmp_path))
    assert [(tmp_path / name).read_text() for name in names] == list(names)
    assert {path.name for path in tmp_path.iterdir()} == {
        *names,
        "banks",
        cost.RESULTS,
        cost.PAGE,
    }


def test_what_cannot_be_measured_is_refused_before_anything_is_done(
    tmp_path: Path, fake: FakeMachine
) -> None:
    job = _job(tmp_path)
    few = replace(job, sources=replace(job.sources, corpus=CORPUS[:30]))
    with pytest.raises(ConfigError, match=r"2 steps of 16 rows need 34 .* the corpus has 30"):
        fake.run(few)
    with pytest.raises(UnknownNameError, match="scales are minute"):
        fake.run(replace(job, scale="week"))
    with pytest.raises(UnknownNameError, match="objective"):
        ablations.load("objectiv")
    with pytest.raises(ConfigError, match="steps must be at least 1, not 0"):
        CostOptions(steps=0)
    pca = {"settings": {"pca": {"ecfp4": 3}}}
    with pytest.raises(ConfigError, match="'ecfp4' is not among the teachers"):
        fake.run(_job(tmp_path, pca=pca))
    assert not fake.asked
    assert not list(tmp_path.iterdir())


def test_the_table() -> None:
    cells = (
        CostCell(name="a|b", key="", measured=measured(3.0, objective=1_234_567)),
        CostCell(name="c", key="", measured=measured(seconds=(1.0, 3.0), added_mb=None)),
        CostCell(name="d", key="", error="it raised"),
    )
    found = CostResults({"processor": "abacus"}, {"steps": 8}, cells)
    lines = cost_table.rows(found)
    assert {len(line) for line in lines} == {len(cost_table.COLUMNS)}
    assert lines[0] == ["a|b", "16", "4.50", "3.00", "3.00-3.00", "20", "1,234,567", "5,678", ""]
    assert lines[1][2:6] == ["2.00", "1.25", "1.00-1.50", "?"]
    assert lines[2][-1] == "failed: it raised"
    page = cost_table.markdown(found)
    assert "- processor: abacus\n- steps: 8" in page
    assert r"| a\|b | 16 | 4.50 | 3.00 |" in page
    assert page.endswith("d failed: it raised\n")


def test_a_fresh_process_answers(tmp_path: Path) -> None:
    variants = {"mse": {"settings": {"objective": {"name": "mse"}}}}
    table = {**_table(), "reference": "mse", "variants": variants}
    job = replace(_job(tmp_path), ablation=settings.from_table(Ablation, table))
    found = cost.run(job, measure=cost.measure, say=lambda _text: None)
    (cell,) = found.cells
    assert cell.error == ""
    assert cell.measured is not None
    assert len(cell.measured.seconds) == len(cell.measured.reference) == 2
    assert min(cell.measured.seconds) > 0
    assert records.read(tmp_path / cost.RESULTS) == found
