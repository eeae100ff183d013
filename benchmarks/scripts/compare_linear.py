"""Compares the linear probe with scikit-learn, which fits every split and penalty to its minimum.

    python -m molkd.benchmarks.scripts.compare_linear --data DIR --tasks caco2_wang,ames

Both score the same task by turns in one process, and processor time is compared: clocks of busy
machines lie.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from molkd.benchmarks import embedders
from molkd.benchmarks import tasks as registry
from molkd.benchmarks.probes.base import Fitted, Part, as_they_are, log_loss, probability
from molkd.benchmarks.probes.linear import Linear
from molkd.benchmarks.quality import planning, scoring
from molkd.benchmarks.quality.probe_task import ProbeTask
from molkd.benchmarks.quality.scoring import Answer
from molkd.benchmarks.tasks.kinds import Kind
from molkd.benchmarks.tasks.task import Task
from molkd.errors import MolkdError
from molkd.types import Matrix


@dataclass(frozen=True, kw_only=True)
class OneByOne(Linear):
    """The linear probe as scikit-learn fits it, of values and of two classes."""

    @threadpool_limits.wrap(limits=1)
    def fit(
        self,
        train: Part,
        valid: Part,
        *,
        kind: Kind,
        seed: int,  # noqa: ARG002  (part of the protocol)
    ) -> Fitted:
        """See `Probe.fit`."""
        x, held = train.x.astype(np.float64), valid.x.astype(np.float64)
        if kind == "regression":
            return self._ridge(x, train, held, valid)
        return self._logistic(x, train, held, valid)

    def _ridge(self, x: np.ndarray, train: Part, held: np.ndarray, valid: Part) -> Fitted:
        from sklearn.linear_model import Ridge

        model = Ridge(solver="cholesky").set_params(alpha=np.array(self.alphas))
        model.fit(x, np.tile(train.y[:, np.newaxis], (1, len(self.alphas))))
        losses = ((model.predict(held) - valid.y[:, np.newaxis]) ** 2).mean(axis=0)
        best = int(np.argmin(losses))
        return Fitted(
            lambda rows: as_they_are(model.predict(rows.astype(np.float64))[:, best]),
            {"alpha": self.alphas[best]},
        )

    def _logistic(self, x: np.ndarray, train: Part, held: np.ndarray, valid: Part) -> Fitted:
        from sklearn.linear_model import LogisticRegression

        model = LogisticRegression(warm_start=True, max_iter=100_000, tol=1e-10)
        found: list[tuple[float, np.ndarray, np.ndarray]] = []
        best = 0
        for strength in self.strengths:
            model.set_params(C=strength).fit(x, train.y)
            plane = np.array(model.coef_[0]), np.array(model.intercept_)
            found.append((log_loss(valid.y, held @ plane[0] + plane[1]), *plane))
            best = int(np.argmin([loss for loss, *_ in found]))
            if len(found) - 1 - best >= self.patience:
                break
        _, coefficients, intercept = found[best]
        return Fitted(
            lambda rows: probability(rows.astype(np.float64) @ coefficients + intercept),
            {"C": self.strengths[best]},
        )


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Comparison:
    """One embedder on one label of a task under one split.

    Attributes:
        task: its name.
        embedder: its label.
        probe_task: what was asked.
        width: of the embedding.
        seconds: processor time of both probes with scaling and scores, scikit-learn's first; of
            ours, which answers all splits at once, a share.
        answers: of both, likewise.
    """

    task: str
    embedder: str
    probe_task: ProbeTask
    width: int
    seconds: tuple[float, float]
    answers: tuple[Answer, Answer]

    @property
    def difference(self) -> float:
        """Largest difference of a test score."""
        one, shared = self.answers
        return max(abs(one.test[name] - shared.test[name]) for name in one.test)

    @property
    def line(self) -> str:
        """A row of the table."""
        (one, shared), ratio = self.seconds, self.seconds[0] / self.seconds[1]
        same = "" if self.answers[0].chosen == self.answers[1].chosen else "  OTHER PENALTY"
        return (
            f"{self.task:34s}{self.embedder:22s}{len(self.probe_task.split.train):6d}"
            f"{self.width:6d}{one:8.2f}{shared:8.2f}{ratio:7.1f}"
            f"{self.difference:10.1e}{same}"
        )


def compare(
    task: Task, embeddings: Sequence[tuple[str, Matrix]], *, seeds: Sequence[int]
) -> Iterator[Comparison]:
    """Yields a comparison per embedding, label and seed; rows with NaN are left out."""
    finite = np.all([np.isfinite(x).all(axis=1) for _, x in embeddings], axis=0)
    (plan,) = planning.plan_all(
        [task], lambda _: finite, methods=(), seeds=seeds, excluded={}, jobs=1
    )
    for label, x in embeddings:
        for probe_tasks in plan.probe_tasks.values():
            started = time.process_time()
            found = scoring.together((x,), probe_tasks, "linear", components=None)
            seconds = (time.process_time() - started) / len(probe_tasks)
            for place, probe_task in enumerate(probe_tasks):
                started = time.process_time()
                inputs = scoring.scaled(x, probe_task.split, components=None)
                own = scoring.answer(inputs, probe_task, OneByOne())
                one = time.process_time() - started
                shared = found[place] if found else scoring.answer(inputs, probe_task, Linear())
                yield Comparison(
                    task=task.name,
                    embedder=label,
                    probe_task=probe_task,
                    width=x.shape[1],
                    seconds=(one, seconds),
                    answers=(own, shared),
                )


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description="The linear probe against one fit per penalty.")
    parser.add_argument("--data", type=Path, required=True, help="folder of benchmark data")
    parser.add_argument("--tasks", default="caco2_wang,hia_hou,ames,lipophilicity_astrazeneca")
    parser.add_argument("--embedders", default="ecfp4-count,rdkit2d,ecfp4-count+rdkit2d")
    parser.add_argument("--seeds", type=int, default=1)
    arguments = parser.parse_args()
    try:
        _report(arguments)
    except MolkdError as error:
        parser.error(str(error))


def _report(arguments: argparse.Namespace) -> None:
    names = [f"tdc-admet:{name}" for name in arguments.tasks.split(",")]
    made = [embedders.make(spec) for spec in arguments.embedders.split(",")]
    print(
        f"{'task':34s}{'embedder':22s}{'rows':>6s}{'width':>6s}{'one':>8s}"
        f"{'shared':>8s}{'ratio':>7s}{'scores':>10s}"
    )
    total = np.zeros(2)
    for task in registry.load(names, own=[], data=arguments.data, download=False):
        embeddings = [(each.label, _embedded(each, task)) for each in made]
        for found in compare(task, embeddings, seeds=range(arguments.seeds)):
            print(found.line, flush=True)
            total += found.seconds
    one, shared = total
    print(f"all: {one:.1f} s one by one, {shared:.1f} s shared, ratio {one / shared:.1f}")


def _embedded(embedder: embedders.Embedder, task: Task) -> Matrix:
    """Shape (n, d), sources side by side."""
    items = list(task.items)
    return np.concatenate([each.model.embed(items).values for each in embedder.sources], axis=1)


if __name__ == "__main__":
    main()
