"""Mutations of SMILES by tokens, of bytes, and of JSON by its structure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from tests.fuzz.seeds import SMILES, TAILS

_TOKEN = re.compile(
    r"\[[^\]]*\]|%\(\d+\)|%\d\d|Br|Cl|[BCNOPSFIbcnops]|[-=#$:/\\().~*]|<-|->|\d|.", re.DOTALL
)
_PLAIN = [
    *"CNOPSFIBbcnops()=#-/\\.123456789:$~*@H+",
    "Cl",
    "Br",
    "%10",
    "%99",
    "%(123)",
    "->",
    "<-",
]
_ODD = [
    "\n",
    "\r",
    "\t",
    " ",
    "\x00",
    "\u200b",
    "\ufeff",
    "\u03b1",
    "\U0001f9ea",
    "\udcff",
    "\xa0",
    '"',
    ",",
]
_SYMBOLS = (
    *(
        "C",
        "c",
        "N",
        "n",
        "O",
        "o",
        "S",
        "s",
        "P",
        "p",
        "B",
        "b",
        "se",
        "te",
        "as",
        "Si",
        "Fe",
        "Pt",
    ),
    *(
        "Na",
        "Cl",
        "Br",
        "I",
        "U",
        "Og",
        "H",
        "D",
        "T",
        "He",
        "Xx",
        "*",
        "R",
        "#",
        "0",
        "Zn",
        "Hg",
        "Al",
    ),
)
_CHIRAL = (*[""] * 12, *["@", "@@"] * 4, "@TH1", "@AL2", "@SP3", "@TB20", "@OH30", "@OH99", "@?")


def tokens(smiles: str) -> list[str]:
    """Splits a SMILES, or what is left of one, into tokens."""
    return _TOKEN.findall(smiles)


def smiles(random: Random) -> str:
    """A SMILES with some mutations, or a seed as it is."""
    if random.random() < 0.0005:
        return _long(random)
    parts = tokens(random.choice(SMILES))
    for _ in range(random.choice((0, 1, 1, 1, 1, 1, 1, 2, 2, 3, 9))):
        random.choice(_EDITS)(parts, random)
    text = "".join(parts)
    if random.random() < 0.03:
        text += random.choice(TAILS)
    if random.random() < 0.02:
        place = random.randrange(len(text) + 1)
        text = text[:place] + random.choice(_ODD) + text[place:]
    return text


def _place(parts: Sequence[str], random: Random) -> int:
    return random.randrange(len(parts)) if parts else 0


def _span(parts: Sequence[str], random: Random) -> slice:
    start = _place(parts, random)
    return slice(start, start + random.choice((1, 1, 1, 2, 3, 8)))


def _swap(parts: list[str], random: Random) -> None:
    if parts:
        one, other = _place(parts, random), _place(parts, random)
        parts[one], parts[other] = parts[other], parts[one]


def _delete(parts: list[str], random: Random) -> None:
    del parts[_span(parts, random)]


def _duplicate(parts: list[str], random: Random) -> None:
    span = parts[_span(parts, random)]
    place = _place(parts, random)
    parts[place:place] = span * random.choice((1, 1, 1, 2, 10))


def _insert(parts: list[str], random: Random) -> None:
    parts.insert(_place(parts, random), random.choice(_PLAIN))


def _replace(parts: list[str], random: Random) -> None:
    if parts:
        parts[_place(parts, random)] = random.choice(_PLAIN)


def _bracket(parts: list[str], random: Random) -> None:
    parts[_span(parts, random)] = [bracket(random)]


def bracket(random: Random) -> str:
    """An atom in brackets, possible or not."""
    isotope = random.choice(("", "", "", "0", "1", "2", "13", "999", "99999999999"))
    hydrogens = random.choice(("", "", "H", "H2", "H3", "H9", "H99"))
    charge = random.choice(("", "", "", "+", "-", "+2", "--", "+15", "-99", "+999999999999"))
    label = random.choice(("", "", "", "", ":1", ":0", ":99999", ":"))
    chiral = random.choice(_CHIRAL)
    return f"[{isotope}{random.choice(_SYMBOLS)}{chiral}{hydrogens}{charge}{label}]"


def _chiral(parts: list[str], random: Random) -> None:
    atoms = [place for place, part in enumerate(parts) if part in {"C", "N", "S", "P"}]
    if atoms:
        place = random.choice(atoms)
        parts[place] = f"[{parts[place]}{random.choice(_CHIRAL)}{random.choice(('', 'H'))}]"


def _ring(parts: list[str], random: Random) -> None:
    digit = random.choice(("1", "2", "3", "9", "0", "%11", "%(77)"))
    for _ in range(random.choice((1, 2, 2, 2))):
        parts.insert(_place(parts, random), digit)


def _branch(parts: list[str], random: Random) -> None:
    span = _span(parts, random)
    parts[span] = ["(", *parts[span], ")"]


def _stereo_bond(parts: list[str], random: Random) -> None:
    parts.insert(_place(parts, random), random.choice("/\\"))


def _cross(parts: list[str], random: Random) -> None:
    other = tokens(random.choice(SMILES))
    parts[_place(parts, random) :] = other[_place(other, random) :]


def _fragment(parts: list[str], random: Random) -> None:
    parts += [".", *tokens(random.choice(SMILES))]


_EDITS: Sequence[Callable[[list[str], Random], None]] = (
    _swap,
    _delete,
    _duplicate,
    _insert,
    _replace,
    _bracket,
    _chiral,
    _ring,
    _branch,
    _stereo_bond,
    _cross,
    _fragment,
)


def _long(random: Random) -> str:
    """A SMILES of many atoms, or deep in brackets."""
    if random.random() < 0.3:
        return _tangled(random)
    size = random.choice((300, 999, 1000, 1001, 3000, 20_000))
    unit = random.choice(("C", "C(C)", "c1ccccc1", "[Si]O", "C=", "C.", "N(", "C1", "F/C=C/"))
    return unit * size + (")" * size if unit == "N(" and random.random() < 0.7 else "")


def _tangled(random: Random) -> str:
    """A chain that random rings tie together, of up to a thousand atoms."""
    count = random.choice((50, 200, 999))
    atoms = [random.choice("CCCN") for _ in range(count)]
    places = random.sample(range(count), random.randrange(count // 2) * 2)
    for number, (one, other) in enumerate(zip(places[::2], places[1::2], strict=True), 101):
        if abs(one - other) > 1:
            for place in (one, other):
                atoms[place] += f"%({number})"
    return "".join(atoms)


def data(content: bytes, random: Random) -> bytes:
    """Bytes with some changed, lost, repeated or cut off."""
    changed = bytearray(content)
    for _ in range(random.choice((1, 1, 1, 2, 4, 16))):
        place = random.randrange(len(changed) + 1)
        size = random.choice((1, 1, 2, 4, 16, 64))
        match random.randrange(6):
            case 0 | 1:
                changed[place : place + 1] = bytes([random.choice(_BYTES)])
            case 2:
                del changed[place : place + size]
            case 3:
                changed[place:place] = changed[max(place - size, 0) : place]
            case 4:
                changed[place:place] = random.randbytes(size)
            case _:
                if random.random() < 0.3:
                    del changed[place:]
    return bytes(changed)


def flipped(content: bytes, random: Random) -> bytes:
    """Bytes of which one is another."""
    changed = bytearray(content)
    if changed:
        changed[random.randrange(len(changed))] = random.choice(_BYTES)
    return bytes(changed)


_BYTES = [*b"\x00\n\r\t \",;$<>|'\\{}[]0129-+.eECN\xff\xfe\x80\xef\xbb\xbf\x1f\x8b", *range(256)]


def json_value(value: Any, random: Random) -> Any:
    """A copy of a JSON value in which one thing, somewhere, is another."""
    copy = json.loads(json.dumps(value))
    places = list(_places(copy))
    if not places or random.random() < 0.02:
        return odd(random)
    holder, key = random.choice(places)
    match random.randrange(6):
        case 0:
            del holder[key]
        case 1 if isinstance(holder, dict):
            holder[random.choice(("", "x", f"{key}s", "é"))] = holder.pop(key)
        case 2 if isinstance(holder[key], int | float):
            holder[key] = random.choice((holder[key] + 1, -holder[key], holder[key] / 2, 0))
        case _:
            holder[key] = odd(random)
    return copy


def odd(random: Random) -> Any:
    """A JSON value that is out of place almost anywhere."""
    return random.choice(_ODD_VALUES)


_ODD_VALUES: tuple[Any, ...] = (
    *(None, True, False, -1, 0, 1, 0.5, 10**9, 2**31, 2**63, 10**30, 1e308, float("nan")),
    *(float("inf"), "", "x", "../x", "\x00", "\ud800", [], {}, [1], [[]], {"x": 1}, "1"),
)


def _places(value: Any) -> list[tuple[Any, Any]]:
    if not isinstance(value, dict | list):
        return []
    keys: list[Any] = list(value) if isinstance(value, dict) else list(range(len(value)))
    inner = [place for key in keys for place in _places(value[key])]
    return [*((value, key) for key in keys), *inner]


def packed(content: bytes) -> str:
    """Bytes as a text of the same length, for a recipe."""
    return content.decode("latin-1")


def unpacked(text: str) -> bytes:
    """The bytes of `packed`."""
    return text.encode("latin-1")
