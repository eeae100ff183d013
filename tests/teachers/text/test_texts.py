"""Encoders of texts give what sentence-transformers gives, one text at a time."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from molkd import teachers
from molkd.errors import ConfigError, UnknownNameError, WeightsError
from molkd.teachers.hub.modules_json import MODES
from molkd.teachers.hub.texts import SentenceEncoder
from tests.teachers.text import tiny_encoders
from tests.teachers.text.tiny_encoders import HIDDEN, TEXTS, check_same, composed, dense, reference


@pytest.mark.parametrize("mode", MODES)
def test_each_pooling(tmp_path: Path, mode: str) -> None:
    check_same(composed(tmp_path / "m", options={"pooling_mode": mode}))


def test_poolings_are_joined_in_their_order(tmp_path: Path) -> None:
    folder = composed(tmp_path / "m", options={"pooling_mode": ("lasttoken", "mean", "cls")})

    assert check_same(folder).shape[1] == 3 * HIDDEN


def test_older_switches_of_pooling(tmp_path: Path) -> None:
    folder = composed(tmp_path / "m")
    switches = {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": True}
    config = {"word_embedding_dimension": HIDDEN, "pooling_mode_max_tokens": False, **switches}
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(config))

    assert check_same(folder).shape[1] == 2 * HIDDEN


def test_linear_layers_and_unit_length(tmp_path: Path) -> None:
    layers = [
        dense(HIDDEN, 20, activation_function=torch.nn.GELU()),
        tiny_encoders.modules.Normalize(),
        dense(20, 20, use_residual=True),
        dense(20, 8, use_residual=True, bias=False, activation_function=torch.nn.Identity()),
    ]

    assert check_same(composed(tmp_path / "m", then=layers)).shape[1] == 8


def test_leading_dimensions(tmp_path: Path) -> None:
    assert check_same(composed(tmp_path / "m", truncate_dim=5)).shape[1] == 5


@pytest.mark.parametrize(("mode", "include"), [*((mode, False) for mode in MODES), ("mean", True)])
def test_prompts_and_whether_they_are_pooled(tmp_path: Path, mode: str, include: bool) -> None:
    options = {"pooling_mode": mode, "include_prompt": include}
    prompts = {"query": "where is: ", "bare": ""}
    folder = composed(tmp_path / "m", options=options, prompts=prompts)

    asked = check_same(folder, prompt="query", encode={"prompt_name": "query"})

    plain = SentenceEncoder(str(folder)).embed(TEXTS).values
    assert np.abs(asked - plain).max() > 1e-3
    if mode == "mean":
        check_same(folder, prefix="my new: ", encode={"prompt": "my new: "})


def test_the_default_prompt_is_used_unasked(tmp_path: Path) -> None:
    prompts = {"query": "where is: ", "bare": ""}
    folder = composed(tmp_path / "m", prompts=prompts, default_prompt_name="query")

    asked = check_same(folder)

    named = SentenceEncoder(str(folder), prompt="query").embed(TEXTS).values
    np.testing.assert_allclose(asked, named, atol=1e-5)
    bare = SentenceEncoder(str(folder), prefix="").embed(TEXTS).values
    np.testing.assert_allclose(bare, reference(folder, TEXTS, prompt_name="bare"), atol=1e-5)
    assert np.abs(asked - bare).max() > 1e-3


def test_a_prompt_that_the_model_has_not(tmp_path: Path) -> None:
    folder = composed(tmp_path / "m", prompts={"query": "where is: "})

    with pytest.raises(UnknownNameError, match=r"no prompt 'querry'\. Did you mean 'query'"):
        SentenceEncoder(str(folder), prompt="querry").embed(["a"])
    with pytest.raises(ConfigError, match="not both"):
        SentenceEncoder(str(folder), prompt="query", prefix="x").embed(["a"])


def test_older_names_of_the_modules(tmp_path: Path) -> None:
    folder = composed(tmp_path / "m", then=[dense(HIDDEN, 4)])
    kinds = ["Transformer", "Pooling", "Dense"]
    parts = json.loads((folder / "modules.json").read_text())
    for part, kind in zip(parts, kinds, strict=True):
        part["type"] = f"sentence_transformers.models.{kind}"
    (folder / "0_Transformer").mkdir()
    for file in [*folder.glob("*.json"), *folder.glob("*.safetensors")]:
        if file.name not in {"modules.json", "config_sentence_transformers.json"}:
            file.rename(folder / "0_Transformer" / file.name)
    parts[0]["path"] = "0_Transformer"
    (folder / "modules.json").write_text(json.dumps(parts))

    check_same(folder)

    assert "0_Transformer/model.safetensors" in SentenceEncoder(str(folder)).card.sha256


def test_unit_length_by_choice(tmp_path: Path) -> None:
    plain = composed(tmp_path / "p")
    unit = composed(tmp_path / "u", then=[tiny_encoders.modules.Normalize()])

    values = SentenceEncoder(str(plain), normalize=True).embed(TEXTS).values

    np.testing.assert_allclose(values, check_same(unit), atol=1e-5)
    raw = SentenceEncoder(str(unit), normalize=False).embed(TEXTS).values
    np.testing.assert_allclose(raw, check_same(plain), atol=1e-5)


def test_code_of_a_checkpoint_is_not_run(tmp_path: Path) -> None:
    """As of stella: a model type of its own, with the code beside it."""
    folder = composed(tmp_path / "m")
    path = folder / "config.json"
    own = {"model_type": "new", "auto_map": {"AutoModel": "modeling.NewModel"}}
    path.write_text(json.dumps({**json.loads(path.read_text()), **own}))
    (folder / "modeling.py").write_text(f"open({str(folder / 'ran')!r}, 'w')")

    with pytest.raises(WeightsError, match="molkd runs no code that comes with a checkpoint"):
        SentenceEncoder(str(folder)).embed(["a"])
    assert not (folder / "ran").exists()


def test_missing_directory(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"no directory .*nowhere"):
        SentenceEncoder(str(tmp_path / "nowhere")).embed(["a"])


@pytest.mark.parametrize("option", [{"pooling": "median"}, {"batch_size": 0}, {"normalize": 2}])
def test_parameters_are_validated(tmp_path: Path, option: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(option))):
        SentenceEncoder(str(tiny_encoders.bert(tmp_path / "m")), **option).embed(["a"])


def test_card_follows_files_and_options_and_not_the_place(tmp_path: Path) -> None:
    folder = composed(tmp_path / "m", then=[dense(HIDDEN, 4)], prompts={"query": "where: "})
    teacher = SentenceEncoder(str(folder))
    before = teacher.card
    teacher.embed(["a"])

    assert teacher.card == before
    assert (before.modality, before.kind, before.support) == ("texts", "text encoder", "real")
    deciding = {"model.safetensors", "2_Dense/model.safetensors", "1_Pooling/config.json"}
    assert set(before.sha256) > deciding | {"modules.json", "config_sentence_transformers.json"}
    moved = Path(shutil.copytree(folder, tmp_path / "elsewhere" / "m"))
    assert SentenceEncoder(str(moved)).card.digest == before.digest
    layer = moved / "2_Dense" / "model.safetensors"
    layer.write_bytes(layer.read_bytes()[:-1] + b"\x01")
    changed: list[dict[str, Any]] = [
        {"prompt": "query"},
        {"prefix": "my "},
        {"pooling": "max"},
        {"max_length": 9},
        {"normalize": True},
    ]
    digests = [SentenceEncoder(str(folder), **one).card.digest for one in changed]
    digests += [before.digest, SentenceEncoder(str(moved)).card.digest]
    assert len(set(digests)) == len(changed) + 2
    for one in ({"batch_size": 3}, {"device": "meta"}):
        assert SentenceEncoder(str(folder), **one).card.digest == before.digest  # type: ignore[arg-type]


def test_set_params_after_use_loads_the_other_model(tmp_path: Path) -> None:
    first, second = (tiny_encoders.bert(tmp_path / str(seed), seed=seed) for seed in (0, 1))
    teacher = SentenceEncoder(str(first))
    values = teacher.transform(TEXTS)

    teacher.set_params(model=str(second))

    np.testing.assert_array_equal(
        teacher.transform(TEXTS), SentenceEncoder(str(second)).transform(TEXTS)
    )
    assert np.abs(teacher.transform(TEXTS) - values).max() > 1e-3


def test_prefix_st_makes_one(tmp_path: Path) -> None:
    teacher: Any = teachers.make(f"st:{composed(tmp_path / 'My_Model')}")

    assert teacher.card.name == "my-model"
    assert teacher.card.source == "local directory"
    assert not teacher.embed(TEXTS).failures
