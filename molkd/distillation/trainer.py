"""The training loop: one student, one objective, any teachers, any kind of item.

Knows neither student nor objective nor teacher by class. Everything that decides the next step is
in the checkpoint, so that a run that was killed ends with the same bits (on a CPU). Where several
processes train together, all of them call `fit`, and the first one alone writes.
"""

from __future__ import annotations

import copy
import json
import math
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Generic, cast

import numpy as np
import torch

from molkd.distillation import checkpoint, sharing
from molkd.distillation.schedule import TrainSettings
from molkd.distillation.sharing import Changes, Part
from molkd.errors import ConfigError
from molkd.objectives import Objective
from molkd.runtime import devices, distributed, files, memory
from molkd.runtime.progress import Progress
from molkd.students.base import BatchT, Item, PackedT, Student, evaluating
from molkd.targets.reader import TargetReader
from molkd.tensors import Loss, Targets
from molkd.types import Rows, digest_of


@dataclass(frozen=True, slots=True)
class Corpus(Generic[PackedT]):
    """What a student is trained on.

    Attributes:
        prepared: all items, in the form the student reads.
        reader: the teachers' values, row by row.
        train: rows to learn from.
        valid: rows to validate on; disjoint from `train`.
        digest: of items, teachers and their options.
    """

    prepared: PackedT
    reader: TargetReader
    train: Rows
    valid: Rows
    digest: str

    def __post_init__(self) -> None:
        for name in ("train", "valid"):
            if not len(getattr(self, name)):
                raise ConfigError(f"no {name} rows: give more items or another validation share")
        if np.intersect1d(self.train, self.valid).size:
            raise ConfigError("training and validation rows overlap")


