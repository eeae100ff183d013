"""Texts as items: sentences, names, descriptions."""

from __future__ import annotations

from collections.abc import Sequence

from molkd import text
from molkd.formats.records import Style
from molkd.items.base import Checked, ItemKind
from molkd.splits import random_split


def check(items: Sequence[object], _level: str) -> Checked:
    """Returns texts as they are, with a reason for those that are empty or no text."""
    _, _, failures = text.read_all(items)
    known = ["" if row in failures else str(item) for row, item in enumerate(items)]
    return Checked(known, list(known), failures)


def parse(items: Sequence[str]) -> Sequence[str]:
    """Returns texts as they are."""
    return items


TEXTS = ItemKind(
    name="texts",
    one="text",
    example="""from sentence_transformers import SentenceTransformer

vectors = SentenceTransformer("path/to/this/folder").encode(["a text", "and another"])""",
    style=Style(
        noun="texts",
        column="text",
        usual=frozenset({"text", "sentence", "content"}),
        formats=("txt", "csv", "tsv", "jsonl", "parquet"),
        prose=True,
    ),
    standardizations=("none",),
    check=check,
    parse=parse,
    splits={"random": random_split},
)
