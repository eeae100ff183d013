"""What every student is: a network that prepares items, collates them, and embeds them."""

from __future__ import annotations

import contextlib
import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Generic, Self, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import save
from torch import nn

from molkd.deprecated import warn
from molkd.errors import ConfigError
from molkd.students import pretrained
from molkd.students.packed_items import Movable, PackedItems
from molkd.students.passes import by_size
from molkd.tensors import Features, FeatureSpec
from molkd.types import Embeddings, Matrix, Predicted, Rows, digest_of

Item = TypeVar("Item")
PackedT = TypeVar("PackedT", bound=PackedItems)
BatchT = TypeVar("BatchT", bound=Movable)


class Student(nn.Module, ABC, Generic[Item, PackedT, BatchT]):
    """A small network whose embedding stands for those of all its teachers.

    Attributes:
        kind: registry name of the architecture.
        modality: what its items are, a key of `molkd.items.MODALITIES`.
        folder: where it was loaded from; None for a new one.
        trained_reading: what `reading_here` gave where it learnt; None for a new one.
    """

    kind: ClassVar[str]
    modality: ClassVar[str]
    folder: Path | None = None
    trained_reading: Mapping[str, str] | None = None

    @property
    @abstractmethod
    def config(self) -> Mapping[str, object]:
        """All that is needed to build the same architecture again; JSON-like."""

    @classmethod
    @abstractmethod
    def build(cls, config: Mapping[str, Any]) -> Self:
        """Builds the architecture of a configuration, with fresh weights."""

    @property
    @abstractmethod
    def embedding_dim(self) -> int:
        """Width of the embedding."""

    @property
    def feature_spec(self) -> FeatureSpec:
        """The widths of what `forward` gives; no layers unless a subclass shows some."""
        return FeatureSpec(self.embedding_dim)

    @property
    @abstractmethod
    def featurize(self) -> Callable[[Sequence[Any]], PackedT]:
        """What reads items, without torch; picklable, so that light worker processes can do it."""

    @abstractmethod
    def collate(self, prepared: PackedT) -> BatchT:
        """Makes a batch of tensors on the CPU of all rows, failed ones included."""

    @abstractmethod
    def forward(self, batch: BatchT, *, layers: bool = False, nodes: bool = False) -> Features:
        """Embeds a batch.

        Args:
            batch: see `collate`.
            layers: whether to give the pooled state after each layer, too.
            nodes: whether to give the states that are pooled, too.

        Returns:
            The same embedding, bit for bit, whatever else is asked for.
        """

    def truncate(self, length: int) -> Self:
        """Returns a student whose embedding is the first dimensions of this one's.

        It is a smaller network; nothing is computed that is cut off afterwards. An embedding is
        worth truncating to the `matryoshka_dims` that its objective was given.

        Args:
            length: dimensions to keep.

        Raises:
            ConfigError: the embedding is not longer than that, or the architecture has no such
                part.
        """
        raise ConfigError(f"a {self.kind} student cannot be truncated to {length} dimensions")

    @property
    def last_layers(self) -> Sequence[nn.Linear]:
        """The linear layers whose outputs, added up, are the embedding; none where it is not so."""
        return ()

    @torch.no_grad()
    def transform(self, matrix: npt.NDArray[np.float64], shift: npt.NDArray[np.float64]) -> None:
        """Makes a linear map of the embedding part of the last layers.

        Args:
            matrix: shape (embedding_dim, embedding_dim); an embedding e becomes e @ matrix + shift.
            shift: shape (embedding_dim,).

        Raises:
            ConfigError: the student does not end in linear layers.
        """
        if not self.last_layers:
            raise ConfigError(f"a {self.kind} student does not end in linear layers")
        factor, added = torch.from_numpy(matrix), torch.from_numpy(shift)
        for layer in self.last_layers:
            layer.weight.copy_(factor.T @ layer.weight.cpu().double())
            layer.bias.copy_(layer.bias.cpu().double() @ factor + added)
            added = torch.zeros_like(added)

    @property
    def prepare(self) -> Callable[[Sequence[Any]], PackedT]:
        """What `featurize` is, by its name of the first version."""
        warn("Student.prepare", "Student.featurize")
        return self.featurize

    def cut(self, length: int) -> Self:
        """Does what `truncate` does, by its name of the first version."""
        warn("Student.cut", "Student.truncate")
        return self.truncate(length)

    @property
    def files(self) -> Mapping[str, bytes]:
        """What belongs to it beside weights and configuration, by path within its folder."""
        return {}

    @property
    def hub_config(self) -> Mapping[str, Any]:
        """What other libraries look for in its config.json."""
        return {}

    def reading_here(self) -> Mapping[str, str]:
        """Version of the library that reads items, and digests of what it does, if they matter."""
        return {}

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.parameters()).device

    @property
    def digest(self) -> str:
        """64 hexadecimal digits of the architecture and the weights."""
        weights = {name: value.contiguous().cpu() for name, value in self.state_dict().items()}
        return digest_of([self.kind, dict(self.config), hashlib.sha256(save(weights)).hexdigest()])

    def shortened(self, prepared: PackedT) -> int:
        """How many prepared items lost their end; see `PackedItems`."""
        return prepared.shortened

    def remember(self, prepared: PackedT) -> None:
        """Keeps what the items are like that it was distilled from, where it has words for it."""

    def outside(self, prepared: PackedT) -> Mapping[int, tuple[str, ...]]:  # noqa: ARG002
        """Row -> what of a prepared item did not occur among those of `remember`."""
        return {}

    def passes(self, sizes: Rows, batch_size: int | None) -> Iterator[Rows]:
        """Shares out items, by size, among passes of at most `batch_size`, or what suits it."""
        return by_size(sizes, batch_size or 128)

    def encode(self, prepared: PackedT, *, batch_size: int | None = None) -> Embeddings:
        """Embeds prepared items on the student's device, in evaluation mode; see `passes`.

        Returns:
            One row per item; shape (n, embedding_dim). Rows of failed items are NaN; what lies
            outside the corpus of the distillation is named, see `Embeddings`.
        """
        values = np.full((len(prepared), self.embedding_dim), np.nan, dtype=np.float32)
        failures = dict(prepared.failures)
        alive = np.setdiff1d(np.arange(len(prepared)), np.fromiter(failures, np.int64))
        with evaluating(self), torch.inference_mode():
            for rows in map(alive.__getitem__, self.passes(prepared.sizes[alive], batch_size)):
                batch = self.collate(prepared.select(rows)).to(self.device)
                values[rows] = self(batch).embedding.float().cpu().numpy()
        _mark_non_finite(values, failures)
        return Embeddings(values, dict(sorted(failures.items())), self.outside(prepared))

    @torch.no_grad()
    def round(self) -> None:
        """Rounds the weights to what 16 bits can hold."""
        for value in self.state_dict().values():
            value.copy_(pretrained.halved(value))

    def save_pretrained(
        self, folder: str | Path, *, card: str | None = None, half: bool = False
    ) -> None:
        """Writes weights, configuration and, if given, a model card in Markdown.

        Args:
            folder: made where it is not there.
            card: the model card.
            half: whether weights are stored in 16 bits; it is the same student if it was `round`ed.

        Raises:
            OutputError: the folder cannot be written.
        """
        reading = self.trained_reading or self.reading_here()
        stored = pretrained.halved if half else torch.Tensor.detach
        weights = {name: stored(value) for name, value in self.state_dict().items()}
        saved = pretrained.SavedStudent(
            self.kind, self.config, weights, self.files, self.hub_config, reading
        )
        pretrained.write(Path(folder), saved, card=card)

    @classmethod
    def from_pretrained(cls, model: str | Path, *, revision: str | None = None) -> Self:
        """Loads a trained student, in evaluation mode on the CPU.

        `molkd.students.load` does the same for a student of any architecture.

        Args:
            model: a folder, or a name on the Hugging Face hub.
            revision: branch, tag or commit on the hub.

        Raises:
            WeightsError: there is no such folder and no such model within reach.
            CorruptFileError: a file is missing, cut, or does not match its checksum.
            ConfigError: the student has another architecture, or needs another molkd.
        """
        return cls.restore(pretrained.read(model, revision=revision))

    @classmethod
    def restore(cls, saved: pretrained.SavedStudent) -> Self:
        """Builds a student from what was saved; see `from_pretrained` for errors."""
        if saved.kind != cls.kind:
            raise ConfigError(f"a {saved.kind} student was saved, not a {cls.kind} student")
        pretrained.refuse_other_weights(saved, cls.build)
        student = cls.build(saved.config)
        student.load_state_dict(dict(saved.weights), strict=True)
        student.folder = saved.folder
        student.trained_reading = saved.reading or None
        pretrained.warn_of_other_reading(saved.reading, student.reading_here())
        return student.eval()

    def embed(self, items: Sequence[Item], *, batch_size: int | None = None) -> Embeddings:
        """Embeds items; see `encode`."""
        return self.encode(self.featurize(items), batch_size=batch_size)

    def predict_teacher(
        self, items: Sequence[Item], teacher: str, *, batch_size: int | None = None
    ) -> Predicted:
        """Predicts what a teacher would say about items, without running it.

        Needs the adaptors that `keep_adaptors` leaves beside a distilled student.

        Args:
            items: what to predict for.
            teacher: name of one of its teachers.
            batch_size: see `encode`.

        Returns:
            Mean and standard deviation in the teacher's units; NaN rows for failed items.

        Raises:
            ConfigError: the student was not loaded from a folder, or has no adaptors.
            UnknownNameError: it has none for this teacher.
            CorruptFileError: a file is missing, cut, or does not match its checksum.
        """
        from molkd.information import adaptors

        if self.folder is None:
            raise ConfigError("only a student that was loaded from its folder has adaptors")
        loaded = adaptors.load(self.folder / adaptors.FOLDER, self.digest)
        embedded = self.embed(items, batch_size=batch_size)
        mean, sd = loaded.predict(embedded.values, teacher)
        return Predicted(mean, sd, embedded.failures)


def _mark_non_finite(values: Matrix, failures: dict[int, str]) -> None:
    for row in np.flatnonzero(~np.isfinite(values).all(axis=1)).tolist():
        values[row] = np.nan
        failures.setdefault(row, "the student returned NaN or infinity")


@contextlib.contextmanager
def evaluating(module: nn.Module) -> Generator[None]:
    """Puts a module in evaluation mode within the block."""
    training = module.training
    module.eval()
    try:
        yield
    finally:
        module.train(training)
