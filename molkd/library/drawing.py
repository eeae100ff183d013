"""Molecules as SVG, drawn by RDKit, to stand in a page as they are."""

from __future__ import annotations

import base64
import html
import re

from rdkit.Chem import rdDepictor
from rdkit.Chem.Draw import rdMolDraw2D

from molkd.items.base import InvalidItemError
from molkd.items.molecules import chem

_LINE = re.compile(
    "style='fill:none;fill-rule:evenodd;stroke:(#[0-9A-F]{6});stroke-width:2.0px;"
    "stroke-linecap:butt;stroke-linejoin:miter;stroke-opacity:1'"
)
_MOST = 200
"""Heavy atoms up to which a drawing says anything: it takes a kilobyte for each dozen."""

_NAMES = re.compile(r" class='(?:bond|atom)-[^']*'")


def svg(smiles: str, *, width: int = 220, height: int = 150) -> str:
    """Returns an SVG element; an empty text for what cannot be read, or is too large to draw.

    Args:
        smiles: the molecule.
        width: of the drawing, in pixels; it scales.
        height: likewise.
    """
    try:
        mol = chem.parse(smiles)
        if mol.GetNumHeavyAtoms() > _MOST:
            return ""
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


def image(smiles: str) -> str:
    """Returns the drawing as an `<img>` on white paper, which a notebook copies, saves and keeps.

    It holds its own file; an empty text for what cannot be drawn.
    """
    drawn = svg(smiles)
    data = base64.b64encode(drawn.encode()).decode("ascii")
    if not drawn:
        return ""
    return (
        f'<img class="mol" alt="{html.escape(smiles[:200])}" width="176" style="background:#fff" '
        f'src="data:image/svg+xml;base64,{data}">'
    )
