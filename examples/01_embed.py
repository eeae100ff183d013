"""Embed molecules with a trained student, from Python.

    python examples/01_embed.py MODEL

MODEL is the folder that `molkd distill -o` or one of the other examples wrote.
"""

from __future__ import annotations

import sys

import molkd

MOLECULES = ["CCO", "c1ccccc1O", "CC(=O)Oc1ccccc1C(=O)O", "not a molecule"]


def main(model: str) -> None:
    """Embeds four molecules, one of which is none."""
    embeddings = molkd.embed(MOLECULES, model)
    for row, smiles in enumerate(MOLECULES):
        # A row that fails keeps its place: it is NaN, and there is a reason.
        vector = f"{embeddings.values[row][:3].round(2)} ..."
        print(f"{smiles:25} {embeddings.failures.get(row, vector)}")


if __name__ == "__main__":
    main(sys.argv[1])
