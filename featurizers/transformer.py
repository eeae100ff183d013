"""A trained student as one class: molfeat featurizer, scikit-learn transformer, molkd teacher."""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast

import joblib
import numpy as np
import rdkit
from rdkit import Chem
from sklearn.utils._param_validation import Interval, Options, StrOptions

from molkd.featurizers.estimator import MoleculeEstimator, OnInvalid
from molkd.items import MODALITIES
from molkd.items.molecules.chem import Molecule
from molkd.runtime.processes import ordered_map
from molkd.students import shipped
from molkd.types import Embeddings, TeacherCard

if TYPE_CHECKING:  # torch-geometric takes seconds: it is imported when a student is loaded
    from molkd.students import Student

CHUNK = 2048
"""Molecules featurized at once: bounds memory, and makes results the same for any `n_jobs`."""

WORTH_PROCESSES = 4 * CHUNK
"""Molecules below which starting processes costs more than they save."""


class MolKDTransformer(MoleculeEstimator):
    """Embeds molecules with a trained student.

    Example:
        ```python
        from sklearn.linear_model import Ridge
        from sklearn.pipeline import make_pipeline

        from molkd.featurizers import MolKDTransformer

        model = make_pipeline(MolKDTransformer(), Ridge())
        model.fit(["CCO", "c1ccccc1"], [0.1, 0.7])
        ```

    molfeat's `FeatConcat` takes molfeat's own fingerprints only; scikit-learn's `FeatureUnion`
    joins this with any other transformer.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **MoleculeEstimator._parameter_constraints,  # noqa: SLF001
        "model": [str, os.PathLike],
        "batch_size": [Interval(Integral, 1, None, closed="left"), None],
        "device": [str],
        "n_jobs": [Integral, None],
        "dtype": [StrOptions({"float32", "float16"}), Options(type, {np.float32, np.float16})],
    }

    def __init__(
        self,
        model: str | os.PathLike[str] = shipped.DEFAULT,
        *,
        batch_size: int | None = None,
        device: str = "cpu",
        n_jobs: int | None = None,
        on_invalid: OnInvalid = "error",
        dtype: str | type[np.floating[Any]] = "float32",
    ) -> None:
        """Sets the parameters; the student is read when it is first needed.

        Args:
            model: name of a student that is part of molkd, folder of a trained one, or its name on
                the Hugging Face hub.
            batch_size: molecules per forward pass, at most; by default what suits the student. It
                changes speed and memory, not the embedding.
            device: where the student runs, in torch's words; "auto" takes CUDA, then Apple's MPS,
                then the CPU.
            n_jobs: processes that read SMILES, in joblib's counting. They are started for
                thousands of SMILES only, never for RDKit molecules nor within a joblib job; the
                result does not change.
            on_invalid: what `transform` does with molecules that cannot be embedded: "error"
                raises an `ItemError` that names them all, "null" leaves their rows NaN.
            dtype: type of what `transform` returns: "float32" or "float16", or NumPy's class.
        """
        self.model = model
        self.batch_size = batch_size
        self.device = device
        self.n_jobs = n_jobs
        self.on_invalid = on_invalid
        self.dtype = dtype

    @property
    def card(self) -> TeacherCard:
        """What the student is; its digest depends on configuration and weights, not on its folder.

        Raises:
            InvalidParameterError: a parameter is out of range.
            WeightsError: there is no such student within reach.
            CorruptFileError: a file of the student is missing, cut or altered.
            ConfigError: the device cannot be used on this machine.
        """
        self._validate_params()
        return _load(os.fspath(self.model), self.device).card

    def embed(self, items: Sequence[Molecule], /) -> Embeddings:
        """Embeds SMILES or RDKit molecules; see `molkd.types.Teacher`.

        Raises:
            InvalidParameterError, WeightsError, CorruptFileError, ConfigError: see `card`.
        """
        self._validate_params()
        student = _load(os.fspath(self.model), self.device).student
        values = np.full((len(items), student.embedding_dim), np.nan, dtype=np.float32)
        failures: dict[int, str] = {}
        outside: dict[int, tuple[str, ...]] = {}
        starts = range(0, len(items), CHUNK)
        chunks = (items[start : start + CHUNK] for start in starts)
        with contextlib.closing(_featurized(student, chunks, self._processes(items))) as featurized:
            for start, packed in zip(starts, featurized, strict=True):
                part = student.encode(packed, batch_size=self.batch_size)
                values[start : start + len(packed)] = part.values
                failures.update({start + row: reason for row, reason in part.failures.items()})
                outside.update({start + row: what for row, what in part.outside.items()})
        return Embeddings(values, failures, outside)

    def _processes(self, items: Sequence[Molecule]) -> int:
        """Returns how many processes featurize: 1 where more cost more than they save."""
        # An RDKit molecule may lose properties and takes longer to send than to featurize.
        if len(items) < WORTH_PROCESSES or any(isinstance(item, Chem.Mol) for item in items):
            return 1
        backend: Any = joblib.parallel.get_active_backend()[0]
        within_a_job = backend.nesting_level > 0  # as in a parallel grid search: all cores work
        return 1 if within_a_job else int(joblib.effective_n_jobs(cast("Any", self.n_jobs)))


def _featurized(
    student: Student[Any, Any, Any], chunks: Iterable[Sequence[Molecule]], processes: int
) -> Generator[Any]:
    """What the student reads of each chunk; here it leaves the threads of other callers alone."""
    if processes == 1:
        yield from map(student.featurize, chunks)
    else:
        yield from ordered_map(student.featurize, chunks, jobs=processes)


@dataclass(frozen=True, slots=True)
class _Loaded:
    """A student on its device, and its card."""

    student: Student[Any, Any, Any]
    card: TeacherCard


_LOADING = threading.Lock()


def _load(model: str, device: str) -> _Loaded:
    """Returns a student; clones of an estimator, and threads, share what is loaded.

    It is not an attribute of the estimators, which thus stay small to pickle and unchanged by use.
    """
    from molkd.students.pretrained import CONFIG

    config = (shipped.folder_of(model) or Path(model).expanduser()) / CONFIG
    with _LOADING:
        # The configuration holds the checksum of the weights: a student trained anew is reloaded.
        return _cached(model, config.read_bytes() if config.is_file() else b"", device)


@lru_cache(maxsize=4)
def _cached(model: str, _config: bytes, device: str) -> _Loaded:
    from molkd.runtime import devices
    from molkd.students import load

    student = load(model)
    card = _card(student)
    return _Loaded(student.to(devices.choose(device)), card)


def _card(student: Student[Any, Any, Any]) -> TeacherCard:
    from safetensors.torch import save

    from molkd.students.pretrained import WEIGHTS

    return TeacherCard(
        name=f"molkd-{student.kind}-{student.digest[:12]}",
        kind="molkd student",
        dim=student.embedding_dim,
        support="real",
        source="a student trained with molkd",
        license="see the student's model card, which names the licences of its teachers",
        limits=f"{MODALITIES[student.modality].name} that can be read",
        sha256={WEIGHTS: hashlib.sha256(save(student.state_dict())).hexdigest()},
        options={"architecture": student.kind, **student.config},
        versions={"rdkit": rdkit.__version__},
        modality=student.modality,
    )
