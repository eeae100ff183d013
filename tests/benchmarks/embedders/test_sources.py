"""Which models stand behind an embedder, and what they have seen."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from molkd import teachers
from molkd.benchmarks import records
from molkd.benchmarks.embedders.sources import sources_of
from molkd.benchmarks.embedders.training_data import NOTHING, SEEN, seen_by
from molkd.benchmarks.records import EmbedderRecord
from molkd.teachers.hub import known


@pytest.fixture
def student(tmp_path: Path) -> Path:
    (tmp_path / "settings.toml").write_text('teachers = ["maccs", "minimol"]\n')
    return tmp_path


def test_what_is_side_by_side_counts_one_by_one(student: Path) -> None:
    assert sources_of("maccs") == ("maccs",)
    assert sources_of("pca:512:maccs+minimol+rdkit2d") == ("maccs", "minimol", "rdkit2d")
    assert sources_of(f"molkd:{student}") == ("maccs", "minimol")
    assert sources_of(f"cut:64:molkd:{student}") == ("maccs", "minimol")
    assert sources_of(f"molkd:{student}+rdkit2d+maccs") == ("maccs", "minimol", "rdkit2d")
    assert sources_of(f"molkd:{student} | molkd:{student}") == ("maccs", "minimol")
    assert sources_of("untrained:small") == ()
    assert sources_of("hf:owner/model") == ("hf:owner/model",)


def test_a_student_that_is_not_here_is_its_own_source(tmp_path: Path) -> None:
    assert sources_of(f"molkd:{tmp_path}/absent") == (f"molkd:{tmp_path}/absent",)
    assert seen_by(f"molkd:{tmp_path}/absent") is None


def test_a_student_of_the_package_has_seen_what_its_teachers_have(tmp_path: Path) -> None:
    for name in ("molkd-base", "molkd-base-1"):
        assert {"minimol", "chemnet", "rdkit2d"} < set(sources_of(f"molkd:{name}"))
    assert not [name for name in sources_of("molkd:molkd-base") if seen_by(name) is None]
    (tmp_path / "README.md").write_text('# Card\n\n```json\n{"teachers": ["maccs"]}\n```\n')
    assert sources_of(f"molkd:{tmp_path}") == ("maccs",)
    (tmp_path / "README.md").write_text("# Card\n\n```json\n[1, 2]\n```\n")
    assert sources_of(f"molkd:{tmp_path}") == (f"molkd:{tmp_path}",)


def test_facts_are_those_of_teachers_and_the_others_are_unknown() -> None:
    assert set(SEEN) <= set(teachers.names())
    assert seen_by("someone-elses") is None
    assert seen_by("minimol@layer:8") is SEEN["minimol"]
    for name in ("minimol", "chemnet"):
        assert "PubChem" in SEEN[name].labels
        assert "PubChem" in teachers.make(name).card.trained_on


def test_what_was_trained_is_never_said_to_have_seen_nothing() -> None:
    molecular = [n for n in teachers.names() if n not in known.KNOWN and n in SEEN]
    for name in molecular:
        card = teachers.make(name).card
        assert (seen_by(name) is NOTHING) == (not card.sha256), name


def test_files_from_before_sources_were_recorded_are_read() -> None:
    about = {"spec": "a+b", "role": "baseline", "digest": "d", "dim": 2, "parameters": 0}
    now = EmbedderRecord(label="x", failed=0, sources=("a", "b"), **about)
    assert records.parse(records.line(now)) == now
    fields = json.loads(records.line(now))
    del fields["sources"]
    assert records.parse(json.dumps(fields)) == replace(now, sources=())
