"""Jobs of the fake encoder over a hundred molecules; for the tests of resuming and of limits."""

from __future__ import annotations

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
