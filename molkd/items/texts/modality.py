"""Texts as items: sentences, names, descriptions."""

from __future__ import annotations

from collections.abc import Sequence

from molkd.items.base import FileConventions, Modality, ReadItems
from molkd.items.splits import random_split
from molkd.items.texts import reading


def check(items: Sequence[object], _level: str) -> ReadItems:
    """Returns texts as they are, with a reason for those that are empty or no text."""
    _, _, failures = reading.read_all(items)
    texts = ["" if row in failures else str(item) for row, item in enumerate(items)]
    return ReadItems(texts, list(texts), failures)


def parse(items: Sequence[str]) -> Sequence[str]:
    """Returns texts as they are."""
    return items


TEXTS = Modality(
    name="texts",
    one="text",
    example="""from sentence_transformers import SentenceTransformer

vectors = SentenceTransformer("path/to/this/folder").encode(["a text", "and another"])""",
    style=FileConventions(
        noun="texts",
        column="text",
        usual=frozenset({"text", "sentence", "content"}),
        formats=("txt", "csv", "tsv", "jsonl", "parquet"),
        ids=("id", "text_id", "doc_id", "_id"),
    ),
    standardizations=("none",),
    check=check,
    parse=parse,
    splits={"random": random_split},
)
