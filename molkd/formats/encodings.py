"""How the numbers of an embedding are stored: as they are, in 8 bits each, or in one.

What is stored depends on the row and on the student, never on other rows: the scale of int8 is
the student's, one for all dimensions, so that any part of a file can be written by any process, and
files of one student can be compared as they are stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self, cast, get_args

import numpy as np
import numpy.typing as npt

from molkd.types import Mask, Matrix

Dtype = Literal["float32", "float16", "int8", "binary"]

Stored = npt.NDArray[np.float32 | np.float16 | np.int8 | np.uint8]
"""Shape (n, w): embeddings as files hold them; see `Encoding.width`."""

_TYPES: dict[Dtype, npt.DTypeLike] = {
    "float32": np.float32,
    "float16": np.float16,
    "int8": np.int8,
    "binary": np.uint8,
}
_LARGEST = 127


@dataclass(frozen=True, slots=True)
class Encoding:
    """How embeddings of one width are stored.

    Attributes:
        dtype: "float32" and "float16" as they are; "int8" as multiples of a scale, from -127 to
            127; "binary" as one bit per dimension, whether it is above zero, eight to
            a byte, the first dimension in its highest bit.
        dim: width of the embeddings.
        scale: of int8; 0 for the others.
    """

    dtype: Dtype
    dim: int
    scale: float = 0.0

    @classmethod
    def of(cls, dtype: Dtype, dim: int, reach: float | None) -> Self:
        """Returns an encoding.

        Args:
            dtype: see `Encoding`.
            dim: width of the embeddings.
            reach: the magnitude that int8 reaches to.

        Raises:
            ValueError: int8 lacks it, or it is none.
        """
        if dtype != "int8":
            return cls(dtype, dim)
        if reach is None or not 0 < reach < np.inf:
            raise ValueError(f"int8 cannot reach to {reach}")
        return cls(dtype, dim, float(np.float32(reach / _LARGEST)))

    @property
    def stored(self) -> np.dtype[Any]:
        """Type of what is stored."""
        return np.dtype(_TYPES[self.dtype])

    @property
    def width(self) -> int:
        """Numbers that are stored of an embedding; bytes where it is binary."""
        return -(-self.dim // 8) if self.dtype == "binary" else self.dim

    @property
    def blank(self) -> float:
        """What stands in rows without an embedding: NaN, or 0 where there is none."""
        return 0 if self.dtype in {"int8", "binary"} else np.nan

    def encode(self, values: Matrix) -> tuple[Stored, int]:
        """Returns what is stored of embeddings, and how many values were clipped.

        Args:
            values: shape (n, d); what is not finite becomes 0 in int8 and binary.
        """
        if self.dtype == "binary":
            return np.packbits(values > 0, axis=1), 0
        if self.dtype == "int8":
            finite = np.where(np.isfinite(values), values, 0)
            steps = np.rint(finite / np.float32(self.scale))
            clipped = int(np.count_nonzero(np.abs(steps) > _LARGEST))
            return steps.clip(-_LARGEST, _LARGEST).astype(np.int8), clipped
        with np.errstate(over="ignore"):
            return values.astype(self.stored), 0

    def decode(self, stored: Stored, valid: Mask | None = None) -> Matrix:
        """Returns embeddings, of -1 and 1 where one bit of each value is all that was stored.

        Cosines of these have the order of Hamming distances.

        Args:
            stored: shape (n, w).
            valid: shape (n,), rows that have an embedding; the others become NaN.

        Raises:
            ValueError: these are other numbers than the encoding stores.
        """
        if stored.dtype != self.stored or stored.shape[1:] != (self.width,):
            raise ValueError(
                f"values of type {stored.dtype}, {stored.shape[1:]} to a row, where the file says "
                f"{self.dtype} of {self.dim} dimensions"
            )
        if self.dtype == "binary":
            bits = np.unpackbits(cast("Any", stored), axis=1, count=self.dim)
            values = bits.astype(np.float32) * 2 - 1
        elif self.dtype == "int8":
            values = stored.astype(np.float32) * np.float32(self.scale)
        else:
            values = stored.astype(np.float32)
        if valid is not None:
            values[~valid] = np.nan
        return values

    @property
    def facts(self) -> dict[str, str]:
        """What a file says of it beside its numbers; nothing where these speak for themselves."""
        if self.dtype not in {"int8", "binary"}:
            return {}
        said = {"encoding": self.dtype, "dimensions": str(self.dim)}
        if self.dtype == "int8":
            said["scale"] = repr(self.scale)
        else:
            said |= {"threshold": "0", "bitorder": "big"}
        return said

    @classmethod
    def of_facts(cls, facts: Mapping[str, str]) -> Self | None:
        """Returns the encoding that a file names; None where its numbers are what they are.

        Raises:
            ValueError: it names one that this molkd does not know, or no scale.
        """
        name = facts.get("encoding")
        if name is None:
            return None
        if name not in get_args(Dtype):
            raise ValueError(f"embeddings are stored as {name!r}, which this molkd does not read")
        try:
            dim = int(facts["dimensions"])
            scale = float(facts["scale"]) if name == "int8" else 0.0
        except (KeyError, ValueError) as error:
            raise ValueError(f"its metadata describe no {name} embeddings: {error!r}") from error
        if dim < 1 or (name == "int8" and not 0 < scale < np.inf):
            raise ValueError(f"its metadata say {dim} dimensions and a scale of {scale}")
        return cls(cast("Dtype", name), dim, scale)
