"""Tasks whose labels come from collections that teachers are trained on."""

from __future__ import annotations

from molkd.benchmarks.embedders.training_data import SEEN
from molkd.benchmarks.tasks import moleculeace, tdc
from molkd.benchmarks.tasks.label_sources import VEITH, label_source


def test_of_the_admet_group_three_are_pubchems_and_four_astrazenecas() -> None:
    sources = {name: label_source("tdc-admet", name) for name in tdc.METRICS}
    assert {name for name, source in sources.items() if source is VEITH} == {
        "cyp2c9_veith",
        "cyp2d6_veith",
        "cyp3a4_veith",
    }
    assert sum(source is not None for source in sources.values()) == 7
    for entry in tdc.SINGLE:
        assert label_source("tdc-single", entry.name) == sources[entry.name.partition(":")[2]]


def test_all_of_moleculeace_is_chembls_and_other_groups_are_not() -> None:
    for entry in moleculeace.TASKS:
        source = label_source("moleculeace", entry.name)
        assert source is not None
        assert source.collections == ("ChEMBL",)
    assert label_source("own", "chembl204_ki") is None


def test_collections_have_one_name_on_both_sides() -> None:
    seen = {collection for data in SEEN.values() for collection in data.labels}
    assert seen == set(VEITH.collections)
