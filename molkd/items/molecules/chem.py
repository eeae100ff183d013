"""SMILES and RDKit molecules: the one way they enter, with a reason for every failure.

The same compound comes out the same, however it was written or drawn: sanitised, with hydrogens
implicit, stereochemistry assigned anew, atom maps forgotten. The features of graph students are in
`molkd.items.molecules.graph`, standardisation in `molkd.items.molecules.standardization`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from rdkit import Chem, rdBase

from molkd.items.base import InvalidItemError, ReadT, described
from molkd.items.molecules import texts

Molecule = str | Chem.Mol
"""What an item of a molecular corpus may be."""

MAX_ATOMS = texts.MAX_ATOMS
"""Heavy atoms above which a molecule is refused: no teacher is meant for it."""

MAX_TEXT = 10_000
"""Characters above which a SMILES is refused before it is parsed: RDKit's time grows faster than
they do. A CXSMILES block, which may hold coordinates, may have ten times as many."""

_BLANK = " \t\r\n\f\v\u00a0\u200b\u200c\u200d\u2060\ufeff"
"""White space and characters without width, which spreadsheets and web pages leave at the ends."""

_SHOWN = 40

_unsanitised = functools.partial(Chem.MolFromSmiles, sanitize=False)
_TETRAHEDRAL = frozenset(
    {
        Chem.ChiralType.CHI_UNSPECIFIED,
        Chem.ChiralType.CHI_TETRAHEDRAL_CW,
        Chem.ChiralType.CHI_TETRAHEDRAL_CCW,
    }
)
_OPEN = frozenset({Chem.BondStereo.STEREONONE, Chem.BondStereo.STEREOANY})
_SLANTED = frozenset({Chem.BondDir.ENDUPRIGHT, Chem.BondDir.ENDDOWNRIGHT})


class InvalidMoleculeError(InvalidItemError):
    """An item is not a usable molecule."""


class CanonicalMol(Chem.Mol):
    """A molecule whose atoms stand in the order of its canonical SMILES: what teachers are given.

    RDKit's copies and edited versions of it are plain molecules again.

    Attributes:
        smiles: canonical isomeric SMILES.
    """

    def __init__(self, mol: Chem.Mol | bytes, smiles: str) -> None:
        super().__init__(cast("Any", mol))
        self.smiles = smiles

    def __reduce__(self) -> tuple[Any, ...]:
        return CanonicalMol, (self.ToBinary(), self.smiles)


@dataclass(frozen=True, slots=True)
class Parsed:
    """The molecules of a batch of items.

    Attributes:
        mols: the molecules that could be read, in order.
        rows: their positions among the items.
        failures: row -> reason, for all other items.
    """

    mols: list[Chem.Mol]
    rows: list[int]
    failures: Mapping[int, str]


def parse(item: object) -> Chem.Mol:
    """Reads a SMILES or CXSMILES string, or a copy of an RDKit molecule.

    Raises:
        InvalidMoleculeError: the item is empty, no SMILES, no single compound (a query), chemically
            impossible or too large.
    """
    with rdBase.BlockLogs():
        return _parsed(item)


def parse_canonical(item: object) -> CanonicalMol:
    """Reads an item into a molecule that does not depend on the order in which it was written.

    Some of what RDKit computes does: which rings it counts, for example.

    Raises:
        InvalidMoleculeError: see `parse`.
    """
    if isinstance(item, CanonicalMol):
        return item
    mol = parse(item)
    smiles = canonical_smiles(mol)
    if not isinstance(item, str) or item.strip(_BLANK) != smiles:
        mol = parse(smiles)
    return CanonicalMol(mol, smiles)


def from_canonical(smiles: str) -> CanonicalMol:
    """Reads what `canonical_smiles` has written.

    Raises:
        InvalidMoleculeError: see `parse`.
    """
    return CanonicalMol(parse(smiles), smiles)


def parse_all(items: Sequence[object]) -> Parsed:
    """Reads many items; those that cannot be read get a reason instead of an exception."""
    return Parsed(*read_all(lambda _, mol: mol, items))


def read_all(
    read: Callable[[object, Chem.Mol], ReadT], items: Sequence[object]
) -> tuple[list[ReadT], list[int], dict[int, str]]:
    """Keeps of many items what a function makes of them: faster than to keep the molecules."""
    results: list[ReadT] = []
    rows: list[int] = []
    failures: dict[int, str] = {}
    with rdBase.BlockLogs():
        # Before the others, as RDKit empties the processor's cache each time.
        plain = [item if texts.is_plain(item) else None for item in items]
        for row, (item, text) in enumerate(zip(items, plain, strict=True)):
            try:
                mol = None if text is None else _quietly(Chem.MolFromSmiles, text)
                results.append(read(item, _parsed(item) if mol is None else mol))
                rows.append(row)
            except InvalidItemError as error:
                failures[row] = str(error)
    return results, rows, failures


def canonical_smiles(mol: Chem.Mol) -> str:
    """Returns the canonical isomeric SMILES of a molecule that was read by `parse`."""
    return mol.smiles if isinstance(mol, CanonicalMol) else Chem.MolToSmiles(mol)


def problem_of(raw: Chem.Mol) -> str:
    """Returns why RDKit cannot sanitise a molecule that was read without sanitising."""
    problems = Chem.DetectChemistryProblems(raw)
    return problems[0].Message() if problems else "RDKit cannot sanitise it"


def first_line(error: Exception) -> str:
    """Returns the first line of what RDKit says, or the kind of error where it says nothing."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip(" *\t")]
    return lines[0] if lines else type(error).__name__


