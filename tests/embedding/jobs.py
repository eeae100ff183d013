"""Jobs of the fake encoder over a hundred molecules; for the tests of resuming and of limits."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from molkd.embedding import EmbedSettings, Shard, Summary, embed_file
from molkd.formats.sources import Source
from tests.fakes.fake_encoders import FakeEncoder

SMILES = [f"{'C' * (1 + row % 20)}{'N' * (row // 20)}O" for row in range(100)]


def embed(encoder: FakeEncoder, source: Source, output: Path, **some: Any) -> Summary:
    how = {key: some.pop(key) for key in ("jobs", "overwrite", "rows_per_file") if key in some}
    shard = Shard.of_text(some.pop("shard", "1/1"))
    options = EmbedSettings(**{"chunk_rows": 16, **some})
    return embed_file(encoder, source, output, options, name="fake", shard=shard, **how)


def in_shards(source: Path, folder: Path, count: int, rows: int, **some: Any) -> None:
    order = list(range(1, count + 1))
    random.Random(count).shuffle(order)  # noqa: S311
    for number in order:
        embed(FakeEncoder(), source, folder, rows_per_file=rows, shard=f"{number}/{count}", **some)
