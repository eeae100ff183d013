"""RDKit molecules as programs hand them over: edited, unsanitised, queries, fragments."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from rdkit import Chem
from rdkit.Chem import AllChem, rdDepictor

from tests.fuzz import mutations
from tests.fuzz.cases import Recipe, Seen, Target, making
from tests.fuzz.compounds import BATCH, check_batch, check_texts, woven
from tests.fuzz.seeds import SMILES


def draw(random: Random) -> Recipe:
    """Molecules, each a SMILES and what is done to it in turn."""
    return {
        "inputs": BATCH,
        "molecules": [_molecule(random) for _ in range(BATCH)],
        "weave": random.randrange(1 << 30),
        "standardize": "full" if random.random() < 0.05 else "none",
    }


def _molecule(random: Random) -> dict[str, Any]:
    text = mutations.smiles(random) if random.random() < 0.2 else random.choice(SMILES)
    reading = random.choice(("plain", "plain", "raw", "raw", "smarts", "hydrogens"))
    count = random.choice((0, 1, 1, 2, 3, 5))
    steps = [[random.choice(_NAMES), random.randrange(1 << 30)] for _ in range(count)]
    return {"smiles": text[:400], "reading": reading, "steps": steps}


def check(recipe: Recipe, seen: Seen) -> None:
    with making():
        mols = [made(one) for one in recipe["molecules"]]
    items, sentinels = woven(mols, recipe["weave"])
    before = [_binary(item) for item in items]
    check_batch(items, sentinels, seen)
    check_texts(items, recipe["standardize"], seen)
    changed = [row for row, item in enumerate(items) if _binary(item) != before[row]]
    if changed:
        raise AssertionError(f"the caller's molecule was changed: {recipe['molecules']}")


def made(one: Mapping[str, Any]) -> Any:
    """Makes a molecule; a step that RDKit refuses is left out. None where it cannot be read."""
    try:
        mol = _READ[one["reading"]](one["smiles"])
    except _REFUSED:
        return None
    for name, seed in one["steps"]:
        if mol is None:
            break
        try:
            mol = _STEPS[name](mol, Random(seed))
        except _REFUSED:
            continue
    return mol


_REFUSED = (RuntimeError, ValueError, TypeError, OverflowError, AttributeError, LookupError)


def _binary(item: Any) -> bytes | None:
    try:
        return (
            item.ToBinary(Chem.PropertyPickleOptions.NoProps)
            if isinstance(item, Chem.Mol)
            else None
        )
    except _REFUSED:
        return None


def _hydrogens(text: str) -> Any:
    options = Chem.SmilesParserParams()
    options.removeHs = False
    return Chem.MolFromSmiles(text, options)


_READ: Mapping[str, Callable[[str], Any]] = {
    "plain": Chem.MolFromSmiles,
    "raw": lambda text: Chem.MolFromSmiles(text, sanitize=False),
    "smarts": Chem.MolFromSmarts,
    "hydrogens": _hydrogens,
}


def _kekulized(mol: Any, random: Random) -> Any:
    copy = Chem.Mol(mol)
    Chem.Kekulize(copy, clearAromaticFlags=random.random() < 0.5)
    return copy


def _renumbered(mol: Any, random: Random) -> Any:
    order = list(range(mol.GetNumAtoms()))
    random.shuffle(order)
    return Chem.RenumberAtoms(mol, order)


def _atom(mol: Any, random: Random) -> Any:
    return mol.GetAtomWithIdx(random.randrange(mol.GetNumAtoms()))


def _changed_atom(mol: Any, random: Random) -> Any:
    edited = Chem.RWMol(mol)
    atom = _atom(edited, random)
    match random.randrange(9):
        case 0:
            atom.SetAtomicNum(random.choice((0, 1, 6, 7, 8, 15, 26, 53, 92, 118)))
        case 1:
            atom.SetFormalCharge(random.choice((-9, -4, -1, 1, 2, 7, 99)))
        case 2:
            atom.SetIsotope(random.choice((0, 1, 2, 13, 500)))
        case 3:
            atom.SetNoImplicit(random.random() < 0.5)
        case 4:
            atom.SetNumExplicitHs(random.choice((0, 1, 4, 12)))
        case 5:
            atom.SetChiralTag(random.choice(list(Chem.ChiralType.values.values())))
        case 6:
            atom.SetNumRadicalElectrons(random.choice((1, 2, 3, 9)))
        case 7:
            atom.SetIsAromatic(not atom.GetIsAromatic())
        case _:
            atom.SetHybridization(random.choice(list(Chem.HybridizationType.values.values())))
    return edited if random.random() < 0.5 else edited.GetMol()


def _changed_bond(mol: Any, random: Random) -> Any:
    edited = Chem.RWMol(mol)
    bond = edited.GetBondWithIdx(random.randrange(edited.GetNumBonds()))
    match random.randrange(4):
        case 0:
            bond.SetBondType(random.choice(list(Chem.BondType.values.values())))
        case 1:
            bond.SetStereo(random.choice((Chem.BondStereo.STEREOANY, Chem.BondStereo.STEREONONE)))
        case 2:
            bond.SetBondDir(random.choice(list(Chem.BondDir.values.values())))
        case _:
            bond.SetIsAromatic(not bond.GetIsAromatic())
    return edited


def _added(mol: Any, random: Random) -> Any:
    edited = Chem.RWMol(mol)
    place = edited.AddAtom(Chem.Atom(random.choice((0, 1, 6, 8, 17, 29))))
    if random.random() < 0.8:
        kinds = (Chem.BondType.SINGLE, Chem.BondType.DOUBLE, Chem.BondType.DATIVE)
        edited.AddBond(random.randrange(place), place, random.choice(kinds))
    return edited


def _ring(mol: Any, random: Random) -> Any:
    edited = Chem.RWMol(mol)
    one, other = random.sample(range(edited.GetNumAtoms()), 2)
    edited.AddBond(one, other, Chem.BondType.SINGLE)
    return edited.GetMol()


def _removed(mol: Any, random: Random) -> Any:
    edited = Chem.RWMol(mol)
    edited.RemoveAtom(random.randrange(edited.GetNumAtoms()))
    return edited


def _cut(mol: Any, random: Random) -> Any:
    bond = random.randrange(mol.GetNumBonds())
    return Chem.FragmentOnBonds(mol, [bond], addDummies=random.random() < 0.7)


def _fragment(mol: Any, random: Random) -> Any:
    parts = Chem.GetMolFrags(mol, asMols=True, sanitizeFrags=random.random() < 0.3)
    return random.choice(parts)


def _without(mol: Any, random: Random) -> Any:
    pattern = Chem.MolFromSmarts(random.choice(("[O,N]", "c1ccccc1", "[#6]", "C=O", "*")))
    change = random.choice(("delete", "replace", "core", "sidechains"))
    if change == "delete":
        return Chem.DeleteSubstructs(mol, pattern)
    if change == "replace":
        return Chem.ReplaceSubstructs(mol, pattern, Chem.MolFromSmiles("[Si]"))[0]
    return (Chem.ReplaceCore if change == "core" else Chem.ReplaceSidechains)(mol, pattern)


_REACTIONS = tuple(
    AllChem.ReactionFromSmarts(text)
    for text in (
        "[C:1][OH:2]>>[C:1]=[O:2]",
        "[c:1][H]>>[c:1]Cl",
        "[N:1]>>[N+:1](=O)[O-]",
        "[C:1](=[O:2])O>>[C:1](=[O:2])N",
    )
)


def _product(mol: Any, random: Random) -> Any:
    sets = random.choice(_REACTIONS).RunReactants((mol,))
    return random.choice(sets)[0] if sets else mol


def _drawing(mol: Any, _: Random) -> Any:
    copy = Chem.Mol(mol)
    if copy.GetNumAtoms() < 100:
        rdDepictor.Compute2DCoords(copy)
    return copy


def _block(mol: Any, random: Random) -> Any:
    block = Chem.MolToMolBlock(
        mol, forceV3000=random.random() < 0.5, kekulize=random.random() < 0.5
    )
    sanitize, remove = random.random() < 0.5, random.random() < 0.5
    return Chem.MolFromMolBlock(block, sanitize=sanitize, removeHs=remove, strictParsing=False)


def _through_json(mol: Any, _: Random) -> Any:
    return Chem.JSONToMols(Chem.MolToJSON(mol))[0]


def _sanitized(mol: Any, random: Random) -> Any:
    copy = Chem.Mol(mol)
    flags = random.choice((Chem.SANITIZE_ALL, Chem.SANITIZE_PROPERTIES, Chem.SANITIZE_SYMMRINGS))
    Chem.SanitizeMol(copy, flags, catchErrors=True)
    return copy


def _query(mol: Any, random: Random) -> Any:
    if random.random() < 0.5:
        return Chem.AdjustQueryProperties(mol)
    edited = Chem.RWMol(mol)
    pattern = Chem.AtomFromSmarts(random.choice(("[#6,#7]", "*", "[!C]", "[R2]", "[$(CO)]")))
    edited.ReplaceAtom(random.randrange(edited.GetNumAtoms()), pattern)
    return edited


def _labelled(mol: Any, random: Random) -> Any:
    copy = Chem.Mol(mol)
    _atom(copy, random).SetProp(random.choice(("_CIPCode", "molAtomMapNumber", "x")), "R")
    _atom(copy, random).SetAtomMapNum(random.choice((0, 1, 999)))
    copy.SetProp("_Name", "\u00e9 \n $$$$")
    return copy


_STEPS: Mapping[str, Callable[[Any, Random], Any]] = {
    "hydrogens": lambda mol, _: Chem.AddHs(mol),
    "bare": lambda mol, random: Chem.RemoveHs(mol, sanitize=random.random() < 0.5),
    "kekulized": _kekulized,
    "renumbered": _renumbered,
    "atom": _changed_atom,
    "bond": _changed_bond,
    "added": _added,
    "ring": _ring,
    "removed": _removed,
    "cut": _cut,
    "fragment": _fragment,
    "without": _without,
    "product": _product,
    "drawing": _drawing,
    "block": _block,
    "json": _through_json,
    "binary": lambda mol, _: Chem.Mol(mol.ToBinary()),
    "pickle": lambda mol, _: pickle.loads(pickle.dumps(mol)),  # noqa: S301, our own
    "sanitized": _sanitized,
    "query": _query,
    "labelled": _labelled,
    "empty": lambda mol, random: mol if random.random() < 0.8 else Chem.Mol(),
}
_NAMES = list(_STEPS)

MOLECULES = Target(draw, check)
