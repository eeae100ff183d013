"""Views: what an item looks like to a teacher of another kind of items.

A view is a small object that can be called, compared and pickled. Whatever its rules and options
decide belongs into `options`, and every package whose version may change what it gives into
`versions`; both become part of the card of the teacher that `molkd.teachers.through` makes.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
import rdkit
from PIL import Image
from rdkit import Chem, rdBase
from rdkit.Chem import rdDepictor
from rdkit.Chem.Draw import rdMolDraw2D

from molkd.errors import ConfigError
from molkd.items.images.decoding import Picture
from molkd.items.molecules import chem
from molkd.teachers.rdkit.descriptions import RULES, described

SIZES = (16, 2048)
"""Smallest and largest side of a drawing, in pixels."""


@runtime_checkable
class View(Protocol):
    """An item of one kind as an item of another kind."""

    @property
    def name(self) -> str:
        """What it does, in a word, kebab-case."""
        ...

    @property
    def modality(self) -> str:
        """Kind of the items it is given, a name of `molkd.items.MODALITIES`."""
        ...

    @property
    def gives(self) -> str:
        """Kind of the items it makes of them."""
        ...

    @property
    def options(self) -> Mapping[str, object]:
        """What decides its result beside the item, as JSON can hold it."""
        ...

    @property
    def versions(self) -> Mapping[str, str]:
        """Packages whose version may change its result."""
        ...

    def __call__(self, item: Any, /) -> Any:
        """Returns the view of an item.

        Raises:
            ValueError: the item cannot be viewed; the message is the reason shown to the user.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Depict:
    """A molecule as the structural formula that RDKit draws of it.

    Atom order does not matter: the drawing starts from the canonical SMILES, so that conformers
    and coordinates of the molecule do not matter either.

    Attributes:
        size: pixels of each side.
        colours: whether atoms are drawn in the colours of their elements, or all in black.
    """

    name: str = field(default="depict", init=False, repr=False)
    modality: str = field(default="molecules", init=False, repr=False)
    gives: str = field(default="images", init=False, repr=False)

    size: int = 224
    colours: bool = True

    def __post_init__(self) -> None:
        low, high = SIZES
        if not low <= self.size <= high:
            raise ConfigError(f"a drawing has {low} to {high} pixels a side, not {self.size}")

    @property
    def options(self) -> Mapping[str, object]:
        """What decides the pixels beside the molecule."""
        return {"size": self.size, "colours": self.colours, "drawing": 1}

    @property
    def versions(self) -> Mapping[str, str]:
        """RDKit decides coordinates, lines and letters."""
        return {"rdkit": rdkit.__version__}

    def __call__(self, item: object, /) -> Picture:
        """Draws a molecule.

        Args:
            item: SMILES or RDKit molecule.

        Returns:
            Shape (size, size, 3).

        Raises:
            InvalidMoleculeError: it is no molecule, or cannot be drawn.
        """
        mol = _canonical(item)
        drawer = rdMolDraw2D.MolDraw2DCairo(self.size, self.size)
        options = drawer.drawOptions()
        options.includeMetadata = False
        if not self.colours:
            options.useBWAtomPalette()
        try:
            with rdBase.BlockLogs():
                rdDepictor.Compute2DCoords(mol, canonOrient=True, forceRDKit=True)
                drawer.DrawMolecule(mol)
                drawer.FinishDrawing()
        except Exception as error:  # RDKit raises bare C++ exceptions of many kinds
            raise chem.InvalidMoleculeError(f"cannot be drawn: {error}") from error
        with Image.open(io.BytesIO(drawer.GetDrawingText())) as image:
            return np.array(image.convert("RGB"))


@dataclass(frozen=True, slots=True)
class Describe:
    """A molecule as a few English sentences: formula, weight, rings, groups, polarity.

    They are generated from what RDKit computes; names of compounds are not known here.
    """

    name: str = field(default="describe", init=False, repr=False)
    modality: str = field(default="molecules", init=False, repr=False)
    gives: str = field(default="texts", init=False, repr=False)

    @property
    def options(self) -> Mapping[str, object]:
        """Which rules the sentences follow."""
        return {"rules": RULES}

    @property
    def versions(self) -> Mapping[str, str]:
        """RDKit counts rings and groups."""
        return {"rdkit": rdkit.__version__}

    def __call__(self, item: object, /) -> str:
        """Describes a molecule, whatever the order of its atoms.

        Args:
            item: SMILES or RDKit molecule.

        Raises:
            InvalidMoleculeError: it is no molecule.
        """
        return described(_canonical(item))


def depict(*, size: int = 224, colours: bool = True) -> Depict:
    """Returns the view of a molecule as a drawing; see `Depict`."""
    return Depict(size=size, colours=colours)


def describe() -> Describe:
    """Returns the view of a molecule as an English text; see `Describe`."""
    return Describe()


def _canonical(item: object) -> Chem.Mol:
    """Reads a molecule with its atoms in canonical order and without coordinates."""
    return Chem.Mol(chem.parse_canonical(item))
