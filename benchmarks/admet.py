"""Compares embedders by linear probes over the 22 tasks of the TDC ADMET group.

    python benchmarks/admet.py --embedders ecfp4-count,rdkit2d,molkd:DIR --data DIR --out FILE.json

Writes a JSON file that is the same for the same seed, and prints its tables in Markdown.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import comparison
import embedders
import numpy as np
import numpy.typing as npt
import probes
import tdc
from joblib import Parallel, delayed

from molkd import __version__, store
from molkd.errors import ConfigError, MolkdError
from molkd.types import Matrix, digest_of

SHARED = Path(os.environ.get("MOLKD_SHARED", Path(__file__).resolve().parents[2] / "shared"))

Result = dict[str, float]
"""One embedder on one task: "official" metric, "common" score, "failed_rows"."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the comparison; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        result = compare(
            tdc.load(options.data, options.tasks),
            [embedders.make(text, seed=options.seed) for text in options.embedders],
            reference=options.reference,
            seed=options.seed,
            jobs=options.jobs,
            cache=options.cache,
        )
        store.write_json(options.out, result)
    except MolkdError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(markdown(result))
    return 0


def compare(
    tasks: Sequence[tdc.Task],
    made: Sequence[embedders.Embedder],
    *,
    reference: str | None = None,
    seed: int = 0,
    jobs: int = 2,
    cache: Path | None = None,
) -> dict[str, Any]:
    """Embeds, probes and compares; returns what is written as JSON.

    Args:
        tasks: what the embeddings are probed on.
        made: what embeds, labels all different.
        reference: label of the embedder that is tested against all others.
        seed: decides which training rows choose the probe's regularisation.
        jobs: worker processes.
        cache: folder of embeddings computed by earlier runs.

    Raises:
        ConfigError: a label occurs twice, or the reference is not among them.
    """
    labels = [embedder.label for embedder in made]
    _check(labels, reference)
    smiles = tdc.unique_smiles(tasks)
    about: dict[str, dict[str, object]] = {}
    scores: dict[str, dict[str, Result]] = {}
    for embedder in made:
        started = time.perf_counter()
        values = embedders.embed(embedder, smiles, jobs=jobs, cache=cache)
        embedded = time.perf_counter()
        scores[embedder.label] = _probe_all(
            tasks, dict(zip(smiles, values, strict=True)), seed, jobs
        )
        about[embedder.label] = {
            "digest": embedder.digest,
            "dim": values.shape[1],
            "failed_molecules": int(np.isnan(values).any(axis=1).sum()),
        }
        seconds = (
            f"{embedded - started:.0f} s embedding, {time.perf_counter() - embedded:.0f} s probing"
        )
        print(f"{embedder.label}: {seconds}", file=sys.stderr)
    common = _table(tasks, scores, "common")
    return {
        "molkd": __version__,
        "seed": seed,
        "molecules": {"unique": len(smiles), "digest": digest_of(smiles)},
        "embedders": about,
        "tasks": {task.name: _about(task) for task in tasks},
        "scores": scores,
        "summary": _summary(tasks, common, labels),
        "reference": reference,
        "against": comparison.against(common, labels, reference) if reference else {},
    }


def probe(task: tdc.Task, train: Matrix, test: Matrix, *, seed: int) -> Result:
    """Fits a linear probe on the training rows of a task and scores it on the test rows."""
    if task.classification:
        predicted = probes.classify(train, task.train.y, test, seed=seed)
    else:
        predicted = probes.regress(train, task.train.y, test, log=task.name in tdc.LOGARITHMIC)
    failed = np.isnan(np.concatenate([train, test])).any(axis=1)
    return {
        "official": tdc.official_score(task, predicted),
        "common": tdc.common_score(task, predicted),
        "failed_rows": int(failed.sum()),
    }


