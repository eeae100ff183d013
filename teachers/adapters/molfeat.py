"""Any molfeat featurizer as a teacher: fingerprints and descriptors by name, or an object.

Molecules that molfeat refuses one by one fail one by one; work is never handed to molfeat's own
processes, which are slower than none.
"""

from __future__ import annotations

import copy
import functools
import json
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar, Final, Self

import numpy as np
import numpy.typing as npt
from molfeat.calc.base import SerializableCalculator
from molfeat.store.modelstore import ModelStoreError
from molfeat.trans.base import MoleculeTransformer
from molfeat.trans.fp import FPVecTransformer
from molfeat.trans.pretrained import CheMeleonTransformer
from rdkit import Chem

from molkd.errors import ConfigError, MissingExtraError, UnknownNameError, WeightsError
from molkd.runtime import files
from molkd.runtime.registry import near
from molkd.teachers.base.molecules import MoleculeTeacher, OnInvalid
from molkd.teachers.base.per_molecule import Encoder, fill
from molkd.types import Support, TeacherCard

BITS: Final = frozenset(
    {
        *("ecfp", "fcfp", "topological", "atompair", "rdkit", "maccs", "avalon"),
        *("pattern", "layered", "secfp", "pharm2d"),
    }
)
"""Kinds whose values are known to be bits."""

COUNTS: Final = frozenset({"estate", "cats2d"})
"""Kinds whose values are known to be counts, beside those that end in "-count"."""

LENGTH: Final = 2048
"""Width of hashed kinds."""

BATCH: Final = 64
"""Molecules handed to a molfeat transformer at once: it does not divide them itself."""

CHEMELEON: Final = "chemeleon"
CHEMELEON_TRAINED_ON: Final = (
    "Descriptors that Mordred computes of molecules of PubChem, no measured labels. Compounds of a "
    "benchmark may be among these molecules."
)
MOLJEPA: Final = frozenset({"moljepa", "mol-jepa"})

_PROBE = "CC(=O)Nc1ccc(O)cc1"


class MolfeatTeacher(MoleculeTeacher):
    """A molfeat featurizer.

    Attributes:
        featurizer: a kind of molfeat's `FPVecTransformer` ("secfp", "ecfp-count:6", "desc2D"), the
            name of a model in molfeat's store, "chemeleon", whose checkpoint molfeat
            downloads once and checks, "chemeleon:PATH", a checkpoint of that form, or a molfeat
            calculator or transformer.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **MoleculeTeacher._parameter_constraints,  # noqa: SLF001
        "featurizer": [str, SerializableCalculator, MoleculeTransformer],
    }
    _loaded: tuple[object, Encoder | MoleculeTransformer, int] | None = None

    def __init__(self, featurizer: Any = "ecfp", *, on_invalid: OnInvalid = "error") -> None:
        self.featurizer = featurizer
        self.on_invalid = on_invalid

    @property
    def card(self) -> TeacherCard:
        """What the teacher is, and everything that decides its numbers.

        Raises:
            UnknownNameError: molfeat has no such featurizer.
            WeightsError: a model of molfeat's store cannot be had.
            MissingExtraError: a package that molfeat needs for it is not installed.
            ConfigError: it gives no vector for a molecule without conformers.
        """
        inner, dim = self._inner()
        named = isinstance(self.featurizer, str)
        support = support_of(self.featurizer) if named else "real"
        unproven = "; its values are taken as real numbers" if support == "real" else ""
        stored = named and isinstance(inner, MoleculeTransformer)
        name = self.featurizer if named else type(inner).__name__
        chemeleon = named and is_chemeleon(name)
        name = CHEMELEON if chemeleon else name  # not where its checkpoint lies
        return TeacherCard(
            name=f"molfeat:{name}",
            kind="molfeat featurizer",
            dim=dim,
            support=support,
            source=f"molfeat {version('molfeat')}",
            license="see its card in molfeat's store" if stored else "Apache-2.0 (molfeat)",
            limits=f"what the featurizer refuses, molecule by molecule{unproven}",
            options={
                "featurizer": name if named else _state(inner),
                "length": LENGTH if named else None,
            },
            versions={package: version(package) for package in ("molfeat", "rdkit")},
            sha256={"chemeleon_mp.pt": _sha256(inner.checkpoint_path)} if chemeleon else {},
            trained_on=CHEMELEON_TRAINED_ON if chemeleon else "",
        )

    def __sklearn_clone__(self) -> Self:
        """Copies a featurizer with all of its settings, some of which molfeat's clones forget."""
        return type(self)(copy.deepcopy(self.featurizer), on_invalid=self.on_invalid)

    def _inner(self) -> tuple[Any, int]:
        if self._loaded is None or self._loaded[0] is not self.featurizer:
            inner = find(self.featurizer) if isinstance(self.featurizer, str) else self.featurizer
            self._loaded = (self.featurizer, inner, _width(inner, self.featurizer))
        return self._loaded[1:]

    def _compute(self, mols: list[Chem.Mol]) -> npt.NDArray[Any]:
        return self._try(mols)[0]

    def _try(self, mols: list[Chem.Mol]) -> tuple[npt.NDArray[Any], Mapping[int, str]]:
        inner, dim = self._inner()
        values = np.full((len(mols), dim), np.nan, dtype=np.float32)
        if not isinstance(inner, MoleculeTransformer):
            # A copy, because calculators leave intermediate results on the molecule.
            return values, fill(values, mols, lambda mol: inner(Chem.Mol(mol)))
        reasons: dict[int, str] = {}
        for start in range(0, len(mols), BATCH):
            batch = mols[start : start + BATCH]
            try:
                values[start : start + BATCH] = np.stack(_transform(inner, batch))
            except Exception:  # noqa: BLE001 - each molecule of the batch gets its own reason
                failed = fill(
                    values[start : start + BATCH], batch, lambda mol: _transform(inner, [mol])[0]
                )
                reasons |= {start + row: reason for row, reason in failed.items()}
        return values, reasons


