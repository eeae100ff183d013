"""Small libraries with made-up embeddings, and one embedded by the smallest student."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from molkd import library
from molkd.library import Library

SMILES = [
    *("CCO", "CCCO", "CCCCO", "CC(C)O", "OCCO", "CCN", "CCCN", "CC(=O)O", "CCC(=O)O", "CCOC"),
    *("c1ccccc1", "Cc1ccccc1", "Oc1ccccc1", "Nc1ccccc1", "Clc1ccccc1", "O=C(O)c1ccccc1"),
    *("c1ccncc1", "Cc1ccncc1", "c1ccc2[nH]ccc2c1", "c1ccc2ncccc2c1", "C1CCCCC1", "C1CCNCC1"),
    *("CC(=O)Oc1ccccc1C(=O)O", "CC(=O)Nc1ccc(O)cc1", "Cn1c(=O)c2c(ncn2C)n(C)c1=O"),
]
STUDENT = "molkd-tiny"


def embedded(folder: Path, *, rows: int = 40, bad: tuple[int, ...] = (3,)) -> Path:
    """Writes a file of embeddings of real molecules, with a column, some of which are none."""
    lines = [
        f"{'no molecule' if row in bad else SMILES[row % len(SMILES)]},M{row},{row / 2}"
        for row in range(rows)
    ]
    source = folder / "molecules.csv"
    source.write_text("\n".join(["smiles,id,rank", *lines]) + "\n")
    return library.embedded_file(
        source, work=folder / "library.parquet", model=STUDENT, progress=False
    )


def random(rows: int, dim: int = 16, *, seed: int = 0, missing: tuple[int, ...] = ()) -> Library:
    """Returns rows with drawn embeddings in a few clouds."""
    rng = np.random.default_rng(seed)
    clouds = rng.normal(size=(8, dim))
    values = clouds[rng.integers(8, size=rows)] + 0.5 * rng.normal(size=(rows, dim))
    values = values.astype(np.float32)
    values[list(missing)] = np.nan
    return Library(
        ids=[f"M{row}" for row in range(rows)],
        smiles=["C" * (row % 20 + 1) for row in range(rows)],
        values=values,
        reasons=dict.fromkeys(missing, "lost"),
        columns={"rank": pa.chunked_array([pa.array(range(rows))])},
        model="",
        model_digest="",
    )
