"""The base of encoders of molecules that are scikit-learn transformers and molfeat featurizers.

It handles input of every usual form, molecules that fail, parameters, cloning, pickling and feature
names; a subclass stores its arguments unchanged and implements `card` and `embed`. molfeat, which
takes six seconds to load, is loaded where something of it is asked for.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Literal, Self, cast

import numpy as np
import numpy.typing as npt
from rdkit import Chem
from scipy import sparse
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin, clone
from sklearn.utils import Tags
from sklearn.utils._param_validation import StrOptions

from molkd.errors import InputError, ItemError, ShapeError
from molkd.featurizers.states import MolfeatStates
from molkd.items.molecules.chem import Molecule
from molkd.types import Embeddings, Matrix, TeacherCard

OnInvalid = Literal["error", "null"]

_SINGLE = str | bytes | Chem.Mol


class MoleculeEstimator(
    MolfeatStates, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator, ABC
):
    """A frozen encoder of molecules for scikit-learn and molfeat.

    To molfeat it is a `PretrainedMolTransformer`, see `states`. molfeat's `FeatConcat` takes
    its own fingerprints only; scikit-learn's `FeatureUnion` joins this with anything.

    Attributes:
        on_invalid: what `transform` does with molecules that cannot be embedded: raise an
            `ItemError` that names them all, or leave their rows NaN. `embed` never raises.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "on_invalid": [StrOptions({"error", "null"})]
    }
    # Attributes that molfeat expects; a subclass may turn them into parameters.
    n_jobs: int | None = None
    dtype: Any = np.float32
    columns = None
    # What a subclass has read from disk; never pickled.
    _loaded: Any = None

    on_invalid: OnInvalid

    # == What a subclass implements

    @property
    @abstractmethod
    def card(self) -> TeacherCard:
        """What it is, and everything that its numbers depend on."""

    @abstractmethod
    def embed(self, items: Sequence[Molecule], /) -> Embeddings:
        """Embeds SMILES or RDKit molecules; see `molkd.types.Teacher`."""

    # == scikit-learn

    def fit(self, X: object, y: object = None) -> Self:  # noqa: ARG002
        """Validates the parameters; there is nothing to learn.

        Raises:
            InvalidParameterError: a parameter has another type or value than documented.
            InputError: X is no ordered collection of molecules.
            ShapeError: X has more than one column.
        """
        self._validate_params()
        _check_form(X)
        return self

    def transform(self, X: object) -> Matrix:
        """Embeds molecules.

        Args:
            X: SMILES or RDKit molecules, n of them, in a list, tuple, array, Series, one-column
                frame or generator; or a single one.

        Returns:
            Shape (n, d), of type `dtype`.

        Raises:
            InvalidParameterError: a parameter has another type or value than documented.
            InputError: X is no ordered collection of molecules.
            ShapeError: X has more than one column.
            ItemError: some cannot be embedded and `on_invalid` is "error".
        """
        self._validate_params()
        items = as_items(X)
        embedded = self.embed(items)
        if embedded.failures and self.on_invalid == "error":
            raise ItemError(embedded.failures, total=len(items))
        return embedded.values.astype(self.dtype, copy=False)

    def fit_transform(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, X: object, y: object = None
    ) -> Matrix:
        """Same as `transform`: there is nothing to learn."""
        return self.fit(X, y).transform(X)

    @property
    def _n_features_out(self) -> int:
        return self.card.dim

    def __len__(self) -> int:
        return self.card.dim

    def __bool__(self) -> bool:
        return True  # `if estimator` shall not read weights to learn its width

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

    def __getstate__(self) -> dict[str, Any]:
        """Parameters and output settings, without what was read from disk."""
        state = cast("dict[str, Any]", BaseEstimator.__getstate__(self))
        return {name: value for name, value in state.items() if name != "_loaded"}

    # scikit-learn's versions of these two read every property, `card` and thus weights included.

    def __dir__(self) -> list[str]:
        return list(object.__dir__(self))

    def _get_fitted_attr_html(self, doc_link: str = "") -> Any:  # noqa: ARG002
        return {}

    # == molfeat

    def __call__(
        self,
        mols: object,
        enforce_dtype: bool = True,  # noqa: ARG002 - `transform` always gives the dtype
        ignore_errors: bool = False,
    ) -> Matrix | tuple[Matrix, list[int]]:
        """Embeds molecules as molfeat's transformers do when called.

        Args:
            mols: see `transform`.
            enforce_dtype: without effect; molfeat passes it.
            ignore_errors: leave out molecules that cannot be embedded, whatever `on_invalid` is.

        Returns:
            What `transform` returns; with `ignore_errors`, the rows of the molecules that can be
            embedded, shape (m, d), and their m positions.
        """
        if not ignore_errors:
            return self.transform(mols)
        self._validate_params()
        embedded = self.embed(as_items(mols))
        valid = np.flatnonzero(embedded.valid)
        return embedded.values[valid].astype(self.dtype, copy=False), valid.tolist()

    @property
    def _input_args(self) -> dict[str, Any]:
        """Parameters in the form that molfeat's YAML and JSON states can hold."""
        parameters = self.get_params(deep=False)
        return {name: _storable(name, value) for name, value in parameters.items()}

    def copy(self) -> Self:
        """Returns an estimator of the same parameters."""
        return cast("Self", clone(self))

    def _transform(self, mol: object, **_: object) -> npt.NDArray[Any] | None:
        """Embeds one molecule; None, as molfeat expects, where it cannot be embedded."""
        embedded = self.embed([cast("Molecule", mol)])
        return None if embedded.failures else embedded.values[0].astype(self.dtype, copy=False)


def as_items(X: object) -> list[Any]:
    """Returns the items of X in order.

    Raises:
        InputError: X is no ordered collection.
        ShapeError: X has more than one column.
    """
    _check_form(X)
    if isinstance(X, _SINGLE):
        return [X]
    column: Any = X
    if hasattr(column, "to_pylist"):
        column = column.to_pandas()  # pyarrow, whose own `to_numpy` refuses strings
    if hasattr(column, "to_numpy"):
        column = column.to_numpy()
    if isinstance(column, np.ndarray):
        column = column.reshape(len(column)).tolist()
    return list(column)


def _check_form(X: object) -> None:
    """Raises for what cannot be one column of molecules, without consuming a generator."""
    if sparse.issparse(X):
        raise InputError("sparse data was passed, but one column of SMILES or molecules is needed")
    if isinstance(X, _SINGLE):
        return
    shape = cast("tuple[int, ...] | None", getattr(X, "shape", None))
    if shape is None:
        if isinstance(X, Mapping | set | frozenset) or not isinstance(X, Iterable):
            raise InputError(
                "expected SMILES or RDKit molecules in a list, array, column or generator, or a "
                f"single one, got {type(X).__name__}"
            )
    elif len(shape) not in {1, 2} or shape[1:] not in {(), (1,)}:
        raise ShapeError(
            f"expected one column of molecules, got shape {tuple(shape)}: choose the column, "
            "as in X['smiles']"
        )


def _storable(name: str, value: Any) -> Any:
    if name == "dtype":
        return np.dtype(value).type  # molfeat writes the class as text and reads it back
    return os.fspath(value) if isinstance(value, os.PathLike) else value
