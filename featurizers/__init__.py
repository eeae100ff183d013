"""A trained student as a molfeat, scikit-learn and DeepChem featurizer.

Classes are imported on first use: molfeat imports this package to find its plugins, and DeepChem
takes seconds to import.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if __name__ != "molkd.featurizers":
    raise ImportError("import molkd.featurizers, not featurizers")

if TYPE_CHECKING:
    from molkd.featurizers.deepchem import MolKDFeaturizer
    from molkd.featurizers.transformer import MolKDTransformer

__all__ = ["MolKDFeaturizer", "MolKDTransformer"]

_HOMES = {
    "MolKDFeaturizer": "molkd.featurizers.deepchem",
    "MolKDTransformer": "molkd.featurizers.transformer",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