def markdown(result: dict[str, Any]) -> str:
    """Returns the tables of a result: means, official metrics, comparison with the reference."""
    names = {"mean": "all", "auroc": "AUROC", "spearman": "Spearman", "rank": "rank"}
    summary = {
        label: [str(result["embedders"][label]["dim"])]
        + [_number(row[key]) for key in names]
        + [str(result["embedders"][label]["failed_molecules"])]
        for label, row in result["summary"].items()
    }
    parts = [_markdown(["embedder", "dim", *names.values(), "failed molecules"], summary)]
    rows = {
        f"{task} ({about['metric']})": [
            _number(of[task]["official"]) for of in result["scores"].values()
        ]
        for task, about in result["tasks"].items()
    }
    parts.append(_markdown(["task", *result["scores"]], rows))
    if result["against"]:
        head = [f"{result['reference']} against", "wins", "losses", "mean difference", "p (Holm)"]
        keys = ("wins", "losses", "mean_difference", "p_holm")
        table = {
            label: [_number(row[key]) for key in keys] for label, row in result["against"].items()
        }
        parts.append(_markdown(head, table))
    return "\n\n".join(parts)


def _check(labels: Sequence[str], reference: str | None) -> None:
    double = sorted({label for label in labels if labels.count(label) > 1})
    if double:
        raise ConfigError(f"embedders with one label: {', '.join(double)}; write LABEL=EMBEDDER")
    if reference and reference not in labels:
        raise ConfigError(f"reference {reference!r} is none of {', '.join(labels)}")


def _probe_all(
    tasks: Sequence[tdc.Task], values: dict[str, Matrix], seed: int, jobs: int
) -> dict[str, Result]:
    """Probes all tasks, the largest first so that no worker waits for it at the end."""
    largest_first = sorted(tasks, key=lambda task: -len(task.train.smiles))
    results: list[Result] = cast("Any", Parallel(n_jobs=jobs))(
        delayed(probe)(
            task,
            np.stack([values[text] for text in task.train.smiles]),
            np.stack([values[text] for text in task.test.smiles]),
            seed=seed,
        )
        for task in largest_first
    )
    found = {task.name: result for task, result in zip(largest_first, results, strict=True)}
    return {task.name: found[task.name] for task in tasks}


def _table(
    tasks: Sequence[tdc.Task], scores: dict[str, dict[str, Result]], key: str
) -> npt.NDArray[np.float64]:
    """Shape (t, e): one kind of score, one row per task, one column per embedder."""
    return np.array([[of[task.name][key] for of in scores.values()] for task in tasks])


def _summary(
    tasks: Sequence[tdc.Task], common: npt.NDArray[np.float64], labels: Sequence[str]
) -> dict[str, dict[str, float | None]]:
    """Means of the common score over all tasks and by kind, and the mean rank, per embedder."""
    kinds = np.array([task.classification for task in tasks])
    ranks = comparison.mean_ranks(common)
    return {
        label: {
            "mean": float(common[:, column].mean()),
            "auroc": float(common[kinds, column].mean()) if kinds.any() else None,
            "spearman": float(common[~kinds, column].mean()) if not kinds.all() else None,
            "rank": float(ranks[column]),
        }
        for column, label in enumerate(labels)
    }


def _about(task: tdc.Task) -> dict[str, object]:
    return {
        "metric": tdc.METRICS[task.name],
        "train": len(task.train.smiles),
        "test": len(task.test.smiles),
        "log10": task.name in tdc.LOGARITHMIC,
    }


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return str(value) if isinstance(value, int) else f"{value:.4f}"


def _markdown(head: Sequence[str], rows: dict[str, list[str]]) -> str:
    lines = [
        head,
        ["---", *["---:"] * (len(head) - 1)],
        *([name, *row] for name, row in rows.items()),
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--embedders",
        required=True,
        type=lambda text: text.split(","),
        help="[LABEL=]TEACHER, [LABEL=]molkd:DIR or [LABEL=]untrained:SIZE[:DIM], by commas",
    )
    parser.add_argument("--data", type=Path, default=SHARED / "data" / "tdc_admet_group")
    parser.add_argument(
        "--tasks",
        type=lambda text: text.split(","),
        default=list(tdc.METRICS),
        help="names by commas; all 22 unless given",
    )
    parser.add_argument("--out", type=Path, required=True, help="the JSON file to write")
    parser.add_argument("--cache", type=Path, help="folder that keeps embeddings between runs")
    parser.add_argument("--reference", help="label to test against all others")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2, help="worker processes")
    return parser


if __name__ == "__main__":
    sys.exit(main())
