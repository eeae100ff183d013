"""What a model directory says of itself in the format of sentence-transformers.

The format is a list of modules in `modules.json` (Transformer, Pooling, Dense, Normalize, or
StaticEmbedding in place of the first two), a folder with a `config.json` for each, and
`config_sentence_transformers.json` for prompts. Only these five are known; no code is run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Literal, get_args

from molkd.errors import CorruptFileError, WeightsError
from molkd.hub import checkpoints
from molkd.runtime import files

Mode = Literal["cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean", "lasttoken"]
MODES: tuple[Mode, ...] = get_args(Mode)

_OWN = "sentence_*_config.json"

SMALL = (
    "modules.json",
    "config_sentence_transformers.json",
    _OWN,
    f"*/{_OWN}",
    "*/config.json",
)
"""Files that say what a model is, beside its own config.json."""

_OLD_MODES: dict[str, Mode] = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}
"""Switch of the older form -> mode, in the order in which their results are joined."""

_KNOWN = ("Transformer", "StaticEmbedding", "Pooling", "Dense", "Normalize", "Dropout")
_SENTENCE = "sentence_embedding"


@dataclass(frozen=True, slots=True)
class Pool:
    """How the states of tokens become one vector.

    Attributes:
        modes: what is computed; the results are joined in this order.
        include_prompt: whether the tokens of the prompt count.
    """

    modes: tuple[Mode, ...]
    include_prompt: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Dense:
    """A linear layer.

    Attributes:
        folder: where its weights are.
        inputs: width that it takes.
        outputs: width that it gives.
        activation: class of torch.nn that follows it.
        residual: whether its input is added to what it gives.
    """

    folder: str
    inputs: int
    outputs: int
    activation: str
    residual: bool


@dataclass(frozen=True, slots=True)
class UnitNorm:
    """Every row gets length one."""


@dataclass(frozen=True, slots=True)
class Leading:
    """Only the first dimensions are kept."""

    dim: int


Stage = Dense | UnitNorm | Leading


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A model, part by part.

    Attributes:
        static: whether the body is a table of token vectors, not a transformer.
        body: folder of the body inside the model's, "" for the same one.
        folders: those of the modules after it.
        pool: how states are pooled; None where the model does not say, or is static.
        stages: what follows, in order.
        prompts: name -> text that goes before every text.
        default_prompt: name of the prompt that is used unasked.
        max_tokens: tokens to which the model's authors limit a text.
        lower: whether texts are lowered before the tokenizer sees them.
    """

    static: bool = False
    body: str = ""
    folders: tuple[str, ...] = ()
    pool: Pool | None = None
    stages: tuple[Stage, ...] = ()
    prompts: Mapping[str, str] = field(default_factory=dict[str, str])
    default_prompt: str | None = None
    max_tokens: int | None = None
    lower: bool = False

    @property
    def patterns(self) -> tuple[str, ...]:
        """The files that decide the model's numbers, relative to its folder."""
        names = [str(PurePosixPath(self.body, file)) for file in (*checkpoints.FILES, _OWN)]
        names += ["modules.json", "config_sentence_transformers.json"]
        for folder in self.folders:
            names += [f"{folder}/config.json", f"{folder}/model.safetensors"]
        return tuple(names)

    def ending(self, *, normalize: bool | None) -> tuple[Stage, ...]:
        """Returns the stages, with or without unit length at the end; None leaves them alone."""
        stages = list(self.stages)
        while normalize is not None and stages and isinstance(stages[-1], UnitNorm):
            stages.pop()
        return (*stages, UnitNorm()) if normalize else tuple(stages)

    def width(self, hidden: int, modes: int) -> int:
        """Returns the width of a row.

        Args:
            hidden: width of a token's state.
            modes: number of joined poolings.

        Raises:
            WeightsError: a linear layer takes another width than it gets.
        """
        width = hidden * modes
        for stage in self.stages:
            if isinstance(stage, Dense):
                if stage.inputs != width:
                    raise WeightsError(
                        f"{stage.folder} takes {stage.inputs} dimensions and gets {width}: the "
                        "pooling is not the one that the model was made with"
                    )
                width = stage.outputs
            elif isinstance(stage, Leading):
                width = min(width, stage.dim)
        return width


