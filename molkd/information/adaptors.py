"""Adaptors: predict a teacher's embedding, with its uncertainty, from that of a student.

An adaptor is a conditional density of a teacher given the frozen embedding, fitted after training
(see `molkd.information.densities`), so that a student of any objective can have them. They are
stored in a folder beside the student.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from molkd.errors import ConfigError, CorruptFileError, UnknownNameError
from molkd.objectives import densities
from molkd.objectives.densities import Density
from molkd.objectives.ladder import Ladder
from molkd.objectives.settings import HeadSettings
from molkd.runtime import files
from molkd.runtime.registry import near
from molkd.targets import scaling
from molkd.targets.scaling import Scaling
from molkd.types import Matrix

FOLDER = "adaptors"
INDEX, HEADS = "adaptors.json", "heads.safetensors"

_BATCH = 1024


@dataclass(frozen=True, slots=True)
class Adaptor:
    """One teacher's density, and the way back to its units.

    Attributes:
        head: maps a standardised embedding to the density's parameters.
        density: of the teacher's scaled values.
        scaling: of the teacher's values.
        low: shape (dim,), least of the scaled values of the rows it was fitted on; no mean is less.
        high: shape (dim,), the greatest.
    """

    head: Ladder
    density: Density
    scaling: Scaling
    low: Matrix
    high: Matrix

    @torch.no_grad()
    def predict(self, standardized: Matrix) -> tuple[Matrix, Matrix]:
        """Mean and standard deviation of shape (n, d) each, in the teacher's units."""
        outputs = self.head(torch.from_numpy(standardized), ())
        mean, sd = (part.float().numpy() for part in self.density.moments(outputs))
        mean = mean.clip(self.low, self.high)
        return self.scaling.invert(mean), self.scaling.invert_sd(mean, sd)


@dataclass(frozen=True, slots=True)
class Adaptors:
    """Adaptors of one student.

    Attributes:
        mean: shape (e,), of the embedding over the rows they were fitted on.
        sd: shape (e,).
        teachers: name -> adaptor.
    """

    mean: Matrix
    sd: Matrix
    teachers: Mapping[str, Adaptor]

    @torch.no_grad()
    def round(self) -> None:
        """Rounds the weights to what 16 bits can hold."""
        for adaptor in self.teachers.values():
            for value in adaptor.head.state_dict().values():
                value.copy_(value.half())

    def predict(self, embeddings: Matrix, teacher: str) -> tuple[Matrix, Matrix]:
        """Predicts a teacher from embeddings.

        Args:
            embeddings: shape (n, e), of the student; a NaN row gives NaN rows.
            teacher: name.

        Returns:
            Mean and standard deviation, shape (n, d) each, in the teacher's units.

        Raises:
            UnknownNameError: there is no adaptor for this teacher.
        """
        if teacher not in self.teachers:
            raise UnknownNameError(
                f"this student has no adaptor for {teacher!r}.{near(teacher, self.teachers)} "
                f"It has some for {', '.join(self.teachers)}."
            )
        adaptor = self.teachers[teacher]
        width = len(adaptor.scaling.filling)
        mean, sd = (np.full((len(embeddings), width), np.nan, dtype=np.float32) for _ in range(2))
        alive = np.flatnonzero(np.isfinite(embeddings).all(axis=1))
        for start in range(0, len(alive), _BATCH):
            rows = alive[start : start + _BATCH]
            scaled = ((embeddings[rows] - self.mean) / self.sd).astype(np.float32)
            mean[rows], sd[rows] = adaptor.predict(scaled)
        return mean, sd


def save(folder: Path, adaptors: Adaptors, student: str, *, half: bool = False) -> None:
    """Writes adaptors beside a student; the index, written last, holds the checksums.

    Args:
        folder: of the adaptors.
        adaptors: what to write.
        student: digest of the student whose embeddings they read.
        half: whether weights are stored in 16 bits; they are the same if they were `round`ed.

    Raises:
        OutputError: the folder cannot be written.
    """
    from safetensors.torch import save as as_bytes

    weights = {"mean": torch.from_numpy(adaptors.mean), "sd": torch.from_numpy(adaptors.sd)}
    entries: list[dict[str, Any]] = []
    for place, (name, adaptor) in enumerate(adaptors.teachers.items()):
        state = adaptor.head.state_dict()
        weights |= {
            f"{place}.{key}": (value.half() if half else value).contiguous()
            for key, value in state.items()
        }
        extremes = (("low", adaptor.low), ("high", adaptor.high))
        weights |= {f"{place}.{key}": torch.from_numpy(value) for key, value in extremes}
        file = f"scaling-{place}.npz"
        scaling.save(folder / file, student, adaptor.scaling)
        sizes = {"outputs": adaptor.density.width(adaptor.scaling.dim), "file": file}
        checksum = files.sha256_of(folder / file)
        hidden = [
            layer.out_features for layer in adaptor.head.last if hasattr(layer, "out_features")
        ]
        entries.append(
            {
                "teacher": name,
                "density": densities.text_of(adaptor.density),
                "hidden": hidden[:-1],
                "skipped": adaptor.head.skipped,
                "sha256": checksum,
                **sizes,
            }
        )
    files.write_bytes(folder / HEADS, as_bytes(weights))
    index = {"student": student, "sha256": files.sha256_of(folder / HEADS), "teachers": entries}
    files.write_json(folder / INDEX, index)


