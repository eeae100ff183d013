"""What a distillation leaves beside the student: model card, report, plot of the losses."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from molkd.information.estimate import Information
from molkd.items import MODALITIES
from molkd.runtime import files, versions
from molkd.students.base import Student
from molkd.types import TeacherCard

if TYPE_CHECKING:
    from matplotlib.figure import Figure

REPORT, PLOT = "report.json", "losses.png"

LITTLE = 0.05
"""Gain in R2 over an untrained student below which training was hardly worth it."""

_COLORS, _STYLES = 10, (".-", "x--", "+-.", "1:")
"""How many colours matplotlib has, and marker and line of those that have the same colour."""

_PACKAGES = ("torch", "torch-geometric", "transformers", "rdkit", "numpy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What is known about a finished distillation.

    Attributes:
        cards: of the teachers.
        information: teacher -> what the student knows about it, on validation rows.
        history: one record of losses per epoch.
        unit: of the losses.
        settings: all of them, JSON-like.
        rows: what was counted -> how many rows.
        corpus_digest: of items, teachers and split.
        half: whether the student's weights are stored in 16 bits.
    """

    cards: Sequence[TeacherCard]
    information: Mapping[str, Information]
    history: Sequence[Mapping[str, float]]
    unit: str
    settings: Mapping[str, Any]
    rows: Mapping[str, int]
    corpus_digest: str
    half: bool = False


def write(folder: Path, student: Student[Any, Any, Any], run: Run) -> None:
    """Writes the student with its model card, the report and the plot.

    Raises:
        OutputError: the folder cannot be written.
    """
    student.save_pretrained(folder, card=model_card(student, run), half=run.half)
    files.write_json(folder / REPORT, _as_json(student, run))
    files.write_bytes(folder / PLOT, plot_losses(run.history, run.unit))


def table(information: Mapping[str, Information]) -> list[tuple[str, ...]]:
    """One line per teacher, the header first, numbers in nats as text."""
    lines: list[tuple[str, ...]] = [
        (
            *("teacher", "dim", "h(teacher | student)", "mutual information"),
            *("linear R2", "R2 untrained", "rows"),
        )
    ]
    for name, knowledge in information.items():
        lines.append(
            (
                name,
                str(knowledge.dim),
                f"{knowledge.conditional_entropy:.1f}",
                f"{knowledge.mutual_information:.1f}",
                f"{knowledge.r2:.3f}",
                "" if knowledge.r2_untrained is None else f"{knowledge.r2_untrained:.3f}",
                str(knowledge.rows),
            )
        )
    return lines


def sentences(information: Mapping[str, Information]) -> list[str]:
    """Says what training was worth, beside an untrained student, and what to do about it."""
    compared = {
        name: (one.r2, one.r2_untrained)
        for name, one in information.items()
        if one.r2_untrained is not None and math.isfinite(one.r2 + one.r2_untrained)
    }
    if not compared:
        return []
    after, before = (sum(column) / len(compared) for column in zip(*compared.values(), strict=True))
    explained = f"the student explains {after:.2f} linearly (R2, mean over teachers)"
    said = [f"Of its teachers' values {explained}, the same network untrained {before:.2f}."]
    unlearnt = [name for name, (trained, blank) in compared.items() if trained <= blank]
    if unlearnt:
        said.append(f"Of {', '.join(unlearnt)} it knows no more, linearly, than before training.")
    if after - before < LITTLE:
        said.append(
            "That is little: give it more molecules, or more passes over these (--epochs), before "
            "you rely on it."
        )
    return said


def markdown(lines: Sequence[Sequence[str]]) -> str:
    """Formats lines, the header first, as a Markdown table."""
    rows = ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines]
    return "\n".join([rows[0], "|" + "---|" * len(lines[0]), *rows[1:]])


def _paragraph(text: str) -> str:
    """The text with a blank line before it; empty where there is none."""
    return f"\n{text}\n" if text else ""


def _seen(cards: Sequence[TeacherCard]) -> str:
    """A list of what teachers were trained on, of those that say so."""
    seen = [f"- `{card.name}`: {card.trained_on}" for card in cards if card.trained_on]
    return "\n".join(["What their weights have seen:\n", *seen]) if seen else ""


