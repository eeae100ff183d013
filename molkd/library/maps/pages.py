"""Pages that need nothing beside themselves: files of `page/` put together, and their data packed.

Scripts and styles are read from `page/`: base.css, molecules.js, molfiles.js, data.js and cards.js
serve any page about molecules, the others the map.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from molkd.library.maps import depictions
from molkd.library.maps.shades import Shade
from molkd.library.templates import template

_HERE = Path(__file__).parent / "page"
TEXTS = 4096
"""Texts that are compressed together."""


class Pieces:
    """Data of a page: named pieces, each compressed, as base64 one behind the other."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._places: dict[str, tuple[int, int]] = {}
        self._length = 0

    def add(self, name: str, compressed: bytes) -> None:
        """Takes a piece that zlib has compressed."""
        text = base64.b64encode(compressed).decode("ascii")
        self._places[name] = self._length, len(text)
        self._texts.append(text)
        self._length += len(text)

    def add_array(self, name: str, array: npt.NDArray[Any]) -> None:
        """Takes numbers, little endian."""
        self.add(name, zlib.compress(array.astype(array.dtype.newbyteorder("<")).tobytes(), 6))

    def add_texts(self, name: str, texts: Sequence[str]) -> None:
        """Takes texts, `TEXTS` at a time: pieces NAME:0, NAME:1, ..."""
        for number, start in enumerate(range(0, len(texts), TEXTS)):
            part = json.dumps(list(texts[start : start + TEXTS]), ensure_ascii=True)
            self.add(f"{name}:{number}", zlib.compress(part.encode("ascii"), 6))

    def add_drawings(self, smiles: Sequence[str], *, jobs: int) -> Iterator[int]:
        """Takes drawn molecules; yields how many are done."""
        for number, block in enumerate(depictions.blocks(smiles, jobs=jobs)):
            self.add(f"drawings:{number}", block)
            yield min((number + 1) * depictions.BLOCK, len(smiles))

    def add_column(self, number: int, shade: Shade) -> dict[str, Any]:
        """Takes a column; returns what the page must know of it."""
        name = f"column:{number}"
        if shade.kind == "text":
            self.add_texts(name, shade.texts)
            return {"name": shade.name, "kind": "text"}
        told: dict[str, Any] = {"name": shade.name, "kind": shade.kind, "missing": shade.missing}
        if shade.kind == "category":
            bytes_ = next(size for size in (1, 2, 4) if len(shade.labels) < 256**size)
            self.add_array(name, shade.values.astype(f"u{bytes_}"))
            counts = np.bincount(shade.values, minlength=len(shade.labels) + 1)[1:]
            labels = {"labels": shade.labels, "counts": counts.tolist()}
            return told | labels | {"type": f"u{bytes_}"}
        short = _fits_float32(shade.values)
        self.add_array(name, shade.values.astype(np.float32 if short else np.float64))
        ends = dict(zip(("least", "low", "high", "most"), shade.range, strict=True))
        return told | ends | {"type": "f4" if short else "f8"}

    @property
    def places(self) -> dict[str, tuple[int, int]]:
        """Name -> where its base64 begins in `text`, and how long it is."""
        return self._places

    @property
    def text(self) -> str:
        """All pieces."""
        return "".join(self._texts)


def _fits_float32(values: npt.NDArray[np.float64]) -> bool:
    """Whether seven digits say all of the values."""
    finite = values[np.isfinite(values)]
    if not len(finite):
        return True
    with np.errstate(over="ignore"):
        rounded = finite.astype(np.float32)
    return bool(
        (np.array([float(f"{v:.7g}") for v in rounded[:2000].tolist()]) == finite[:2000]).all()
        and (np.abs(rounded - finite) <= np.abs(finite) * 1e-7).all()
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembly:
    """The files of `molkd/library/maps/page` that make a page.

    Attributes:
        template: the HTML.
        styles: CSS, in order.
        scripts: JavaScript, in order.
        constants: name -> value, JSON-like, that scripts find defined.
    """

    template: str
    styles: tuple[str, ...]
    scripts: tuple[str, ...]
    constants: Mapping[str, Any]

    def page(self, info: Any, pieces: Pieces, texts: Mapping[str, Any]) -> str:
        """Returns a page.

        Args:
            info: what its script reads first, JSON-like.
            pieces: what it reads later.
            texts: values of the template; they are escaped.
        """
        constants = [f"const {name} = {script_json(v)};" for name, v in self.constants.items()]
        return template(_HERE, self.template).render(
            style="\n".join(map(_read, self.styles)),
            script="\n".join([*constants, *map(_read, self.scripts)]),
            info=script_json({**info, "pieces": pieces.places}),
            data=pieces.text,
            **texts,
        )


def script_json(value: Any) -> str:
    """Returns JSON that may stand in a <script>: no "<" can end it or begin a comment."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _read(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")
