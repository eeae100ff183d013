#!/bin/sh
# RDKit 2026.9.1 draws eight conformers that are one and the same when the seed is 0.
#
# `EmbedMultipleConfs` seeds conformer i with (i + 1) times `randomSeed`: of 0 that is always 0. The
# seed that people choose first thus gives n copies instead of n draws, without a word, also through
# what is built on it: `csp5 --num-conformers 8 --random-seed 0` averages one conformer over itself,
# with weights of 1/8. `EmbedMolecule` with seed 0 gives what it gives with seed 1. Any other seed
# draws, and so does `enableSequentialRandomSeeds = True`.
#
# Seen: the numbers of different conformers among eight of a flexible molecule, by seed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet rdkit==2026.9.1
seen=$("$folder/venv/bin/python" - <<'PROGRAM'
from rdkit import Chem
from rdkit.Chem import rdDistGeom

mol = Chem.AddHs(Chem.MolFromSmiles("OCC(N)CCCC(=O)Nc1ccccc1"))


def drawn(seed, count=8, sequential=False):
    rules = rdDistGeom.ETKDGv3()
    rules.randomSeed = seed
    rules.enableSequentialRandomSeeds = sequential
    numbers = rdDistGeom.EmbedMultipleConfs(mol, count, rules)
    return [mol.GetConformer(number).GetPositions().round(3).tobytes() for number in numbers]


for seed in (0, 1, 42):
    print(seed, len(set(drawn(seed))))
print("sequential", len(set(drawn(0, sequential=True))))
print("0 is 1:", drawn(0, 1) == drawn(1, 1))
PROGRAM
)
echo "$seen"
test "$seen" = "0 1
1 8
42 8
sequential 8
0 is 1: True"
