"""Model directories in the format of the Hugging Face hub: found, checked and loaded.

Weights are read from safetensors only; no code that a checkpoint brings is run.
"""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from molkd.errors import CorruptFileError, WeightsError
from molkd.runtime import devices
from molkd.runtime.files import read_json, sha256_of

FILES = (
    "config.json",
    "model*.safetensors",
    "model.safetensors.index.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "vocab.txt",
    "merges.txt",
    "*.model",
)
"""What decides the numbers of a model; nothing else is downloaded or hashed."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A model directory.

    Attributes:
        folder: where its files are.
        commit: commit of the hub's repository; None for a directory of the user's own.
    """

    folder: Path
    commit: str | None


def is_commit(revision: str | None) -> bool:
    """Says whether a revision names one state for ever, as a branch or a tag does not."""
    return revision is not None and re.fullmatch("[0-9a-f]{40}", revision) is not None


def locate(
    model: str, revision: str | None, *, weights: bool, also: Sequence[str] = ()
) -> Checkpoint:
    """Finds a model: a local directory, the hub's cache, or the hub.

    Args:
        model: directory, or name on the hub.
        revision: commit, tag, branch or "refs/pr/N"; None is the main branch.
        weights: whether weights and tokenizer are needed, or config.json only.
        also: patterns of further files that are needed.

    Raises:
        WeightsError: no such directory, or the hub cannot be reached and its cache has no copy.
    """
    folder = Path(model).expanduser()
    if folder.is_dir():
        return Checkpoint(folder, None)
    if not re.fullmatch(r"[\w.-]+(/[\w.-]+)?", model) or model.startswith("."):
        raise WeightsError(f"no directory {model}, and it is no name on the Hugging Face hub")
    import huggingface_hub as hub

    try:
        snapshot = hub.snapshot_download(
            model,
            revision=revision,
            allow_patterns=[*(FILES if weights else ["config.json"]), *also],
            local_files_only=hub.constants.is_offline_mode(),
        )
    except Exception as error:
        raise WeightsError(_unreachable(model, revision, error)) from error
    return Checkpoint(Path(snapshot), Path(snapshot).name)


def _unreachable(model: str, revision: str | None, error: Exception) -> str:
    from huggingface_hub.errors import LocalEntryNotFoundError

    at = f" at revision {revision!r}" if revision else ""
    if isinstance(error, LocalEntryNotFoundError):
        why = "no network, or HF_HUB_OFFLINE is set, and no copy in its cache"
    else:
        why = f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"
    return (
        f"{model}{at} is no directory here and cannot be had from the Hugging Face hub "
        f"({why}). Where there is a network, run "
        f"'hf download {model}{f' --revision {revision}' if revision else ''} --local-dir DIR' "
        "and give DIR as the model."
    )


def read_config(checkpoint: Checkpoint) -> Any:
    """Reads the configuration of a model that transformers itself implements.

    Raises:
        WeightsError: config.json is missing or broken, or the model needs code of its own.
    """
    from transformers import CONFIG_MAPPING, AutoConfig

    folder = checkpoint.folder
    try:
        raw = read_json(folder / "config.json")
    except CorruptFileError as error:
        raise WeightsError(f"{folder} is no model directory: {error}") from error
    kind = raw.get("model_type")
    if kind not in CONFIG_MAPPING:
        needs = "needs code from its own repository" if "auto_map" in raw else "is unknown"
        raise WeightsError(
            f"{folder}: model type {kind!r} {needs}, and molkd runs no code that comes with a "
            "checkpoint. What works: an architecture that transformers ships (RoBERTa, BERT, "
            "GPT-2, GPT-Neo, T5, ...), registering the architecture yourself "
            "(transformers.AutoConfig.register and AutoModel.register) before making the "
            "teacher, or a teacher object of your own around vectors computed elsewhere."
        )
    with quiet():
        return AutoConfig.from_pretrained(folder, trust_remote_code=False, local_files_only=True)


def is_causal(config: Any) -> bool:
    """Says whether a token of the model sees only those before it."""
    from transformers import MODEL_FOR_CAUSAL_LM_MAPPING, MODEL_FOR_MASKED_LM_MAPPING

    kind = type(config)
    decoder = kind in MODEL_FOR_CAUSAL_LM_MAPPING and kind not in MODEL_FOR_MASKED_LM_MAPPING
    return not config.is_encoder_decoder and (decoder or getattr(config, "is_decoder", False))


