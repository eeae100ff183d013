"""The settings of an embedding job, and the summary of its result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from molkd.errors import ConfigError
from molkd.formats.writers.table import Dtype

OnInvalid = Literal["null", "drop", "error"]


@dataclass(frozen=True, kw_only=True)
class EmbedSettings:
    """How a file of items is embedded.

    Attributes:
        column: that of the items (SMILES, texts, images); by default the one with a usual name.
        id_column: column, or property in an SD file, of the identifiers; by default the name of
            the molecule, the path of the image, or the row number.
        input_format: one of the modality's formats; by default what the suffix says.
        format: a name in `molkd.formats.writers.WRITERS`; by default what the suffix says.
        dtype: of the values; float16 halves the file, but few programs read it from Parquet.
        on_invalid: "null" keeps items that cannot be embedded as empty rows with a reason,
            "drop" leaves them out, "error" stops at the first chunk that has one.
        max_invalid_frac: share of invalid items above which the job fails after writing.
        standardize: one of the modality's standardisations, done first.
        batch_size: items per pass of the network.
        chunk_rows: rows per part: what is in memory at once in each process, and what is lost at
            most when the job is killed; by default what suits the modality.
    """

    column: str | None = None
    id_column: str | None = None
    input_format: str | None = None
    format: str | None = None
    dtype: Dtype = "float32"
    on_invalid: OnInvalid = "null"
    max_invalid_frac: float = 1.0
    standardize: str = "none"
    batch_size: int = 128
    chunk_rows: int | None = None

    def __post_init__(self) -> None:
        choices = {"dtype": Dtype, "on_invalid": OnInvalid}
        for name, kind in choices.items():
            if getattr(self, name) not in get_args(kind):
                raise ConfigError(
                    f"{name} is one of {', '.join(get_args(kind))}, not {getattr(self, name)!r}"
                )
        if not 0 <= self.max_invalid_frac <= 1:
            raise ConfigError(f"max_invalid_frac must lie in [0, 1], not {self.max_invalid_frac}")
        for name in ("batch_size", "chunk_rows"):
            count = getattr(self, name)
            if count is not None and count < 1:
                raise ConfigError(f"{name} must be at least 1, not {count}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What a job did.

    Attributes:
        output: the file.
        total: items read.
        noun: the name of their modality: "molecules".
        invalid: those that could not be embedded.
        shortened: those that lost their end, because the student reads no longer ones.
        dropped: those that were left out of the file.
        resumed: those that an earlier, interrupted run had finished.
        seconds: time it took.
        reasons: row -> why, for the first invalid items.
        already_done: whether the same command had written the file from the same items before.
    """

    output: Path
    total: int
    noun: str
    invalid: int
    shortened: int = 0
    dropped: int = 0
    resumed: int = 0
    seconds: float = 0.0
    reasons: Mapping[int, str]
    already_done: bool = False
