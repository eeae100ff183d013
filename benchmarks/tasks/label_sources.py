"""Where the labels of tasks come from, as far as a source states it.

A task that is not here has labels that are not known to come from a collection which teachers were
trained on: most are collections from the literature. That is no proof, for ChEMBL holds much of the
literature, too; how much of hERG's and of the CYP substrates' was not measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LabelSource:
    """Where labels come from.

    Attributes:
        name: for titles.
        collections: that hold them, as `embedders.training_data` names them.
    """

    name: str
    collections: tuple[str, ...]


VEITH = LabelSource("PubChem AID 1851 (Veith)", ("PubChem", "ChEMBL"))
"""Cytochrome P450 inhibition. ChEMBL takes assays over from PubChem; whether these is not known."""

ASTRAZENECA = LabelSource("AstraZeneca's deposit in ChEMBL", ("ChEMBL",))
MOLECULEACE = LabelSource("ChEMBL, single targets", ("ChEMBL",))

_TASKS: Mapping[str, LabelSource] = {
    "cyp2c9_veith": VEITH,
    "cyp2d6_veith": VEITH,
    "cyp3a4_veith": VEITH,
    "lipophilicity_astrazeneca": ASTRAZENECA,
    "ppbr_az": ASTRAZENECA,
    "clearance_hepatocyte_az": ASTRAZENECA,
    "clearance_microsome_az": ASTRAZENECA,
}
_GROUPS: Mapping[str, LabelSource] = {"moleculeace": MOLECULEACE}


def label_source(group: str, task: str) -> LabelSource | None:
    """Returns where the labels of a task come from; None where no source states it.

    Args:
        group: of the task.
        task: its name; "tdc-single:NAME" has the labels of NAME.
    """
    return _GROUPS.get(group) or _TASKS.get(task.rpartition(":")[2])
