"""English descriptions of molecules, generated from what RDKit computes of them."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from rdkit import Chem
from rdkit.Chem import Descriptors, rdMolDescriptors

RULES = 1
"""Version of the sentences: raised whenever any molecule gets another text."""

RINGS = {
    "benzene": "c1ccccc1",
    "pyridine": "n1ccccc1",
    "pyrimidine": "n1cnccc1",
    "pyrazine": "n1ccncc1",
    "pyridazine": "n1ncccc1",
    "pyrrole": "[nX3]1cccc1",
    "pyrazole": "[nX3]1nccc1",
    "imidazole": "[nX3]1cncc1",
    "triazole": "[$([nX3]1nncc1),$([nX3]1ncnc1)]",
    "tetrazole": "[nX3]1nnnc1",
    "furan": "o1cccc1",
    "oxazole": "o1cncc1",
    "isoxazole": "o1nccc1",
    "oxadiazole": "[$(o1nncc1),$(o1cnnc1),$(o1ncnc1),$(o1nccn1)]",
    "thiophene": "s1cccc1",
    "thiazole": "s1cncc1",
    "thiadiazole": "[$(s1cnnc1),$(s1ncnc1),$(s1nncc1)]",
    "indole": "[nX3]1ccc2ccccc12",
    "quinoline": "n1cccc2ccccc12",
    "piperidine": "[NX3,NX4+;R]1[CX4][CX4][CX4][CX4][CX4]1",
    "piperazine": "[NX3,NX4+;R]1[CX4][CX4][NX3,NX4+][CX4][CX4]1",
    "morpholine": "[NX3,NX4+;R]1[CX4][CX4]O[CX4][CX4]1",
    "pyrrolidine": "[NX3,NX4+;R]1[CX4][CX4][CX4][CX4]1",
    "cyclohexane": "[CX4]1[CX4][CX4][CX4][CX4][CX4]1",
    "cyclopropane": "[CX4]1[CX4][CX4]1",
}
"""Name -> SMARTS."""

GROUPS = {
    "carboxylic acid": "[CX3](=O)[OX2H1]",
    "carboxylate": "[CX3](=O)[O-]",
    "ester": "[#6][CX3](=O)[OX2H0][#6]",
    "carbamate": "[NX3][CX3](=O)[OX2H0]",
    "urea": "[NX3][CX3](=O)[NX3]",
    "amide": "[#6][CX3](=O)[NX3]",
    "ketone": "[#6][CX3](=O)[#6]",
    "aldehyde": "[CX3H1](=O)[#6]",
    "sulfonamide": "[SX4](=O)(=O)[NX3]",
    "sulfone": "[#6][SX4](=O)(=O)[#6]",
    "thioether": "[#6;!$(C=[O,S,N])][SX2][#6;!$(C=[O,S,N])]",
    "thiol": "[#6][SX2H1]",
    "alcohol": "[CX4][OX2H1]",
    "phenol": "c[OX2H1]",
    "ether": "[#6;!$(C=O)][OX2;!r3][#6;!$(C=O)]",
    "primary amine": "[NX3H2;!$(N[C,S]=[O,N,S])][CX4]",
    "secondary amine": "[NX3H1;!$(N[C,S]=[O,N,S])]([CX4])[CX4]",
    "tertiary amine": "[NX3H0;!$(N[C,S]=[O,N,S])]([CX4])([CX4])[CX4]",
    "ammonium group": "[NX4+]",
    "aniline nitrogen": "[NX3;!$(N[C,S]=[O,N,S])]c",
    "nitro group": "[$([NX3](=O)=O),$([NX3+](=O)[O-])]",
    "nitrile": "[CX2]#[NX1]",
    "imine": "[CX3;!$(C[N,O,S])]=[NX2][#6]",
    "alkene": "[CX3]=[CX3]",
    "alkyne": "[CX2]#[CX2]",
    "fluorine atom": "[F;!$(F[CX4](F)F)]",
    "trifluoromethyl group": "[CX4](F)(F)F",
    "chlorine atom": "[Cl;X1]",
    "bromine atom": "[Br;X1]",
    "iodine atom": "[I;X1]",
    "phosphate": "[PX4;$(P(=O)([OX2,O-])[OX2,O-])]",
}
"""Name -> SMARTS of the atoms that make up one group."""

_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def described(mol: Chem.Mol) -> str:
    """Describes a molecule in plain English.

    Args:
        mol: in an order of atoms that does not depend on how it was written.
    """
    sentences = [_composition(mol), _rings(mol), _groups(mol), _stereo(mol), _polarity(mol)]
    return " ".join(sentence for sentence in sentences if sentence)


def _composition(mol: Chem.Mol) -> str:
    formula = rdMolDescriptors.CalcMolFormula(mol)
    text = (
        f"A molecule with the formula {formula} and a molecular weight of "
        f"{_weight(mol):.1f} g/mol, made of {_many(mol.GetNumHeavyAtoms(), 'heavy atom')}"
    )
    parts = len(Chem.GetMolFrags(mol))
    charge = Chem.GetFormalCharge(mol)
    if parts > 1:
        text += f" in {_many(parts, 'separate part')}"
    return f"{text}, with a charge of {charge:+d}." if charge else f"{text}."


def _rings(mol: Chem.Mol) -> str:
    rings = rdMolDescriptors.CalcNumRings(mol)
    if not rings:
        return "It has no rings."
    aromatic = rdMolDescriptors.CalcNumAromaticRings(mol)
    named = _present(mol, RINGS)
    of_them = "" if rings == 1 else f"{_number(aromatic)} of them "
    kind = "aromatic" if aromatic or rings > 1 else "not aromatic"
    text = f"It has {_many(rings, 'ring')}, {of_them}{kind}"
    return f"{text}: {_listed(named)}." if named else f"{text}."


def _groups(mol: Chem.Mol) -> str:
    groups = _present(mol, GROUPS)
    return f"It contains {_listed(groups)}." if groups else "It contains no functional groups."


def _stereo(mol: Chem.Mol) -> str:
    centres = rdMolDescriptors.CalcNumAtomStereoCenters(mol)
    if not centres:
        return ""
    open_ones = rdMolDescriptors.CalcNumUnspecifiedAtomStereoCenters(mol)
    text = f"It has {_many(centres, 'stereocentre')}"
    return f"{text}, {_number(open_ones)} of them unspecified." if open_ones else f"{text}."


def _polarity(mol: Chem.Mol) -> str:
    logp = rdMolDescriptors.CalcCrippenDescriptors(mol)[0]
    donors, acceptors = rdMolDescriptors.CalcNumHBD(mol), rdMolDescriptors.CalcNumHBA(mol)
    weight = _weight(mol)
    broken = sum((weight > 500, logp > 5, donors > 5, acceptors > 10))
    kind = "water-loving" if logp < 0 else "fat-loving" if logp > 3 else "of medium polarity"
    return (
        f"It has {_many(donors, 'hydrogen-bond donor')}, "
        f"{_many(acceptors, 'hydrogen-bond acceptor')} and "
        f"{_many(rdMolDescriptors.CalcNumRotatableBonds(mol), 'rotatable bond')}. "
        f"It is {kind}, with an estimated logP of {round(logp, 1) + 0.0:.1f} and a polar surface "
        f"of {rdMolDescriptors.CalcTPSA(mol):.0f} square angstroms; "
        f"{100 * rdMolDescriptors.CalcFractionCSP3(mol):.0f} percent of its carbons are saturated. "
        f"It breaks {_number(broken) if broken else 'none'} of Lipinski's four rules."
    )


def _weight(mol: Chem.Mol) -> float:
    return Descriptors.MolWt(mol)  # pyright: ignore[reportAttributeAccessIssue]


def _present(mol: Chem.Mol, patterns: dict[str, str]) -> list[str]:
    """Returns what there is of named patterns, with how many."""
    counts = {
        name: len(mol.GetSubstructMatches(_pattern(smarts))) for name, smarts in patterns.items()
    }
    return [_many(count, name) for name, count in counts.items() if count]


@functools.cache
def _pattern(smarts: str) -> Chem.Mol:
    return Chem.MolFromSmarts(smarts)


def _many(count: int, noun: str) -> str:
    return f"{_number(count)} {noun if count == 1 else f'{noun}s'}"


def _number(count: int) -> str:
    return _WORDS[count] if count < len(_WORDS) else str(count)


def _listed(parts: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1])))