def read_layout(folder: Path) -> Layout:
    """Reads what a model directory says of itself; a plain encoder says nothing.

    Raises:
        WeightsError: a file is broken, or a module is none of those that molkd knows.
    """
    path = folder / "modules.json"
    if not path.is_file():
        return Layout()
    try:
        modules: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
        parts = [
            (_kind(folder, entry["type"]), _inside(folder, entry["path"])) for entry in modules
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise WeightsError(f"{path} is no list of modules: {error}") from error
    if not parts or parts[0][0] not in {"Transformer", "StaticEmbedding"}:
        raise WeightsError(f"{path}: the first module must be Transformer or StaticEmbedding")
    kind, body = parts[0]
    static = kind == "StaticEmbedding"
    pools = [place for kind, place in parts if kind == "Pooling"]
    if len(pools) != (0 if static else 1) or (pools and parts[1][0] != "Pooling"):
        raise WeightsError(f"{path}: a Transformer must be followed by one Pooling, and only it")
    general = _config(folder / "config_sentence_transformers.json")
    own = {} if static else _transformer(folder / body)
    return Layout(
        static=static,
        body=body,
        folders=tuple(place for _, place in parts[1:] if place),
        pool=None if static else _pool(folder / pools[0]),
        stages=_stages(folder, parts[1:], general.get("truncate_dim")),
        prompts={name: text or "" for name, text in general.get("prompts", {}).items()},
        default_prompt=general.get("default_prompt_name"),
        max_tokens=own.get("max_seq_length"),
        lower=bool(own.get("do_lower_case", False)),
    )


def usual_pool(config: Any) -> Pool:
    """Returns how sentence-transformers pools a model that says nothing of it itself."""
    saved_as = (getattr(config, "architectures", None) or [""])[0]
    decodes = saved_as.endswith("ForCausalLM") and getattr(config, "is_causal", True)
    return Pool(("lasttoken" if decodes else "mean",))


def _kind(folder: Path, reference: str) -> str:
    package, _, kind = reference.rpartition(".")
    if package.partition(".")[0] != "sentence_transformers":
        raise WeightsError(
            f"{folder}: module {reference!r} needs code from its own repository, and molkd runs "
            "no code that comes with a checkpoint"
        )
    if kind not in _KNOWN:
        raise WeightsError(
            f"{folder}: module {kind!r} is unknown; molkd knows {', '.join(_KNOWN)}. "
            "Embed the texts with sentence-transformers and offer a teacher object of your own"
        )
    return kind


def _inside(folder: Path, path: str) -> str:
    parts = PurePosixPath(path).parts
    if PurePosixPath(path).is_absolute() or ".." in parts:
        raise WeightsError(f"{folder}: the path {path!r} of a module leads out of the model")
    return "/".join(parts)


def _config(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        return files.read_json(path)
    except CorruptFileError as error:
        raise WeightsError(str(error)) from error


def _transformer(folder: Path) -> dict[str, Any]:
    """Returns max_seq_length and do_lower_case of a Transformer that gives states of tokens."""
    path = next(iter(sorted(folder.glob(_OWN))), folder / "none")
    config = _config(path)
    reading = config.get("modality_config", {}).get("text", {})
    unusual = {
        "transformer_task": (config.get("transformer_task"), "feature-extraction"),
        "module_output_name": (config.get("module_output_name"), "token_embeddings"),
        "method": (reading.get("method"), "forward"),
        "method_output_name": (reading.get("method_output_name"), "last_hidden_state"),
    }
    for key, (value, usual) in unusual.items():
        if value not in {None, usual}:
            raise WeightsError(f"{path}: {key} is {value!r}; molkd knows {usual!r} only")
    return config


def _pool(folder: Path) -> Pool:
    config = _config(folder / "config.json")
    modes = config.get("pooling_mode")
    if modes is None:
        modes = [mode for switch, mode in _OLD_MODES.items() if config.get(switch)] or ["mean"]
    chosen: tuple[Any, ...] = (modes,) if isinstance(modes, str) else tuple(modes)
    strange = sorted(set(chosen) - set(MODES))
    if strange:
        raise WeightsError(f"{folder}: unknown pooling {strange}; molkd knows {', '.join(MODES)}")
    return Pool(chosen, bool(config.get("include_prompt", True)))


def _stages(folder: Path, parts: list[tuple[str, str]], leading: int | None) -> tuple[Stage, ...]:
    stages: list[Stage] = []
    for kind, place in parts:
        config = _config(folder / place / "config.json") if kind in {"Dense", "Normalize"} else {}
        for key in ("module_input_name", "module_output_name"):
            if config.get(key) not in {None, _SENTENCE}:
                raise WeightsError(f"{folder / place}: {key} is {config[key]!r}, not {_SENTENCE!r}")
        if kind == "Normalize":
            stages.append(UnitNorm())
        elif kind == "Dense":
            stages.append(_dense(folder, place, config))
    return (*stages, Leading(leading)) if leading else tuple(stages)


def _dense(folder: Path, place: str, config: Mapping[str, Any]) -> Dense:
    activation = str(config.get("activation_function", "torch.nn.modules.activation.Tanh"))
    package, _, name = activation.rpartition(".")
    try:
        return Dense(
            folder=place,
            inputs=int(config["in_features"]),
            outputs=int(config["out_features"]),
            activation=name if package.startswith("torch.nn") else activation,
            residual=bool(config.get("use_residual", False)),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise WeightsError(f"{folder / place}/config.json is no linear layer: {error}") from error
