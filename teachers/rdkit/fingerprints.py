"""Fingerprints through RDKit's own generators; all embed every molecule that RDKit can sanitise."""

from __future__ import annotations

from abc import abstractmethod
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import rdkit
from rdkit import DataStructs
from rdkit.Avalon import pyAvalonTools
from rdkit.Chem import rdFingerprintGenerator, rdMolDescriptors
from sklearn.utils._param_validation import Interval

from molkd.teachers.base.molecules import MoleculeTeacher, OnInvalid
from molkd.teachers.base.per_molecule import Encoder, PerMoleculeTeacher
from molkd.types import Support, TeacherCard

RDKIT = f"RDKit {rdkit.__version__}"
LICENSE = "BSD-3-Clause (RDKit)"
LIMITS = "every molecule that RDKit can sanitise"
WIDTH = Interval(Integral, 8, None, closed="left")


class GeneratedFingerprint(PerMoleculeTeacher):
    """A fingerprint of RDKit's generators, hashed to `width` dimensions."""

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **MoleculeTeacher._parameter_constraints,  # noqa: SLF001
        "width": [WIDTH],
        "chirality": ["boolean"],
    }

    def __init__(
        self, *, chirality: bool = False, width: int = 2048, on_invalid: OnInvalid = "error"
    ) -> None:
        self.chirality = chirality
        self.width = width
        self.on_invalid = on_invalid

    @abstractmethod
    def _generator(self) -> Any:
        """Returns RDKit's generator for the current parameters."""

    @property
    def _counts(self) -> bool:
        return True

    def _encoder(self) -> Encoder:
        generator = self._generator()
        if self._counts:
            return generator.GetCountFingerprintAsNumPy
        return generator.GetFingerprintAsNumPy

    def _card(self, name: str, source: str, limits: str) -> TeacherCard:
        options = {key: value for key, value in self.get_params().items() if key != "on_invalid"}
        return TeacherCard(
            name=name,
            kind="fingerprint",
            dim=self.width,
            support="counts" if self._counts else "bits",
            source=f"{source}; {RDKIT}",
            license=LICENSE,
            limits=f"{LIMITS}; {limits}",
            options=options,
            versions={"rdkit": rdkit.__version__},
        )


class MorganTeacher(GeneratedFingerprint):
    """Circular substructures up to a radius: ECFP, or FCFP over pharmacophore features."""

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **GeneratedFingerprint._parameter_constraints,  # noqa: SLF001
        "radius": [Interval(Integral, 0, None, closed="left")],
        "counts": ["boolean"],
        "features": ["boolean"],
    }

    def __init__(
        self,
        *,
        radius: int = 2,
        counts: bool = False,
        features: bool = False,
        chirality: bool = False,
        width: int = 2048,
        on_invalid: OnInvalid = "error",
    ) -> None:
        """Sets the parameters.

        Args:
            radius: bonds around the central atom: 2 for ECFP4, 3 for ECFP6.
            counts: how often each substructure occurs instead of whether it does.
            features: atoms told apart by pharmacophore class (FCFP) instead of element and
                environment (ECFP).
            chirality: whether stereocentres count.
            width: dimensions to hash into.
            on_invalid: see `molkd.featurizers.estimator.MoleculeEstimator`.
        """
        self.radius = radius
        self.counts = counts
        self.features = features
        self.chirality = chirality
        self.width = width
        self.on_invalid = on_invalid

    @property
    def card(self) -> TeacherCard:
        """What the teacher is, and everything that decides its numbers."""
        stem = f"{'f' if self.features else 'e'}cfp{2 * self.radius}"
        return self._card(
            f"{stem}-count" if self.counts else stem,
            "Rogers and Hahn 2010, doi:10.1021/ci100050t",
            "stereo is ignored unless chirality is set",
        )

    @property
    def _counts(self) -> bool:
        return self.counts

    def _generator(self) -> Any:
        invariants = rdFingerprintGenerator.GetMorganFeatureAtomInvGen() if self.features else None
        return rdFingerprintGenerator.GetMorganGenerator(
            radius=self.radius,
            fpSize=self.width,
            includeChirality=self.chirality,
            atomInvariantsGenerator=invariants,
        )


