"""The bank: what every teacher says about every item of a corpus, computed once, kept on disk.

A bank is about items and teachers, of whatever kind; statistics of its columns are in
`molkd.targets.fitting`, its rows as tensors in `molkd.targets.reader`.
"""

from molkd.bank.builder import StoreAs, build
from molkd.bank.reading import Bank

__all__ = ["Bank", "StoreAs", "build"]
