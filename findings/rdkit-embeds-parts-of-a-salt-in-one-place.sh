#!/bin/sh
# RDKit 2026.9.1 puts the parts of a salt into each other.
#
# `EmbedMolecule` embeds each part of a compound around the same point. Atoms of ethylamine and
# hydrogen chloride are 0.4 Å apart, two molecules of benzoic acid lie atom on atom; nothing says so,
# and MMFF94 does not mend it: it stops at once, "converged", where two atoms are in one place. csp5
# 0.3.1, which is built on it, notices ("geometry_close_contact") and gave no shifts for any of five
# compounds of two parts. What gives conformers is to embed the parts one by one and to set them apart.
#
# Seen: the result of the embedding, that of 200 steps of MMFF94 (0: converged), and the distance in Å
# between the nearest atoms of different parts before and after.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet rdkit==2026.9.1
seen=$("$folder/venv/bin/python" - <<'PROGRAM'
import numpy as np
from rdkit import Chem
from rdkit.Chem import rdDistGeom, rdForceFieldHelpers


def nearest(mol):
    where = mol.GetConformer().GetPositions()
    one, *others = Chem.GetMolFrags(mol)
    rest = [atom for part in others for atom in part]
    gap = np.linalg.norm(where[list(one), None] - where[rest], axis=2).min()
    return f"{gap:.1f}"


for smiles in ("CC[NH3+].[Cl-]", "OC(=O)c1ccccc1.OC(=O)c1ccccc1", "O.O.O.O"):
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    rules = rdDistGeom.ETKDGv3()
    rules.randomSeed = 1
    embedded = rdDistGeom.EmbedMolecule(mol, rules)
    before = nearest(mol)
    print(smiles, embedded, rdForceFieldHelpers.MMFFOptimizeMolecule(mol), before, nearest(mol))
PROGRAM
)
echo "$seen"
test "$seen" = "CC[NH3+].[Cl-] 0 0 0.6 0.6
OC(=O)c1ccccc1.OC(=O)c1ccccc1 0 0 0.0 0.0
O.O.O.O 0 0 0.0 0.0"
