"""Latent semantic analysis is scikit-learn's, from files that hold numbers and words only."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline

from molkd import teachers
from molkd.errors import ConfigError, InputError, WeightsError
from molkd.teachers.text.latent_semantic import SETTINGS, TENSORS, LatentSemantic

WORDS = ["card", "bank", "money", "lost", "cat", "where", "new", "transfer", "pin", "top"]
WORDS += ["up", "fee", "rate", "atm", "cash"]


@pytest.fixture(scope="module")
def corpus() -> list[str]:
    rng = np.random.default_rng(0)
    return [" ".join(rng.choice(WORDS, size=rng.integers(2, 9))) for _ in range(120)]


@pytest.fixture
def learned(corpus: list[str], tmp_path: Path) -> LatentSemantic:
    return LatentSemantic.learn(corpus, tmp_path / "Bank_Words", dim=8)


def _pipeline(dim: int, **options: Any) -> Any:
    weighting = TfidfVectorizer(sublinear_tf=True, **{"min_df": 2, **options})
    return make_pipeline(weighting, TruncatedSVD(dim, random_state=0))


def test_equals_scikit_learn(corpus: list[str], learned: LatentSemantic) -> None:
    pipeline = _pipeline(8).fit(corpus)
    others = ["lost card card CARD, lost money!", "a cat where no cat was", "pin"]

    for texts in (corpus, others):
        values = learned.transform(texts)
        np.testing.assert_allclose(values, pipeline.transform(texts), atol=1e-5)
    assert np.abs(values).max() > 0.1


def test_equals_scikit_learn_on_real_questions(banking: list[str], tmp_path: Path) -> None:
    texts = banking[::20]
    teacher = LatentSemantic.learn(texts, tmp_path / "lsa", dim=24, words=2, max_terms=800)

    expected = _pipeline(24, ngram_range=(1, 2), max_features=800).fit(texts)

    np.testing.assert_allclose(
        teacher.transform(banking[:300]), expected.transform(banking[:300]), atol=1e-5
    )


def test_the_seed_decides_everything(corpus: list[str], tmp_path: Path) -> None:
    files = []
    for name, options in (("a", {}), ("b", {}), ("c", {"seed": 1})):
        LatentSemantic.learn(corpus, tmp_path / name, dim=4, iterations=1, **options)
        files.append([(tmp_path / name / file).read_bytes() for file in (SETTINGS, TENSORS)])
    assert files[0] == files[1]
    assert files[0][1] != files[2][1]


def test_unknown_words_say_nothing(learned: LatentSemantic) -> None:
    embedded = learned.embed(["xylophone quartz", "card", "?!"])

    assert not embedded.failures
    np.testing.assert_array_equal(embedded.values[[0, 2]], 0)
    assert np.abs(embedded.values[1]).max() > 0.1


def test_unusable_texts_are_left_out_of_learning(corpus: list[str], tmp_path: Path) -> None:
    items: list[Any] = [None, *corpus, "", 3]
    teacher = LatentSemantic.learn(items, tmp_path / "a", dim=8)
    plain = LatentSemantic.learn(corpus, tmp_path / "b", dim=8)

    np.testing.assert_array_equal(teacher.transform(corpus), plain.transform(corpus))
    assert f"{len(corpus)} texts" in teacher.card.source


def test_the_folder_by_prefix_and_anywhere(learned: LatentSemantic, tmp_path: Path) -> None:
    teacher: Any = teachers.make(f"lsa:{learned.folder}")
    card = teacher.card

    assert (card.name, card.dim, card.modality, card.support) == ("bank-words", 8, "texts", "real")
    assert set(card.sha256) == {SETTINGS, TENSORS}
    moved = shutil.copytree(learned.folder, tmp_path / "elsewhere" / "Bank_Words")
    assert LatentSemantic(moved).card.digest == card.digest
    assert LatentSemantic(str(moved), name="x").card.name == "x"


def test_another_corpus_is_another_digest(corpus: list[str], tmp_path: Path) -> None:
    first = LatentSemantic.learn(corpus, tmp_path / "a" / "lsa", dim=4).card
    second = LatentSemantic.learn(corpus[:-1], tmp_path / "b" / "lsa", dim=4).card

    assert first.name == second.name
    assert first.digest != second.digest


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dim": 16}, "dim=16 is more than 120 texts with 15 terms allow"),
        ({"min_df": 121}, "no term occurs in 121 texts"),
    ],
)
def test_corpora_that_are_too_small(
    corpus: list[str], tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        LatentSemantic.learn(corpus, tmp_path, **options)
    with pytest.raises(InputError, match="none of 2 items is a usable text"):
        LatentSemantic.learn([None, ""], tmp_path)


def test_files_that_do_not_belong_together(
    corpus: list[str], learned: LatentSemantic, tmp_path: Path
) -> None:
    LatentSemantic.learn(corpus[:-1], tmp_path / "other", dim=8)
    shutil.copy(tmp_path / "other" / TENSORS, learned.folder)
    with pytest.raises(WeightsError, match=r"is not the file that lsa\.json belongs to"):
        LatentSemantic(learned.folder).embed(["card"])


@pytest.mark.parametrize("damage", ["missing", "cut", "words"])
def test_broken_folders(learned: LatentSemantic, damage: str) -> None:
    folder = Path(learned.folder)
    if damage == "missing":
        (folder / TENSORS).unlink()
    elif damage == "cut":
        (folder / SETTINGS).write_text((folder / SETTINGS).read_text()[:50])
    else:
        settings = json.loads((folder / SETTINGS).read_text())
        (folder / SETTINGS).write_text(json.dumps({**settings, "terms": settings["terms"][:-1]}))
    with pytest.raises(WeightsError, match=r"holds no latent semantic analysis: .*learn"):
        _ = LatentSemantic(folder).card
