"""Texts before they are parsed: those to which RDKit's own reading does justice."""

from __future__ import annotations

import string
from typing import TypeGuard

MAX_ATOMS = 1000
"""See `molkd.items.molecules.chem`: no text has more atoms than characters."""

UNSETTLED = (":", "[H]", "@S", "@T", "@O", "@A")
"""What RDKit's own reading of a SMILES leaves to do: hydrogens that stay, geometries, atom maps."""

_USUAL = (string.ascii_letters + string.digits + "+-=#/\\.%()[]@").encode()
"""Characters of nearly all texts; no query, white space or CXSMILES block is made of them."""


def is_plain(item: object) -> TypeGuard[str]:
    """Says whether RDKit's molecule, if there is one, is usable as it is.

    Carbons that are centres are sp3 whatever becomes of them; other centres may be another thing
    once they have turned out to be none.
    """
    if not isinstance(item, str) or not 0 < len(item) <= MAX_ATOMS or not item.isascii():
        return False
    if item.encode().translate(None, _USUAL) or any([mark in item for mark in UNSETTLED]):  # noqa: C419 - a list is faster
        return False
    return "@" not in item or "@" not in item.replace("[C@@", "").replace("[C@", "")


def writable(character: str) -> str:
    """Returns a character in quotes, or its code where it cannot be written."""
    return repr(character) if character.isprintable() else f"U+{ord(character):04X}"
