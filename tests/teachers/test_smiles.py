"""Transformers as teachers, against a slow reference: one molecule at a time, no padding."""

from __future__ import annotations

import io
import pickle
import shutil
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
import selfies
import torch
from rdkit import Chem
from sklearn.base import clone
from transformers import AutoConfig, AutoModel, PreTrainedTokenizerFast
from transformers.utils import logging

from molkd.errors import ConfigError, ItemError
from molkd.teachers.hub.smiles import HuggingFaceTeacher
from tests.teachers import tiny_models
from tests.teachers.tiny_models import MODELS, teacher_of

MOLECULES = [
    "CCO",
    "C",
    "c1ccccc1C(=O)O",
    "CC(C)Cc1ccc(cc1)C(C)C(=O)O",
    "O=C(O)CC",
    "N#CC",
    "OCC(O)CO",
    "C/C=C/C",
]
IN_SELFIES = [smiles for smiles in MOLECULES if "/" not in smiles and "#" not in smiles]
"""Those that the small alphabet of the SELFIES model can write."""


def reference(folder: Path, smiles: list[str], representation: str, pooling: str) -> np.ndarray:
    """One unpadded sequence at a time through AutoModel, pooled by hand."""
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    model = AutoModel.from_pretrained(folder).eval()
    if AutoConfig.from_pretrained(folder).is_encoder_decoder:
        model = model.get_encoder()
    rows = []
    for text in smiles:
        text = Chem.CanonSmiles(text)  # noqa: PLW2901
        if representation == "selfies":
            text = selfies.encoder(text)  # noqa: PLW2901
        ids = tokenizer(text)["input_ids"]
        with torch.no_grad():
            states = model(input_ids=torch.tensor([ids])).last_hidden_state[0].numpy()
        special = {tokenizer.bos_token_id, tokenizer.eos_token_id}
        inside = [position for position, token in enumerate(ids) if token not in special]
        pick = {"mean": inside, "cls": [0], "last": [len(ids) - 1]}[pooling]
        rows.append(states[pick].mean(axis=0))
    return np.stack(rows)


@pytest.mark.parametrize("pooling", ["mean", "cls", "last"])
@pytest.mark.parametrize("name", MODELS)
def test_equals_the_model_run_on_one_molecule_at_a_time(
    folders: dict[str, Path], name: str, pooling: str
) -> None:
    teacher = teacher_of(folders, name, pooling=pooling, batch_size=3)
    if pooling == "cls" and name in {"gpt2", "gpt_neo"}:
        with pytest.raises(ConfigError, match="the first token of a decoder sees none of the rest"):
            teacher.embed(MOLECULES)
        return
    molecules = [smiles for smiles in MOLECULES if name != "gpt_neo" or smiles in IN_SELFIES]

    embedded = teacher.embed(molecules)

    assert not embedded.failures
    expected = reference(folders[name], molecules, MODELS[name][1], pooling)
    assert embedded.values.shape == (len(molecules), tiny_models.HIDDEN)
    np.testing.assert_allclose(embedded.values, expected, atol=1e-5)
    assert np.ptp(expected, axis=0).max() > 0.1, "all molecules alike would show no mixed-up rows"


@pytest.mark.parametrize("name", MODELS)
def test_neither_batch_nor_order_changes_a_row(folders: dict[str, Path], name: str) -> None:
    molecules = IN_SELFIES
    alone = teacher_of(folders, name, batch_size=1).embed(molecules).values
    order = np.random.default_rng(0).permutation(len(molecules))

    together = teacher_of(folders, name, batch_size=64).embed([molecules[i] for i in order])

    np.testing.assert_allclose(together.values, alone[order], atol=1e-5)


@pytest.mark.parametrize("make", [tiny_models.gpt2, tiny_models.gpt_neo])
def test_padding_side_of_the_tokenizer_does_not_matter(make: Any, tmp_path: Path) -> None:
    options: dict[str, Any] = {"pooling": "last", "on_invalid": "null"}
    options["representation"] = "selfies" if make is tiny_models.gpt_neo else "smiles"
    molecules = ["CCO", "C", "OCC(O)CO"]
    right = HuggingFaceTeacher(str(make(tmp_path / "r")), **options).embed(molecules)
    folder = make(tmp_path / "l", padding_side="left")
    assert PreTrainedTokenizerFast.from_pretrained(folder).padding_side == "left"

    left = HuggingFaceTeacher(str(folder), **options).embed(molecules)

    np.testing.assert_array_equal(left.values, right.values)


