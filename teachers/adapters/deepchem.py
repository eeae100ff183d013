"""Any DeepChem featurizer that gives one vector of fixed size per molecule, as a teacher."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from typing import Any, ClassVar, Final

import numpy as np
import numpy.typing as npt
from rdkit import Chem, rdBase
from sklearn.utils._param_validation import HasMethods

from molkd.errors import ConfigError, MissingExtraError, UnknownNameError
from molkd.runtime.registry import near
from molkd.teachers.base.molecules import MoleculeTeacher, OnInvalid
from molkd.teachers.base.per_molecule import Encoder, PerMoleculeTeacher
from molkd.types import Support, TeacherCard

BITS: Final = frozenset({"CircularFingerprint", "MACCSKeysFingerprint", "PubChemFingerprint"})
"""Classes whose values are known to be bits, with their default arguments."""

_PROBE = "CC(=O)Nc1ccc(O)cc1"


class DeepChemTeacher(PerMoleculeTeacher):
    """A DeepChem featurizer of molecules.

    DeepChem turns a molecule that fails into an empty row and a line in a log; here it is a NaN
    row and the reason. Atoms are put in DeepChem's order for SMILES whatever the input is.

    Attributes:
        featurizer: class name in `deepchem.feat`, made with its default arguments, or an object.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **MoleculeTeacher._parameter_constraints,  # noqa: SLF001
        "featurizer": [str, HasMethods("_featurize")],
    }
    _loaded: tuple[object, Any, int] | None = None

    def __init__(
        self, featurizer: Any = "CircularFingerprint", *, on_invalid: OnInvalid = "error"
    ) -> None:
        self.featurizer = featurizer
        self.on_invalid = on_invalid

    @property
    def card(self) -> TeacherCard:
        """What the teacher is, and everything that decides its numbers.

        Raises:
            UnknownNameError: DeepChem has no such featurizer of molecules.
            ConfigError: it needs arguments, or gives something else than one vector per molecule.
            MissingExtraError: a package that DeepChem needs for it is not installed.
        """
        inner, dim = self._inner()
        support = support_of(inner)
        unproven = "; its values are taken as real numbers" if support == "real" else ""
        return TeacherCard(
            name=f"deepchem:{type(inner).__name__}",
            kind="DeepChem featurizer",
            dim=dim,
            support=support,
            source=f"DeepChem {version('deepchem')}, deepchem.feat.{type(inner).__name__}",
            license="MIT (DeepChem)",
            limits=f"what the featurizer refuses, molecule by molecule{unproven}",
            options=_state(vars(inner)),
            versions={package: version(package) for package in ("deepchem", "rdkit")},
        )

    def _inner(self) -> tuple[Any, int]:
        if self._loaded is None or self._loaded[0] is not self.featurizer:
            inner = find(self.featurizer) if isinstance(self.featurizer, str) else self.featurizer
            self._loaded = (self.featurizer, inner, _width(inner))
        return self._loaded[1:]

    def _encoder(self) -> Encoder:
        inner = self._inner()[0]
        return lambda mol: _vector(inner, mol)


def find(name: str) -> Any:
    """Makes the featurizer of that class with its default arguments.

    Raises:
        UnknownNameError: DeepChem has no such featurizer of molecules.
        ConfigError: it has arguments without defaults.
        MissingExtraError: a package that DeepChem needs for it is not installed.
    """
    classes = _classes()
    if name not in classes:
        raise UnknownNameError(
            f"DeepChem has no featurizer of molecules {name!r}.{near(name, classes)}"
        )
    try:
        return classes[name]()
    except ImportError as error:
        raise MissingExtraError(f"deepchem:{name} needs another package: {error}") from error
    except TypeError as error:
        raise ConfigError(
            f"deepchem:{name} has arguments without defaults ({error}); make it yourself and use "
            f"DeepChemTeacher(featurizer=deepchem.feat.{name}(...))"
        ) from error


def support_of(featurizer: Any) -> Support:
    """Returns what is known of the values of a featurizer; "real" where nothing is."""
    if type(featurizer).__name__ not in BITS:
        return "real"
    return "counts" if getattr(featurizer, "is_counts_based", False) else "bits"


@cache
def _classes() -> dict[str, type[Any]]:
    # DeepChem tells on import of each optional package that it does not find.
    logger = logging.getLogger("deepchem")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        import deepchem.feat as library
        from deepchem.feat.base_classes import MolecularFeaturizer
    finally:
        logger.setLevel(level)
    return {
        name: member
        for name, member in vars(library).items()
        if isinstance(member, type)
        and issubclass(member, MolecularFeaturizer)
        and member is not MolecularFeaturizer
    }


def _width(featurizer: Any) -> int:
    name = type(featurizer).__name__
    try:
        with rdBase.BlockLogs():
            return _vector(featurizer, Chem.MolFromSmiles(_PROBE)).size
    except ImportError as error:
        raise MissingExtraError(f"deepchem:{name} needs another package: {error}") from error
    except Exception as error:
        raise ConfigError(
            f"deepchem:{name} gives no vector for the molecule {_PROBE} ({error}); a teacher "
            "gives one vector of fixed size per molecule"
        ) from error


def _vector(featurizer: Any, mol: Chem.Mol) -> npt.NDArray[np.float32]:
    ordered = Chem.RenumberAtoms(mol, list(Chem.CanonicalRankAtoms(mol)))
    # The method that DeepChem asks subclasses for; `featurize` would hide what it raises.
    features = featurizer._featurize(ordered)  # noqa: SLF001
    if isinstance(features, str | Mapping) or not hasattr(features, "__len__"):
        raise TypeError(f"it returned a {type(features).__name__}")
    vector = np.squeeze(np.asarray(features, dtype=np.float32))
    if vector.ndim != 1 or not vector.size:
        raise TypeError(f"it returned an array of shape {np.shape(features)}")
    return vector


def _state(value: Any) -> Any:
    """Returns what decides a featurizer's numbers, in JSON's types; its own repr may fail."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(key): _state(value[key]) for key in value}
    if isinstance(value, list | tuple):
        return [_state(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted(map(str, value))
    if callable(value):
        return f"{value.__module__}.{getattr(value, '__qualname__', type(value).__qualname__)}"
    plain = value is None or isinstance(value, str | bool | int | float)
    return value if plain else type(value).__qualname__
