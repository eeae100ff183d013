#!/bin/sh
# expaloma 0.1.0 charges the atoms that a SMILES writes down: the oxygen of water gets 0, the hydrogens
# of ethanol are left out.
#
# `charges_for_smiles`, the command `expaloma infer` and the example in its README give the network the
# molecule as `Chem.MolFromSmiles` returns it, with implicit hydrogens. The network was trained on all
# atoms. Charges add up to the formal charge, so that nothing looks wrong: a carbon of ethanol changes
# from .12 to .49, and without its hydrogen the oxygen has half the charge. What gives the
# charges of all atoms, as AM1-BCC has them, is `charges_for_rdkit_mol(Chem.AddHs(mol))`.
#
# Seen: "O [0.0] [-0.68, 0.34, 0.34]" and "CCO [-0.19, 0.49, -0.3] [-0.11, 0.12, -0.61]": what the
# package gives for the SMILES, and what it gives for the same atoms with all hydrogens there (of water
# all three, of ethanol those of carbon and oxygen).
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet expaloma==0.1.0 rdkit==2026.9.1 jax==0.10.2 equinox==0.13.8 \
    numpy==2.4.6
seen=$(JAX_PLATFORMS=cpu "$folder/venv/bin/python" - <<'PROGRAM' 2>/dev/null
from expaloma.infer import charges_for_rdkit_mol, charges_for_smiles
from rdkit import Chem

for smiles in ("O", "CCO"):
    whole = charges_for_rdkit_mol(Chem.AddHs(Chem.MolFromSmiles(smiles)))
    lists = (charges_for_smiles(smiles), whole[:3])
    print(smiles, *([round(float(charge), 2) for charge in one] for one in lists))
PROGRAM
)
echo "$seen"
test "$seen" = "O [0.0] [-0.68, 0.34, 0.34]
CCO [-0.19, 0.49, -0.3] [-0.11, 0.12, -0.61]"
