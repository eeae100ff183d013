"""Files of items as text: delimited, SMILES, JSON lines, plain texts and SD files."""

from __future__ import annotations

import csv
import functools
import gzip
import io
import json
from collections.abc import Callable
from random import Random

import zstandard
from rdkit import Chem

from tests.fuzz import mutations
from tests.fuzz.cases import Recipe, Target
from tests.fuzz.rows_of_files import Row, check, drawn, sentinel

Drawn = tuple[str, bytes, list[Row] | None, dict[str, str]]
"""Suffix, content, its rows in order if they are known, and options."""


def _target(draw: Callable[[Random], Drawn]) -> Target:
    return Target(lambda random: _recipe(random, *draw(random)), check)


def _recipe(
    random: Random, suffix: str, content: bytes, rows: list[Row] | None, options: dict[str, str]
) -> Recipe:
    recipe: Recipe = {**options, "chunk": random.choice((1, 3, 16, 1000))}
    change = random.choice(("none", "none", "flip", "bytes", "bytes"))
    if change == "flip":
        content, rows, recipe["pairs"] = mutations.flipped(content, random), None, suffix != "sdf"
    elif change == "bytes":
        content, rows = mutations.data(content, random), None
    suffix, content, whole = compressed(suffix, content, random)
    if rows is not None and whole:
        recipe["rows"] = [_expected(number, row) for number, row in enumerate(rows)]
    recipe |= {"name": f"in.{suffix}", "data": mutations.packed(content)}
    return recipe | output(random)


def _expected(number: int, row: Row) -> tuple[str | None, str | None, bool]:
    item = None if row.line is not None else row.item
    return (str(number) if row.id is None else row.id, item, row.exact)


def output(random: Random) -> dict[str, str]:
    """Whether the file is embedded too, and into what."""
    if random.random() < 0.75:
        return {}
    form = random.choice(("parquet", "npz", "npy", "csv"))
    return {"output": f"out.{form}", "on_invalid": random.choice(("null", "null", "drop"))}


def compressed(suffix: str, content: bytes, random: Random) -> tuple[str, bytes, bool]:
    """Compresses one of four, and cuts some of these: (suffix, content, whether it is whole)."""
    if random.random() < 0.75:
        return suffix, content, True
    packing = random.choice(("gz", "zst"))
    if packing == "gz":
        packed = gzip.compress(content, 1, mtime=0)
    else:
        packed = zstandard.ZstdCompressor(1).compress(content)
    if random.random() < 0.5:
        return f"{suffix}.{packing}", packed, bool(content)
    return f"{suffix}.{packing}", mutations.data(packed, random), False


def _end(random: Random) -> str:
    return random.choice(("\n", "\n", "\r\n", "\r"))


def _encoded(text: str, random: Random) -> bytes:
    mark = "\ufeff" if random.random() < 0.1 else ""
    return (mark + text).encode(errors="replace")


def _smi(random: Random) -> Drawn:
    rows, end = drawn(random), _end(random)
    rows = [_plain(row) for row in rows]
    gap = random.choice(("\t", " ", "  "))
    lines = ["smiles name"] if random.random() < 0.3 else []
    for place in range(len(rows)):
        if random.random() < 0.05 and 0 < place < len(rows) - 1:
            rows[place] = Row(None, None, line="")
        row = rows[place]
        lines.append(f"{row.item}{gap}{row.id}" if row.line is None else row.line)
    text = end.join(lines) + random.choice(("", end, end * 3))
    return "smi", _encoded(text, random), rows, {}


def _plain(row: Row) -> Row:
    """A row that a SMILES file can hold: its molecule has no white space and is there."""
    if row.item and row.item.split() == [row.item] and row.item.isprintable():
        return row
    return Row(row.id, "xx")


def _delimited(random: Random) -> Drawn:
    tabs = random.random() < 0.3
    rows, end = drawn(random), _end(random)
    names = random.choice((["smiles", "id"], ["id", "smiles"], ["id", "x", "smiles", "note"]))
    file = io.StringIO(newline="")
    notes = ["", "plain", 'a "quoted" one', "one,\ttwo", "é", "a;b|c"]
    quoting = csv.QUOTE_MINIMAL  # which forgets some line ends
    if random.random() < 0.3 or any(
        "\n" in one or "\r" in one for _, item, *_ in rows if (one := item)
    ):
        quoting, notes = csv.QUOTE_ALL, [*notes, "two\nlines", "two\r\nlines"]
    writer = csv.writer(file, delimiter="\t" if tabs else ",", lineterminator=end, quoting=quoting)
    writer.writerow(names)
    for place, row in enumerate(rows):
        if random.random() < 0.05 and place < len(rows) - 1:
            rows[place] = Row(None, None, line=random.choice(("", "a", "a,b,c,d,e\tf\tg\th\ti")))
            file.write(f"{rows[place].line}{end}")
            continue
        fields = {"smiles": row.item or "", "id": row.id, "x": 1.5, "note": random.choice(notes)}
        writer.writerow([fields[name] for name in names])
    text = file.getvalue() + end * random.choice((0, 0, 2))
    suffix = "tsv" if tabs else "csv"
    return suffix, _encoded(text, random), rows, {"column": "smiles", "id_column": "id"}


