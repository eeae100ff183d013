"""Samples of molecules: seeded draws, what is left out, the bank behind them, speed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from molkd import students, teachers
from molkd.benchmarks.diagnostics import samples
from molkd.benchmarks.embedders.pixels import Pixels
from molkd.errors import ConfigError, InputError, StaleBankError
from molkd.items import MODALITIES
from molkd.students import GineSettings

SMILES = ["CCO", "OCC", "nonsense", None, "c1ccccc1", "C", "CC"]


def test_a_sample_holds_different_molecules_and_counts_the_others() -> None:
    found = samples.draw(SMILES, count=99, seed=0)
    assert found.keys == found.items == ("CCO", "c1ccccc1", "C", "CC")
    assert str(found) == "4 different molecules of 7 rows (2 unreadable, 1 repeated)"


def test_a_draw_is_seeded_and_without_replacement() -> None:
    rows = ["C" * count for count in range(1, 60)]
    one, two, three = (samples.draw(rows, count=20, seed=seed).items for seed in (0, 0, 1))
    assert one == two != three
    assert len(set(one)) == 20
    assert sorted(one, key=len) == list(one)


def test_nothing_to_draw_is_refused() -> None:
    with pytest.raises(ConfigError, match="at least 1 item, not 0"):
        samples.draw(SMILES, count=0, seed=0)
    with pytest.raises(
        InputError, match="none of 1 rows is a readable molecule: row 0 is 'nonsense'"
    ):
        samples.draw(["nonsense"], count=5, seed=0)


def test_the_built_in_molecules_can_be_read() -> None:
    rows = samples.chembl()
    assert len(rows) == 2000
    found = samples.draw(rows, count=100, seed=0)
    assert found.unreadable == 0


def test_a_kept_bank_is_read_again_and_belongs_to_its_molecules(tmp_path: Path) -> None:
    maccs = teachers.make("maccs")
    smiles = samples.draw(["CCO", "CCN"], count=2, seed=0)
    with samples.banked(smiles, [maccs], folder=tmp_path / "bank", jobs=1, progress=False) as bank:
        first = bank.raw("maccs", np.arange(2))
    with samples.banked(smiles, [maccs], folder=tmp_path / "bank", jobs=1, progress=False) as bank:
        np.testing.assert_array_equal(bank.raw("maccs", np.arange(2)), first)
    other = samples.banked(
        samples.draw(["CC", "C"], count=2, seed=0),
        [maccs],
        folder=tmp_path / "bank",
        jobs=1,
        progress=False,
    )
    with pytest.raises(StaleBankError), other:
        pass
    with samples.banked(smiles, [maccs], folder=None, jobs=1, progress=False) as bank:
        folder = bank.path
        assert folder.is_dir()
    assert not folder.exists()


def test_a_student_embeds_every_molecule_in_its_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples, "_CHUNK", 2)
    student = students.make(GineSettings(size="tiny")).eval()
    smiles = ["CCO", "nonsense", "c1ccccc1", "CCN", "C"]
    found = samples.embed(student, smiles, jobs=1)
    expected = student.embed(smiles).values
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert np.isnan(found[1]).all()
    assert not np.isnan(found[[0, 2, 3, 4]]).any()


def test_texts_and_images_can_be_drawn_too(tmp_path: Path) -> None:
    texts = samples.draw(["a", "b", "", "a"], count=9, seed=0, modality=MODALITIES["texts"])
    assert texts.items == ("a", "b")
    assert str(texts) == "2 different texts of 4 rows (1 unreadable, 1 repeated)"
    pictures = [np.full((4, 4, 3), grey, np.uint8) for grey in (0, 9, 0)]
    drawn = samples.draw(pictures, count=9, seed=0, modality=MODALITIES["images"])
    assert len(drawn.items) == len(drawn.keys) == 2
    with samples.banked(drawn, [Pixels(2)], folder=tmp_path, jobs=1, progress=False) as bank:
        assert tuple(bank.items) == drawn.keys
        np.testing.assert_allclose(bank.raw("pixels-2", np.arange(2))[:, 0], [0, 9 / 255])


def test_speed_is_items_per_second() -> None:
    assert 1 < samples.per_second(teachers.make("maccs"), ["CCO"] * 50) < 1e6
