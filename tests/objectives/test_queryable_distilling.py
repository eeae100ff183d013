"""Whole distillations that ask real live teachers: bits, resuming, what is kept and refused."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from molkd import cli, teachers
from molkd.bank import Bank
from molkd.distillation.run import Distilled, DistillSettings, distill
from molkd.distillation.schedule import TrainSettings
from molkd.distillation.trainer import Distiller
from molkd.errors import ConfigError, MolkdError, StaleBankError
from molkd.information.settings import EstimatorSettings
from molkd.objectives import configured
from molkd.runtime import settings
from molkd.students import GineSettings
from molkd.targets.fitting import fit_scaling
from molkd.targets.reader import TargetReader
from molkd.teachers.hub.smiles import HuggingFaceTeacher
from tests.teachers import tiny_models

SMILES = ["C" * n + tail for n in range(1, 11) for tail in ("O", "N", "Cl", "C(=O)O")]
UNREADABLE = "C[Te]C*"  # to the graph network and to the tokenizer
STUDENT = GineSettings(size="tiny", hidden=16, layers=2, embedding_dim=8)
PLAN = TrainSettings(epochs=2, batch_size=16)
GRAPH = "hu-gcn-contextpred"


@dataclass
class Run:
    """A live teacher, what it said before, and the distillation that asked it."""

    teacher: Any
    before: np.ndarray
    folder: Path
    result: Distilled

    @property
    def name(self) -> str:
        return self.teacher.card.name


def _distil(folder: Path, teacher: Any, plan: TrainSettings = PLAN, **options: Any) -> Distilled:
    options = {"query_hidden": 16, "queried": (teacher.card.name,), **options}
    wanted = DistillSettings(
        student=STUDENT,
        objective=configured("diverse", options),
        train=plan,
        valid_fraction=0.2,
        estimate=EstimatorSettings(epochs=1, hidden=8),
    )
    made = [teachers.make("maccs"), teacher]
    return distill([*SMILES, UNREADABLE], made, folder, wanted, device="cpu", progress=False)


@pytest.fixture(scope="module", params=[GRAPH, "bert"])
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == GRAPH:
        teacher: Any = teachers.make(
            GRAPH, weights_dir=request.getfixturevalue("shared") / "weights"
        )
    else:
        bert = tiny_models.bert(folder / "bert")
        teacher = HuggingFaceTeacher(str(bert), on_invalid="null")
    before = teacher.embed(SMILES).values
    return Run(teacher, before, folder / "out", _distil(folder / "out", teacher))


def _network(teacher: Any) -> torch.nn.Module:
    return getattr(teacher._ready(), "model", teacher._ready())


def test_a_teacher_is_asked_about_every_item_it_can_read(run: Run) -> None:
    for record in run.result.history:
        assert record[f"train/live forwards {run.name}"] == 1
        assert record["train/filtered"] == 0
    other = _distil(run.folder.parent / "bank", run.teacher, queried=())
    assert not any("live" in name for record in other.history for name in record)
    assert other.student.digest != run.result.student.digest


def test_a_teacher_is_as_it_was(run: Run) -> None:
    network = _network(run.teacher)
    assert not any(module.training for module in network.modules())
    assert not any(
        module._forward_hooks or module._forward_pre_hooks for module in network.modules()
    )
    assert not any(one.requires_grad or one.grad is not None for one in network.parameters())
    np.testing.assert_array_equal(run.teacher.embed(SMILES).values, run.before)


def test_no_weight_of_a_teacher_is_kept(run: Run) -> None:
    newest = max((run.folder / "checkpoints").glob("step-*"))
    state = torch.load(newest / "state.pt", weights_only=True)
    tops = {name.split(".")[0] for name in state["objective"]}
    assert tops == {"querying", "answers", "anchors", "threshold"}
    own = [name for name in state["objective"] if name.startswith(f"answers.to {run.name}")]
    parts = {name.removeprefix(f"answers.to {run.name}.").split(".")[0] for name in own}
    assert parts == {"scale", "ask", "answer"}
    assert set(state["student"]) == set(run.result.student.state_dict())


class _KilledError(RuntimeError):
    pass


def test_a_killed_run_resumes_to_the_same_bits(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learn, left = Distiller._learn, 3

    def counted(*args: Any) -> None:
        nonlocal left
        if not left:
            raise _KilledError
        left -= 1
        learn(*args)

    often = dataclasses.replace(PLAN, checkpoint_minutes=0.0)
    with monkeypatch.context() as patch:
        patch.setattr(Distiller, "_learn", counted)
        with pytest.raises(_KilledError):
            _distil(tmp_path, run.teacher, often)
    resumed = _distil(tmp_path, run.teacher, often)
    assert resumed.history == run.result.history
    assert resumed.student.digest == run.result.student.digest


def test_a_run_that_asks_others_is_another_run(run: Run) -> None:
    others: list[dict[str, Any]] = [{"queried": ()}, {"skip_fraction": 0.3}]
    for options in others:
        with pytest.raises(ConfigError, match="other settings, teachers or items"):
            _distil(run.folder, run.teacher, **options)


def test_a_filtered_teacher_is_not_run(run: Run, tmp_path: Path) -> None:
    history = _distil(tmp_path, run.teacher, skip_fraction=0.4, warmup=0.5).history
    share = f"live forwards {run.name}"
    assert [history[0][f"train/{what}"] for what in (share, "filtered")] == [1, 0]
    assert history[1]["train/filtered"] == pytest.approx(0.4, abs=0.05)
    assert history[1][f"train/{share}"] < 0.5  # the less important of the two


def test_the_reader_hands_over_the_items_of_its_rows(run: Run) -> None:
    bank = Bank.open(run.folder / "bank")
    live = teachers.as_queryable(run.teacher)
    train = np.arange(len(SMILES))
    scaling = fit_scaling(bank, "maccs", train, form="standardized")
    reader = TargetReader(bank, {"maccs": scaling}, queryable={run.name: live})
    rows = np.array([7, 0, len(SMILES), 3])
    batch = reader.targets(rows).to(torch.device("cpu")).queried[run.name]
    assert batch.present.tolist() == [True, True, False, True]
    said = live.answer(batch, None).numpy()
    np.testing.assert_allclose(said[[0, 1, 3]], run.before[[7, 0, 3]], rtol=1e-4, atol=1e-5)
    assert not TargetReader(bank, {"maccs": scaling}).targets(rows).queried


def test_a_teacher_with_other_weights_is_refused(tmp_path: Path) -> None:
    for seed in (0, 1):
        folder = tiny_models.bert(tmp_path / "bert", seed=seed)
        teacher = HuggingFaceTeacher(str(folder), on_invalid="null")
        if seed == 0:
            _distil(tmp_path / "out", teacher)
            continue
        with pytest.raises(StaleBankError, match="bert"):
            _distil(tmp_path / "out", teacher)


# The command line


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    library = tmp_path / "library.smi"
    library.write_text("\n".join(SMILES) + "\n")
    config = tmp_path / "small.toml"
    config.write_text(
        "valid_fraction = 0.2\n[student]\nsize = 'tiny'\nhidden = 16\nlayers = 2\n"
        "[objective]\nname = 'diverse'\nquery_hidden = 16\n"
        "[train]\nepochs = 1\nbatch_size = 16\n[estimate]\nepochs = 1\nhidden = 8\n"
    )
    return ["distill", "-i", str(library), "--config", str(config), "-j", "1", "--device", "cpu"]


def test_live_teachers_are_chosen_on_the_command_line(command: list[str], tmp_path: Path) -> None:
    folder, out = tiny_models.bert(tmp_path / "bert"), tmp_path / "out"
    command += ["-o", str(out), "-t", f"maccs,hf:{folder}", "--set", 'objective.queried=["bert"]']
    cli.app(command, standalone_mode=False)
    chosen = settings.load(DistillSettings, out / "settings.toml").objective
    assert chosen == configured("diverse", {"query_hidden": 16, "queried": ["bert"]})
    assert '"train/live forwards bert": 1.0' in (out / "metrics.jsonl").read_text()


@pytest.mark.parametrize(
    ("live", "said"),
    [
        (
            '["mac"]',
            r"objective.queried: 'mac' is not among .* maccs, ecfp4. Did you mean 'maccs'\?",
        ),
        ('["maccs"]', "teacher 'maccs' cannot answer queries: graph networks"),
        ("maccs", re.escape("objective.queried: expected a list, got 'maccs'")),
    ],
)
def test_who_cannot_be_asked_is_refused_before_any_work(
    command: list[str], tmp_path: Path, live: str, said: str
) -> None:
    out = tmp_path / "out"
    with pytest.raises(MolkdError, match=said):
        cli.app(
            [*command, "-o", str(out), "-t", "maccs,ecfp4", "--set", f"objective.queried={live}"],
            standalone_mode=False,
        )
    assert not (out / "bank").exists()
