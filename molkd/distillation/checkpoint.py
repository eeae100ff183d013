"""Checkpoints of a training run: whole or absent, checked before they are read, no pickled code."""

from __future__ import annotations

import io
import shutil
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from molkd.errors import ConfigError, CorruptFileError
from molkd.runtime import files

_STATE, _HEADER = "state.pt", "state.json"
_KEPT = 2


def save(folder: Path, step: int, state: Mapping[str, Any], *, digest: str) -> None:
    """Writes a checkpoint as `folder/step-N` and removes all but the last two.

    Args:
        folder: of all checkpoints of the run.
        step: optimiser steps done.
        state: tensors, numbers, strings, and dicts and lists of these.
        digest: of everything that decides the run, to refuse resuming another one.

    Raises:
        OutputError: the disk is full; earlier checkpoints are untouched.
    """
    path = folder / f"step-{step:09d}"
    temporary = folder / f".step-{step:09d}.partial"
    for left in folder.glob(".step-*.partial"):  # of a run that was killed
        shutil.rmtree(left, ignore_errors=True)
    buffer = io.BytesIO()
    torch.save(dict(state), buffer)
    try:
        files.write_bytes(temporary / _STATE, buffer.getvalue())
        header = {"sha256": files.sha256_of(temporary / _STATE), "step": step, "digest": digest}
        files.write_json(temporary / _HEADER, header)
        shutil.rmtree(path, ignore_errors=True)
        temporary.rename(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    for old in _all(folder)[:-_KEPT]:
        shutil.rmtree(old, ignore_errors=True)


def load_latest(folder: Path, *, digest: str) -> dict[str, Any] | None:
    """Reads the newest checkpoint that is whole, or None where there is none.

    A damaged one costs a warning and the steps since the one before it.

    Raises:
        ConfigError: the checkpoints are of a run with other settings, teachers or rows.
        CorruptFileError: there are checkpoints, and all of them are damaged.
    """
    checkpoints = _all(folder)
    for path in reversed(checkpoints):
        try:
            return _load(path, digest)
        except CorruptFileError as error:
            warnings.warn(f"{error}; trying the checkpoint before it", stacklevel=2)
    if checkpoints:
        raise CorruptFileError(f"all checkpoints in {folder} are damaged: remove it to start anew")
    return None


def _load(path: Path, digest: str) -> dict[str, Any]:
    header = files.read_json(path / _HEADER)
    if header.get("digest") != digest:
        raise ConfigError(
            f"{path.parent} holds checkpoints of a run with other settings, teachers or items: "
            "choose another output folder, or remove this one"
        )
    state = path / _STATE
    if not state.is_file() or files.sha256_of(state) != header.get("sha256"):
        raise CorruptFileError(f"{state} is cut or changed")
    try:
        return torch.load(state, map_location="cpu", weights_only=True)
    except Exception as error:  # torch and pickle raise many kinds
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise CorruptFileError(f"{state} is no checkpoint: {reason}") from error


def _all(folder: Path) -> list[Path]:
    return sorted(folder.glob("step-*")) if folder.is_dir() else []
