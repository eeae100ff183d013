"""Folders of several files: written once, then one of the files is another for a moment."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.fuzz import mutations
from tests.fuzz.cases import Recipe
from tests.fuzz.worker import scratch


@dataclass(frozen=True)
class Folder:
    """A good folder.

    Attributes:
        path: where it is.
        files: path within it -> content.
    """

    path: Path
    files: Mapping[str, bytes]

    @classmethod
    def of(cls, path: Path) -> Folder:
        """Reads a folder that was written just now."""
        files = [one for one in sorted(path.rglob("*")) if one.is_file()]
        return cls(path, {one.relative_to(path).as_posix(): one.read_bytes() for one in files})

    def draw(self, random: Random) -> Recipe:
        """Changes one file, now and then two, or takes it away."""
        changed: dict[str, str | None] = {}
        for name in random.sample(
            list(self.files), random.choice((1, 1, 1, min(2, len(self.files))))
        ):
            content = mutated(name, self.files[name], random)
            changed[name] = None if content is None else mutations.packed(content)
        return {"changed": changed}

    @contextlib.contextmanager
    def changed(
        self, recipe: Recipe, mend: Callable[[Path], None] | None = None
    ) -> Generator[Path]:
        """Yields the folder with the recipe's changes, and takes them back.

        Args:
            recipe: of `draw`.
            mend: makes the folder consistent again, such as its checksums.
        """
        try:
            for name, text in recipe["changed"].items():
                (self.path / name).unlink()
                if text is not None:
                    (self.path / name).write_bytes(mutations.unpacked(text))
            if mend:
                mend(self.path)
            yield self.path
        finally:
            self._restore()

    def _restore(self) -> None:
        for path in self.path.rglob("*"):
            name = path.relative_to(self.path).as_posix()
            if path.is_file() and name not in self.files:
                path.unlink()
        for name, content in self.files.items():
            path = self.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists() or path.read_bytes() != content:
                path.write_bytes(content)


def made(name: str, write: Callable[[Path], None]) -> Folder:
    """Writes a good folder into the scratch space, anew in every process."""
    path = scratch() / name
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir()
    write(path)
    return Folder.of(path)


def mutated(name: str, content: bytes, random: Random) -> bytes | None:
    """Changes a file by its structure if it has one, or its bytes; None takes it away."""
    draw = random.random()
    if draw < 0.03:
        return None
    if draw < 0.06:
        return b""
    if draw < 0.07:
        return b"[" * 5_000  # deeper than Python recurses
    if draw < 0.3:
        return mutations.data(content, random)
    kind = name.rpartition(".")[2]
    return _BY_KIND.get(kind, mutations.data)(content, random)


def _json(content: bytes, random: Random) -> bytes:
    changed = mutations.json_value(json.loads(content), random)
    return json.dumps(changed, ensure_ascii=random.random() < 0.9).encode(errors="replace")


def _json_lines(content: bytes, random: Random) -> bytes:
    lines = content.splitlines()
    if not lines:
        return mutations.data(content, random)
    place = random.randrange(len(lines))
    match random.randrange(4):
        case 0:
            del lines[place]
        case 1:
            lines.insert(place, random.choice(lines))
        case _:
            lines[place] = _json(lines[place], random)
    return b"\n".join(lines) + random.choice((b"\n", b""))


def _safetensors(content: bytes, random: Random) -> bytes:
    """Changes the header, which is JSON, and its length to fit."""
    size = int.from_bytes(content[:8], "little")
    header = _json(content[8 : 8 + size], random)
    length = len(header) if random.random() < 0.9 else random.choice((0, 1, 2**40, 2**64 - 1))
    return length.to_bytes(8, "little") + header + content[8 + size :]


_TOML_VALUES = (
    *("0", "-1", "1e308", "nan", "inf", "true", "[]", "{}", "''", "'x'", "[1, 2]", "0.5"),
    *("99999999999999999999", "1000000000", "1979-05-27", "'../x'"),
)


def _toml(content: bytes, random: Random) -> bytes:
    lines = content.decode().splitlines()
    place = random.randrange(len(lines))
    key = re.match(r"[\w-]+(?= =)", lines[place])
    match random.randrange(5):
        case 0:
            del lines[place]
        case 1:
            lines.insert(random.randrange(len(lines)), lines[place])
        case 2:
            lines.insert(place, random.choice(("[x]", "[[student]]", "x = 1", "é = 'é'")))
        case _ if key:
            lines[place] = f"{key[0]} = {random.choice(_TOML_VALUES)}"
    return "\n".join(lines).encode()


_SHAPE = re.compile(rb"'shape': \([^)]*\)")
_DESCR = re.compile(rb"'descr': '[^']*'")
_SHAPES = (
    b"()",
    b"(0,)",
    b"(7,)",
    b"(-1, 2)",
    b"(1, 1, 1)",
    b"(99999999999999,)",
    b"(10" + b"0" * 30 + b",)",
)
_DESCRS = (b"|O", b"<f8", b"|V3", b"<U3", b">f4", b"<f2", b"<i8", b"zz")


def _npy(content: bytes, random: Random) -> bytes:
    if random.random() < 0.5:
        return _SHAPE.sub(b"'shape': " + random.choice(_SHAPES), content)
    return _DESCR.sub(b"'descr': '" + random.choice(_DESCRS) + b"'", content)


_BY_KIND: Mapping[str, Callable[[bytes, Random], bytes]] = {
    "json": _json,
    "jsonl": _json_lines,
    "safetensors": _safetensors,
    "toml": _toml,
    "npy": _npy,
}