def _parsed(item: object) -> Chem.Mol:
    if isinstance(item, CanonicalMol):
        return item
    return _sized(_settled(item)) if isinstance(item, Chem.Mol) else _from_smiles(item)


def _sized(mol: Chem.Mol) -> Chem.Mol:
    atoms = mol.GetNumAtoms()
    if atoms == 0:
        raise InvalidMoleculeError("molecule without atoms")
    if atoms > MAX_ATOMS:
        heavy = sum(atom.GetAtomicNum() != 1 for atom in mol.GetAtoms())
        if heavy > MAX_ATOMS:
            raise InvalidMoleculeError(f"{heavy} heavy atoms, more than the {MAX_ATOMS} allowed")
    return mol


def _from_smiles(item: object) -> Chem.Mol:
    if not isinstance(item, str):
        raise InvalidMoleculeError(f"no SMILES but {described(item)}")
    mol = _quietly(Chem.MolFromSmiles, item) if texts.is_plain(item) else None
    if mol is not None:
        return mol
    text = _checked_text(item)
    mol = _quietly(Chem.MolFromSmiles, text)
    if mol is None:
        raw = _quietly(_unsanitised, text)
        raise InvalidMoleculeError(problem_of(raw) if raw else _syntax_problem(text))
    if any(mark in text for mark in texts.UNSETTLED):
        return _sized(_settled(_quietly(_with_hydrogens, text) or mol))
    if "@" in text:
        Chem.SetHybridization(mol)  # as in `_assigned`
    _refuse_query(mol)
    return _sized(mol)


def _checked_text(item: str) -> str:
    text = item.strip(_BLANK)
    if not text:
        raise InvalidMoleculeError("empty SMILES")
    if not text.isascii():
        other = next(character for character in text if not character.isascii())
        raise InvalidMoleculeError(f"{texts.writable(other)} is no character of a SMILES")
    words = text.split(None, 1)
    for word, most in zip(words, (MAX_TEXT, 10 * MAX_TEXT), strict=False):
        if len(word) > most:
            raise InvalidMoleculeError(f"{len(word)} characters, more than the {most} allowed")
    if len(words) == 2 and not (words[1][0] == "|" and words[1].find("|", 1) == len(words[1]) - 1):
        raise InvalidMoleculeError(_tail_problem(*words))
    return text


