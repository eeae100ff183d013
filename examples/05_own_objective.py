"""An objective of your own: one class in one file, with its own option.

    python examples/05_own_objective.py OUTPUT

The command line takes it by name:
`PYTHONPATH=examples molkd distill --objective 05_own_objective:Huber --set objective.delta=0.5 ...`
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import ClassVar, cast

import datamol as dm
from torch import Tensor
from torch.nn import functional

import molkd
from molkd.objectives import ObjectiveSettings
from molkd.objectives.headwise import HeadwiseObjective
from molkd.objectives.settings import HeadwiseSettings


@dataclass(frozen=True, kw_only=True)
class HuberSettings(HeadwiseSettings):
    """Where the loss turns from square to straight, in standard deviations."""

    name: str = f"{__name__}:Huber"
    delta: float = 1.0


class Huber(HeadwiseObjective):
    """Mean over dimensions of the Huber loss: far outliers of a teacher count less."""

    unit: ClassVar[str] = "Huber loss of standard deviations"
    settings_type: ClassVar[type[ObjectiveSettings]] = HuberSettings

    def _outputs(self, head: str) -> int:
        return self.head_specs[head].dim

    def _row_loss(self, head: str, outputs: Tensor, target: Tensor) -> Tensor:  # noqa: ARG002
        delta = cast("HuberSettings", self.settings).delta
        losses = functional.huber_loss(outputs.float(), target, reduction="none", delta=delta)
        return losses.mean(dim=-1)


def main(output: str, molecules: int = 1000) -> None:
    """Distils two teachers with it into a tiny student."""
    smiles = dm.data.chembl_drugs()["smiles"].tolist()[:molecules]
    settings = molkd.DistillSettings(
        student=molkd.students.sized("tiny"), objective=HuberSettings(delta=0.5)
    )
    result = molkd.distill(smiles, ["maccs", "ecfp4-count"], output, settings)
    for name, known in result.information.items():
        print(f"linear R2 of {name}: {known.r2:.2f}")


if __name__ == "__main__":
    main(sys.argv[1])
