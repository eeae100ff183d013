"""Kinds of items: what reading them once gives."""

from __future__ import annotations

import functools
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from molkd import items
from molkd.items import IMAGES, MODALITIES, MOLECULES, TEXTS
from molkd.items.images import decoding
from tests.fakes.kinds import SAMPLES, pngs, sentences


@pytest.mark.parametrize("name", list(SAMPLES))
def test_every_row_has_a_key_and_every_failure_a_reason(name: str):
    sample = SAMPLES[name]
    items = [*sample.items[:3], *sample.wrong, *sample.items[:2]]
    found = sample.kind.check(items, sample.kind.standardizations[0])
    assert len(found.keys) == len(found.items) == len(items)
    assert list(found.failures) == list(range(3, 3 + len(sample.wrong)))
    for reason, expected in zip(found.failures.values(), sample.wrong.values(), strict=True):
        assert expected in reason
    assert found.keys[-2:] == found.keys[:2]
    assert len(set(found.keys[:3])) == 3
    good = [found.items[row] for row in (0, 1, 2)]
    assert len(sample.kind.parse(good)) == 3


@pytest.mark.parametrize("name", list(MODALITIES))
def test_validation_rows_are_chosen_by_key(name: str):
    keys = [f"C{'C' * n}O" for n in range(20)] * 2
    train, valid = MODALITIES[name].splits["random"](keys, fraction=0.25, seed=1)
    assert {keys[row] for row in train}.isdisjoint(keys[row] for row in valid)
    assert len(train) + len(valid) == 40


def test_molecules_are_known_by_their_canonical_smiles():
    assert MOLECULES.check(["OCC", "CCO"], "none").keys == ["CCO", "CCO"]
    assert MOLECULES.check(["CC(=O)[O-].[Na+]"], "full").keys == ["CC(=O)O"]
    assert set(MOLECULES.splits) == {"random", "scaffold"}


def test_texts_stay_as_they_are():
    texts = [" a text ", "A TEXT", "\N{SNOWMAN}"]
    assert TEXTS.check(texts, "none").items == texts


def test_images_are_known_by_their_bytes_wherever_they_lie(tmp_path: Path):
    (data,) = pngs(1)
    (tmp_path / "a.png").write_bytes(data)
    (tmp_path / "b.png").write_bytes(data)
    found = IMAGES.check([data, tmp_path / "a.png", str(tmp_path / "b.png")], "none")
    assert len(set(found.keys)) == 1
    assert found.keys[0].startswith("sha256:")
    assert [type(item) for item in found.items] == [bytes, type(tmp_path), type(tmp_path)]
    one, *others = map(decoding.decode, IMAGES.parse(found.items))
    for other in others:
        np.testing.assert_array_equal(one, other)


def test_arrays_and_pillow_images_are_kept_without_loss():
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    found = IMAGES.check([pixels, Image.fromarray(pixels)], "none")
    assert found.failures == {}
    for picture in map(decoding.decode, IMAGES.parse(found.items)):
        np.testing.assert_array_equal(picture, pixels)


def test_kinds_do_not_share_names_of_results():
    columns = [MODALITIES[name].style.column for name in MODALITIES]
    assert len(set(columns)) == len(columns)
    assert sentences(3) == sentences(3)


def test_items_are_checked_in_a_process_without_torch(tmp_path: Path):
    checking = functools.partial(items.check, modality="molecules", level="none")
    (tmp_path / "work").write_bytes(pickle.dumps(checking))
    program = (
        "import pickle, sys; "
        f"check = pickle.load(open({str(tmp_path / 'work')!r}, 'rb')); "
        "print(*check(['OCC']).keys, 'torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["CCO", "False"]
