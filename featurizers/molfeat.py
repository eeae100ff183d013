"""What molfeat loads as its plugin: the same class, which molfeat then knows as one of its own."""

from molkd.featurizers.states import join_molfeat
from molkd.featurizers.transformer import MolKDTransformer

__all__ = ["MolKDTransformer"]

join_molfeat()