class Distiller(Generic[Item, PackedT, BatchT]):
    """Trains a student to be informative about its teachers.

    Attributes:
        history: one record per epoch: losses in training and validation, in all and per teacher.
    """

    def __init__(
        self,
        student: Student[Item, PackedT, BatchT],
        objective: Objective,
        settings: TrainSettings,
        *,
        device: str = "auto",
    ) -> None:
        """Prepares a run.

        Args:
            student: trained in place.
            objective: its heads are trained along, and discarded by the caller.
            settings: how to train.
            device: "auto", "cpu", "cuda", "cuda:N" or "mps".
        """
        self.settings = settings
        self.device = devices.choose(device)
        self.student = student.to(self.device)
        self.objective = objective.to(self.device)
        self.history: list[dict[str, float]] = []
        self._average = copy.deepcopy(student).eval().requires_grad_(requires_grad=False)
        self._changes = Changes([student, objective])
        self._optimizer = torch.optim.AdamW(
            [*student.parameters(), *objective.parameters()],
            lr=settings.lr,
            weight_decay=settings.weight_decay,
            fused=True,  # else a small student waits for the optimiser: one call per tensor
        )
        self._epoch = self._batch = self._step = 0
        self._sums: dict[str, float] = {}
        self._best: dict[str, Any] = {"epoch": -1, "loss": float("inf"), "weights": {}}

    def fit(
        self, corpus: Corpus[PackedT], *, folder: Path | None = None, progress: bool = True
    ) -> list[dict[str, float]]:
        """Trains, and leaves the student with the averaged weights of its best epoch.

        Args:
            corpus: what to train on.
            folder: for metrics.jsonl and checkpoints; training resumes from the last of these.
            progress: whether to show a progress bar.

        Returns:
            The history, one record per epoch.

        Raises:
            ConfigError: the checkpoints are of another run, or the loss is no longer finite.
            WorkerDiedError: another one of several processes ended.
        """
        settings = asdict(
            replace(self.settings, checkpoint_minutes=0)
        )  # does not change the result
        parts = [settings, dict(self.student.config), repr(self.objective), corpus.digest]
        digest = digest_of(parts)
        with devices.forked(self.device):
            torch.manual_seed(self.settings.seed)
            if folder is not None:
                self._resume(folder, digest)
            self._align(digest)
            self._train(corpus, folder if distributed.main() else None, digest, progress=progress)
        self.student.load_state_dict(self._best["weights"])
        self.student.eval()
        return self.history

    def _align(self, digest: str) -> None:
        """Lets all processes begin at the same place with the same weights."""
        distributed.refuse_others([digest, self._epoch, self._batch, self._step])
        for module in (self.student, self.objective, self._average):
            distributed.copy_from_main(list(module.state_dict().values()))

    def _train(
        self, corpus: Corpus[PackedT], folder: Path | None, digest: str, *, progress: bool
    ) -> None:
        steps = -(-len(corpus.train) // self.settings.batch_size)
        total = steps * self.settings.epochs
        saved = time.monotonic()
        with Progress(
            "distil",
            len(corpus.train) * self.settings.epochs,
            initial=self._epoch * len(corpus.train) + self._batch * self.settings.batch_size,
            shown=progress,
        ) as bar:
            while self._epoch < self.settings.epochs and not self._finished():
                for part, batch, targets in self._batches(corpus, self._order(corpus.train)):
                    self._learn(batch, targets, total, part)
                    self._batch += 1
                    self._step += 1
                    bar.update(part.count)
                    waited = time.monotonic() - saved > 60 * self.settings.checkpoint_minutes
                    if folder is not None and waited and self._batch < steps:
                        self._save(folder, digest)
                        saved = time.monotonic()
                self._end_epoch(corpus)
                memory.release()
                bar.note(
                    f"epoch {self._epoch}: valid {self.history[-1]['valid']:.3g}, "
                    f"best {self._best['loss']:.3g}"
                )
                if folder is not None:
                    lines = "".join(json.dumps(record) + "\n" for record in self.history)
                    files.write_bytes(folder / "metrics.jsonl", lines.encode())
                    self._save(folder, digest)
                    saved = time.monotonic()

    def _order(self, train: Rows) -> list[Rows]:
        """The batches of rows that are left in this epoch; a function of seed and epoch alone."""
        shuffled = np.random.default_rng([self.settings.seed, self._epoch]).permutation(train)
        starts = range(0, len(shuffled), self.settings.batch_size)
        return [shuffled[i : i + self.settings.batch_size] for i in starts][self._batch :]

    def _batches(
        self, corpus: Corpus[PackedT], order: list[Rows]
    ) -> Iterator[tuple[Part, BatchT, Targets]]:
        """Collates this process's part one batch ahead of the network, in a thread."""

        def load(rows: Rows) -> tuple[Part, BatchT, Targets]:
            part = Part.of(rows)
            batch = self.student.collate(corpus.prepared.select(part.rows))
            targets = corpus.reader.targets(part.rows)
            return part, batch.to(self.device), targets.to(self.device)

        with ThreadPoolExecutor(1) as pool:
            pending = [pool.submit(load, rows) for rows in order[:2]]
            for rows in order[2:] + [None] * min(2, len(order)):
                ready = pending.pop(0)
                if rows is not None:
                    pending.append(pool.submit(load, rows))
                yield ready.result()

    def _learn(self, batch: BatchT, targets: Targets, steps: int, part: Part) -> None:
        """The next of all optimiser steps."""
        sharing.reseed(self.settings.seed, self._step)
        self._changes.begin()
        self.student.train()
        self.objective.train()
        for group in self._optimizer.param_groups:
            group["lr"] = self.settings.lr * self.settings.lr_factor(self._step, steps)
        self.objective.at(self._step / steps)
        with self.settings.autocast(self.device):
            loss = self._compare(self.student, batch, targets, part)
        if not torch.isfinite(loss.total):
            raise ConfigError(
                f"the loss is {loss.total.item()} in epoch {self._epoch}: lower the learning rate"
            )
        self._optimizer.zero_grad()
        (loss.total * part.share).backward()
        self._changes.average(part.share)
        for module in (self.student, self.objective):  # one cannot use up the other's allowance
            torch.nn.utils.clip_grad_norm_(module.parameters(), self.settings.clip)
        self._optimizer.step()
        self._update_average()
        sharing.accumulate(self._sums, loss, part)

    def _compare(
        self, student: Student[Any, Any, BatchT], batch: BatchT, targets: Targets, part: Part
    ) -> Loss:
        self.objective.batch_share = part.share if distributed.several() else None
        layers, nodes = self.objective.reads_layers, self.objective.reads_nodes
        return cast("Loss", self.objective(student(batch, layers=layers, nodes=nodes), targets))

    @torch.no_grad()
    def _update_average(self) -> None:
        decay = min(self.settings.ema, (1 + self._step) / (10 + self._step))
        averaged = self._average.state_dict()
        for name, value in self.student.state_dict().items():
            averaged[name].lerp_(value, 1 - decay)

    def _end_epoch(self, corpus: Corpus[PackedT]) -> None:
        sums: dict[str, float] = {}
        with evaluating(self.objective), torch.no_grad():
            starts = range(0, len(corpus.valid), self.settings.batch_size)
            order = [corpus.valid[i : i + self.settings.batch_size] for i in starts]
            for part, batch, targets in self._batches(corpus, order):
                with self.settings.autocast(self.device):
                    loss = self._compare(self._average, batch, targets, part)
                sharing.accumulate(sums, loss, part)
        record = {
            "epoch": float(self._epoch),
            **sharing.means(self._sums, "train"),
            **sharing.means(sums, "valid"),
        }
        self._refuse_infinite(record)
        self.history.append(record)
        if record["valid"] < self._best["loss"]:
            weights = {name: value.clone() for name, value in self._average.state_dict().items()}
            self._best = {"epoch": self._epoch, "loss": record["valid"], "weights": weights}
        self._epoch, self._batch, self._sums = self._epoch + 1, 0, {}

    def _refuse_infinite(self, record: Mapping[str, float]) -> None:
        if math.isfinite(record.get("valid", math.nan)):
            return
        bad = [name for name, loss in record.items() if not math.isfinite(loss)]
        parts = sorted(name.removeprefix("valid/") for name in bad if name.startswith("valid/"))
        raise ConfigError(
            f"the loss on validation rows is not finite in epoch {self._epoch} "
            f"({', '.join(parts)}): look for extreme values of teachers, or lower the learning rate"
        )

    def _finished(self) -> bool:
        """Whether validation has not improved for `patience` epochs."""
        return self._epoch - 1 - int(self._best["epoch"]) >= self.settings.patience

    def _save(self, folder: Path, digest: str) -> None:
        state = {
            "student": self.student.state_dict(),
            "objective": self.objective.state_dict(),
            "average": self._average.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "best": self._best,
            "history": self.history,
            "sums": self._sums,
            "position": [self._epoch, self._batch, self._step],
            "random": devices.random_state(self.device),
        }
        checkpoint.save(folder / "checkpoints", self._step, state, digest=digest)

    def _resume(self, folder: Path, digest: str) -> None:
        state = checkpoint.load_latest(folder / "checkpoints", digest=digest)
        if state is None:
            return
        self.student.load_state_dict(state["student"])
        self.objective.load_state_dict(state["objective"])
        self._average.load_state_dict(state["average"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._best, self.history, self._sums = state["best"], state["history"], state["sums"]
        self._epoch, self._batch, self._step = state["position"]
        devices.set_random_state(state["random"], self.device)
