#!/bin/sh
# fcd-torch 1.0.7 reads a SMILES to its first dot: unlike hydrochlorides have one activation.
#
# The dot is also the network's sign for the end, and reading stops where it occurs. The canonical
# SMILES of a salt often begins with the counter-ion ("Cl." sorts before "N" and "O"), so that of
# phenethylamine hydrochloride and of cyclohexylamine hydrochloride nothing but "Cl" is left, and the
# distance between two sets of such salts is zero whatever they are. There is no warning. The free
# bases differ.
#
# Seen: "salts 0.0, one of them and hydrogen chloride 0.0, bases differ True".
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet fcd-torch==1.0.7 torch==2.13.0 rdkit==2026.9.1 \
    numpy==2.4.6 scipy==1.17.1
seen=$("$folder/venv/bin/python" -W ignore - <<'PROGRAM'
import numpy as np
from fcd_torch import FCD

smiles = ["Cl.NCCc1ccccc1", "Cl.NC1CCCCC1", "Cl", "NCCc1ccccc1", "NC1CCCCC1"]
one, other, acid, base, another = FCD(device="cpu").get_predictions(smiles)
print(np.abs(one - other).max(), np.abs(one - acid).max(), np.abs(base - another).max() > 0.01)
PROGRAM
)
echo "$seen"
test "$seen" = "0.0 0.0 True"
