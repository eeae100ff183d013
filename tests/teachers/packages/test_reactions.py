"""The transformers of rxnmapper and rxnfp give the numbers of the original code."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from molkd.errors import WeightsError
from molkd.runtime.files import sha256_of
from molkd.teachers.base.weights import locate
from molkd.teachers.packages.reactions import (
    MAX_TOKENS,
    PUBLISHED,
    ReactionModel,
    ReactionTransformer,
)
from tests.teachers import pretrained
from tests.teachers.packages import originals


@pytest.fixture(scope="module", params=PUBLISHED)
def teacher(request: pytest.FixtureRequest) -> ReactionTransformer:
    teacher = ReactionTransformer(request.param)
    originals.needs_package(teacher)
    return teacher


def test_equals_the_original(teacher: ReactionTransformer) -> None:
    originals.check_equals_original(teacher)


def test_batches_do_not_matter(teacher: ReactionTransformer) -> None:
    pretrained.check_batches_do_not_matter(teacher)


def test_travels(teacher: ReactionTransformer) -> None:
    pretrained.check_travels(teacher.set_params(on_invalid="null"))


def test_no_code_of_the_package_runs(teacher: ReactionTransformer) -> None:
    teacher.transform(["CCO"])
    assert teacher.model not in sys.modules


def test_what_the_model_cannot_read_has_a_reason(teacher: ReactionTransformer) -> None:
    longest = "C" * (MAX_TOKENS - 2)
    items = [longest, longest + "C", "[He]", "O->[Fe]", "*C", "C%(100)CC%(100)", "OCC"]
    embedded = teacher.embed(items)
    assert embedded.valid.tolist() == [True, False, False, False, True, True, True]
    assert embedded.failures[1] == "513 tokens, more than the model's 512"
    assert embedded.failures[2] == "canonical SMILES [He] has '[He]', unknown to the model"
    assert "'>', unknown to the model" in embedded.failures[3]
    np.testing.assert_allclose(embedded.values[-1:], teacher.transform(["CCO"]), atol=1e-5)


def test_spelling_does_not_matter_but_stereo_does(teacher: ReactionTransformer) -> None:
    one, two, left, right = teacher.transform(["OCC", "CCO", "C[C@H](N)O", "C[C@@H](N)O"])
    assert (one == two).all()
    assert abs(left - right).max() > 0.01


def test_each_file_is_checked(teacher: ReactionTransformer, tmp_path: Path) -> None:
    for file in PUBLISHED[teacher.model].files:
        assert sha256_of(locate(file)) == file.sha256
        path = tmp_path / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"not these")
        with pytest.raises(WeightsError, match=f"{path.name} is not the published file"):
            ReactionTransformer(teacher.model, weights_dir=tmp_path).embed(["C"])
        path.unlink()


@pytest.mark.parametrize("model", PUBLISHED)
def test_card_needs_no_weights(model: ReactionModel, tmp_path: Path) -> None:
    teacher = ReactionTransformer(model)
    assert teacher.card.name == model
    pretrained.check_card_needs_no_weights(teacher, tmp_path)


@pytest.mark.parametrize("model", PUBLISHED)
def test_a_missing_package_is_named_with_its_command(
    model: ReactionModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = f"pip install --no-deps {PUBLISHED[model].package}"
    originals.check_missing_package_is_named(
        ReactionTransformer(model), command, tmp_path, monkeypatch
    )


@pytest.mark.gpu
def test_a_gpu_gives_the_same_numbers(teacher: ReactionTransformer) -> None:
    cpu = teacher.embed(pretrained.DRUGS).values
    cuda = teacher.set_params(device="cuda").embed(pretrained.DRUGS).values
    teacher.set_params(device="cpu")
    assert pretrained.distance(cuda, cpu) < 1e-4
