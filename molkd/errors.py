"""Every error molkd raises on purpose.

Each is a `MolkdError` and also the class that other libraries raise in such a case, so that both
`except` clauses work. A message says what was expected, what there was instead (with its row, name
or value), and what to do about it.
"""

from __future__ import annotations

from collections.abc import Mapping


class MolkdError(Exception):
    """The base class; the command line prints its message without a traceback."""


class ConfigError(MolkdError, ValueError):
    """A setting is unknown, out of range or contradicts another."""


class ShapeError(MolkdError, ValueError):
    """An array has an unexpected shape."""


class UnknownNameError(MolkdError, LookupError):
    """A name is not in a registry; the message proposes the nearest ones."""


class MissingExtraError(MolkdError, ImportError):
    """An optional dependency is not installed; the message says how to install it."""


class InputError(MolkdError, ValueError):
    """A file or a table cannot be read."""


class OutputError(MolkdError, OSError):
    """A result cannot be written: full disk, missing folder, refused permission."""


class ItemError(MolkdError, ValueError):
    """Some items cannot be embedded, where `on_invalid` is "error".

    Attributes:
        reasons: row -> why, for every failed row, not only the first.
    """

    def __init__(self, reasons: Mapping[int, str], *, total: int, shown: int = 5) -> None:
        self.reasons = dict(reasons)
        lines = [f"row {row}: {reason}" for row, reason in list(self.reasons.items())[:shown]]
        if len(self.reasons) > shown:
            lines.append(f"... and {len(self.reasons) - shown} more (see .reasons)")
        super().__init__(
            f"{len(self.reasons)} of {total} items cannot be embedded; "
            "to keep them as empty rows, use --on-invalid null (on_invalid='null')\n  "
            + "\n  ".join(lines)
        )

    @property
    def rows(self) -> list[int]:
        """The failed rows, in order."""
        return list(self.reasons)


class StoreError(MolkdError, RuntimeError):
    """A bank, or another file of molkd, is damaged, outdated or incomplete."""


class CorruptFileError(StoreError):
    """A file's content does not match its checksum, its declared shape or its format."""


class StaleBankError(StoreError):
    """A bank was written for other items, another teacher or other options."""


class IncompleteBankError(StoreError):
    """The building of a bank was interrupted; building it again resumes."""


class WorkerDiedError(MolkdError, RuntimeError):
    """A worker process was killed, most often for want of memory."""


class WeightsError(MolkdError, RuntimeError):
    """Pretrained weights are missing, unreachable or not the ones that were published."""
