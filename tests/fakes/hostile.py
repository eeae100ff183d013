"""Libraries with random embeddings, whose texts are as hostile as users' files."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from molkd.library.table import Library

HOSTILE = ("</script><script>alert(1)</script>", 'a"b,c', "<!--", "'&amp;\u2028", "new\nline")
"""Texts that end a script, a field or a line where they are not escaped."""

SMILES = (
    *("CCO", "c1ccccc1O", "C[C@H](N)C(=O)O", "C/C=C\\C", "CC=CC", "[Na+].[Cl-]", "C[N+](=O)[O-]"),
    *("[2H]C([2H])([2H])O", "[CH3]", "[O][O]", "N->[Pt](<-N)(Cl)Cl", "*CC", "C[Fe]", "[U+6]"),
    *("c1cc[nH]c1", "C[S@](=O)CC", "CC(C)=C=CC", "[BH4-]", "P(Cl)(Cl)(Cl)(Cl)Cl", "[H][H]", "Br"),
    *("c1ccc2c(c1)[cH-]cc2", "FC(Cl)=C(F)Br", "[SiH4]", "CC(C)(C)c1ccc(cc1)C#N", "O"),
    "CN1C(=O)N(C)c2ncn(C)c2C1=O",
    "C" * 300,
)
"""Molecules that show what a drawing and a molfile can lose."""


def library(count: int = 40, *, failed: tuple[int, ...] = (3,)) -> Library:
    """Returns a library whose first molecules are `SMILES` and first identifiers `HOSTILE`."""
    draws = np.random.default_rng(0)
    values = draws.normal(size=(count, 8)).astype(np.float32)
    values[list(failed)] = np.nan
    numbers: list[float | None] = [round(float(x), 2) for x in draws.normal(5, 1, count)]
    numbers[:3] = [None, 4.25, 9.5]
    groups = [("amine", "acid", HOSTILE[0], None)[row % 4] for row in range(count)]
    return Library(
        ids=[HOSTILE[row] if row < len(HOSTILE) else f"M{row}" for row in range(count)],
        smiles=[SMILES[row % len(SMILES)] for row in range(count)],
        values=values,
        reasons=dict.fromkeys(failed, "SMILES syntax error"),
        columns={
            "pIC50": pa.array(numbers),
            "atoms": pa.array(range(count)),
            HOSTILE[0]: pa.array(groups),
            "batch": pa.array([row % 3 for row in range(count)]),
            "note": pa.array([f"text {row}\n{HOSTILE[row % 5]}" for row in range(count)]),
        },
        model="student-1",
        model_digest="ab" * 32,
    )
