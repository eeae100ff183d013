"""A trained student as a DeepChem featurizer."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from molkd.errors import ItemError
from molkd.featurizers.estimator import OnInvalid, as_items
from molkd.featurizers.transformer import MolKDTransformer
from molkd.items.molecules.chem import Molecule
from molkd.students.shipped import DEFAULT
from molkd.types import Matrix

_LOGGER = logging.getLogger(__name__)
_DEEPCHEM = logging.getLogger("deepchem")

_level = _DEEPCHEM.level
_DEEPCHEM.setLevel(logging.ERROR)  # it lists the optional libraries it does not find
try:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from deepchem.feat import MolecularFeaturizer
finally:
    _DEEPCHEM.setLevel(_level)


class MolKDFeaturizer(MolecularFeaturizer):
    """Embeds molecules with a trained student, for DeepChem's loaders and datasets.

    A molecule that cannot be embedded has a row of NaN and its reason is logged; DeepChem's own
    featurizers give an array without elements there. `np.isfinite(dataset.X).all(axis=1)` tells
    the rows to keep.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] = DEFAULT,
        batch_size: int | None = None,
        device: str = "cpu",
        n_jobs: int | None = None,
        on_invalid: OnInvalid = "null",
    ) -> None:
        """Sets the parameters; the student is read when it is first needed.

        Args:
            model: see `MolKDTransformer`; so are `batch_size`, `device` and `n_jobs`.
            batch_size: molecules per forward pass.
            device: where the student runs.
            n_jobs: processes that read SMILES.
            on_invalid: "null" leaves the rows of failed molecules NaN, "error" raises.
        """
        super().__init__()
        # DeepChem prints the arguments of a featurizer from attributes of the same names.
        self.model = model
        self.batch_size = batch_size
        self.device = device
        self.n_jobs = n_jobs
        self.on_invalid: OnInvalid = on_invalid

    def featurize(
        self,
        datapoints: Iterable[Molecule] | Molecule,
        log_every_n: int = 1000,  # noqa: ARG002 - molecules are embedded by the batch
        **_: object,
    ) -> Matrix:
        """Embeds molecules.

        Args:
            datapoints: SMILES or RDKit molecules, n of them, or a single one.
            log_every_n: without effect; DeepChem's loaders may pass it.
            **_: without effect; DeepChem's loaders of 3-D files pass coordinates.

        Returns:
            Shape (n, d).

        Raises:
            InvalidParameterError, WeightsError, CorruptFileError, ConfigError: see
                `MolKDTransformer.card`.
            ItemError: a molecule cannot be embedded and `on_invalid` is "error".
        """
        items = as_items(datapoints)
        embedded = self._transformer().embed(items)
        if embedded.failures and self.on_invalid == "error":
            raise ItemError(embedded.failures, total=len(items))
        for row, reason in embedded.failures.items():
            _LOGGER.warning("datapoint %d cannot be embedded, its row is NaN: %s", row, reason)
        return embedded.values

    def _featurize(self, datapoint: Molecule, **_: object) -> npt.NDArray[np.float32]:
        return self.featurize([datapoint])[0]

    def _transformer(self) -> MolKDTransformer:
        names: dict[str, Any] = {
            name: getattr(self, name) for name in ("batch_size", "device", "n_jobs", "on_invalid")
        }
        return MolKDTransformer(self.model, **names)