def _json_lines(random: Random) -> Drawn:
    rows = drawn(random)
    lines: list[str] = []
    for place, row in enumerate(rows):
        record: dict[str, object] = {"id": row.id, "x": [1, {"y": None}], "text": row.item}
        if place and random.random() < 0.1:
            line = random.choice(("[1]", "{", "7", "null", '{"a": 1', "[" * 50, "NaN"))
            rows[place] = Row(None, None, line=line)
            lines.append(line)
            continue
        if place and random.random() < 0.1:
            record["text"] = mutations.odd(random)
            rows[place] = Row(row.id, None, exact=False)
        lines.append(json.dumps(record, ensure_ascii=random.random() < 0.5))
        if random.random() < 0.05:
            lines.append("")
    content = _encoded("\n".join(lines), random)
    return "jsonl", content, rows, {"column": "text", "id_column": "id", "modality": "texts"}


def _txt(random: Random) -> Drawn:
    rows = [Row(None, row.item, row.exact) for row in drawn(random)]
    rows = [Row(None, " ".join((row.item or "").split()), exact=row.exact) for row in rows]
    rows.append(sentinel(len(rows))._replace(id=None))
    rows = [row if (row.item or "").isprintable() else Row(None, "x") for row in rows]
    end = _end(random)
    text = end.join(row.item or "" for row in rows) + random.choice(("", end, end * 3))
    return "txt", _encoded(text, random), rows, {"modality": "texts"}


def _sdf(random: Random) -> Drawn:
    rows = [
        row if row.exact and row.item else Row(row.id, "xx", exact=False) for row in drawn(random)
    ]
    end, named = _end(random), random.random() < 0.3
    rows[0] = sentinel(0)
    records: list[str] = []
    for place, row in enumerate(rows):
        block = _block(place, random.random() < 0.3) if row.exact else _bad(random)
        title, _, rest = block.partition("\n")
        tags = _properties(random) if "M  END" in block else []
        if not named:
            title = row.id or ""
        elif "M  END" in block:
            tags.insert(random.randrange(len(tags) + 1), f"> <Name>\n{row.id}\n")
        else:
            rows[place] = row._replace(id=None)
        records.append(f"{title}\n{rest}" + "".join(f"{tag}\n" for tag in tags) + "$$$$\n")
    text = "".join(records)
    if random.random() < 0.1 and text.endswith("\n\n$$$$\n") and rows[-1].exact:
        text = text.removesuffix("$$$$\n")
    options = {"id_column": "Name"} if named else {}
    return "sdf", text.replace("\n", end).encode(), rows, options


def _properties(random: Random) -> list[str]:
    names = ("x", "IC50", "a b", "x<y", "é", "")
    values = ("1.5", "", "$$$$ 5 a bottle", "two\nlines", "> <not> one", "M  END", "é" * 3)
    count = random.choice((0, 0, 1, 3))
    return [f">  <{random.choice(names)}> (1)\n{random.choice(values)}\n" for _ in range(count)]


@functools.cache
def _block(number: int, v3000: bool) -> str:
    return Chem.MolToMolBlock(Chem.MolFromSmiles(sentinel(number).item), forceV3000=v3000)


def _bad(random: Random) -> str:
    """A block that holds no molecule that can be read."""
    good = _block(3, False)
    lines = good.split("\n")
    return random.choice(
        (
            "\n\n\n",
            good.replace(" V2000", ""),
            good.replace("M  END\n", ""),
            "\n".join([*lines[:5], "nonsense", *lines[6:]]),
            good.replace("  1  2  1  0", "  1 99  1  0"),
            good.replace(" N ", " Xx"),
            "",
        )
    )


SMI, CSV, JSONL, TXT, SDF = map(_target, (_smi, _delimited, _json_lines, _txt, _sdf))
