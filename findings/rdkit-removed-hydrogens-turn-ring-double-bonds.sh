#!/bin/sh
# RDKit 2026.9.1 reads its own SMILES of trans-cyclooctene with hydrogens as cis-cyclooctene.
#
# A double bond in a ring of eight or more has isomers. Where the SMILES spells out the hydrogens, as
# `MolToSmiles(AddHs(mol))` does, and the ring closes at one of the two atoms, reading it leaves the
# other isomer: the direction that a removed hydrogen carried is handed to the ring closure the wrong
# way round. The text is right: read with `removeHs = False` the bond has the configuration that it
# had. No warning is given. Each isomer becomes the other, so that twice gives the first again.
#
# Seen: "trans STEREOE STEREOE STEREOZ" and "cis STEREOZ STEREOZ STEREOE": the bond of the molecule, of
# the SMILES with hydrogens kept, and of the same SMILES as it is read by default.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet rdkit==2026.9.1 numpy==2.4.6
seen=$("$folder/venv/bin/python" - <<'PROGRAM'
from rdkit import Chem


def bond(mol):
    """The configuration of the only double bond that has one."""
    Chem.AssignStereochemistry(mol, force=True)
    return [str(one.GetStereo()) for one in mol.GetBonds() if one.GetBondTypeAsDouble() == 2][0]


keep = Chem.SmilesParserParams()
keep.removeHs = False
for name, smiles in (("trans", r"C1=C/CCCCCC/1"), ("cis", r"C1=C\CCCCCC/1")):
    mol = Chem.MolFromSmiles(smiles)
    text = Chem.MolToSmiles(Chem.AddHs(mol))
    print(name, bond(mol), bond(Chem.MolFromSmiles(text, keep)), bond(Chem.MolFromSmiles(text)))
PROGRAM
)
echo "$seen"
test "$seen" = "trans STEREOE STEREOE STEREOZ
cis STEREOZ STEREOZ STEREOE"
