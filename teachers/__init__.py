"""Frozen encoders of molecules, texts and images, one family per file, by name.

Nothing is imported before it is made. A name is one of the built-in ones, one that another
distribution offers through the entry point group "molkd.teachers", or a prefix with a name of the
library behind it: "hf:", "molfeat:", "deepchem:", "molkd:"; "st:" and "lsa:" for texts,
"hf-vision:" and "timm:" for images, "depict:" and "describe:" to show them molecules.
"""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast
from warnings import warn

from molkd.errors import ConfigError, UnknownNameError
from molkd.registry import Registry
from molkd.teachers.hub_models import NAMED
from molkd.teachers.text.named import NAMED as TEXT_MODELS
from molkd.teachers.vision.named import NAMED as IMAGE_MODELS
from molkd.types import Card, Teacher

if TYPE_CHECKING:  # it loads torch
    from molkd.live import LiveTeacher

if __name__ != "molkd.teachers":
    raise ImportError("import molkd.teachers, not teachers")

ENTRY_POINTS: Final = "molkd.teachers"
"""Group in which other distributions offer teachers: name -> class or factory, no arguments."""

PREFIXES: Final = {
    "hf": ("molkd.teachers.huggingface:HuggingFaceTeacher", "model"),
    "molfeat": ("molkd.teachers.molfeat_adapter:MolfeatTeacher", "featurizer"),
    "deepchem": ("molkd.teachers.deepchem_adapter:DeepChemTeacher", "featurizer"),
    "molkd": ("molkd.featurizers.transformer:MolKDTransformer", "model"),
    "st": ("molkd.teachers.text.sentence_encoder:SentenceEncoder", "model"),
    "lsa": ("molkd.teachers.text.latent_semantic:LatentSemantic", "folder"),
    "hf-vision": ("molkd.teachers.vision.hub_vision:HubVisionTeacher", "model"),
    "timm": ("molkd.teachers.vision.timm_adapter:TimmTeacher", "model"),
    "depict": ("molkd.teachers.through:depicted", "teacher"),
    "describe": ("molkd.teachers.through:described", "teacher"),
}
"""Prefix -> the maker of "prefix:rest", and its parameter that takes the rest."""


def names() -> list[str]:
    """Returns the built-in names, then those of other distributions."""
    return [*_BUILT_IN, *_plugins()]


def make(name: str, *, weights_dir: Path | str | None = None, device: str = "cpu") -> Teacher[Any]:
    """Makes a teacher.

    Args:
        name: a name of `names`, or "prefix:rest"; see `PREFIXES`.
        weights_dir: directory of pretrained weights, for teachers that read some.
        device: where networks run: "cpu", "cuda", "mps"; for teachers that have one.

    Raises:
        UnknownNameError: no such name; the message proposes near ones.
        ConfigError: another distribution offers the name, and what it offers is no teacher.
        MissingExtraError: an optional dependency is not installed.
    """
    prefix, colon, rest = name.partition(":")
    plugins = _plugins()
    if colon and prefix in PREFIXES:
        teacher = _PREFIXED.make(prefix, **{PREFIXES[prefix][1]: rest})
    elif name in plugins:
        teacher = _from_plugin(plugins[name])
    elif colon:
        raise UnknownNameError(
            f"unknown prefix {prefix!r} in {name!r}; the prefixes are {', '.join(PREFIXES)}"
        )
    else:
        teacher = _BUILT_IN.make(name)
    _set_known(teacher, weights_dir=weights_dir, device=device)
    return teacher


def parse_names(text: str) -> list[str]:
    """Splits "a,b,c" into names.

    Raises:
        ConfigError: there is no name, an empty one, or one twice.
    """
    parts = [part.strip() for part in text.split(",")]
    if not all(parts):
        raise ConfigError(f"expected teachers separated by commas, got {text!r}")
    double = sorted({part for part in parts if parts.count(part) > 1})
    if double:
        raise ConfigError(f"teachers named more than once: {', '.join(double)}")
    return parts


def as_teacher(candidate: object) -> Teacher[Any]:
    """Returns the candidate if it fits the protocol `molkd.types.Teacher`.

    Raises:
        ConfigError: it does not; the message lists everything that is missing.
    """
    wrong = _misfits(candidate)
    if wrong:
        raise ConfigError(
            f"{type(candidate).__name__} is not a teacher: {'; '.join(wrong)}. "
            "A teacher has `card` (molkd.types.Card) and `embed(items) -> molkd.types.Embedded`"
        )
    return cast("Teacher[Any]", candidate)


def as_live(teacher: Teacher[Any], *, layer: int | None = None) -> LiveTeacher:
    """Returns a teacher as one that answers questions during training.

    Args:
        teacher: one with a method `live`.
        layer: before which of its layers a question enters, from 0; None is the middle of a
            transformer and the last but one of a graph network.

    Raises:
        ConfigError: it cannot, or has no such layer.
        WeightsError: its weights are missing.
    """
    live = getattr(teacher, "live", None)
    if not callable(live):
        from molkd.teachers.live_tokens import FAMILIES

        raise ConfigError(
            f"teacher {teacher.card.name!r} cannot answer questions; the graph networks (hu-..., "
            f"molclr-gcn) and transformers of type {', '.join(FAMILIES)} can"
        )
    return cast("LiveTeacher", live(layer=layer))


