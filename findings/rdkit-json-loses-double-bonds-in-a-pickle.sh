#!/bin/sh
# RDKit 2026.9.1: a molecule from RDKit's own JSON loses E and Z when it is pickled or standardised.
#
# `JSONToMols` gives double bonds as STEREOCIS or STEREOTRANS. `MolToSmiles` writes them, until a copy
# forgets that stereochemistry "is done": after pickle (hence in every worker process), `ToBinary`,
# `RenumberAtoms`, MolStandardize's `Cleanup` and `FragmentParent`. Then stereochemistry is assigned
# anew, from the directions of neighbouring bonds, which JSON does not give, and the SMILES has none.
# Read from SMILES the same molecule keeps it everywhere. `SetDoubleBondNeighborDirections` before
# whatever follows is a remedy.
#
# Seen: the SMILES of both molecules as read, pickled, renumbered, cleaned up, and with the remedy.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet rdkit==2026.9.1 numpy==2.4.6
seen=$("$folder/venv/bin/python" - <<'PROGRAM'
import pickle

from rdkit import Chem, RDLogger
from rdkit.Chem import rdMolInterchange
from rdkit.Chem.MolStandardize import rdMolStandardize

RDLogger.DisableLog("rdApp.*")


def remedied(mol):
    copy = Chem.Mol(mol)
    Chem.SetDoubleBondNeighborDirections(copy)
    return pickle.loads(pickle.dumps(copy))


def shown(mol):
    reverse = list(reversed(range(mol.GetNumAtoms())))
    copies = (
        Chem.Mol(mol),
        pickle.loads(pickle.dumps(mol)),
        Chem.RenumberAtoms(mol, reverse),
        rdMolStandardize.Cleanup(mol),
        remedied(mol),
    )
    return " ".join(Chem.MolToSmiles(copy) for copy in copies)


mol = Chem.MolFromSmiles(r"F/C=C\Cl")
print("SMILES", shown(mol))
print("JSON  ", shown(rdMolInterchange.JSONToMols(rdMolInterchange.MolToJSON(mol))[0]))
PROGRAM
)
echo "$seen"
test "$seen" = 'SMILES F/C=C\Cl F/C=C\Cl F/C=C\Cl F/C=C\Cl F/C=C\Cl
JSON   F/C=C\Cl FC=CCl FC=CCl FC=CCl F/C=C\Cl'
