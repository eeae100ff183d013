"""Embedders that are read by a probe each, and by the best of several on validation rows."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from molkd import cli
from molkd.benchmarks import records, statistics
from molkd.benchmarks.quality.evaluation import RESULTS
from molkd.benchmarks.records import Results, Score
from molkd.benchmarks.statistics.each_its_own import Reading, each_its_own
from molkd.errors import ConfigError, UnknownNameError
from tests.fakes import scored

TASKS = [scored.task(f"t{number}") for number in range(8)]
TEST = {("a", "kernel"): 0.8, ("a", "knn"): 0.9, ("b", "forest"): 0.7, ("b", "pls"): 0.6}
VALID = {("a", "kernel"): 0.5, ("a", "knn"): 0.4, ("b", "forest"): 0.1, ("b", "pls"): 0.2}


def _score(task: records.TaskRecord, embedder: str, probe: str) -> Score:
    made = scored.score(task, embedder, probe, 0, lambda _: {"Spearman": TEST[embedder, probe]})
    return replace(made, valid={"Spearman": VALID[embedder, probe]})


@pytest.fixture
def results() -> Results:
    return scored.results(TASKS, ["a", "b"], [_score(t, *asked) for t in TASKS for asked in TEST])


def test_each_is_read_by_its_own_probe(results: Results) -> None:
    readings = [Reading.of("a:kernel"), Reading.of("b:forest"), Reading.of("a:knn")]
    (section,) = statistics.tables(each_its_own(results, readings))
    assert section.table.embedders == ("a:kernel", "b:forest", "a:knn")
    assert section.table.means[0].tolist() == [0.8, 0.7, 0.9]


def test_of_several_probes_validation_rows_choose(results: Results) -> None:
    readings = [Reading.of("a:knn+kernel"), Reading.of("b:forest+pls")]
    (section,) = statistics.tables(each_its_own(results, readings))
    assert section.table.means[0].tolist() == [0.8, 0.6]


def test_a_label_may_hold_colons() -> None:
    assert Reading.of("pca:512:a:knn") == Reading("pca:512:a", ("knn",))


def test_what_makes_no_sense_is_refused(results: Results) -> None:
    for text in ("a", "a:", ":knn"):
        with pytest.raises(ConfigError, match="expected EMBEDDER:PROBE"):
            Reading.of(text)
    with pytest.raises(UnknownNameError, match=r"no probe 'knm'\. Did you mean 'knn'"):
        Reading.of("a:knm")
    with pytest.raises(UnknownNameError, match="no embedder 'c'"):
        each_its_own(results, [Reading.of("c:knn")])
    with pytest.raises(ConfigError, match="b:knn: knn did not ask it, but forest, pls did"):
        each_its_own(results, [Reading.of("b:knn")])
    chosen_on = records.reported(results, "valid")
    assert each_its_own(chosen_on, [Reading.of("a:knn")]).scores
    with pytest.raises(ConfigError, match="cannot choose among probes as well"):
        each_its_own(chosen_on, [Reading.of("a:knn+kernel")])
    with pytest.raises(ConfigError, match="named twice: a:knn"):
        each_its_own(results, [Reading.of("a:knn"), Reading.of("a:knn")])


def test_the_command_prints_the_first_against_the_others(
    results: Results,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    other = scored.task("else", group="other")  # which the first was not asked
    everything = replace(
        results,
        tasks=(*results.tasks, other),
        scores=(*results.scores, _score(other, "b", "pls"), _score(other, "b", "forest")),
    )
    records.write(tmp_path / RESULTS, everything)
    asked = ("-o", str(tmp_path), "-e", "a:kernel,b:forest+pls", "-e", "a:knn")
    monkeypatch.setattr(sys, "argv", ["molkd", "bench", "compare", *asked])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert not stopped.value.code
    head, first, second, third = (line.split("\t") for line in capsys.readouterr().out.splitlines())
    assert dict(zip(head, first, strict=True))["embedder"] == "a:kernel"
    found = dict(zip(head, second, strict=True))
    assert (found["mean"], found["ahead"], found["difference"]) == (".600", "8 of 8", ".200")
    assert float(found["p (Holm)"]) == pytest.approx(2 * 2 / 2**8, abs=1e-4)
    assert float(found["better"]) > 0.9
    assert dict(zip(head, third, strict=True))["ahead"] == "0 of 8"
