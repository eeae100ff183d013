"""What cross-validation of measured compounds found, in numbers and in plain words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from molkd.benchmarks.tasks.metrics import METRICS
from molkd.library.cards import Card, Section
from molkd.library.results import Shown, shown
from molkd.prediction.labels import Kind
from molkd.prediction.learners import ModelOf
from molkd.prediction.measured import Measured
from molkd.prediction.predictor import Predictor
from molkd.prediction.reliability import LOW
from molkd.prediction.scores import SHOWN, Comparison
from molkd.prediction.settings import TrialSettings
from molkd.prediction.validation import SPLITS, Split

_NAMES: Mapping[ModelOf, str] = {
    "embedding": "embedding",
    "forest": "forest on ECFP4 and descriptors",
    "tanimoto": "Tanimoto kernel of ECFP4",
}
_SHORT: Mapping[ModelOf, str] = {
    "embedding": "the embedding",
    "forest": "the forest",
    "tanimoto": "the Tanimoto kernel",
}
_WORDS: dict[Split, str] = {"scaffold": "new scaffolds", "random": "random compounds"}
_FEW = 50
_SHOWN = 10


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Trial(Shown):
    """What cross-validation found, and the model that was fitted to all compounds.

    Attributes:
        measured: the compounds that every model can read.
        settings: how it was done.
        scaffolds: number of different ones.
        compared: how folds were made -> scores of the models.
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

    def __str__(self) -> str:
        facts = self.predictor.facts
        return f"{facts.target} of {len(self.measured)} compounds, by the {_NAMES[facts.model]}"

    def describe(self) -> str:
        """Returns `summary`."""
        return summary(self)

    def sections(self, most: int) -> list[Section]:
        """Returns the table of scores, and the compounds that were predicted worst."""
        table = (tuple(columns(self.measured.kind)), *map(tuple, rows(self)))
        return [Section(table=table), self._worst(min(most, _SHOWN))]

    def _worst(self, count: int) -> Section:
        """Compounds whose prediction, while their scaffold was held out, was farthest off."""
        measured, found = self.measured, self.predictor.held_out.values.mean(axis=0)
        worst = np.argsort(-np.abs(found - measured.y), kind="stable")[:count].tolist()
        what = f"probability of {measured.classes[1]}" if measured.classes else "predicted"
        cards = [
            Card(
                measured.smiles[row],
                "",
                (("measured", measured.label(row)), (what, shown(float(found[row])))),
            )
            for row in worst
        ]
        title = "Predicted worst while their scaffold was held out"
        return Section(title, cards=tuple(cards))


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
    lines = [_counted(trial), *measured.left_out(), *_few(measured), *measured.notes]
    metric = SHOWN[measured.kind][0]
    lines += [_verdict(trial.compared[split], split, metric) for split in SPLITS]
    lines += _warnings(trial, metric)
    told = trial.settings.model_of != "better"
    why = "as you asked" if told else "the best one on new scaffolds"
    what = f"{facts.reads}: {facts.described}"
    lines.append(f"Fitted to all compounds: the {_NAMES[facts.model]} ({what}), {why}.")
    lines.append(_told_apart(trial))
    promised = f"{100 * trial.settings.confidence:g} %"
    noun = "sets of classes" if facts.classes else "intervals"
    lines.append(
        f"{promised} {noun} held {100 * trial.held:.1f} % of the compounds whose scaffold was held "
        "out."
    )
    return "\n".join(lines)


def _told_apart(trial: Trial) -> str:
    excess = trial.predictor.excess
    if excess is None:
        return "This table cannot tell which of its compounds are less reliable than others."
    squared = " (squared errors)" if trial.measured.classes else ""
    return (
        f"Compounds with a reliability below {LOW:g} were off by {excess:.2f} times as much as the "
        f"others{squared} while held out{'' if excess > 1 else ': it does not help here'}."
    )


def _counted(trial: Trial) -> str:
    measured = trial.measured
    of = measured.labels()
    return f"{len(measured)} compounds of {trial.scaffolds} scaffolds with {measured.target}: {of}."


def _few(measured: Measured) -> list[str]:
    if len(measured) >= _FEW:
        return []
    return [f"Fewer than {_FEW} compounds: take every number below for a hint."]


def _verdict(comparison: Comparison, split: Split, metric: str) -> str:
    gains = comparison.gains
    behind = [_SHORT[rival] for rival, gain in gains.items() if gain.low > 0]
    ahead = [_SHORT[rival] for rival, gain in gains.items() if gain.high < 0]
    alike = [_SHORT[rival] for rival, gain in gains.items() if gain.low <= 0 <= gain.high]
    if ahead:
        said = f"the embedding does not help: {' and '.join(ahead)} {_are(ahead)} better"
    elif not behind:
        said = "one cannot tell whether the embedding helps"
    else:
        said = f"the embedding is better than {' and '.join(behind)}"
        said += f", and cannot be told from {alike[0]}" if alike else ""
    by = ", ".join(
        f"{gain.low:+.3f} to {gain.high:+.3f} over {_SHORT[rival]}" for rival, gain in gains.items()
    )
    return f"On {_WORDS[split]} {said} (gain in {metric}, 95 %: {by})."


def _are(names: Sequence[str]) -> str:
    return "are" if len(names) > 1 else "is"


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
    if easy > hard.high if METRICS[metric].greater_is_better else easy < hard.low:
        lines.append(
            f"Random folds would have promised {metric} {easy:.3f}: that is for compounds like the "
            "measured ones, not for new scaffolds."
        )
    return lines
