"""Names of the first version still work, and say what they are called now."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from molkd import cli, deprecated, objectives
from molkd.distillation.schedule import TrainSettings
from molkd.distillation.settings import DistillSettings
from molkd.errors import ConfigError
from molkd.objectives import configured
from molkd.objectives.diverse.settings import DiverseSettings
from molkd.objectives.settings import HeadwiseSettings, UnicSettings
from molkd.runtime import settings
from molkd.students import GineSettings, make
from molkd.students.settings_text import TextSettings
from molkd.tensors import FeatureSpec, TargetSpec
from molkd.types import TeacherCard

NAMES = [
    (module, old, new) for module, names in deprecated.NAMES.items() for old, new in names.items()
]


@pytest.mark.parametrize(("old", "new"), deprecated.MODULES.items())
def test_a_module_that_moved_is_found(old: str, new: str) -> None:
    sys.modules.pop(old, None)
    with pytest.warns(FutureWarning, match=f"{old} is now {new}"):
        module = importlib.import_module(old)
    public = next(name for name in vars(importlib.import_module(new)) if name[0] != "_")
    assert getattr(module, public) is getattr(importlib.import_module(new), public)
    with pytest.raises(AttributeError, match="nothing"):
        _ = module.nothing


@pytest.mark.parametrize(("module", "old", "new"), NAMES)
def test_a_name_that_changed_is_found(module: str, old: str, new: str) -> None:
    home = importlib.import_module(module)
    with pytest.warns(FutureWarning, match=f"{old} is now .*{new}"):
        assert getattr(home, old) is getattr(home, new)
    with pytest.raises(AttributeError, match="nothing"):
        _ = home.nothing


@pytest.mark.parametrize(
    "kind", [DistillSettings, HeadwiseSettings, UnicSettings, DiverseSettings, TextSettings]
)
def test_fields_are_taken_by_old_names_in_python_and_in_toml(kind: type) -> None:
    size = {"size": "bert-tiny"} if kind is TextSettings else {}
    for old, new in kind.renamed.items():
        value = {"train": TrainSettings(epochs=3)}.get(new, getattr(kind(**size), new))
        with pytest.warns(FutureWarning, match=f"the setting {old} is now {new}"):
            made = kind(**size, **{old: value})
        with pytest.warns(FutureWarning, match=f"the setting {old} is now {new}"):
            assert getattr(made, old) == getattr(made, new) == value
    name = {UnicSettings: "unic", DiverseSettings: "diverse"}.get(kind)
    if name:
        with pytest.warns(FutureWarning, match="is now"):
            assert configured(name, {next(iter(kind.renamed)): 0.25})


def test_a_settings_file_of_the_first_version_is_read(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text("[plan]\nepochs = 3\n[objective]\nname = 'mse'\nprefixes = [8]\ndrop = 0.5\n")
    with pytest.warns(FutureWarning, match="is now"):
        loaded = settings.load(DistillSettings, path)
    assert loaded.train.epochs == 3
    assert (loaded.objective.matryoshka_dims, loaded.objective.teacher_drop_prob) == ((8,), 0.5)


def test_one_value_under_both_names_is_refused() -> None:
    with pytest.raises(ConfigError, match="prefixes and matryoshka_dims are one setting"):
        HeadwiseSettings(prefixes=(8,), matryoshka_dims=(8,))


def test_a_student_is_cut_by_the_old_name() -> None:
    student = make(GineSettings(size="tiny"))
    with pytest.warns(FutureWarning, match=r"Student\.cut is now Student\.truncate"):
        assert student.cut(16).embedding_dim == 16
    with pytest.warns(FutureWarning, match=r"Student\.prepare is now Student\.featurize"):
        assert len(student.prepare(["CCO"])) == 1


def test_functions_of_objectives_have_their_old_names() -> None:
    mse = configured("mse")
    card = TeacherCard(
        name="a", kind="", dim=2, support="bits", source="", license="", limits="", modality="texts"
    )
    spec = TargetSpec(2, "real", torch.zeros(2))
    with pytest.warns(FutureWarning, match=r"objectives\.make is now settings\.build"):
        assert objectives.make(mse, FeatureSpec(3), {"a": spec}).settings == mse
    with pytest.warns(FutureWarning, match=r"target_form is now settings\.form"):
        assert objectives.target_form(mse, card) == mse.form(card)
    with pytest.warns(FutureWarning, match=r"objective_type is now OBJECTIVES\.resolve"):
        assert objectives.objective_type("mse") is mse.objective
    with pytest.raises(AttributeError, match="nothing"):
        _ = objectives.nothing


def test_a_card_says_what_it_reads_by_the_old_name() -> None:
    facts = {"kind": "", "dim": 2, "support": "bits", "source": "", "license": "", "limits": ""}
    with pytest.warns(FutureWarning, match="reads is now modality"):
        card = TeacherCard(name="a", reads="texts", **facts)
    with pytest.warns(FutureWarning, match="reads is now modality"):
        assert card.reads == card.modality == "texts"


def test_options_and_commands_have_their_old_spellings(tmp_path: Path, capsys) -> None:
    folder = tmp_path / "student"
    make(GineSettings(size="tiny")).save_pretrained(folder)
    cli.app(["cut", str(folder), "-d", "16", "-o", str(tmp_path / "short")], standalone_mode=False)
    assert "cut is now truncate" in capsys.readouterr().err


def test_the_command_line_says_so_in_one_line(tmp_path: Path) -> None:
    config = tmp_path / "old.toml"
    config.write_text("[plan]\nepoks = 1\n")
    code = "import sys; from molkd.cli import main; sys.argv[0] = 'molkd'; main()"
    command = ["distill", "-i", "none.smi", "-o", "out", "-t", "maccs", "--config", str(config)]
    done = subprocess.run(
        [sys.executable, "-c", code, *command], capture_output=True, text=True, check=False
    )
    told, error = done.stderr.splitlines()
    assert told == (
        "molkd: the setting plan is now train; the old name goes with the next release of molkd"
    )
    assert error.startswith("molkd: unknown setting 'epoks' in [train]. Did you mean 'epochs'?")


def test_the_warning_points_at_the_line_of_the_caller(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "from molkd.plan import Plan\nPlan(epochs=1)\nimport molkd.items\nmolkd.items.KINDS\n"
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True)
    assert "script.py:1: FutureWarning: molkd.plan is now" in done.stderr
    assert "script.py:4: FutureWarning: molkd.items.KINDS is now" in done.stderr


@pytest.mark.parametrize(
    ("overrides", "epochs", "dims"),
    [
        ({"train.epochs": 1}, 1, (8,)),
        ({"plan.epochs": 1}, 1, (8,)),
        ({"objective.matryoshka_dims": [4]}, 3, (4,)),
        ({"objective.prefixes": [4], "objective.name": "unic"}, 3, (4,)),
    ],
)
def test_what_is_typed_overrides_a_file_under_either_name(
    tmp_path: Path, overrides: dict[str, object], epochs: int, dims: tuple[int, ...]
) -> None:
    path = tmp_path / "old.toml"
    path.write_text("[plan]\nepochs = 3\n[objective]\nprefixes = [8]\n")
    with pytest.warns(FutureWarning, match="is now"):
        loaded = settings.load(DistillSettings, path, overrides)
    assert (loaded.train.epochs, loaded.objective.matryoshka_dims) == (epochs, dims)
    assert loaded.objective.name == overrides.get("objective.name", "mi")


def test_states_of_atoms_are_asked_for_by_the_new_name() -> None:
    class Old:
        atom_dim = 2

        def embed_atoms(self, items: list[str]) -> int:
            return len(items)

    teacher: Any = Old()
    with pytest.warns(FutureWarning, match="Old.embed_atoms is now embed_nodes"):
        deprecated.add_node_names(teacher)
    assert (teacher.node_dim, teacher.embed_nodes(["C"])) == (2, 1)
    deprecated.add_node_names(teacher)  # says so once
