"""Flags that are made from settings: named, explained and refused as in TOML and in Python."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer.main

from molkd import cli
from molkd.cli import distill, embed
from molkd.distillation.schedule import TrainSettings
from molkd.distillation.settings import DistillSettings
from molkd.embedding import EmbedSettings
from molkd.errors import ConfigError, MolkdError
from molkd.formats import READERS, WRITERS
from molkd.objectives import configured
from molkd.students import GineSettings


def _option(command: str, name: str) -> Any:
    group: Any = typer.main.get_command(cli.app)
    return next(one for one in group.commands[command].params if name in one.opts)


def _from_flags(tmp_path: Path, *options: str) -> None:
    source = tmp_path / "in.smi"
    source.write_text("CCO\n")
    command = ["distill", "-i", str(source), "-o", str(tmp_path / "out"), "-t", "maccs", *options]
    cli.app(command, standalone_mode=False)


def _from_toml(tmp_path: Path, text: str) -> None:
    config = tmp_path / "settings.toml"
    config.write_text(text)
    _from_flags(tmp_path, "--config", str(config))


WAYS: dict[str, tuple[tuple[str, ...], str, Callable[[], object], str]] = {
    "a number out of range": (
        ("--epochs", "0"),
        "[train]\nepochs = 0",
        lambda: TrainSettings(epochs=0),
        "train.epochs must be at least 1, not 0",
    ),
    "a name that is none of the choices": (
        ("--readout", "maen"),
        "[student]\nreadout = 'maen'",
        lambda: GineSettings(readout="maen"),  # pyright: ignore[reportArgumentType]
        (
            "student.readout: expected one of mean, sum, mean+sum, attention, got 'maen'. Did you "
            "mean 'mean' or 'mean+sum'?"
        ),
    ),
    "a choice of another modality": (
        ("--split", "scafold"),
        "split = 'scafold'",
        lambda: DistillSettings(split="scafold"),
        (
            "split: expected one of random, scaffold for molecules, got 'scafold'. Did you mean "
            "'scaffold'?"
        ),
    ),
    "an option of another objective": (
        ("--objective", "mse", "--densities", "maccs=bernoulli"),
        "[objective]\nname = 'mse'\ndensities = {maccs = 'bernoulli'}",
        lambda: configured("mse", {"densities": {"maccs": "bernoulli"}}),
        "unknown setting 'densities'",
    ),
    "an unknown objective": (
        ("--objective", "unik"),
        "[objective]\nname = 'unik'",
        lambda: configured("unik"),
        "unknown objective 'unik'. Did you mean 'unic'?",
    ),
    "a teacher twice": (
        ("-t", "maccs"),
        "teachers = ['maccs', 'maccs']",
        lambda: DistillSettings(teachers=("maccs", "maccs")),
        "teachers named more than once: maccs",
    ),
    "an adaptor of a teacher that is not there": (
        ("--keep-adaptors", "ecfp4,macs"),
        "keep_adaptors = ['macs']",
        lambda: DistillSettings(teachers=("maccs",), keep_adaptors=("macs",)).check(),
        "is not among the teachers, which are maccs.",
    ),
    "components of a teacher that is not there": (
        ("--pca", "ecfp4=3"),
        "pca = {ecfp4 = 3}",
        lambda: DistillSettings(teachers=("maccs",), pca={"ecfp4": 3}).check(),
        "pca: 'ecfp4' is not among the teachers, which are maccs.",
    ),
}


@pytest.mark.parametrize("case", WAYS)
def test_a_flag_a_file_and_python_are_refused_in_the_same_words(tmp_path: Path, case: str) -> None:
    flags, toml, python, message = WAYS[case]
    with pytest.raises(MolkdError) as typed:
        _from_flags(tmp_path, *flags)
    with pytest.raises(MolkdError) as called:
        python()
    if "teachers" not in toml:  # the command of this test names one
        with pytest.raises(MolkdError) as written:
            _from_toml(tmp_path, toml)
        assert message in str(written.value)
    assert message in str(typed.value)
    assert message in str(called.value)


@pytest.mark.parametrize(
    ("kind", "flags"), [(DistillSettings, distill.FLAGS), (EmbedSettings, embed.STUDENT_FLAGS)]
)
def test_every_flag_has_its_words_from_the_docstring(kind: type, flags: tuple[Any, ...]) -> None:
    for flag in flags:
        described = flag.described(kind)
        help_text = described.annotation.__metadata__[0].help
        assert len(help_text) > 10, flag
        assert help_text[0].isupper(), flag
        assert described.default is None, flag


def test_defaults_of_the_settings_are_shown() -> None:
    assert _option("distill", "--lr").help == "Highest learning rate of AdamW. Default: 0.001."
    assert _option("distill", "--keep-adaptors").help.endswith("are named, or of all.")


def test_formats_in_help_are_those_that_there_are() -> None:
    assert ", ".join(WRITERS) in _option("embed", "--format").help
    assert ", ".join(READERS) in _option("embed", "--input-format").help


def test_values_that_are_several_are_separated_by_commas_or_repeated(tmp_path: Path) -> None:
    flag = next(flag for flag in distill.FLAGS if flag.field == "objective.matryoshka_dims")
    assert flag.read(DistillSettings, ["8,16", "32"]) == [8, 16, 32]
    flag = next(flag for flag in distill.FLAGS if flag.field == "pca")
    assert flag.read(DistillSettings, ["a=1,b=2"]) == {"a": 1, "b": 2}
    with pytest.raises(ConfigError, match=r"--pca: expected teacher=value,\.\.\., got 'a'"):
        flag.read(DistillSettings, ["a"])
    with pytest.raises(ConfigError, match="--set: expected key=value"):
        _from_flags(tmp_path, "--set", "train.epochs")


@pytest.mark.parametrize(
    ("typed", "toml", "adapted"),
    [
        ((), "", ()),
        (("--keep-adaptors",), "keep_adaptors = true", ("maccs", "erg")),
        (("--keep-adaptors=false",), "keep_adaptors = false", ()),
        (("--keep-adaptors", "erg"), "keep_adaptors = ['erg']", ("erg",)),
        (("--keep-adaptors", "erg,erg"), "keep_adaptors = ['erg', 'erg']", ("erg",)),
    ],
)
def test_adaptors_of_all_of_none_or_of_some(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    typed: tuple[str, ...],
    toml: str,
    adapted: tuple[str, ...],
) -> None:
    seen: list[tuple[str, ...]] = []

    def distil(
        _items: object, _panel: object, _out: object, settings: DistillSettings, **_: object
    ):
        seen.append(settings.adapted)
        raise ConfigError("enough")

    monkeypatch.setattr("molkd.api.distill", distil)
    config = tmp_path / "settings.toml"
    config.write_text(toml)
    for given in (typed, ("--config", str(config))):
        with pytest.raises(ConfigError, match="enough"):
            _from_flags(tmp_path, *given, "-t", "erg")
    assert seen == [adapted, adapted]
