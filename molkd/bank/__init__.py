"""The bank: the embeddings of a corpus by every teacher, computed once and stored on disk.

Items are of any modality. Statistics of a bank's columns are in `molkd.targets.fitting`, its rows
as tensors in `molkd.targets.reader`.
"""

from molkd.bank.builder import build
from molkd.bank.reading import Bank

__all__ = ["Bank", "build"]