@pytest.mark.parametrize("name", ["roberta", "bert"])
def test_the_longest_molecule_fits_and_the_next_is_refused(
    folders: dict[str, Path], name: str
) -> None:
    embedded = teacher_of(folders, name).embed(["C" * 38, "C" * 39])

    assert embedded.failures == {1: "41 tokens, more than the model's 40"}
    assert np.isfinite(embedded.values[0]).all()
    assert np.isnan(embedded.values[1]).all()


def test_truncated_molecules_lose_their_end(folders: dict[str, Path]) -> None:
    teacher = teacher_of(folders, "roberta", too_long="truncate", max_length=10)

    embedded = teacher.embed(["C" * 8, "C" * 8 + "NNN", "CCN"])

    assert not embedded.failures
    np.testing.assert_allclose(embedded.values[0], embedded.values[1], atol=1e-6)
    assert teacher.card.options["too_long"] == "truncate"
    assert teacher.card.options["max_length"] == 10
    refusing = teacher_of(folders, "roberta", max_length=10)
    assert refusing.card.digest != teacher.card.digest
    assert refusing.embed(["C" * 8, "C" * 9]).failures == {1: "11 tokens, more than the model's 10"}


def test_a_limit_above_the_models_is_an_error(folders: dict[str, Path]) -> None:
    with pytest.raises(ConfigError, match="max_length=41 is more than the 40 tokens"):
        teacher_of(folders, "roberta", max_length=41).embed(["C"])


def test_relative_positions_have_no_limit(folders: dict[str, Path]) -> None:
    assert not teacher_of(folders, "t5").embed(["C" * 300]).failures


def test_unknown_pieces_are_named(folders: dict[str, Path]) -> None:
    molecules = ["CCO", "CP(C)I", "C[Si](C)C"]

    embedded = teacher_of(folders, "roberta").embed(molecules)

    assert list(embedded.failures) == [1, 2]
    assert "does not know 'P', 'I'" in embedded.failures[1]
    assert "does not know 'Si'" in embedded.failures[2]
    assert "unknown='keep'" in embedded.failures[1]
    kept = teacher_of(folders, "roberta", unknown="keep").embed(molecules)
    assert list(kept.failures) == []
    with pytest.raises(ItemError, match=r"row 1: .*'P', 'I'"):
        teacher_of(folders, "roberta", on_invalid="error").transform(molecules)


def test_selfies_outside_the_vocabulary_and_outside_selfies(folders: dict[str, Path]) -> None:
    embedded = teacher_of(folders, "gpt_neo").embed(["CCO", "CCS", "C[Cl](C)(C)(C)(C)(C)(C)C"])

    assert list(embedded.failures) == [1, 2]
    assert "does not know '[S]'" in embedded.failures[1]
    assert "valence" in embedded.failures[2]


def test_selfies_that_cannot_be_written(folders: dict[str, Path]) -> None:
    embedded = teacher_of(folders, "gpt_neo").embed(["N->[Fe]"])

    assert embedded.failures[0].startswith("SELFIES cannot express it: ")


def test_wrong_representation_is_refused_row_by_row(folders: dict[str, Path]) -> None:
    embedded = teacher_of(folders, "gpt_neo", representation="smiles").embed(["CCO", "CN"])

    assert list(embedded.failures) == [0, 1]
    assert "does not know 'CCO'" in embedded.failures[0]
    swapped = teacher_of(folders, "gpt_neo", representation="smiles", unknown="keep")
    assert swapped.embed(["CCO"]).failures == {}


def test_rows_that_are_no_molecules_keep_their_place(folders: dict[str, Path]) -> None:
    embedded = teacher_of(folders, "bert").embed(["CCO", "", "no", None, "CN"])

    assert list(embedded.failures) == [1, 2, 3]
    alone = teacher_of(folders, "bert").embed(["CN"]).values
    np.testing.assert_allclose(embedded.values[4], alone[0], atol=1e-5)


# == Card and estimator