def _misfits(candidate: object) -> list[str]:
    if isinstance(candidate, type):
        return ["it is a class, not an object of it"]
    wrong: list[str] = []
    if not hasattr(candidate, "card"):
        wrong.append("it has no `card`")
    elif not isinstance(cast("Any", candidate).card, Card):
        wrong.append(f"its `card` is a {type(cast('Any', candidate).card).__name__}, not a Card")
    if not callable(getattr(candidate, "embed", None)):
        wrong.append("it has no method `embed`")
    return wrong


def _set_known(teacher: object, **values: object) -> None:
    """Sets those parameters that are given and that the teacher, or one inside it, has."""
    if not hasattr(teacher, "get_params"):
        return
    estimator = cast("Any", teacher)
    given = {key: value for key, value in values.items() if value is not None}
    known = {name: name.rpartition("__")[2] for name in estimator.get_params(deep=True)}
    estimator.set_params(**{name: given[leaf] for name, leaf in known.items() if leaf in given})


def _plugins() -> dict[str, EntryPoint]:
    found: dict[str, EntryPoint] = {}
    for entry in entry_points(group=ENTRY_POINTS):
        if entry.name in _BUILT_IN or entry.name in found or ":" in entry.name:
            warn(
                f"teacher {entry.name!r} of {_distribution(entry)} is ignored: "
                "the name is taken or not allowed",
                stacklevel=3,
            )
        else:
            found[entry.name] = entry
    return found


def _from_plugin(entry: EntryPoint) -> Teacher[Any]:
    try:
        return as_teacher(entry.load()())
    except Exception as error:  # code of others
        raise ConfigError(
            f"teacher {entry.name!r} of {_distribution(entry)} cannot be made: "
            f"{type(error).__name__}: {error}"
        ) from error


def _distribution(entry: EntryPoint) -> str:
    return f"the distribution {entry.dist.name!r}" if entry.dist else "an unknown distribution"


def _built_in() -> Registry[Teacher[Any]]:
    registry: Registry[Teacher[Any]] = Registry("teacher", listing="molkd teachers list")
    fingerprints = "molkd.teachers.fingerprints"
    for radius in (2, 3):
        for suffix, counts in (("", False), ("-count", True)):
            registry.add(
                f"ecfp{2 * radius}{suffix}",
                f"{fingerprints}:MorganTeacher",
                radius=radius,
                counts=counts,
            )
    registry.add("fcfp4", f"{fingerprints}:MorganTeacher", radius=2, features=True)
    registry.add("atom-pair", f"{fingerprints}:AtomPairTeacher")
    registry.add("topological-torsion", f"{fingerprints}:TopologicalTorsionTeacher")
    registry.add("maccs", f"{fingerprints}:MaccsTeacher")
    registry.add("rdkit-path", f"{fingerprints}:RDKitPathTeacher")
    registry.add("avalon", f"{fingerprints}:AvalonTeacher")
    registry.add("erg", "molkd.teachers.pharmacophores:ErgTeacher")
    registry.add("cats2d", "molkd.teachers.pharmacophores:Cats2dTeacher")
    registry.add("rdkit2d", "molkd.teachers.descriptors:Rdkit2dTeacher")
    for architecture in ("gat", "gcn", "graphsage"):
        for pretraining in ("contextpred", "supervised", "supervised_contextpred"):
            registry.add(
                f"hu-{architecture}-{pretraining.replace('_', '-')}",
                "molkd.teachers.pretrained_gnn:PretrainedGnnTeacher",
                architecture=architecture,
                pretraining=pretraining,
            )
    registry.add("molclr-gcn", "molkd.teachers.molclr:MolclrTeacher")
    registry.add("chemical-vae", "molkd.teachers.chemical_vae:ChemicalVaeTeacher")
    registry.add("bimodal", "molkd.teachers.bimodal:BimodalTeacher")
    for layers in (20, 32, 44, 56):
        target = "molkd.teachers.vision.cifar_resnets:CifarResNetTeacher"
        registry.add(f"resnet{layers}-cifar10", target, layers=layers)
    for name, model in NAMED.items():
        target = "molkd.teachers.huggingface:HuggingFaceTeacher"
        registry.add(name, target, extra=None, **model.options)
    for name, image_model in IMAGE_MODELS.items():
        target = "molkd.teachers.vision.hub_vision:HubVisionTeacher"
        registry.add(name, target, **image_model.options)
    registry.add("hashed-ngrams", "molkd.teachers.text.hashed_ngrams:HashedNgrams")
    for name in TEXT_MODELS:
        registry.add(name, "molkd.teachers.text.named:make", known=name)
    return registry


def _prefixed() -> Registry[Teacher[Any]]:
    registry: Registry[Teacher[Any]] = Registry("prefix", listing="molkd teachers list")
    for prefix, (target, _) in PREFIXES.items():
        registry.add(prefix, target)
    return registry


_BUILT_IN: Final = _built_in()
_PREFIXED: Final = _prefixed()
