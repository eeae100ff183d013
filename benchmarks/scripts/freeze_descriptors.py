"""Writes teachers/rdkit2d.csv: which RDKit descriptors are taken, their bounds and medians.

    python benchmarks/scripts/freeze_descriptors.py chembl22.smi.gz

reads 20,000 molecules spread evenly over a file of one SMILES per line. RDKit is the one of
constraints.txt; another version may know other descriptors.
"""

from __future__ import annotations

import argparse
import csv
import gzip
from pathlib import Path

import numpy as np
from rdkit import rdBase
from rdkit.Chem import Descriptors

from molkd.items.molecules import chem
from molkd.teachers.rdkit import descriptors

LEFT_OUT = {"Ipc", "AvgIpc", "SPS", "qed"}


def main() -> None:
    """Reads the command line and writes the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("smiles", type=Path)
    parser.add_argument("--molecules", type=int, default=20_000)
    arguments = parser.parse_args()
    with gzip.open(arguments.smiles, "rt", encoding="utf-8") as file:
        lines = [line.split()[0] for line in file if line.strip()]
    chosen = lines[:: max(1, len(lines) // arguments.molecules)][: arguments.molecules]
    names = tuple(name for name, _ in Descriptors._descList if name not in LEFT_OUT)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    compute = descriptors.calculator(names)
    with rdBase.BlockLogs():
        values = np.array([compute(mol) for mol in chem.parse_all(chosen).mols])
    low, high = np.nanpercentile(values, [0.05, 99.95], axis=0)
    median = np.nanmedian(values, axis=0)
    with descriptors.TABLE.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["name", "low", "high", "median"])
        for name, *numbers in zip(names, low, high, median, strict=True):
            if numbers[0] < numbers[1]:
                writer.writerow([name, *(f"{number:.7g}" for number in numbers)])
    print(f"{len(values)} of {len(chosen)} molecules; written to {descriptors.TABLE}")


if __name__ == "__main__":
    main()