def model_card(student: Student[Any, Any, Any], run: Run) -> str:
    """The README.md of a student: teachers, licences, data, objective, versions and scores."""
    size = sum(parameter.numel() for parameter in student.parameters())
    teachers = [("teacher", "kind", "licence", "source")]
    teachers += [(card.name, card.kind, card.license, card.source) for card in run.cards]
    counted = ", ".join(f"{count:,} {what}" for what, count in run.rows.items())
    packages = versions.installed(_PACKAGES).items()
    written = ", ".join(f"{name} {number}" for name, number in packages)
    settings = json.dumps(run.settings, indent=2)
    modality = MODALITIES[student.modality]
    article = "an" if modality.one[0] in "aeiou" else "a"
    return f"""---
library_name: molkd
tags: [embedding, {modality.name}, knowledge-distillation]
---
# A molkd student

A {student.kind} network of {size:,} parameters that embeds {article} {modality.one} in
{student.embedding_dim} dimensions, distilled without labels from {len(run.cards)} frozen teachers.

```python
{modality.example}
```
{_paragraph(modality.sees)}
## Teachers

The licences of the teachers bind what may be done with the student.

{markdown(teachers)}
{_paragraph(_seen(run.cards))}
## Scores

On validation {modality.name}, which nothing was fitted on. Entropies in nats per {modality.one};
differential for real-valued teachers, hence possibly negative. R2 of a ridge regression from
student to teacher, weighted by the variance of its dimensions; "untrained" is the same network
with random weights.

{markdown(table(run.information))}

{" ".join(sentences(run.information))}

## Training

Rows: {counted}. Corpus digest: `{run.corpus_digest[:16]}`.
Versions: {written}.

```json
{settings}
```
"""


def plot_losses(history: Sequence[Mapping[str, float]], unit: str) -> bytes:
    """Draws the validation loss per teacher, and both totals, over the epochs, as a PNG."""
    buffer = io.BytesIO()
    losses_figure(history, unit).savefig(buffer, format="png", dpi=120)
    return buffer.getvalue()


def losses_figure(history: Sequence[Mapping[str, float]], unit: str) -> Figure:
    """Returns the figure of `plot_losses`: no two lines alike, the legend beside them."""
    from matplotlib.figure import Figure  # slow to import, and only needed here
    from matplotlib.ticker import MaxNLocator

    curves = {
        name: [record.get(name, float("nan")) for record in history]
        for name in ("train", *(name for name in history[-1] if name.startswith("valid")))
    }
    teachers = sorted((name for name in curves if "/" in name), key=lambda name: -curves[name][-1])
    figure = Figure(figsize=(9.5, max(5, 0.2 * len(teachers) + 1)), layout="constrained")
    axes = figure.subplots()
    epochs = [record["epoch"] + 1 for record in history]
    for name, color in (("train", "0.6"), ("valid", "black")):
        label = f"mean, {name}"
        axes.plot(epochs, curves[name], color=color, linewidth=2.5, marker="o", label=label)
    for place, name in enumerate(teachers):
        color, style = f"C{place % _COLORS}", _STYLES[place // _COLORS % len(_STYLES)]
        label = name.removeprefix("valid/")
        axes.plot(epochs, curves[name], style, color=color, linewidth=1.2, label=label)
    axes.set_xlabel("epoch")
    axes.set_ylabel(unit)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    figure.legend(fontsize="small", loc="outside right upper")
    return figure


def _as_json(student: Student[Any, Any, Any], run: Run) -> dict[str, Any]:
    scores = {
        name: {**asdict(knowledge), "mutual_information": knowledge.mutual_information}
        for name, knowledge in run.information.items()
    }
    return {
        "student": {"digest": student.digest, "config": dict(student.config)},
        "teachers": {card.name: {**card.as_json(), "digest": card.digest} for card in run.cards},
        "scores": scores,
        "unit": run.unit,
        "history": list(run.history),
        "settings": dict(run.settings),
        "rows": dict(run.rows),
        "corpus_digest": run.corpus_digest,
        "versions": versions.installed(_PACKAGES),
    }
