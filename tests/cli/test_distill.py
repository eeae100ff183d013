"""`molkd distill`: options, files, messages, exit codes, and real teachers of all kinds."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from threadpoolctl import threadpool_limits

from molkd import cli
from molkd.distillation.run import DistillSettings
from molkd.errors import ConfigError, InputError, MolkdError, UnknownNameError
from molkd.objectives.settings import UnicSettings
from molkd.runtime import settings
from molkd.runtime.processes import one_thread
from molkd.students import load

SMILES = ["C" * n + tail for n in range(1, 11) for tail in ("O", "N", "Cl", "c1ccccc1", "C(=O)O")]


@pytest.fixture
def library(tmp_path: Path) -> Path:
    path = tmp_path / "library.csv"
    lines = [f"{smiles},{row}" for row, smiles in enumerate([*SMILES, "xx", ""])]
    path.write_text("smiles,id\n" + "\n".join(lines) + "\n")
    return path


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text(
        "valid_fraction = 0.2\n"
        "[student]\nsize = 'tiny'\nhidden = 16\nlayers = 2\n"
        "[objective]\nhead_hidden = 16\n"
        "[train]\nepochs = 2\nbatch_size = 16\n"
        "[estimate]\nepochs = 1\nhidden = 8\n"
    )
    return path


def _molkd(*arguments: object) -> None:
    """Runs the command in this process; a foreseen error comes out as itself."""
    cli.app([str(argument) for argument in arguments], standalone_mode=False)


def test_a_file_becomes_a_student_and_a_table(library, config, tmp_path, capsys):
    out = tmp_path / "out"
    _molkd("distill", "-i", library, "-o", out, "-t", "ecfp4,maccs", "--config", config, "-j", 1)
    captured = capsys.readouterr()
    header, *rows = [line.split("\t") for line in captured.out.splitlines()]
    assert header[0] == "teacher"
    assert [row[0] for row in rows] == ["ecfp4", "maccs"]
    assert "50 of 52 molecules used" in captured.err
    assert "row 50: SMILES syntax error" in captured.err
    assert load(out).embedding_dim == 128
    effective = settings.load(DistillSettings, out / "settings.toml")
    assert effective.teachers == ("ecfp4", "maccs")
    assert effective.student.hidden == 16


def test_options_override_the_file_and_reach_the_run(library, config, tmp_path):
    out = tmp_path / "out"
    options = ["--epochs", 1, "--embedding-dim", 7, "--readout", "mean", "--lr", 0.01]
    options += ["--seed", 3, "--objective", "mse", "--split", "scaffold", "--pca", "ecfp4=3"]
    options += ["--valid-fraction", 0.3, "--batch-size", 8, "--standardize", "light"]
    options += ["--bank-dtype", "fp32", "--bank", tmp_path / "bank", "-j", 1]
    _molkd("distill", "-i", library, "-o", out, "-t", "ecfp4", "--config", config, *options)
    effective = settings.load(DistillSettings, out / "settings.toml")
    assert (effective.train.epochs, effective.train.lr, effective.train.seed) == (1, 0.01, 3)
    assert (effective.student.embedding_dim, effective.student.readout) == (7, "mean")
    assert (effective.objective.name, effective.split) == ("mse", "scaffold")
    assert (effective.pca, effective.valid_fraction) == ({"ecfp4": 3}, 0.3)
    assert (effective.standardize, effective.bank_dtype) == ("light", "fp32")
    assert effective.train.batch_size == 8
    report = json.loads((out / "report.json").read_text())
    assert report["scores"]["ecfp4"]["dim"] == 3
    assert (tmp_path / "bank" / "bank.json").is_file()


def test_densities_are_chosen_by_teacher(library, config, tmp_path):
    out = tmp_path / "out"
    density = ["--density", "ecfp4=gaussian", "-j", 1]
    _molkd("distill", "-i", library, "-o", out, "-t", "ecfp4", "--config", config, *density)
    assert settings.load(DistillSettings, out / "settings.toml").objective.densities == {
        "ecfp4": "gaussian"
    }


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (["-t", "ecfp5"], UnknownNameError, "Did you mean"),
        (["-t", "ecfp4,ecfp4"], MolkdError, "ecfp4"),
        ([], ConfigError, "name at least one teacher with --teachers"),
        (["-t", "ecfp4", "--objective", "mo"], UnknownNameError, "Did you mean 'mi'"),
        (["-t", "ecfp4", "--student", "bse"], UnknownNameError, "Did you mean 'base'"),
        (["-t", "ecfp4", "--density", "ecfp4"], ConfigError, "expected teacher=value"),
        (["-t", "ecfp4", "--pca", "ecfp4=x"], ConfigError, "pca.ecfp4: expected an integer"),
        (["-t", "ecfp4", "--pca", "maccs=3"], ConfigError, "'maccs' is not among the teachers"),
        (["-t", "ecfp4", "--density", "maccs=bernoulli"], ConfigError, "is not among the teachers"),
        (["-t", "ecfp4", "--device", "cuda:99"], ConfigError, "is not available here"),
        (["-t", "ecfp4", "--column", "smile"], InputError, "smiles"),
    ],
)
def test_mistakes_are_named(library, tmp_path, options, error, message):
    with pytest.raises(error, match=message):
        _molkd("distill", "-i", library, "-o", tmp_path / "out", *options)


def test_an_unknown_setting_is_refused(library, tmp_path):
    config = tmp_path / "bad.toml"
    config.write_text("[train]\nepoch = 3\n")
    with pytest.raises(ConfigError, match=r"unknown setting 'epoch' in \[train\]. Did"):
        _molkd("distill", "-i", library, "-o", tmp_path / "o", "-t", "ecfp4", "--config", config)


def test_an_empty_file_is_refused(tmp_path):
    empty = tmp_path / "empty.smi"
    empty.touch()
    with pytest.raises(InputError, match="is empty"):
        _molkd("distill", "-i", empty, "-o", tmp_path / "out", "-t", "ecfp4")


def test_a_killed_command_goes_on_to_the_same_student(library, config, tmp_path):
    def command(out: Path) -> list[str]:
        return [
            *("distill", "-i", str(library), "-o", str(out), "-t", "ecfp4,maccs", "--jobs", "1"),
            *("--config", str(config), "--epochs", "12"),
        ]

    program = [sys.executable, "-c", "from molkd.cli import main; main()"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": environment}
    killed = subprocess.Popen([*program, *command(tmp_path / "killed")], **quiet)
    checkpoints = tmp_path / "killed" / "checkpoints"
    while killed.poll() is None and not list(checkpoints.glob("step-*")):
        time.sleep(0.02)
    killed.send_signal(signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL
    with threadpool_limits(1), one_thread():
        for folder in ("whole", "killed"):
            _molkd(*command(tmp_path / folder))
    for name in ("model.safetensors", "metrics.jsonl", "report.json"):
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "killed" / name).read_bytes()


def test_real_teachers_of_all_kinds_and_a_transformer_join_one_run(
    library, config, tmp_path, shared, capsys
):
    from molkd.benchmarks.scripts.train_roberta import Recipe, train

    recipe = Recipe(hidden=32, layers=1, longest=32, batch=16, warmup=5)
    train(SMILES, tmp_path / "roberta", steps=10, recipe=recipe)
    names = f"rdkit2d,erg,hu-gcn-contextpred,molclr-gcn,chemical-vae,bimodal,hf:{tmp_path}/roberta"
    out = tmp_path / "out"
    weights = ["--weights-dir", shared / "weights"]
    _molkd("distill", "-i", library, "-o", out, "-t", names, "--config", config, *weights, "-j", 1)
    rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()[1:]]
    assert [row[0] for row in rows] == [*names.split(",")[:-1], "roberta"]
    scores = json.loads((out / "report.json").read_text())["scores"]
    assert all(score["rows"] > 0 for score in scores.values())


def test_any_setting_can_be_set_and_adaptors_kept(library, config, tmp_path):
    out = tmp_path / "out"
    extra = [
        "--set",
        "objective.teacher_drop_prob=0.25",
        "--set",
        "objective.average=rows",
        "--matryoshka-dims",
        "8,32",
    ]
    common = ["-i", library, "-o", out, "-t", "maccs", "--config", config, "-j", 1]
    _molkd("distill", "--keep-adaptors", *common, "--objective", "unic", *extra)
    effective = settings.load(DistillSettings, out / "settings.toml").objective
    assert effective == UnicSettings(
        head_hidden=16, teacher_drop_prob=0.25, average="rows", matryoshka_dims=(8, 32)
    )
    assert load(out).predict_teacher(["CCO"], "maccs").mean.shape == (1, 167)


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--set", "objective.drop", "expected key=value"),
        ("--set", "objective.dorp=1", "unknown setting 'dorp'.*Did you mean 'drop_by'"),
        ("--set", "objective.densities.maccs=1", "expected a text, got 1"),
        ("--matryoshka-dims", "8,x", r"matryoshka_dims.1.: expected an integer"),
        ("--matryoshka-dims", "4096", "shorter than the embedding, which has 128"),
        ("--objective", "nowhere:Thing", "cannot be imported"),
    ],
)
def test_settings_that_cannot_be_are_refused(library, config, tmp_path, option, value, said):
    common = ["-i", library, "-o", tmp_path / "out", "-t", "maccs", "--config", config, "-j", 1]
    with pytest.raises(MolkdError, match=said):
        _molkd("distill", *common, option, value)
