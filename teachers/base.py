"""What every molecular teacher is: a molkd teacher, a molfeat featurizer, a scikit-learn transformer.

A family implements `card`, `_compute` and, where it cannot read every molecule, `_refuse`. Input
of every usual form, rows that fail, parameters, cloning, pickling and feature names live here.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Literal, Self, cast

import numpy as np
import numpy.typing as npt
from molfeat.trans.pretrained import PretrainedMolTransformer
from rdkit import Chem, rdBase
from scipy import sparse
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin
from sklearn.utils import Tags
from sklearn.utils._param_validation import StrOptions

from molkd import chem
from molkd.errors import ItemError, ShapeError
from molkd.types import Card, Embedded, Matrix

OnInvalid = Literal["error", "null"]


class MoleculeTeacher(ClassNamePrefixFeaturesOutMixin, PretrainedMolTransformer):
    """A frozen encoder of molecules.

    Attributes:
        on_invalid: what `transform` does with molecules that cannot be embedded: raise an
            `ItemError` that names them all, or leave their rows NaN. `embed` never raises.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "on_invalid": [StrOptions({"error", "null"})]
    }
    # State that molfeat expects of its transformers; none of it is a parameter here.
    n_jobs = None
    dtype = np.float32
    precompute_cache = None
    preload = False
    verbose = False
    cols_to_keep = None
    featurizer = None
    parallel_kwargs: ClassVar[dict[str, Any]] = {}
    _fitted = True
    _require_mols = True

    on_invalid: OnInvalid

    # == What a family implements

    @property
    @abstractmethod
    def card(self) -> Card:
        """What the teacher is, and everything that decides its numbers."""

    @abstractmethod
    def _compute(self, mols: list[Chem.Mol]) -> npt.NDArray[Any]:
        """Embeds molecules that were not refused; shape (len(mols), card.dim), in order."""

    def _refuse(self, mol: Chem.Mol) -> str | None:  # noqa: ARG002
        """Says why a molecule cannot be embedded, or None where it can."""
        return None

    def _try(self, mols: list[Chem.Mol]) -> tuple[npt.NDArray[Any], Mapping[int, str]]:
        """Embeds like `_compute`; also says why, by position, for rows that came out NaN.

        A family overrides it where a molecule's failure only shows in the computation.
        """
        return self._compute(mols), {}

    # == Teacher

    def embed(self, items: Sequence[chem.Molecule], /) -> Embedded:
        """Embeds SMILES or RDKit molecules; see `molkd.types.Teacher`."""
        parsed = chem.parse_all(items)
        failures = dict(parsed.failures)
        mols: list[Chem.Mol] = []
        rows: list[int] = []
        for row, mol in zip(parsed.rows, parsed.mols, strict=True):
            reason = self._refuse(mol)
            if reason is None:
                mols.append(mol)
                rows.append(row)
            else:
                failures[row] = reason
        values = np.full((len(items), self.card.dim), np.nan, dtype=np.float32)
        if mols:
            with rdBase.BlockLogs():
                values[rows], reasons = self._try(mols)
            failures.update({rows[position]: reason for position, reason in reasons.items()})
        for row in np.flatnonzero(~np.isfinite(values).all(axis=1)).tolist():
            failures.setdefault(row, "the teacher returned NaN or infinity")
            values[row] = np.nan
        return Embedded(values, dict(sorted(failures.items())))

    # == scikit-learn

    def fit(self, X: object, y: object = None) -> Self:  # noqa: ARG002
        """Validates the parameters; there is nothing to learn."""
        self._validate_params()
        _refuse_sparse(X)
        return self

    def transform(self, X: object) -> Matrix:
        """Embeds molecules.

        Args:
            X: SMILES or RDKit molecules, n of them, in a list, tuple, array, Series, one-column
                frame or generator; or a single one.

        Returns:
            Shape (n, d).

        Raises:
            ItemError: some cannot be embedded and `on_invalid` is "error".
            ShapeError: X has more than one column.
        """
        self._validate_params()
        items = as_items(X)
        embedded = self.embed(items)
        if embedded.failures and self.on_invalid == "error":
            raise ItemError(embedded.failures, total=len(items))
        return embedded.values

    def fit_transform(self, X: object, y: object = None) -> Matrix:
        """Same as `transform`: there is nothing to learn."""
        return cast("Matrix", self.fit(X, y).transform(X))

    @property
    def _n_features_out(self) -> int:
        return self.card.dim

    def __len__(self) -> int:
        return self.card.dim

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.one_d_array = True
        tags.input_tags.string = True
        tags.requires_fit = False
        tags.no_validation = True
        tags.transformer_tags.preserves_dtype = []
        return tags

    # == molfeat overrides several methods of BaseEstimator; these are scikit-learn's own again.

    @classmethod
    def _get_param_names(cls) -> list[str]:
        return BaseEstimator._get_param_names.__func__(cls)  # noqa: SLF001

    def set_params(self, **params: object) -> Self:
        """Sets parameters; see scikit-learn."""
        return BaseEstimator.set_params(self, **params)

    @property
    def _input_params(self) -> dict[str, Any]:
        return BaseEstimator.get_params(self, deep=False)

    _input_args = _input_params

    def __getstate__(self) -> dict[str, Any]:
        """Parameters only: whatever was loaded is loaded again where it is needed."""
        return {**BaseEstimator.__getstate__(self), "_loaded": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        BaseEstimator.__setstate__(self, state)

    __repr__ = BaseEstimator.__repr__
    __eq__ = object.__eq__
    __hash__ = object.__hash__

    # == molfeat

    def _embed(self, smiles: Sequence[object], **_: object) -> Matrix:
        return self.embed(cast("Sequence[chem.Molecule]", smiles)).values


def as_items(X: object) -> list[Any]:
    """Returns the items of X in order.

    Raises:
        ShapeError: X has more than one column, or is sparse.
    """
    _refuse_sparse(X)
    if isinstance(X, str | Chem.Mol):
        return [X]
    if hasattr(X, "to_numpy"):
        X = cast("Any", X).to_numpy()
    if isinstance(X, np.ndarray):
        if X.ndim == 2 and X.shape[1] == 1:
            X = X[:, 0]
        if X.ndim != 1:
            raise ShapeError(f"expected one column of molecules, got an array of shape {X.shape}")
        return X.tolist()
    return list(cast("Iterable[Any]", X))


def _refuse_sparse(X: object) -> None:
    if sparse.issparse(X):
        raise TypeError("Sparse data was passed, but dense data is required: SMILES are expected")