def find(name: str) -> Any:
    """Returns molfeat's calculator of that kind, else the transformer of that name in its store.

    Raises:
        UnknownNameError: molfeat has neither; the message proposes near kinds.
        WeightsError: the store cannot be reached, or there is no checkpoint of CheMeleon.
        ConfigError: Mol-JEPA, which would run code from a checkpoint.
        MissingExtraError: a package that molfeat needs for it is not installed.
    """
    if is_chemeleon(name):
        return _chemeleon(name)
    _refuse_code(name)
    kind = name.partition(":")[0].replace("morgan", "ecfp")
    if kind in FPVecTransformer.AVAILABLE_FPS:
        return _calculator(name)
    from molfeat.trans.pretrained import PretrainedHFTransformer

    try:
        # An encoder alone lacks arguments that its model prepares for it.
        return PretrainedHFTransformer(kind=name, prefer_encoder=False, preload=True)
    except ModelStoreError as error:
        proposal = near(name, FPVecTransformer.AVAILABLE_FPS)
        if "not registered" in str(error):
            raise UnknownNameError(f"molfeat has no featurizer {name!r}.{proposal}") from error
        raise WeightsError(
            f"{name!r} is no kind of fingerprint or descriptor of molfeat, and its model store "
            f"cannot be reached: {error.__cause__ or error}.{proposal}"
        ) from error


def is_chemeleon(name: str) -> bool:
    """Says whether a name is "chemeleon", or that and the path of a checkpoint."""
    return name.partition(":")[0].lower() == CHEMELEON


def _chemeleon(name: str) -> CheMeleonTransformer:
    path = name.partition(":")[2]
    transformer = (
        CheMeleonTransformer(str(Path(path).expanduser()), download_url=None, checksum=None)
        if path
        else CheMeleonTransformer()
    )
    try:
        transformer._preload()  # noqa: SLF001 - else it fails where a molecule is embedded
    except Exception as error:  # of torch, urllib and molfeat
        reason = str(error).strip().partition("\n")[0]
        raise WeightsError(
            f"molfeat:{name}: its checkpoint {transformer.checkpoint_path} cannot be had "
            f"({reason}). Where there is a network, download "
            "https://zenodo.org/records/15460715/files/chemeleon_mp.pt and give it as "
            f"molfeat:{CHEMELEON}:PATH"
        ) from error
    return transformer


def _refuse_code(name: str) -> None:
    if name.lower() in MOLJEPA:
        raise ConfigError(
            f"molfeat:{name} is code from the repository of its weights, which are for "
            "non-commercial use only (CC BY-NC 4.0); by name molkd runs no such code. Who accepts "
            "both gives molkd.teachers.adapters.molfeat.MolfeatTeacher the object "
            "MolJEPATransformer(trust_remote_code=True, accept_noncommercial_license=True)"
        )


def support_of(name: str) -> Support:
    """Returns what is known of the values of a kind; "real" where nothing is."""
    kind = name.lower().partition(":")[0].replace("morgan", "ecfp")
    if kind.endswith("-count") or kind in COUNTS:
        return "counts"
    return "bits" if kind in BITS else "real"


def _calculator(name: str) -> Any:
    try:
        # FPVecTransformer reads "kind:radius", which calculators do not.
        return FPVecTransformer(kind=name, length=LENGTH).featurizer
    except ImportError as error:
        raise MissingExtraError(f"molfeat:{name} needs another package: {error}") from error


def _width(inner: Any, featurizer: object) -> int:
    probe = Chem.MolFromSmiles(_PROBE)
    try:
        if isinstance(inner, MoleculeTransformer):
            return int(np.asarray(_transform(inner, [probe])[0]).size)
        return int(np.asarray(inner(probe), dtype=np.float32).size)
    except ImportError as error:
        raise MissingExtraError(f"molfeat:{featurizer} needs another package: {error}") from error
    except Exception as error:
        raise ConfigError(
            f"molfeat:{featurizer} gives no vector for the molecule {_PROBE} ({error}); "
            "featurizers of conformers cannot be teachers of a 2-D student"
        ) from error


def _state(featurizer: Any) -> str:
    try:
        return str(featurizer.to_state_json())
    except TypeError:  # molfeat keeps a path as it was given, which JSON does not know
        return json.dumps(featurizer.to_state_dict(), sort_keys=True, default=str)


@functools.lru_cache(maxsize=16)
def _sha256(path: str) -> str:
    return files.sha256_of(Path(path))


def _transform(transformer: Any, mols: list[Chem.Mol]) -> list[Any]:
    return list(transformer.transform(mols))
