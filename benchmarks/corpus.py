"""Draws a distillation corpus without the molecules of the evaluation tasks.

    python benchmarks/corpus.py --from FILE.smi.gz --without FOLDER --count 100000 --out FILE.smi

A molecule is left out when the first block of its InChIKey (its skeleton, without stereochemistry
and charges) is that of a molecule in any CSV below the folder.
"""

from __future__ import annotations

import argparse
import gzip
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from rdkit import Chem, rdBase

from molkd import store
from molkd.parallel import ordered_map

CHUNK = 2000


def skeletons(smiles: Sequence[str]) -> list[str]:
    """Returns the first block of each InChIKey; empty where a SMILES cannot be read."""
    with rdBase.BlockLogs():
        mols = [Chem.MolFromSmiles(text) for text in smiles]
        return [Chem.MolToInchiKey(mol)[:14] if mol else "" for mol in mols]


def all_skeletons(smiles: Sequence[str], jobs: int) -> list[str]:
    """Returns `skeletons`, computed in several processes."""
    chunks = [smiles[start : start + CHUNK] for start in range(0, len(smiles), CHUNK)]
    return [block for part in ordered_map(skeletons, chunks, jobs=jobs) for block in part]


def main() -> None:
    """Reads, leaves out, draws, writes, and says how many molecules were left out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--from", dest="source", type=Path, required=True)
    parser.add_argument("--without", type=Path, required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args()
    with gzip.open(given.source, "rt") as stream:
        smiles = [line.split()[0] for line in stream if line.strip()]
    order = np.random.default_rng(given.seed).permutation(len(smiles))
    drawn = [smiles[row] for row in order[: given.count + given.count // 10]]
    tables = [pd.read_csv(path) for path in sorted(given.without.rglob("*.csv"))]
    tested = sorted({text for table in tables for text in table["Drug"]})
    known = set(all_skeletons(tested, given.jobs)) - {""}
    blocks = all_skeletons(drawn, given.jobs)
    kept = [text for text, block in zip(drawn, blocks, strict=True) if block not in known]
    if len(kept) < given.count:
        parser.error(f"only {len(kept)} molecules are left, {given.count} were asked for")
    store.write_bytes(given.out, ("\n".join(kept[: given.count]) + "\n").encode())
    print(
        f"{given.count} molecules written; {len(drawn) - len(kept)} of {len(drawn)} drawn ones "
        f"left out as among {len(tested)} of the evaluation tasks"
    )


if __name__ == "__main__":
    main()
