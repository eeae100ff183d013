"""The settings of an embedding job, and the summary of its result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from molkd.formats.encodings import Dtype
from molkd.runtime.settings import validate

OnInvalid = Literal["null", "drop", "error"]
Precision = Literal["fp32", "bf16"]


@dataclass(frozen=True, kw_only=True)
class EmbedSettings:
    """How a file of items is embedded.

    Attributes:
        column: that of the items (SMILES, texts, images); by default the one with a usual name.
        id_column: column, or property in an SD file, of the identifiers; by default the name of
            the molecule, the path of the image, or the column with a usual name, and the row number
            where no row has one; "" for the row number.
        keep: other columns, or properties in an SD file, that are carried to the output; all for
            every one.
        input_format: of the input: smi, csv, tsv, parquet, sdf, txt, jsonl; by default its suffix.
        format: of the output: parquet, npz, npy, csv; by default its suffix.
        dtype: of the values: float32; float16, half as large, but few programs read it from
            Parquet; int8, a quarter, multiples of a scale that is the student's; binary, a 32nd,
            one bit per dimension.
        dimensions: how many of the embedding are stored, the first ones; by default all; fewer are
            worth it with students that were trained for it.
        on_invalid: what becomes of items that cannot be embedded: null keeps them as empty rows
            with a reason, drop leaves them out, error stops at the first chunk that has one.
        max_invalid_frac: share of invalid items above which the command fails after writing.
        standardize: what is done to molecules first: none, light or full.
        with_domain: whether two columns more say how familiar a molecule is to the student, from 0
            to 1, and why; see molkd check.
        batch_size: items per pass of the network, at most: memory goes with it, and so does, up to
            some thousand molecules, speed; by default what suits the student.
        precision: of the student's network: fp32, or bf16, which takes three quarters of the time
            on processors that compute with it, and changes embeddings by half a percent.
        chunk_rows: rows per part: what is in memory at once in each process, and what is lost at
            most when the job is killed; by default what suits the modality.
    """

    column: str | None = None
    id_column: str | None = None
    keep: tuple[str, ...] = ()
    input_format: str | None = None
    format: str | None = None
    dtype: Dtype = "float32"
    dimensions: int | None = None
    on_invalid: OnInvalid = "null"
    max_invalid_frac: float = 1.0
    standardize: str = "none"
    with_domain: bool = False
    batch_size: int | None = None
    precision: Precision = "fp32"
    chunk_rows: int | None = None

    def __post_init__(self) -> None:
        validate(self, {})
        rules = {
            "max_invalid_frac must lie in [0, 1]": 0 <= self.max_invalid_frac <= 1,
            "batch_size must be at least 1": self.batch_size is None or self.batch_size >= 1,
            "dimensions must be at least 1": self.dimensions is None or self.dimensions >= 1,
            "chunk_rows must be at least 1": self.chunk_rows is None or self.chunk_rows >= 1,
        }
        validate(self, rules)

    @property
    def content(self) -> dict[str, object]:
        """Options that decide what a finished part holds; new ones only where they are used."""
        names = ("standardize", "dtype", "batch_size", *("with_domain",) * self.with_domain)
        found: dict[str, object] = {name: getattr(self, name) for name in names}
        if self.precision == "bf16":
            found["bf16"] = True
        if self.dimensions is not None:
            found["dimensions"] = self.dimensions
        return found

    @property
    def adds_columns(self) -> bool:
        """Whether the output has columns beside those of every one."""
        return bool(self.keep) or self.with_domain


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What a job did.

    Attributes:
        output: the file.
        total: items read.
        noun: the name of their modality: "molecules".
        invalid: those that could not be embedded.
        shortened: those that lost their end, because the student reads no longer ones.
        clipped: values that were larger than what int8 reaches to, and became the largest there.
        dropped: those that were left out of the file.
        resumed: those that an earlier, interrupted run had finished.
        seconds: time it took.
        reasons: row -> why, for the first invalid items.
        outside: how many lie outside what the student was distilled from, as far as it says that.
        beyond: what of them it never met -> in how many: "element U". Those that an earlier,
            interrupted run had finished count in neither.
        already_done: whether the same command had written the file from the same items before.
    """

    output: Path
    total: int
    noun: str
    invalid: int
    shortened: int = 0
    clipped: int = 0
    dropped: int = 0
    resumed: int = 0
    seconds: float = 0.0
    reasons: Mapping[int, str]
    outside: int = 0
    beyond: Mapping[str, int] = field(default_factory=dict[str, int])
    already_done: bool = False
