"""What cross-validation of measured compounds found, in numbers and in plain words."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass

from molkd.prediction.measured import Kind, Measured
from molkd.prediction.predictor import Predictor
from molkd.prediction.scores import SHOWN, Comparison
from molkd.prediction.settings import TrialSettings
from molkd.prediction.validation import SPLITS, Split

_NAMES = {"embedding": "embedding", "forest": "forest on ECFP4 and descriptors"}
_WORDS: dict[Split, str] = {"scaffold": "new scaffolds", "random": "random compounds"}
_FEW = 50


@dataclass(frozen=True, eq=False, kw_only=True)
class Trial:
    """What cross-validation found, and the model that was fitted to all compounds.

    Attributes:
        measured: the compounds that both models can read.
        settings: how it was done.
        scaffolds: number of different ones.
        compared: how folds were made -> scores of both models.
        predictor: the model.
    """

    measured: Measured
    settings: TrialSettings
    scaffolds: int
    compared: Mapping[Split, Comparison]
    predictor: Predictor

    @property
    def held(self) -> float:
        """The share of held-out compounds whose label was in its interval or set."""
        return self.predictor.held(self.settings.confidence)

    def _repr_html_(self) -> str:
        return as_html(self)


def columns(kind: Kind) -> list[str]:
    """Returns the header of `rows`."""
    return ["held out", "model", *SHOWN[kind]]


def rows(trial: Trial) -> list[list[str]]:
    """Returns one row per way of holding out and model; scores with 95 % intervals."""
    return [
        [_WORDS[split], _NAMES[model], *map(str, scores.values())]
        for split in SPLITS
        for model, scores in trial.compared[split].scores.items()
    ]


def summary(trial: Trial) -> str:
    """Returns what a chemist must know, a sentence a line."""
    measured, facts = trial.measured, trial.predictor.facts
    lines = [*_table(trial), *measured.notes]
    metric = SHOWN[measured.kind][0]
    lines += [_verdict(trial.compared[split], split, metric) for split in SPLITS]
    lines += _warnings(trial, metric)
    told = trial.settings.model_of != "better"
    why = "as you asked" if told else "the better one on new scaffolds"
    what = f"{facts.reads}: {facts.described}"
    lines.append(f"Fitted to all compounds: the {_NAMES[facts.model]} ({what}), {why}.")
    promised = f"{100 * trial.settings.confidence:g} %"
    noun = "sets of classes" if facts.classes else "intervals"
    lines.append(
        f"{promised} {noun} held {100 * trial.held:.1f} % of the compounds whose scaffold was held "
        "out."
    )
    return "\n".join(lines)


def as_html(trial: Trial) -> str:
    """Returns the summary with its table, for a notebook."""
    head = "".join(f"<th>{html.escape(name)}</th>" for name in columns(trial.measured.kind))
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>"
        for row in rows(trial)
    )
    said = html.escape(summary(trial)).replace("\n", "<br>")
    return f"<table><tr>{head}</tr>{body}</table><p>{said}</p>"


def _table(trial: Trial) -> list[str]:
    measured = trial.measured
    of = "numbers"
    if measured.classes:
        ones = int(measured.y.sum())
        of = f"{ones} {measured.classes[1]}, {len(measured) - ones} {measured.classes[0]}"
    lines = [
        f"{len(measured)} compounds of {trial.scaffolds} scaffolds with {measured.target}: {of}."
    ]
    if measured.reasons:
        shown = [f"  row {row}: {why}" for row, why in list(measured.reasons.items())[:5]]
        more = len(measured.reasons) - len(shown)
        lines.append(f"{len(measured.reasons)} rows of the table were left out:")
        lines += shown + ([f"  ... and {more} more"] if more else [])
    if len(measured) < _FEW:
        lines.append(f"Fewer than {_FEW} compounds: take every number below for a hint.")
    return lines


def _verdict(comparison: Comparison, split: Split, metric: str) -> str:
    difference = comparison.difference
    embedding, forest = (comparison.scores[name][metric].value for name in ("embedding", "forest"))
    numbers = f"{metric} {embedding:.3f} for the embedding, {forest:.3f} for the forest"
    if difference.low > 0:
        said = "the embedding is better"
    elif difference.high < 0:
        said = "the embedding does not help: the forest on ECFP4 and descriptors is better"
    else:
        said = "one cannot tell which model is better"
    by = f"95 % interval of the gain {difference.low:+.3f} to {difference.high:+.3f}"
    return f"On {_WORDS[split]} {said} ({numbers}; {by})."


def _warnings(trial: Trial, metric: str) -> list[str]:
    """What should stop somebody who would trust the numbers."""
    scores = trial.compared["scaffold"].scores[trial.predictor.facts.model]
    learnt = (
        scores["R2"].low > 0 if trial.measured.kind == "regression" else scores["AUROC"].low > 0.5
    )
    lines = []
    if not learnt:
        lines.append(
            "On new scaffolds the model is not certainly better than "
            + ("the mean of all compounds." if trial.measured.kind == "regression" else "chance.")
        )
    easy = trial.compared["random"].scores[trial.predictor.facts.model][metric].value
    hard = scores[metric]
    if not hard.low <= easy <= hard.high:
        lines.append(
            f"Random folds would have promised {metric} {easy:.3f}: that is for compounds like the "
            "measured ones, not for new scaffolds."
        )
    return lines
