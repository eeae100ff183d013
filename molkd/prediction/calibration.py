"""What the promises are worth: reliability and familiarity against errors, and what intervals hold.

    python -m molkd.prediction.calibration --data ../shared/data

For each ADMET task of TDC, every fifth of the scaffolds is held out in turn. A model of the
student's embedding is fitted to the others, with reliability and intervals from a cross-validation
within them, as `molkd predict` makes them; of the model's candidates the one is taken that is
chosen most often. Prints how much larger the error of the least reliable tenth is, beside the least
familiar one and the one that is farthest by Tanimoto from the training rows, and what 90 %
intervals held, beside equally wide ones. The forms of both scores were chosen on `CHOSEN`; the
others were looked at once, when they were decided. Of a student with adaptors (`--model
molkd-base`) it also prints how much more the embedding of the least familiar tenth errs about
RDKit's descriptors: whether the student knows the molecule, whatever is measured of it.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from molkd.benchmarks import tasks
from molkd.benchmarks.tasks.task import Labels
from molkd.errors import MolkdError
from molkd.prediction.judged import CONFIDENCE, DESCRIPTORS, Judged, judged
from molkd.runtime.processes import ordered_map

CHOSEN = (
    *("ames", "bioavailability_ma", "clearance_hepatocyte_az", "cyp2c9_substrate_carbonmangels"),
    *("cyp2d6_substrate_carbonmangels", "cyp3a4_substrate_carbonmangels", "dili", "herg"),
    *("ld50_zhu", "pgp_broccatelli", "solubility_aqsoldb"),
)
"""Tasks on which the form of the score was chosen."""

RESAMPLES = 10_000


def report(every: Sequence[Judged]) -> str:
    """Returns all tables as Markdown, and sentences."""
    columns = ("reliability", "familiarity", "Tanimoto")
    wide = ("task", *columns, "90 % held", "equal ones", "width over equal")
    lines = _head(wide)
    for one in every:
        ratios = " | ".join(f"{one.ratio(scores):.2f}" for scores in _scores(one))
        mark = "" if _plain(one.name) in CHOSEN else " (held back)"
        held, equal = 100 * one.inside.mean(axis=0)
        said = f"{equal:.1f} | {_relative(one):.3f}" if one.kind == "regression" else "|"
        lines.append(f"| {_plain(one.name)}{mark} | {ratios} | {held:.1f} | {said} |")
    lines += ["", *_head(("tasks", *columns, "over 1, over Tanimoto"))]
    parts = {group: some for group, some in _grouped(every).items() if len(some) > 1}
    lines += [_summary(group, some) for group, some in parts.items()]
    for group in ("chosen on", "held back"):
        some = parts.get(group, [])
        for said in (_fidelity(some), _misranked(some), _widths(some)):
            lines += ["", f"{group}: {said}"] if said else []
    return "\n".join([*lines, "", _coverage(every)])


def _head(columns: Sequence[str]) -> list[str]:
    return [f"| {' | '.join(columns)} |", f"|---|{'---:|' * (len(columns) - 1)}"]


def _grouped(every: Sequence[Judged]) -> dict[str, list[Judged]]:
    """Tasks the form was chosen on and others, all of them and by kind."""
    found: dict[str, list[Judged]] = {}
    for one in every:
        group = "chosen on" if _plain(one.name) in CHOSEN else "held back"
        kind = "values" if one.kind == "regression" else "classes"
        for name in (group, f"{group}, {kind}"):
            found.setdefault(name, []).append(one)
    return dict(sorted(found.items()))


def _plain(name: str) -> str:
    return name.rpartition(":")[2]


def _scores(one: Judged) -> tuple[Labels, Labels, Labels]:
    return one.reliable, one.familiar, one.similar


def _relative(one: Judged) -> float:
    """The mean width of intervals, over that of equally wide ones."""
    own, equal = one.widths.mean(axis=0)
    return float(own / equal)


def _summary(group: str, some: Sequence[Judged]) -> str:
    logs = np.log([[one.ratio(scores) for scores in _scores(one)] for one in some])
    said = " | ".join(_geometric(column) for column in logs.T)
    over = f"{(logs[:, 0] > 0).sum()}, {(logs[:, 0] > logs[:, 2]).sum()} of {len(some)}"
    return f"| {group} ({len(some)}) | {said} | {over} |"


def _fidelity(some: Sequence[Judged]) -> str:
    if len(some) < 2 or not np.isfinite(some[0].fidelity).all():
        return ""
    logs = np.log([one.ratio(one.familiar, one.fidelity) for one in some])
    said = f"errors of {DESCRIPTORS} in the least familiar tenth, over those of the rest: "
    return f"{said}{_geometric(logs)}, larger than 1 in {(logs > 0).sum()}."


def _misranked(some: Sequence[Judged]) -> str:
    """1 - AUROC of classes, which does not depend on how rare a class is in the tenth."""
    classes = [one for one in some if one.kind == "classification"]
    said: list[str] = []
    for place, name in enumerate(("reliability", "familiarity", "Tanimoto")):
        pairs = np.array([one.misranked(_scores(one)[place]) for one in classes])
        pairs = pairs.reshape(-1, 2)
        pairs = pairs[np.isfinite(pairs).all(axis=1) & (pairs > 0).all(axis=1)]
        if len(pairs) > 1:
            ratio = _geometric(np.log(pairs[:, 0] / pairs[:, 1]))
            low, rest = pairs.mean(axis=0)
            said.append(f"by {name} {low:.3f} and {rest:.3f}, {ratio} times ({len(pairs)} tasks)")
    return f"1 - AUROC in the lowest tenth and in the rest: {'; '.join(said)}." if said else ""


def _widths(some: Sequence[Judged]) -> str:
    values = [one for one in some if one.kind == "regression"]
    if len(values) < 2:
        return ""
    ratio = _geometric(np.log([_relative(one) for one in values]))
    held, equal = 100 * np.mean([one.inside.mean(axis=0) for one in values], axis=0)
    hard, even = 100 * np.mean([one.hardest for one in values], axis=0)
    return (
        f"intervals are {ratio} times as wide as equally wide ones and held {held:.1f} % (equally "
        f"wide ones {equal:.1f} %); of the least reliable fifth {hard:.1f} % ({even:.1f} %)."
    )


def _geometric(logs: Labels) -> str:
    """A geometric mean with its 95 % interval, by a bootstrap over tasks."""
    draws = np.random.default_rng(0).integers(len(logs), size=(RESAMPLES, len(logs)))
    low, high = np.exp(np.quantile(logs[draws].mean(axis=1), [0.025, 0.975]))
    return f"{np.exp(logs.mean()):.2f} [{low:.2f}, {high:.2f}]"


def _coverage(every: Sequence[Judged]) -> str:
    shares = np.array([100 * one.inside[:, 0].mean() for one in every])
    within = int((np.abs(shares - 100 * CONFIDENCE) <= 3).sum())
    return (
        f"{100 * CONFIDENCE:g} % intervals and sets held {shares.mean():.1f} % on average over "
        f"{len(every)} tasks ({shares.min():.1f} to {shares.max():.1f}); {within} are within 3 "
        "points."
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Judges all tasks whose tables are there, and prints what came out."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--model", default="molkd-small")
    parser.add_argument("--tasks", nargs="*", default=["tdc-single"])
    parser.add_argument("--rows", type=int, default=1500)
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args(arguments)
    try:
        names, _ = tasks.present(options.tasks, data=options.data)
        loaded = tasks.load(names, data=options.data)
        work = partial(judged, options.rows, options.model)
        print(report(list(ordered_map(work, loaded, jobs=options.jobs))))  # noqa: T201
    except MolkdError as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
