"""The functions of `import molkd`: load a student, embed with it, distil one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Sized
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from molkd import students
from molkd.errors import InputError
from molkd.runtime import devices
from molkd.students.shipped import DEFAULT
from molkd.types import Embeddings, Teacher

if TYPE_CHECKING:  # training loads scikit-learn and SciPy, which `load` and `embed` do not need
    from molkd.distillation.run import Distilled
    from molkd.distillation.settings import DistillSettings
    from molkd.students import Student

__all__ = ["distill", "embed", "load"]


def load(model: str | Path = DEFAULT, *, revision: str | None = None) -> Student[Any, Any, Any]:
    """Loads a trained student of any architecture, in evaluation mode on the CPU.

    Args:
        model: name of a student that is part of molkd, the folder of another one, or its name on
            the Hugging Face hub.
        revision: branch, tag or commit on the hub.

    Raises:
        ConfigError: the student needs a newer molkd.
        WeightsError: there is no such folder and no such model within reach.
        CorruptFileError: a file is missing, cut, or does not match its checksum.
    """
    return students.load(model, revision=revision)


def embed(
    items: Sequence[Any],
    model: str | Path | Student[Any, Any, Any] = DEFAULT,
    *,
    device: str = "auto",
    batch_size: int | None = None,
) -> Embeddings:
    """Embeds items with a trained student: one row per item, a reason for each that fails.

    For files, and for more items than fit into memory, there is `molkd embed`.

    Args:
        items: what the student reads: SMILES or RDKit molecules, texts, or images; a list, an
            array, or a column of a data frame.
        model: a student, or what `load` takes; one that was loaded once saves the time of loading.
        device: "auto", "cpu", "cuda", "cuda:N" or "mps", for a student that is loaded here.
        batch_size: items per pass of the network, at most; by default what suits the student. It
            changes speed and memory, not the embedding.

    Returns:
        Values of shape (n, d), rows of failed items NaN; and row -> reason.

    Raises:
        InputError: a single item was given instead of a list, or several columns.
        ConfigError: the device cannot be used.
        WeightsError, CorruptFileError: the student cannot be read; see `load`.
    """
    items = _in_order(items)
    if not isinstance(model, students.Student):
        model = load(model).to(devices.choose(device))
    return model.embed(items, batch_size=batch_size)


def distill(  # noqa: PLR0913
    items: Sequence[object],
    teachers: Sequence[str | Teacher[Any]],
    output: str | Path,
    settings: DistillSettings | None = None,
    *,
    bank: str | Path | None = None,
    weights_dir: str | Path | None = None,
    device: str = "auto",
    jobs: int = 1,
    engine: str = "local",
    progress: bool = True,
) -> Distilled:
    """Distils teachers into a student, without labels; run again after a kill, it resumes.

    Args:
        items: what the student reads, one per row: SMILES for a molecular student, texts, or
            images (paths, bytes, arrays). Rows that cannot be read are left out and reported.
        teachers: names as `molkd teachers list` shows them, objects of yours, or a mix; at least
            one. A teacher object has a card and an `embed` method; see `molkd.Teacher`.
        output: folder for the student, its model card, metrics, plots and checkpoints.
        settings: student, objective and training; a `small` molecular student and mutual
            information by default.
        bank: folder of the teacher embeddings, to share between runs; in `output` by default.
        weights_dir: folder of pretrained weights, for teachers that are given by name.
        device: "auto", "cpu", "cuda", "cuda:N" or "mps"; teachers by name run there too if it is
            CUDA.
        jobs: processes for teachers and items.
        engine: where teachers embed: "local" here, "ray" on a Ray cluster; same bits.
        progress: whether to show progress bars.

    Returns:
        The student, what it knows about each teacher, the losses, and row -> reason.

    Raises:
        InputError: a single item was given instead of a list of them, or several columns.
        UnknownNameError: there is no teacher of a name; the message proposes near ones.
        ConfigError: something is no teacher, or settings contradict each other or the data.
        WeightsError: the weights of a teacher are missing.
        StaleBankError: the bank folder holds other items or teachers.
        OutputError: the disk is full; run again to resume.
    """
    from molkd.distillation import run
    from molkd.distillation.settings import DistillSettings
    from molkd.teachers import registry

    items = _in_order(items)
    names = registry.parse_names(teachers) if isinstance(teachers, str) else teachers
    panel = teachers_of(names, weights_dir=weights_dir, device=device)
    cards = [teacher.card.name for teacher in panel]
    typed = [
        name if isinstance(name, str) else card for name, card in zip(names, cards, strict=True)
    ]
    settings = replace(settings or DistillSettings(), teachers=tuple(typed)).with_names(cards)
    return run.distill(
        items,
        panel,
        output,
        settings,
        bank=bank,
        device=device,
        jobs=jobs,
        engine=engine,
        progress=progress,
    )


def teachers_of(
    names: Sequence[str | Teacher[Any]],
    *,
    weights_dir: str | Path | None = None,
    device: str = "auto",
) -> list[Teacher[Any]]:
    """Returns teachers by name, or objects as they are, in this order; see `distill`."""
    from molkd.teachers import registry

    chosen = devices.choose(device)
    place = str(chosen) if chosen.type == "cuda" else "cpu"
    return [
        registry.make(teacher, weights_dir=weights_dir, device=place)
        if isinstance(teacher, str)
        else registry.as_teacher(teacher)
        for teacher in names
    ]


def _in_order(items: Any) -> Sequence[Any]:
    """The items, of a data frame those of its column; a text is a sequence, too: of letters."""
    if isinstance(items, str):
        raise InputError(f"expected a list of items, got one text: write [{items!r}]")
    names = getattr(items, "column_names", None) or getattr(items, "columns", None)
    if names is not None:
        if len(names) != 1:
            raise InputError(
                f"expected one column, got a data frame of {len(names)}: choose it, as in "
                "frame['smiles']"
            )
        return _in_order(items[names[0]])
    if hasattr(items, "to_pylist"):  # of Arrow
        return items.to_pylist()
    if isinstance(items, Mapping) or not isinstance(items, Iterable):
        raise InputError(f"expected a list of items, got one {type(items).__name__}: write [it]")
    return cast("Sequence[Any]", items) if isinstance(items, Sized) else list(items)
