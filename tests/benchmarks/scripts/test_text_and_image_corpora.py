"""The programs that draw corpora of texts and of images."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from molkd.benchmarks import tasks
from molkd.benchmarks.scripts import image_corpus, text_corpus
from molkd.errors import ConfigError, InputError
from molkd.items.images import decoding

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
    held_out = {decoding.key(decoding.stored(item)) for item in task.items[1000:]}
    originals = table["image"].to_pylist()[::3]
    assert [decoding.key(one) for one in originals] == [decoding.key(i) for i in task.items[:1000]]
    same = held_out & {decoding.key(one) for one in originals}
    twice = {decoding.key(item) for item in task.items[:1000]} & held_out
    assert same == twice  # some digits were written alike to the pixel


def _views(pictures, which, count, seed=0):
    made = image_corpus.views(pictures, which, count, np.random.default_rng(seed))
    return [decoding.decode(view) for view in made]


def test_views_are_parts_of_the_image_in_its_shape():
    across = np.linspace(0, 255, 24).astype(np.uint8)
    slope = np.broadcast_to(across[None, :, None], (16, 24, 3)).copy()
    found = _views([slope], 0, 60)
    assert {view.shape for view in found} == {slope.shape}
    spans = [int(view.max()) - int(view.min()) for view in found]
    assert min(spans) < 200 < max(spans)
    rises = [np.diff(view[8, :, 0].astype(int)) for view in found]
    assert any((rise >= 0).all() for rise in rises), "some as they were"
    assert any((rise <= 0).all() for rise in rises), "some turned left to right"
    assert len({view.tobytes() for view in found}) > 50


def test_another_image_shines_through_half_of_the_views_and_never_more_than_the_image_itself():
    red, blue = np.zeros((2, 8, 8, 3), dtype=np.uint8)
    red[..., 0], blue[..., 2] = 255, 255
    found = np.stack(_views([red, blue], 0, 200))
    shares = found[..., 2].mean(axis=(1, 2)) / 255
    assert shares.max() <= 0.51
    assert 0.15 < (shares > 0).mean() < 0.35  # half of the views, half of the others are blue
    assert found[shares == 0][..., 0].min() == 255


def test_views_follow_from_the_seed():
    picture = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    first, again, other = (_views([picture], 0, 3, seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_tasks_of_other_items_have_no_images():
    (task,) = tasks.load(["vision:digits"])
    with pytest.raises(ConfigError, match="reads texts, not images"):
        image_corpus.training_images(type(task)(**{**_fields(task), "modality": "texts"}))


def _fields(task) -> dict[str, object]:
    return {name: getattr(task, name) for name in type(task).__slots__}
