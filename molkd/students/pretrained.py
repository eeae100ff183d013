"""The files of a saved student: safetensors, config.json and a model card in one folder.

Knows no architecture: what a configuration builds is for `molkd.students.base` and its subclasses.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from molkd import __version__
from molkd.errors import CorruptFileError, MolkdError, WeightsError
from molkd.runtime.files import read_json, sha256_of, write_bytes, write_json
from molkd.students import shipped

WEIGHTS, CONFIG, CARD = "model.safetensors", "config.json", "README.md"


@dataclass(frozen=True, slots=True)
class SavedStudent:
    """A student as it lies on disk.

    Attributes:
        kind: registry name of the architecture.
        config: what builds the architecture again.
        weights: name -> tensor.
        files: path within the folder -> what else belongs to it, such as a tokenizer.
        hub: what other libraries look for in config.json.
        reading: version of the library that read its items, and digests of what that library does.
        folder: where it was read; None where it was not.
    """

    kind: str
    config: Mapping[str, Any]
    weights: Mapping[str, Tensor]
    files: Mapping[str, bytes] = field(default_factory=dict[str, bytes])
    hub: Mapping[str, Any] = field(default_factory=dict[str, Any])
    reading: Mapping[str, str] = field(default_factory=dict[str, str])
    folder: Path | None = None

    def text(self, name: str) -> str:
        """Returns one of its files as text.

        Raises:
            CorruptFileError: there is none of that name, or it is no text.
        """
        if name not in self.files:
            raise CorruptFileError(f"{self.folder} lacks {name}: copy or download it again")
        try:
            return self.files[name].decode()
        except UnicodeDecodeError as error:
            raise CorruptFileError(f"{self.folder}: {name} is no UTF-8 text: {error}") from error


def write(folder: Path, saved: SavedStudent, *, card: str | None = None) -> None:
    """Writes weights, other files, configuration and, if given, a model card in Markdown.

    Each file is written atomically, the configuration last: it holds the checksums of the others.

    Raises:
        OutputError: the folder cannot be written.
    """
    from safetensors.torch import save

    weights = {name: value.contiguous().cpu() for name, value in saved.weights.items()}
    write_bytes(folder / WEIGHTS, save(weights))
    if card is not None:
        write_bytes(folder / CARD, card.encode())
    for name, content in saved.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        write_bytes(folder / name, content)
    config: dict[str, object] = {
        **saved.hub,
        "kind": saved.kind,
        "config": dict(saved.config),
        "sha256": sha256_of(folder / WEIGHTS),
        "molkd": __version__,
    }
    if saved.reading:
        config["reading"] = dict(saved.reading)
    if saved.files:
        config["files"] = {name: sha256_of(folder / name) for name in saved.files}
    write_json(folder / CONFIG, config)


def read(model: str | Path, *, revision: str | None = None) -> SavedStudent:
    """Reads a folder, or a model of the Hugging Face hub, which is downloaded once.

    Args:
        model: name of a student that is part of molkd, a folder, or a name on the hub. A folder of
            the name of one that is part of molkd is meant by "./molkd-small".
        revision: branch, tag or commit on the hub.

    Raises:
        WeightsError: there is no such folder and no such model within reach.
        CorruptFileError: a file is missing, cut, or does not match its checksum.
    """
    folder = _folder(model, revision)
    stored = read_json(folder / CONFIG)
    kind, config = stored.get("kind"), stored.get("config")
    if not isinstance(kind, str) or not isinstance(config, dict):
        raise CorruptFileError(f"{folder / CONFIG} does not describe a molkd student")
    weights = folder / WEIGHTS
    if not weights.is_file() or sha256_of(weights) != stored.get("sha256"):
        raise CorruptFileError(
            f"{weights} is missing, cut or not the file that {CONFIG} describes: "
            "copy or download the folder again"
        )
    tensors = read_tensors(weights)
    files = _files(folder, stored.get("files") or {})
    reading = _reading(folder, stored)
    return SavedStudent(kind, config, tensors, files=files, reading=reading, folder=folder)


def halved(value: Tensor) -> Tensor:
    """Returns a tensor in 16 bits; one of whole numbers as it is, for it would lose large ones."""
    return value.half() if value.is_floating_point() else value


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Reads a safetensors file.

    Raises:
        CorruptFileError: it is missing, cut or no such file.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise CorruptFileError(f"{path} is cut or no safetensors file: {error}") from error


def refuse_other_weights(
    saved: SavedStudent, build: Callable[[Mapping[str, Any]], nn.Module]
) -> None:
    """Compares weights with what their configuration asks for, before memory is taken for it.

    Args:
        saved: a student.
        build: makes a network of a configuration.

    Raises:
        CorruptFileError: it asks for other weights, or describes nothing that can be built.
        ConfigError: it describes what this molkd does not build.
    """
    place = saved.folder or f"the {saved.kind} student"
    try:
        with torch.device("meta"), _Undrawn():
            due = {name: tuple(one.shape) for name, one in build(saved.config).state_dict().items()}
    except MolkdError:
        raise
    except Exception as error:  # each architecture is built by another library
        raise CorruptFileError(
            f"{place} does not describe a {saved.kind} student ({type(error).__name__}: {error}): "
            "copy or download it again"
        ) from error
    there = {name: tuple(one.shape) for name, one in saved.weights.items()}
    differing = sorted(name for name in due.keys() | there if due.get(name) != there.get(name))
    if differing:
        name = differing[0]
        raise CorruptFileError(
            f"the weights of {place} are not those of its configuration: {name!r} has shape "
            f"{there.get(name)}, {due.get(name)} is expected; copy or download it again"
        )


class _Undrawn(TorchFunctionMode):
    """Draws no random numbers within the block: shapes need none.

    On the "meta" device torch would load its compiler for them, which takes longer than all else.
    """

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        given = kwargs or {}
        return given["tensor"] if func is nn.init.normal_ else func(*args, **given)


def _reading(folder: Path, stored: Mapping[str, Any]) -> dict[str, str]:
    reading = stored.get("reading", {})
    if not isinstance(reading, dict):
        raise CorruptFileError(f'{folder / CONFIG}: "reading" is no table')
    return {str(name): str(value) for name, value in cast("dict[object, object]", reading).items()}


def warn_of_other_reading(there: Mapping[str, str], here: Mapping[str, str]) -> None:
    """Warns where the library that reads items computes other features than the one of training."""
    if there.get("features", "") in {"", here.get("features", "")}:
        return
    warnings.warn(
        f"this student learnt from molecules as RDKit {there.get('rdkit')} reads them, and RDKit "
        f"{here.get('rdkit')} reads some of them otherwise: install rdkit=={there.get('rdkit')} "
        "for the same embeddings",
        stacklevel=4,
    )


def _files(folder: Path, listed: object) -> dict[str, bytes]:
    """Reads the files that a configuration lists with their checksums."""
    if not isinstance(listed, dict):
        raise CorruptFileError(f"{folder / CONFIG} lists no files but {listed!r}")
    contents: dict[str, bytes] = {}
    for name, checksum in cast("dict[str, str]", listed).items():
        path = folder / name
        if (
            "\0" in name
            or not path.resolve().is_relative_to(folder.resolve())
            or not path.is_file()
        ):
            raise CorruptFileError(f"{path} is missing: copy or download the folder again")
        contents[name] = path.read_bytes()
        if hashlib.sha256(contents[name]).hexdigest() != checksum:
            raise CorruptFileError(
                f"{path} is not the file that {CONFIG} describes: copy or download the folder again"
            )
    return contents


def _folder(model: str | Path, revision: str | None) -> Path:
    """Returns the local folder of a model, downloading it where it is a name on the hub."""
    part_of_molkd = shipped.folder_of(model) if isinstance(model, str) else None
    folder = part_of_molkd or Path(model).expanduser()
    if folder.is_dir():
        return folder
    remedy = f"no student in folder {str(model)!r} and none of that name on the Hugging Face hub"
    if str(model).count("/") != 1 or str(model).startswith((".", "/", "~")):
        raise WeightsError(
            f"{remedy}: give the folder that 'molkd distill -o' wrote, or one of "
            f"{', '.join(shipped.names())}, which are part of molkd"
        )
    from huggingface_hub import snapshot_download

    try:
        files = [WEIGHTS, CONFIG, CARD, "adaptors/*", "*.json", "*/*.json", "*/*.safetensors"]
        files.append("familiarity.npz")
        return Path(snapshot_download(str(model), revision=revision, allow_patterns=files))
    except Exception as error:  # the hub's client raises a dozen unrelated classes
        raise WeightsError(f"{remedy} ({type(error).__name__}: {error})") from error