def load(folder: Path, student: str) -> Adaptors:
    """Reads the adaptors of a student.

    Args:
        folder: of the adaptors.
        student: digest of the student.

    Raises:
        ConfigError: the student has none, or these are another student's.
        CorruptFileError: a file is missing, cut, or does not match its checksum.
    """
    if not (folder / INDEX).is_file():
        raise ConfigError(
            f"there are no adaptors in {folder}: distil with --keep-adaptors to have the student "
            "predict what its teachers would say"
        )
    index = files.read_json(folder / INDEX)
    if index.get("student") != student:
        raise ConfigError(f"the adaptors in {folder} are those of another student")
    try:
        return _loaded(folder, index, student)
    except CorruptFileError:
        raise
    except Exception as error:  # of an index that names other shapes, densities or files
        raise CorruptFileError(
            f"{folder / INDEX} does not describe adaptors ({type(error).__name__}: {error}): copy "
            "or distil again"
        ) from error


def _loaded(folder: Path, index: Mapping[str, Any], student: str) -> Adaptors:
    from safetensors.torch import load_file

    weights = load_file(_checked(folder / HEADS, index["sha256"]))
    mean, sd = (weights[name].numpy().astype(np.float32) for name in ("mean", "sd"))
    if mean.ndim != 1 or mean.shape != sd.shape:
        raise ValueError(f"mean and sd of shapes {mean.shape} and {sd.shape}")
    teachers: dict[str, Adaptor] = {}
    for place, entry in enumerate(index["teachers"]):
        prefix = f"{place}."
        state = {k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)}
        teachers[str(entry["teacher"])] = _adaptor(folder, entry, state, student, len(mean))
    return Adaptors(mean, sd, teachers)


def _adaptor(
    folder: Path, entry: Mapping[str, Any], state: dict[str, Any], student: str, width: int
) -> Adaptor:
    path = _checked(folder / entry["file"], entry["sha256"])
    scaled = scaling.load(path, student)
    if scaled is None:
        raise CorruptFileError(f"{path} cannot be read: distil again")
    unbounded = torch.full((scaled.dim,), torch.inf)  # as before there were bounds
    low, high = state.pop("low", -unbounded), state.pop("high", unbounded)
    if low.shape != (scaled.dim,) or high.shape != (scaled.dim,):
        raise ValueError(f"the bounds of {entry['teacher']} have another shape")
    hidden, density = entry["hidden"], densities.make(entry["density"])
    if density.width(scaled.dim) != entry["outputs"]:
        raise ValueError(f"{entry['outputs']} outputs for {scaled.dim} dimensions")
    shape = HeadSettings(
        head_hidden=hidden[0] if hidden else 1, head_layers=len(hidden), head_skip=True
    )
    skipped = entry.get("skipped", entry["outputs"])  # as before there was a choice
    with torch.device("meta"):  # before memory is taken for a shape that is damaged
        due = Ladder(width, (), (), entry["outputs"], shape, skipped=skipped).state_dict()
    if {k: v.shape for k, v in due.items()} != {k: v.shape for k, v in state.items()}:
        raise ValueError(f"the head of {entry['teacher']} has weights of other shapes")
    head = Ladder(width, (), (), entry["outputs"], shape, skipped=skipped)
    head.load_state_dict(state)
    return Adaptor(head.eval(), density, scaled, low.float().numpy(), high.float().numpy())


def _checked(path: Path, checksum: str) -> Path:
    if not path.is_file() or files.sha256_of(path) != checksum:
        raise CorruptFileError(
            f"{path} is missing, cut or not the file that {INDEX} describes: copy or distil again"
        )
    return path