def checksums(folder: Path, patterns: Sequence[str] = FILES) -> dict[str, str]:
    """Returns the sha256 of every file that decides the model's numbers, by path in the folder."""
    paths = sorted({path for pattern in patterns for path in folder.glob(pattern)})
    return {
        path.relative_to(folder).as_posix(): _sha256(
            path, path.stat().st_size, path.stat().st_mtime_ns
        )
        for path in paths
    }


@functools.lru_cache(maxsize=256)
def _sha256(path: Path, _size: int, _modified: int) -> str:
    return sha256_of(path)


def load_model(checkpoint: Checkpoint, config: Any, device: str) -> nn.Module:
    """Loads the body of a model, without heads, frozen, in single precision.

    Of an encoder-decoder it is the encoder.

    Raises:
        ConfigError: there is no such device here.
        WeightsError: weights are missing, corrupt, pickled, or not those of the architecture.
    """
    from transformers import AutoModel

    _check_weights(checkpoint.folder)
    try:
        with quiet():
            model, report = AutoModel.from_pretrained(
                checkpoint.folder,
                config=config,
                dtype=torch.float32,
                use_safetensors=True,
                trust_remote_code=False,
                local_files_only=True,
                output_loading_info=True,
            )
    except Exception as error:
        raise WeightsError(f"{checkpoint.folder} cannot be loaded: {error}") from error
    unused = ("pooler.", "decoder.") if config.is_encoder_decoder else ("pooler.",)
    missing = sorted(key for key in report["missing_keys"] if not key.startswith(unused))
    if missing:
        raise WeightsError(
            f"{checkpoint.folder} lacks {len(missing)} weights of its architecture "
            f"({', '.join(missing[:3])}, ...): they would be random"
        )
    if config.is_encoder_decoder:
        model = model.get_encoder()
    return model.requires_grad_(requires_grad=False).eval().to(devices.choose(device))


def build(kind: str, config: Path, tensors: Mapping[str, Tensor]) -> nn.Module:
    """Builds the body of a model whose files were checked, without heads, on the CPU.

    Args:
        kind: type of the model, which older files do not name: "bert".
        config: its config.json.
        tensors: of the model; those of the body are named "bert.encoder..." or the like.
    """
    from transformers import CONFIG_MAPPING, AutoModel

    with quiet():
        settings = CONFIG_MAPPING[kind].from_dict(cast("Any", read_json(config)))
        body = AutoModel.from_config(settings, add_pooling_layer=False)
    own = {name.removeprefix(f"{kind}."): tensors[name] for name in tensors}
    body.load_state_dict({name: own[name] for name in body.state_dict()})
    return body


def mask_of(config: Any, mask: Tensor, states: Tensor, sees: Any) -> Tensor:
    """Returns a mask of attention in the form that a model's implementation takes.

    Args:
        config: of the model.
        mask: shape (b, t); 1 for tokens, 0 for padding.
        states: of the type and on the device of the hidden states.
        sees: (batch, head, query, key) -> whether a token sees another one.
    """
    from transformers.masking_utils import create_bidirectional_mask

    like = states.new_empty(1).expand(*mask.shape, 1)
    return cast(
        "Tensor",
        create_bidirectional_mask(
            config=config, inputs_embeds=like, attention_mask=mask, and_mask_function=sees
        ),
    )


def _check_weights(folder: Path) -> None:
    from safetensors import SafetensorError, safe_open

    files = sorted(folder.glob("model*.safetensors"))
    if not files:
        others = sorted(path.name for path in folder.glob("*.bin"))
        raise WeightsError(
            f"{folder} holds no model.safetensors{f', only {others}' if others else ''}, and "
            "molkd loads no pickled weights. The hub converts a model by itself: give the "
            "revision of that pull request (revision='refs/pr/N', see the Community tab of the "
            "model's page), or load the model elsewhere and call its save_pretrained."
        )
    for file in files:
        try:
            with safe_open(file, framework="pt"):
                pass
        except SafetensorError as error:
            raise WeightsError(f"{file} is cut or no safetensors file: {error}") from error
        blob = file.resolve().name
        if re.fullmatch("[0-9a-f]{64}", blob) and checksums(folder)[file.name] != blob:
            raise WeightsError(f"{file} is not the file the hub published: delete it and retry")


@contextlib.contextmanager
def quiet() -> Generator[None]:
    """Silences what transformers writes while it loads, and restores its settings."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
