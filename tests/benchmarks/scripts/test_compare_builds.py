"""The program that times the linear probe of two builds by turns."""

from __future__ import annotations

from pathlib import Path

import pytest

from molkd.benchmarks import embedders
from molkd.benchmarks import tasks as registry
from molkd.benchmarks.scripts import compare_builds
from molkd.errors import ConfigError


def test_a_build_scores_what_it_scores_itself(shared: Path, tmp_path: Path) -> None:
    data, name = shared / "data", "tdc-admet:caco2_wang"
    made = [embedders.make(spec) for spec in ("maccs", "ecfp4-count")]
    (task,) = registry.load([name], own=[], data=data, download=False)
    for embedder in made:
        embedder.fill(list(task.items), cache=tmp_path, jobs=1, progress=False)
    start = {
        "data": str(data),
        "cache": str(tmp_path),
        "seeds": 2,
        "embedders": {each.label: list(each.digests) for each in made},
    }
    trees = [compare_builds.HERE, compare_builds.HERE]
    pairs = compare_builds.compared(name, trees=trees, start=start, rounds=1)
    assert [pair.embedder for pair in pairs] == ["maccs", "ecfp4-count"]
    for pair in pairs:
        assert pair.differences == (0.0, 0.0)
        assert pair.other == 0
        assert min(pair.seconds) > 0
        assert pair.line.split()[:2] == [name, pair.embedder]


def test_a_commit_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="git archive no-such-commit: "):
        compare_builds._unpacked("no-such-commit", tmp_path)
