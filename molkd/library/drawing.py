"""Molecules as SVG, drawn by RDKit, to stand in a page as they are."""

from __future__ import annotations

import re

from rdkit.Chem import rdDepictor
from rdkit.Chem.Draw import rdMolDraw2D

from molkd.items.base import InvalidItemError
from molkd.items.molecules import chem

_LINE = re.compile(
    "style='fill:none;fill-rule:evenodd;stroke:(#[0-9A-F]{6});stroke-width:2.0px;"
    "stroke-linecap:butt;stroke-linejoin:miter;stroke-opacity:1'"
)
_NAMES = re.compile(r" class='(?:bond|atom)-[^']*'")


def svg(smiles: str, *, width: int = 220, height: int = 150) -> str:
    """Returns an SVG element; an empty text for what cannot be read or drawn.

    Args:
        smiles: the molecule.
        width: of the drawing, in pixels; it scales.
        height: likewise.
    """
    try:
        mol = chem.parse(smiles)
        rdDepictor.Compute2DCoords(mol)
        canvas = rdMolDraw2D.MolDraw2DSVG(width, height)
        options = canvas.drawOptions()
        options.clearBackground = False
        options.padding = 0.03
        options.fixedBondLength = 24  # at most: small molecules are not blown up
        rdMolDraw2D.PrepareAndDrawMolecule(canvas, mol)
        canvas.FinishDrawing()
    except (InvalidItemError, RuntimeError, ValueError):
        return ""
    text: str = canvas.GetDrawingText()
    drawn = _NAMES.sub("", _LINE.sub(r"stroke='\1'", text[text.index("viewBox") :]))
    head = "<svg xmlns='http://www.w3.org/2000/svg' class='mol' fill='none' stroke-width='2' "
    return head + re.sub(r"<!--.*?-->|\n", "", drawn)