def test_card_of_a_directory_follows_its_files(roberta: Path, tmp_path: Path) -> None:
    teacher = HuggingFaceTeacher(str(roberta), license="MIT")
    before = teacher.card
    teacher.transform(["CCO"])

    assert teacher.card == before
    assert set(before.sha256) == {
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    }
    assert before.license == "MIT"
    moved = shutil.copytree(roberta, tmp_path / "elsewhere" / "roberta")
    assert HuggingFaceTeacher(str(moved), license="MIT").card.digest == before.digest
    tiny_models.roberta(moved, seed=1)
    assert HuggingFaceTeacher(str(moved), license="MIT").card.digest != before.digest


def test_loaded_model_keeps_the_card_it_was_loaded_with(roberta: Path) -> None:
    teacher = HuggingFaceTeacher(str(roberta))
    values, card = teacher.transform(["CCO"]), teacher.card
    tiny_models.roberta(roberta, seed=1)

    assert teacher.card == card
    np.testing.assert_array_equal(teacher.transform(["CCO"]), values)
    assert clone(teacher).card.digest != card.digest


@pytest.mark.parametrize("option", [{"pooling": "cls"}, {"unknown": "keep"}, {"max_length": 9}])
def test_options_that_change_numbers_change_the_digest(
    folders: dict[str, Path], option: dict[str, Any]
) -> None:
    plain = teacher_of(folders, "roberta")

    assert teacher_of(folders, "roberta", **option).card.digest != plain.card.digest
    assert teacher_of(folders, "roberta", batch_size=3).card.digest == plain.card.digest


def test_set_params_after_use_loads_the_other_model(folders: dict[str, Path]) -> None:
    teacher = teacher_of(folders, "roberta")
    teacher.transform(["CCO"])

    teacher.set_params(model=str(folders["bert"]))

    np.testing.assert_array_equal(
        teacher.transform(["CCO"]), teacher_of(folders, "bert").transform(["CCO"])
    )


def test_copies_after_use_give_the_same_numbers(folders: dict[str, Path]) -> None:
    teacher = teacher_of(folders, "roberta")
    values = teacher.transform(MOLECULES)

    pickled = pickle.loads(pickle.dumps(teacher))  # noqa: S301 - our own bytes
    file = io.BytesIO()
    joblib.dump(teacher, file)
    stored = joblib.load(io.BytesIO(file.getvalue()))

    assert clone(teacher).get_params() == teacher.get_params()
    np.testing.assert_array_equal(pickled.transform(MOLECULES), values)
    np.testing.assert_array_equal(stored.transform(MOLECULES), values)


@pytest.mark.parametrize(
    ("option", "message"),
    [({"pooling": "max"}, "pooling"), ({"batch_size": 0}, "batch_size"), ({"too_long": 1}, "too")],
)
def test_parameters_are_validated(
    folders: dict[str, Path], option: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        teacher_of(folders, "roberta", **option).transform(["C"])


def test_loading_is_silent_and_leaves_the_settings(
    folders: dict[str, Path], capfd: pytest.CaptureFixture[str]
) -> None:
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()

    teacher_of(folders, "roberta").embed(["CCO", "C" * 100])

    assert capfd.readouterr() == ("", "")
    assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == (level, bars)


def test_a_roberta_trained_here_is_a_teacher(tmp_path: Path) -> None:
    from molkd.benchmarks.scripts.train_roberta import Recipe, train

    corpus = ["C" * n + tail for n in range(1, 12) for tail in ("O", "N", "Cl", "c1ccccc1", "=O")]
    recipe = Recipe(hidden=32, layers=1, longest=32, batch=16, warmup=5)
    result = train(corpus, tmp_path / "a", steps=40, recipe=recipe)
    again = train(corpus, tmp_path / "b", steps=40, recipe=recipe)

    assert result.last < 0.8 * result.first
    assert again == result
    teacher = HuggingFaceTeacher(str(tmp_path / "a"), on_invalid="null")
    embedded = teacher.embed([*corpus, "C[Si]C", "C" * 31])
    assert list(embedded.failures) == [len(corpus), len(corpus) + 1]
    twin = HuggingFaceTeacher(str(tmp_path / "b")).transform(corpus)
    np.testing.assert_array_equal(embedded.values[: len(corpus)], twin)
