"""What teachers share whose network is a graph in a file of the ONNX format."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch
from rdkit import Chem
from sklearn.utils._param_validation import Interval

from molkd.errors import MissingExtraError, WeightsError
from molkd.teachers.base.loading import LoadsOnce
from molkd.teachers.base.molecules import MoleculeTeacher, OnInvalid
from molkd.teachers.base.per_molecule import summary
from molkd.teachers.base.weights import WeightFile, locate
from molkd.types import Matrix, TeacherCard

__all__ = ["Arrays", "OnnxTeacher", "WeightFile"]

Arrays = Mapping[str, npt.NDArray[Any]]
"""Input of the graph -> its values."""


class OnnxTeacher(LoadsOnce[Any], MoleculeTeacher):
    """A graph in the ONNX format over molecules, run by onnxruntime on the CPU.

    A family says `card`, `weights` and `inputs`, and `collate` where inputs of molecules differ in
    shape. Versions of onnxruntime differ by rounding only, so cards need not name them.

    Attributes:
        weights_dir: folder that holds the file; None leaves the search to
            `molkd.teachers.base.weights.locate`, which also looks into installed packages.
        batch_size: molecules per run; changes speed and memory, not the numbers.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **MoleculeTeacher._parameter_constraints,  # noqa: SLF001
        "weights_dir": [str, os.PathLike, None],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
    }
    card: ClassVar[TeacherCard]  # pyright: ignore[reportIncompatibleMethodOverride]
    """What the teacher is, with the checksum of `weights`."""

    weights: ClassVar[WeightFile]
    """The published file; `WeightFile.package` says which package carries it, if one does."""

    output: ClassVar[str | None] = None
    """Output of the graph that is the embedding, shape (molecules, card.dim); None is the first."""

    def __init__(
        self,
        *,
        weights_dir: str | os.PathLike[str] | None = None,
        batch_size: int = 64,
        on_invalid: OnInvalid = "error",
    ) -> None:
        self.weights_dir = weights_dir
        self.batch_size = batch_size
        self.on_invalid = on_invalid

    @abstractmethod
    def inputs(self, mol: Chem.Mol) -> Arrays:
        """Returns what the graph reads of one molecule, without an axis for molecules.

        Raises:
            Exception: it cannot be embedded; the message becomes the reason of its row.
        """

    @property
    def inner(self) -> str | None:
        """Array within the graph that is read in place of an output; None reads `output`."""
        return None

    def pool(self, values: npt.NDArray[Any], feed: Arrays) -> npt.NDArray[Any]:  # noqa: ARG002
        """Returns rows, shape (molecules, card.dim), of what the graph gives; by default that.

        Args:
            values: what was read, an output or `inner`.
            feed: the inputs of the run.
        """
        return values

    def collate(self, molecules: Sequence[Arrays]) -> Arrays:
        """Joins the inputs of molecules to those of one run; by default along a new first axis."""
        return {name: np.stack([one[name] for one in molecules]) for name in molecules[0]}

    def _load(self) -> Any:
        try:
            import onnxruntime
        except ModuleNotFoundError as error:
            raise MissingExtraError(
                "teachers in ONNX files need onnxruntime: pip install 'molkd[onnx]'"
            ) from error
        path = locate(self.weights, self.weights_dir)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()  # which OMP_NUM_THREADS limits
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3  # errors
        model = path if self.inner is None else with_output(path.read_bytes(), self.inner)
        try:
            return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime has one class per status
            raise WeightsError(f"{path} cannot be run by onnxruntime: {error}") from error

    def _compute(self, mols: list[Chem.Mol]) -> npt.NDArray[Any]:
        return self._try(mols)[0]

    def _try(self, mols: list[Chem.Mol]) -> tuple[npt.NDArray[Any], Mapping[int, str]]:
        session = self._ready()
        values = np.full((len(mols), self.card.dim), np.nan, dtype=np.float32)
        reasons: dict[int, str] = {}
        for start in range(0, len(mols), self.batch_size):
            arrays: dict[int, Arrays] = {}
            for row, mol in enumerate(mols[start : start + self.batch_size], start):
                try:
                    arrays[row] = self.inputs(Chem.Mol(mol))  # RDKit caches results on a molecule
                except Exception as error:  # noqa: BLE001 - toolkits raise bare C++ exceptions
                    reasons[row] = summary(error)
            reasons |= self._run_batch(session, arrays, values)
        return values, reasons

    def _run_batch(
        self, session: Any, arrays: Mapping[int, Arrays], values: Matrix
    ) -> dict[int, str]:
        """Writes the rows of some molecules into `values`; returns reasons of those that fail."""
        rows = list(arrays)
        if not rows:
            return {}
        try:
            values[rows] = self._run(session, list(arrays.values()))
        except WeightsError:  # no fault of the molecules
            raise
        except Exception as error:  # noqa: BLE001 - onnxruntime has one class per status
            if len(rows) == 1:
                return {rows[0]: summary(error)}
            alone = [self._run_batch(session, {row: arrays[row]}, values) for row in rows]
            return {row: reason for reasons in alone for row, reason in reasons.items()}
        return {}

    def _run(self, session: Any, molecules: Sequence[Arrays]) -> npt.NDArray[Any]:
        """Runs the graph once; shape (len(molecules), card.dim).

        Raises:
            WeightsError: the graph reads or gives something else.
        """
        feed = dict(self.collate(molecules))
        names = [one.name for one in session.get_inputs()]
        outputs = [one.name for one in session.get_outputs()]
        output = self.inner or self.output or outputs[0]
        if set(feed) != set(names) or output not in outputs:
            raise WeightsError(
                f"{self.weights.path} reads {', '.join(names)} and gives {', '.join(outputs)}, but "
                f"{self.card.name} feeds {', '.join(feed)} and takes {output}"
            )
        rows = self.pool(session.run([output], feed)[0], feed)
        if rows.shape != (len(molecules), self.card.dim):
            raise WeightsError(
                f"{self.weights.path} gives an array of shape {rows.shape} for {len(molecules)} "
                f"molecules, but {self.card.name} takes {self.card.dim} values of each"
            )
        return rows


def with_output(model: bytes, name: str) -> bytes:
    """Makes an array within a graph an output of it, the last one.

    ONNX files are protocol buffers, in which a message that is appended is merged with the one
    before: so the package `onnx` is not needed.

    Args:
        model: content of the file.
        name: of the array, below 100 bytes.
    """
    output = _field(_OUTPUT, _field(_NAME, name.encode()))
    return model + _field(_GRAPH, output)


_GRAPH, _OUTPUT, _NAME = 7, 12, 1
"""Numbers of ModelProto.graph, GraphProto.output and ValueInfoProto.name in onnx.proto."""


def _field(number: int, content: bytes) -> bytes:
    """Returns a field of a protocol buffer that is shorter than 128 bytes."""
    return bytes([number << 3 | 2, len(content)]) + content
