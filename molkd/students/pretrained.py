"""The files of a saved student: safetensors, config.json and a model card in one folder.

Knows no architecture: what a configuration builds is for `molkd.students.base` and its subclasses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from molkd import __version__, store
from molkd.errors import CorruptFileError, WeightsError

WEIGHTS, CONFIG, CARD = "model.safetensors", "config.json", "README.md"


@dataclass(frozen=True, slots=True)
class Saved:
    """A student as it lies on disk.

    Attributes:
        kind: registry name of the architecture.
        config: what builds the architecture again.
        weights: name -> tensor.
        folder: where it was read; None where it was not.
    """

    kind: str
    config: Mapping[str, Any]
    weights: Mapping[str, Tensor]
    folder: Path | None = None


def write(folder: Path, saved: Saved, *, card: str | None = None) -> None:
    """Writes weights, configuration and, if given, a model card in Markdown.

    Each file is written atomically, the configuration last: it holds the checksum of the weights.

    Raises:
        OutputError: the folder cannot be written.
    """
    from safetensors.torch import save

    weights = {name: value.contiguous().cpu() for name, value in saved.weights.items()}
    store.write_bytes(folder / WEIGHTS, save(weights))
    if card is not None:
        store.write_bytes(folder / CARD, card.encode())
    config = {
        "kind": saved.kind,
        "config": dict(saved.config),
        "sha256": store.sha256_of(folder / WEIGHTS),
        "molkd": __version__,
    }
    store.write_json(folder / CONFIG, config)


def read(model: str | Path, *, revision: str | None = None) -> Saved:
    """Reads a folder, or a model of the Hugging Face hub, which is downloaded once.

    Args:
        model: a folder, or a name on the hub.
        revision: branch, tag or commit on the hub.

    Raises:
        WeightsError: there is no such folder and no such model within reach.
        CorruptFileError: a file is missing, cut, or does not match its checksum.
    """
    from safetensors.torch import load_file

    folder = _folder(model, revision)
    stored = store.read_json(folder / CONFIG)
    kind, config = stored.get("kind"), stored.get("config")
    if not isinstance(kind, str) or not isinstance(config, dict):
        raise CorruptFileError(f"{folder / CONFIG} does not describe a molkd student")
    weights = folder / WEIGHTS
    if not weights.is_file() or store.sha256_of(weights) != stored.get("sha256"):
        raise CorruptFileError(
            f"{weights} is missing, cut or not the file that {CONFIG} describes: "
            "copy or download the folder again"
        )
    return Saved(kind, config, load_file(weights), folder)


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
        files = [WEIGHTS, CONFIG, CARD, "adaptors/*"]
        return Path(snapshot_download(str(model), revision=revision, allow_patterns=files))
    except Exception as error:  # the hub's client raises a dozen unrelated classes
        raise WeightsError(f"{remedy} ({type(error).__name__}: {error})") from error
