"""The programs that draw corpora of texts and of images."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from molkd import images
from molkd.benchmarks import image_corpus, tasks, text_corpus
from molkd.errors import ConfigError, InputError

SYNSET = "00001740 03 n 01 entity 0 003 ~ 00001930 n 0000 | {gloss}  \n"


def _wordnet(folder: Path) -> None:
    for part, gloss in (
        ("noun", 'that which is; "an example" and more'),
        ("verb", "to do; or not to do"),
        ("adj", "that which is"),
        ("adv", "so"),
    ):
        text = "  1 This is a licence | of lines\n" + SYNSET.format(gloss=gloss)
        (folder / f"data.{part}").write_text(text)


def test_glosses_without_examples_and_sentences_without_labels(tmp_path: Path, capsys):
    _wordnet(tmp_path)
    (tmp_path / "t.csv").write_text('text,category\n"Where, please?",a\nso,b\n')
    out = tmp_path / "out.jsonl"
    text_corpus.main(
        ["--wordnet", str(tmp_path), "--csv", str(tmp_path / "t.csv"), "--out", str(out)]
    )
    found = [json.loads(line) for line in out.read_text().splitlines()]
    texts = ["Where, please?", "so", "that which is", "to do; or not to do"]
    assert found == [{"text": text} for text in texts]
    assert "4 texts" in capsys.readouterr().out


def test_corpora_that_are_not_there(tmp_path: Path):
    with pytest.raises(InputError, match="apt install wordnet-base"):
        list(text_corpus.glosses(tmp_path))
    with pytest.raises(InputError, match="cannot read"):
        list(text_corpus.sentences(tmp_path / "absent.csv"))
    (tmp_path / "t.csv").write_text("a\n1\n")
    with pytest.raises(InputError, match="no column 'text'"):
        list(text_corpus.sentences(tmp_path / "t.csv"))


def test_only_training_images_enter(tmp_path: Path):
    out = tmp_path / "out.parquet"
    image_corpus.main(["--task", "vision:digits", "--views", "2", "--out", str(out)])
    table = pq.read_table(out)
    assert len(table) == 3000
    (task,) = tasks.load(["vision:digits"])
    held_out = {images.key(images.stored(item)) for item in task.items[1000:]}
    originals = table["image"].to_pylist()[::3]
    assert [images.key(one) for one in originals] == [images.key(i) for i in task.items[:1000]]
    same = held_out & {images.key(one) for one in originals}
    twice = {images.key(item) for item in task.items[:1000]} & held_out
    assert same == twice  # some digits were written alike to the pixel


def test_views_are_shifted_images_of_the_same_shape():
    random = np.random.default_rng(0)
    picture = random.integers(0, 256, (16, 24, 3), dtype=np.uint8)
    item = images.stored(picture)
    found = [images.decode(view) for view in image_corpus.views(item, 20, random)]
    assert {view.shape for view in found} == {picture.shape}
    inner = picture[4:12, 4:20]
    windows = [
        view[top : top + 8, left : left + 16]
        for one in found
        for view in (one, one[:, ::-1])
        for top in range(9)
        for left in range(9)
    ]
    held = sum(np.array_equal(window, inner) for window in windows)
    assert held >= 20
    assert len({view.tobytes() for view in found}) > 10


def test_tasks_of_other_items_have_no_images():
    (task,) = tasks.load(["vision:digits"])
    with pytest.raises(ConfigError, match="reads texts, not images"):
        image_corpus.training_images(type(task)(**{**_fields(task), "reads": "texts"}))


def _fields(task) -> dict[str, object]:
    return {name: getattr(task, name) for name in type(task).__slots__}
