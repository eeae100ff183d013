"""Saving and loading students: safetensors, config.json and a model card in one folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from molkd import __version__, store
from molkd.errors import CorruptFileError, WeightsError
from molkd.students.base import Student
from molkd.students.gine import GineConfig, GineStudent

WEIGHTS, CONFIG, CARD = "model.safetensors", "config.json", "README.md"

_KINDS: Mapping[str, tuple[type[GineStudent], type[GineConfig]]] = {
    GineStudent.kind: (GineStudent, GineConfig)
}


def save(student: Student[Any, Any, Any], folder: Path, *, card: str | None = None) -> None:
    """Writes a student: weights, configuration and, if given, a model card in Markdown.

    Each file is written atomically, the configuration last: it holds the checksum of the weights.

    Raises:
        OutputError: the folder cannot be written.
    """
    from safetensors.torch import save as to_bytes

    weights = {name: value.contiguous().cpu() for name, value in student.state_dict().items()}
    store.write_bytes(folder / WEIGHTS, to_bytes(weights))
    if card is not None:
        store.write_bytes(folder / CARD, card.encode())
    config = {
        "kind": student.kind,
        "config": dict(student.config),
        "sha256": store.sha256_of(folder / WEIGHTS),
        "molkd": __version__,
    }
    store.write_json(folder / CONFIG, config)


def load(model: str | Path, *, revision: str | None = None) -> GineStudent:
    """Loads a trained student, in evaluation mode on the CPU.

    Args:
        model: a folder, or a name on the Hugging Face hub.
        revision: branch, tag or commit on the hub.

    Raises:
        WeightsError: there is no such folder and no such model within reach.
        CorruptFileError: a file is missing, cut, or does not match its checksum.
    """
    from safetensors.torch import load_file

    folder = _folder(model, revision)
    stored = store.read_json(folder / CONFIG)
    weights = folder / WEIGHTS
    kind = str(stored.get("kind"))
    options = stored.get("config")
    if kind not in _KINDS or not isinstance(options, dict):
        raise CorruptFileError(f"{folder / CONFIG} does not describe a molkd student")
    if not weights.is_file() or store.sha256_of(weights) != stored.get("sha256"):
        raise CorruptFileError(
            f"{weights} is missing, cut or not the file that {CONFIG} describes: "
            "copy or download the folder again"
        )
    student_type, config_type = _KINDS[kind]
    student = student_type(config_type(**options))
    student.load_state_dict(load_file(weights), strict=True)
    return student.eval()


def _folder(model: str | Path, revision: str | None) -> Path:
    """Returns the local folder of a model, downloading it where it is a name on the hub."""
    folder = Path(model).expanduser()
    if folder.is_dir():
        return folder
    remedy = f"no student in folder {str(model)!r} and none of that name on the Hugging Face hub"
    if str(model).count("/") != 1 or str(model).startswith((".", "/", "~")):
        raise WeightsError(f"{remedy}: give the folder that 'molkd distill -o' wrote")
    from huggingface_hub import snapshot_download

    try:
        files = [WEIGHTS, CONFIG, CARD]
        return Path(snapshot_download(str(model), revision=revision, allow_patterns=files))
    except Exception as error:  # the hub's client raises a dozen unrelated classes
        raise WeightsError(f"{remedy} ({type(error).__name__}: {error})") from error
