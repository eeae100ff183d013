"""One page about a library."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from molkd import library
from molkd.errors import ConfigError
from molkd.items.molecules import chem
from molkd.library import Report, report_of
from molkd.library.report import known_drugs
from tests.fakes import libraries
from tests.fakes.hostile import HOSTILE


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Report:
    file = libraries.embedded(tmp_path_factory.mktemp("library"), rows=60, bad=(3, 7))
    return report_of(library.read(file), title="mine", progress=False)


def test_counts_failures_and_repeats(made: Report) -> None:
    facts = dict(made.facts)
    assert (facts["rows"], facts["embedded"]) == ("60", "58")
    assert facts["different compounds"] == str(len(libraries.SMILES))
    assert facts["model"].startswith("molkd-tiny-1 ")
    ((why, count, first),) = made.failures
    assert count == 2
    assert "SMILES" in why
    assert first == "row 3, M3: no molecule"
    assert len(made.composition.duplicates) == len(libraries.SMILES)


def test_a_drug_that_is_in_the_library_is_its_own_neighbour(made: Report) -> None:
    found = {name: hit for name, hit in made.nearest_drugs if hit.tanimoto == 1}
    assert {"aspirin", "paracetamol", "caffeine"} <= found.keys()
    assert found["aspirin"].smiles == "CC(=O)Oc1ccccc1C(=O)O"
    cosines = [hit.cosine for _, hit in made.nearest_drugs]
    assert cosines == sorted(cosines, reverse=True)


def test_the_page_needs_nothing_beside_itself(tmp_path: Path, made: Report) -> None:
    made.write(tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    for heading in ("Failures", "Duplicates", "Stereoisomers", "Map", "Clusters"):
        assert f"<h2>{heading}</h2>" in page
    assert set(re.findall(r"https?://[^'\"<> ]+", page)) <= {"http://www.w3.org/2000/svg"}
    assert "<script" not in page
    with pytest.raises(ConfigError, match=r"written as \.html"):
        made.write(tmp_path / "report.pdf")


def test_texts_of_the_library_are_escaped(made: Report) -> None:
    rows = len(made.library)
    hostile = replace(
        made.library,
        ids=[HOSTILE[row % len(HOSTILE)] for row in range(rows)],
        reasons=dict.fromkeys(made.library.reasons, HOSTILE[0]),
    )
    page = replace(made, library=hostile, title=HOSTILE[0]).page()
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "<script" not in made._repr_html_()


def test_a_library_of_one_molecule(tmp_path: Path) -> None:
    file = libraries.embedded(tmp_path, rows=1, bad=())
    made = report_of(library.read(file), progress=False)
    assert made.failures == []
    assert "None: every row has an embedding." in made.page()


def test_known_drugs_are_seventy_compounds() -> None:
    drugs = known_drugs()
    compounds = {chem.canonical_smiles(chem.parse(smiles)) for smiles in drugs.smiles}
    assert len(compounds) == len(set(drugs.ids)) == len(drugs) == 70
    assert drugs.ids == sorted(drugs.ids)


def test_the_same_library_gives_the_same_page(made: Report) -> None:
    again = report_of(made.library, title="mine", progress=False)
    np.testing.assert_array_equal(again.clusters.labels, made.clusters.labels)
    assert again.page() == made.page()
