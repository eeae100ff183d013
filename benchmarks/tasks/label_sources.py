"""Where the labels of tasks come from, as far as a source states it.

A task that is not here is one whose labels no teacher is known to have seen: most are collections
from the literature. That is no proof: ChEMBL holds much of the literature, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LabelSource:
    """Where labels come from.

    Attributes:
        collection: the collection, as teachers' training data name it.
        about: which part of it, in words.
    """

    collection: str
    about: str


VEITH = LabelSource("PubChem", "bioassay AID 1851 (Veith et al. 2009)")
ASTRAZENECA = LabelSource("ChEMBL", "AstraZeneca's deposit")
MOLECULEACE = LabelSource("ChEMBL", "activities on single targets (MoleculeACE)")

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
