"""The harness counts every kind of fault, survives it, and keeps its input."""

from __future__ import annotations

import json
from pathlib import Path

from tests.fuzz.cases import run
from tests.fuzz.plan import Plan
from tests.fuzz.targets import SHARES, TARGETS, recipes
from tests.fuzz.watch import Tally, watch


def _watch(folder: Path, *names: str, jobs: int = 1) -> Tally:
    counts = {f"tests.fuzz.fakes:{name}": 2 for name in names}
    return watch(counts, folder, jobs=jobs, seconds=1)


def test_every_kind_of_fault_is_counted_and_kept(tmp_path: Path) -> None:
    tally = _watch(tmp_path, "GOOD", "RAISES", "CRASHES", "MOVES", "REFUSED")
    counts = {name.partition(":")[2]: count for name, count in tally.counts.items()}
    assert counts["GOOD"] == {"inputs": 4, "rows": 6, "valid": 4, "reasons": 2, "unstable": 0}
    assert counts["RAISES"]["exception"] == counts["CRASHES"]["crash"] == 2
    assert counts["MOVES"]["moved"] == counts["REFUSED"]["refused"] == 2
    assert {finding.count for finding in tally.findings.values()} == {2}
    kept = sorted(tmp_path.glob("*.json"))
    assert [path.name.split("-")[0] for path in kept] == ["CRASHES", "MOVES", "RAISES"]
    crash = next(tmp_path.glob("CRASHES-*.txt")).read_text()
    assert "exit code -6" in crash
    assert "_crashes" in crash  # the stack of the process that died
    assert json.loads(kept[0].read_text())["target"] == "tests.fuzz.fakes:CRASHES"


def test_what_hangs_is_ended(tmp_path: Path) -> None:
    tally = _watch(tmp_path, "HANGS", "GOOD", jobs=2)
    assert tally.counts["tests.fuzz.fakes:HANGS"]["hang"] == 2
    assert tally.counts["tests.fuzz.fakes:GOOD"]["inputs"] == 4
    assert "_hangs" in next(tmp_path.glob("HANGS-hang-*.txt")).read_text()


def test_processes_share_the_recipes_of_a_plan() -> None:
    counts = {"a": 7, "b": 300}
    whole = list(Plan(counts))
    assert sorted(whole) == [(name, number) for name in counts for number in range(counts[name])]
    halves = [list(Plan(counts, shard=shard, shards=2)) for shard in range(2)]
    assert sorted([*halves[0], *halves[1]]) == sorted(whole)


def test_shares_of_a_million() -> None:
    counts = recipes(1_000_000)
    inputs = {name: counts[name] * SHARES[name][1] for name in SHARES}
    assert 1_000_000 <= sum(inputs.values()) < 1_000_100
    assert inputs["smiles"] > 500_000


def test_the_same_seed_draws_the_same_recipe() -> None:
    target = TARGETS["csv"]
    one, other = (Plan({}, seed=3).draw("csv", 8, target) for _ in range(2))
    assert one == other == json.loads(json.dumps(one))
    assert Plan({}, seed=4).draw("csv", 8, target) != one


def test_a_row_of_another_shows() -> None:
    text = "smiles,id\nNCCO,row1x7919\nNCCCO,row1x7919\n"
    recipe = {"name": "in.csv", "data": text, "column": "smiles", "id_column": "id", "chunk": 9}
    outcome = run(TARGETS["csv"], {**recipe, "pairs": True})
    assert outcome.verdict == "moved"
    assert "the molecule of another" in outcome.text
