"""Model directories and hub models that cannot be used say why; those in a cache work offline."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

import numpy as np
import pytest

from molkd import teachers
from molkd.errors import UnknownNameError, WeightsError
from molkd.runtime import files
from molkd.teachers.hub import known
from molkd.teachers.hub.smiles import HuggingFaceTeacher
from tests.teachers import tiny_models
from tests.teachers.tiny_models import teacher_of


def test_older_byte_pair_files_load_and_do_not_lose_atoms(roberta: Path) -> None:
    """Files as of ChemBERTa: its tokenizer reads "CCl" as "CC" without a word."""
    (roberta / "tokenizer.json").unlink()
    (roberta / "tokenizer_config.json").unlink()
    pieces = ["<s>", "<pad>", "</s>", "<unk>", "C", "N", "O", "(", ")", "=", "CC", "Cl", "1", "c"]
    (roberta / "vocab.json").write_text(json.dumps({piece: n for n, piece in enumerate(pieces)}))
    (roberta / "merges.txt").write_text("#version: 0.2 - Trained by `huggingface/tokenizers`\nC C")
    teacher = HuggingFaceTeacher(str(roberta), on_invalid="null")

    embedded = teacher.embed(["CCO", "CCl", "CC=O"])

    assert list(embedded.failures) == [1]
    assert "does not know 'l'" in embedded.failures[1]
    kept = HuggingFaceTeacher(str(roberta), unknown="keep").embed(["CCl", "CC"])
    np.testing.assert_allclose(kept.values[0], kept.values[1], atol=1e-6)


def test_byte_pair_files_without_merges_load(roberta: Path) -> None:
    """The merges of ChemBERTa-2 are one comment without an end of line."""
    (roberta / "tokenizer.json").unlink()
    (roberta / "tokenizer_config.json").unlink()
    pieces = ["<s>", "<pad>", "</s>", "<unk>", "C", "N", "O"]
    (roberta / "vocab.json").write_text(json.dumps({piece: n for n, piece in enumerate(pieces)}))
    (roberta / "merges.txt").write_text("#version: 0.2 - Trained by `huggingface/tokenizers`")

    assert not HuggingFaceTeacher(str(roberta), on_invalid="null").embed(["CCO"]).failures


def test_tokenizer_json_is_read_as_it_is(roberta: Path) -> None:
    """A class name in tokenizer_config.json must not replace how tokenizer.json splits a text."""
    before = HuggingFaceTeacher(str(roberta)).transform(["CCl"])
    path = roberta / "tokenizer_config.json"
    config = {**json.loads(path.read_text()), "tokenizer_class": "RobertaTokenizer"}
    path.write_text(json.dumps(config))

    np.testing.assert_array_equal(HuggingFaceTeacher(str(roberta)).transform(["CCl"]), before)


def test_missing_directory(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"no directory .*nowhere"):
        HuggingFaceTeacher(str(tmp_path / "nowhere")).transform(["C"])


def test_directory_without_config(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="is no model directory: cannot read"):
        _ = HuggingFaceTeacher(str(tmp_path)).card


def test_pickled_weights_are_not_loaded(roberta: Path) -> None:
    (roberta / "model.safetensors").unlink()
    (roberta / "pytorch_model.bin").write_bytes(b"would run code")

    with pytest.raises(WeightsError, match=r"only \['pytorch_model.bin'\].*refs/pr/N"):
        HuggingFaceTeacher(str(roberta)).embed(["C"])


def test_cut_weights(roberta: Path) -> None:
    weights = roberta / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])

    with pytest.raises(WeightsError, match=r"model\.safetensors is cut or no safetensors file"):
        HuggingFaceTeacher(str(roberta)).embed(["C"])


def test_weights_of_another_size(roberta: Path, folders: dict[str, Path]) -> None:
    shutil.copy(folders["gpt_neo"] / "model.safetensors", roberta)

    with pytest.raises(WeightsError, match=r"lacks .* weights .* would be random"):
        HuggingFaceTeacher(str(roberta)).embed(["C"])


def test_no_tokenizer(roberta: Path) -> None:
    (roberta / "tokenizer.json").unlink()

    with pytest.raises(WeightsError, match="holds no tokenizer"):
        HuggingFaceTeacher(str(roberta)).embed(["C"])


def test_broken_tokenizer(roberta: Path) -> None:
    (roberta / "tokenizer.json").write_text("{}")

    with pytest.raises(WeightsError, match=r"the tokenizer of .* cannot be read"):
        HuggingFaceTeacher(str(roberta)).embed(["C"])


def test_tokenizer_of_another_model(roberta: Path) -> None:
    path = roberta / "tokenizer.json"
    tokenizer = json.loads(path.read_text())
    tokenizer["model"]["vocab"]["[Xe]"] = 4000
    path.write_text(json.dumps(tokenizer))

    with pytest.raises(WeightsError, match="has more tokens than the model's"):
        HuggingFaceTeacher(str(roberta)).embed(["C"])


def test_code_of_a_checkpoint_is_not_run(roberta: Path) -> None:
    path = roberta / "config.json"
    config = json.loads(path.read_text())
    config |= {"model_type": "molformer", "auto_map": {"AutoConfig": "evil.Config"}}
    path.write_text(json.dumps(config))
    (roberta / "evil.py").write_text(f"open({str(roberta / 'ran')!r}, 'w')")

    with pytest.raises(WeightsError, match="molkd runs no code that comes with a checkpoint"):
        HuggingFaceTeacher(str(roberta)).embed(["C"])

    assert not (roberta / "ran").exists()


# == The hub


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty cache and no network, as HF_HUB_OFFLINE=1 and HF_HUB_CACHE would make them."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


def test_offline_hub_model_fails_quickly(offline: Path) -> None:
    begun = time.monotonic()

    with pytest.raises(WeightsError, match=r"HF_HUB_OFFLINE is set.*hf download someone/mol-bert"):
        HuggingFaceTeacher("someone/mol-bert").transform(["C"])

    assert time.monotonic() - begun < 5


def test_no_network_fails_quickly(offline: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(
        "huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE",
        "http://127.0.0.1:9/{repo_id}/resolve/{revision}/{filename}",
    )
    begun = time.monotonic()

    with pytest.raises(WeightsError, match=r"no network.*hf download someone/mol-bert"):
        HuggingFaceTeacher("someone/mol-bert").transform(["C"])

    assert time.monotonic() - begun < 10


def in_cache(cache: Path, folder: Path, name: str, commit: str) -> Path:
    """Puts a model into a hub cache: files by checksum, a snapshot of links, a branch."""
    top = cache / f"models--{name.replace('/', '--')}"
    snapshot = top / "snapshots" / commit
    snapshot.mkdir(parents=True)
    (top / "refs").mkdir()
    (top / "refs" / "main").write_text(commit)
    (top / "blobs").mkdir()
    for file in folder.iterdir():
        blob = top / "blobs" / files.sha256_of(file)
        shutil.copy(file, blob)
        (snapshot / file.name).symlink_to(blob)
    return snapshot


def test_cached_hub_model_works_offline(offline: Path, folders: dict[str, Path]) -> None:
    in_cache(offline, folders["roberta"], "someone/mol-bert", "a" * 40)
    teacher = HuggingFaceTeacher("someone/mol-bert")
    before = teacher.card

    values = teacher.transform(["CCO"])

    assert before == teacher.card
    assert before.options["revision"] == "a" * 40
    assert before.name == "mol-bert"
    np.testing.assert_array_equal(values, teacher_of(folders, "roberta").transform(["CCO"]))


def test_another_commit_is_another_digest(offline: Path, folders: dict[str, Path]) -> None:
    in_cache(offline, folders["roberta"], "someone/mol-bert", "a" * 40)
    first = HuggingFaceTeacher("someone/mol-bert").card.digest
    shutil.rmtree(offline)
    in_cache(offline, folders["roberta"], "someone/mol-bert", "b" * 40)

    assert HuggingFaceTeacher("someone/mol-bert").card.digest != first


def test_a_known_name_with_another_model_behind_it(offline: Path, folders: dict[str, Path]) -> None:
    facts = known.KNOWN["chemberta-10m-mtr"]
    assert facts.revision is not None
    in_cache(offline, folders["roberta"], facts.hub, facts.revision)

    with pytest.raises(WeightsError, match="has 32 dimensions, 384 were expected"):
        teachers.make(facts.name).embed(["C"])


def test_changed_file_in_the_cache_is_refused(offline: Path, folders: dict[str, Path]) -> None:
    snapshot = in_cache(offline, folders["roberta"], "someone/mol-bert", "a" * 40)
    weights = (snapshot / "model.safetensors").resolve()
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x01")

    with pytest.raises(WeightsError, match="not the file the hub published"):
        HuggingFaceTeacher("someone/mol-bert").embed(["C"])


def test_named_cards_need_neither_network_nor_weights(offline: Path) -> None:
    for model in known.named("molecules"):
        card = teachers.make(model.name).card
        assert (card.name, card.dim, card.license) == (model.name, model.dim, model.license)
        assert model.hub in card.source
        assert card.kind == model.kind
    assert known.KNOWN["molformer-xl-both-10pct"].license == "Apache-2.0"
    with pytest.raises(UnknownNameError, match="chemberta-77m-mlm"):
        teachers.make("chemberta-77-mlm")


def test_prefix_makes_a_local_model(folders: dict[str, Path]) -> None:
    teacher = teachers.make(f"hf:{folders['roberta']}")

    assert teacher.card.dim == tiny_models.HIDDEN
    assert teacher.card.source == "local directory"
    assert not teacher.embed(["CCO"]).failures
