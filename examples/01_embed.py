"""Embed molecules with a trained student, from Python.

    python examples/01_embed.py MODEL

MODEL is the folder that `molkd distill -o` or one of the other examples wrote.
"""

from __future__ import annotations

import sys

from molkd import students

MOLECULES = ["CCO", "c1ccccc1O", "CC(=O)Oc1ccccc1C(=O)O", "not a molecule"]


def main(model: str) -> None:
    """Embeds four molecules, one of which is none."""
    student = students.load(model)
    embedded = student.embed(MOLECULES)
    for row, smiles in enumerate(MOLECULES):
        # A row that fails keeps its place: it is NaN, and there is a reason.
        said = embedded.failures.get(row, f"{embedded.values[row][:3].round(2)} ...")
        print(f"{smiles:25} {said}")


if __name__ == "__main__":
    main(sys.argv[1])