def _tail_problem(first: str, rest: str) -> str:
    if _quietly(_unsanitised, first) is None:
        return "SMILES syntax error"
    return f"text after the SMILES: {rest[:_SHOWN]!r}: one SMILES per row"


def _syntax_problem(text: str) -> str:
    if "|" in text and _quietly(Chem.MolFromSmiles, text.split(None, 1)[0]):
        return "the SMILES can be read, but not its CXSMILES block"
    return "SMILES syntax error"


def _with_hydrogens(text: str) -> Chem.Mol | None:
    rules = Chem.SmilesParserParams()
    rules.removeHs = False
    return Chem.MolFromSmiles(text, rules)


def _quietly(read: Callable[[str], Chem.Mol | None], text: str) -> Chem.Mol | None:
    """What a reader of RDKit returns; None where it raises, which it does for some texts."""
    try:
        return read(text)
    except Exception:  # noqa: BLE001 - RDKit raises bare C++ exceptions of many kinds
        return None


def _settled(drawn: Chem.Mol) -> Chem.Mol:
    """Returns a copy as RDKit would have read the compound from a SMILES.

    Atom maps are no chemistry. Centres of other than tetrahedral geometry stay open, for RDKit
    writes them in more than one way.

    Raises:
        InvalidMoleculeError: it is a query, or RDKit cannot sanitise it.
    """
    _refuse_query(drawn)
    try:
        mol = Chem.Mol(drawn)
        for atom in mol.GetAtoms():
            atom.SetAtomMapNum(0)
            if atom.GetChiralTag() not in _TETRAHEDRAL:
                atom.SetChiralTag(Chem.ChiralType.CHI_UNSPECIFIED)
        Chem.SanitizeMol(mol)
        mol = _assigned(mol)
        mol.RemoveAllConformers()
    except Exception as error:  # RDKit raises bare C++ exceptions of many kinds
        raise InvalidMoleculeError(first_line(error)) from error
    return mol


def _assigned(mol: Chem.Mol) -> Chem.Mol:
    """Returns a sanitised molecule with its hydrogens implicit and stereochemistry assigned anew.

    Double bonds are turned by their stereo, not by the directions of their neighbours: of those
    RDKit removes one with a hydrogen, and what is left may tell the other isomer. It takes cis and
    trans without directions, as its JSON has them, for nothing at all.
    """
    Chem.AssignStereochemistry(mol, force=True)
    mol = _without_hydrogens(mol)
    for bond in mol.GetBonds():
        if bond.GetBondDir() in _SLANTED:
            bond.SetBondDir(Chem.BondDir.NONE)
        if bond.GetStereo() not in _OPEN and len(bond.GetStereoAtoms()) != 2:
            bond.SetStereo(Chem.BondStereo.STEREONONE)  # an edit took a neighbour away
    Chem.SetDoubleBondNeighborDirections(mol)
    Chem.AssignStereochemistry(mol, cleanIt=True, force=True)
    Chem.SetHybridization(mol)  # a centre of a metal that turned out to be none still counted
    return _without_hydrogens(mol)  # those of bonds that have turned out to have no isomers


def _without_hydrogens(mol: Chem.Mol) -> Chem.Mol:
    return mol if mol.GetNumHeavyAtoms() == mol.GetNumAtoms() else Chem.RemoveHs(mol)


def _refuse_query(mol: Chem.Mol) -> None:
    """Refuses SMARTS and drawings with lists of elements; places left open ("*") may stay."""
    if not mol.HasQuery():
        return
    atoms = any(atom.HasQuery() and atom.GetAtomicNum() for atom in mol.GetAtoms())
    bonds = any(bond.HasQuery() and _smarts(bond) != "~" for bond in mol.GetBonds())
    if atoms or bonds:
        raise InvalidMoleculeError("a query (as SMARTS are), not one molecule")


def _smarts(bond: Chem.Bond) -> str:
    return bond.GetSmarts()  # pyright: ignore[reportCallIssue] - its stub asks for the bond again