class AtomPairTeacher(GeneratedFingerprint):
    """Counts of pairs of typed atoms with the number of bonds between them."""

    @property
    def card(self) -> TeacherCard:
        """What the teacher is, and everything that decides its numbers."""
        return self._card(
            "atom-pair",
            "Carhart et al. 1985, doi:10.1021/ci00046a002",
            "pairs up to 30 bonds apart; stereo is ignored unless chirality is set",
        )

    def _generator(self) -> Any:
        return rdFingerprintGenerator.GetAtomPairGenerator(
            fpSize=self.width, includeChirality=self.chirality
        )


class TopologicalTorsionTeacher(GeneratedFingerprint):
    """Counts of paths of four typed, bonded atoms."""

    @property
    def card(self) -> TeacherCard:
        """What the teacher is, and everything that decides its numbers."""
        return self._card(
            "topological-torsion",
            "Nilakantan et al. 1987, doi:10.1021/ci00054a008",
            "all zero below four atoms in a chain; stereo is ignored unless chirality is set",
        )

    def _generator(self) -> Any:
        return rdFingerprintGenerator.GetTopologicalTorsionGenerator(
            fpSize=self.width, includeChirality=self.chirality
        )


class RDKitPathTeacher(PerMoleculeTeacher):
    """Bits of RDKit's Daylight-like fingerprint: branched and linear paths of 1 to 7 bonds."""

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **MoleculeTeacher._parameter_constraints,  # noqa: SLF001
        "width": [WIDTH],
    }

    def __init__(self, *, width: int = 2048, on_invalid: OnInvalid = "error") -> None:
        self.width = width
        self.on_invalid = on_invalid

    @property
    def card(self) -> TeacherCard:
        """What the teacher is, and everything that decides its numbers."""
        limits = f"{LIMITS}; all zero for molecules without bonds; stereo is ignored"
        return _rdkit_card(
            "rdkit-path", self.width, "bits", "RDKit fingerprint, paths of 1 to 7 bonds", limits
        )

    def _encoder(self) -> Encoder:
        generator = rdFingerprintGenerator.GetRDKitFPGenerator(fpSize=self.width)
        return generator.GetFingerprintAsNumPy


class MaccsTeacher(PerMoleculeTeacher):
    """The 166 public MACCS keys; dimension k is key k, so dimension 0 is always 0."""

    @property
    def card(self) -> TeacherCard:
        """What the teacher is, and everything that decides its numbers."""
        limits = f"{LIMITS}; dimension k is key k: 0 is unused, and RDKit never sets key 1"
        source = "Durant et al. 2002, doi:10.1021/ci010132r"
        return _rdkit_card("maccs", 167, "bits", source, limits)

    def get_feature_names_out(self, input_features: object = None) -> npt.NDArray[np.object_]:  # noqa: ARG002
        """Returns maccs_0 to maccs_166."""
        return np.array([f"maccs_{key}" for key in range(167)], dtype=object)

    def _encoder(self) -> Encoder:
        return lambda mol: _as_array(rdMolDescriptors.GetMACCSKeysFingerprint(mol), 167)


class AvalonTeacher(PerMoleculeTeacher):
    """Bits of the Avalon toolkit: paths, rings, augmented atoms and pairs of classes."""

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **MoleculeTeacher._parameter_constraints,  # noqa: SLF001
        "width": [WIDTH],
    }

    def __init__(self, *, width: int = 2048, on_invalid: OnInvalid = "error") -> None:
        self.width = width
        self.on_invalid = on_invalid

    @property
    def card(self) -> TeacherCard:
        """What the teacher is, and everything that decides its numbers."""
        source = "Gedeck, Rohde and Bartels 2006, doi:10.1021/ci050413p"
        return _rdkit_card("avalon", self.width, "bits", source, f"{LIMITS}; stereo is ignored")

    def _encoder(self) -> Encoder:
        width = self.width
        return lambda mol: _as_array(pyAvalonTools.GetAvalonFP(mol, nBits=width), width)


def _rdkit_card(name: str, dim: int, support: Support, source: str, limits: str) -> TeacherCard:
    return TeacherCard(
        name=name,
        kind="fingerprint",
        dim=dim,
        support=support,
        source=f"{source}; {RDKIT}",
        license=LICENSE,
        limits=limits,
        options={"width": dim},
        versions={"rdkit": rdkit.__version__},
    )


def _as_array(bits: Any, width: int) -> npt.NDArray[np.uint8]:
    array = np.empty(width, dtype=np.uint8)
    DataStructs.ConvertToNumpyArray(bits, array)
    return array
