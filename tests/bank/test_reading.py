"""Reading a bank: rows in any order, and every kind of damage refused by name."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from molkd.bank.builder import build
from molkd.bank.reading import _HALVES, Bank
from molkd.errors import (
    ConfigError,
    CorruptFileError,
    IncompleteBankError,
    ShapeError,
    StaleBankError,
    UnknownNameError,
)
from molkd.targets.fitting import fit_scaling
from molkd.targets.reader import TargetReader
from tests.fakes.fake_teachers import FakeTeacher

ITEMS = [*(f"item {row}" for row in range(60)), "fail 60", "item 61", "item 5"]
TEACHERS = FakeTeacher("real", dim=4), FakeTeacher("bits", dim=9, support="bits")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("banks") / "bank"
    build(path, ITEMS, TEACHERS, errors={2: "broken"}, standardization="full", progress=False)
    return path


@pytest.fixture
def copy(built: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(built, tmp_path / "bank"))


# == Rows


@given(rows=st.lists(st.integers(0, len(ITEMS) - 1), max_size=30))
def test_rows_come_in_the_order_asked_for(built: Path, rows: list[int]) -> None:
    bank = Bank.open(built)
    for teacher in TEACHERS:
        values = bank.raw(teacher.name, np.array(rows, dtype=np.int64))
        assert values.shape == (len(rows), teacher.dim)
        assert values.dtype == np.float32
        for row, found in zip(rows, values, strict=True):
            missing = row in (2, 60)
            expected = np.full(teacher.dim, np.nan) if missing else teacher.row(ITEMS[row])
            assert np.array_equal(found, expected, equal_nan=True)


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan, 65504.0, 6e-8, -0.0, 1 / 3])
def test_halves_are_read_as_numpy_reads_them(value: float) -> None:
    half = np.array([value], dtype=np.float16)
    found = _HALVES.take(half.view(np.uint16))
    assert found.tobytes() == half.astype(np.float32).tobytes()


@pytest.mark.parametrize(
    ("rows", "match"),
    [
        (np.array([0, 63]), "row 63 is not in the bank, which has 63 rows"),
        (np.array([-1]), "row -1 is not in the bank"),
        (np.ones(63, dtype=bool), r"rows must be integers of shape \(m,\), not bool"),
        (np.zeros((2, 2), dtype=int), r"not int64 \(2, 2\)"),
    ],
)
def test_rows_outside_are_refused(built: Path, rows: np.ndarray, match: str) -> None:
    with pytest.raises(ShapeError, match=match):
        Bank.open(built).raw("real", rows)
    with pytest.raises(ShapeError, match=match):
        fit_scaling(Bank.open(built), "real", rows, form="standardized")


def test_what_a_bank_says_about_itself(built: Path) -> None:
    bank = Bank.open(built, items=ITEMS, verify=True)
    assert len(bank) == len(ITEMS)
    assert list(bank.items) == ITEMS
    assert bank.errors == {2: "broken"}
    assert bank.header.standardization == "full"
    assert bank.cards == {teacher.name: teacher.card for teacher in TEACHERS}
    assert bank.failures("bits") == {2: "broken", 60: "fail 60 is too hard"}
    assert np.flatnonzero(~bank.valid("bits")).tolist() == [2, 60]


def test_only_some_teachers_can_be_opened(built: Path) -> None:
    bank = Bank.open(built, teachers=["bits"])
    assert list(bank.cards) == ["bits"]
    assert bank.digest != Bank.open(built).digest
    for method in (bank.valid, bank.failures, lambda name: bank.raw(name, np.arange(2))):
        with pytest.raises(UnknownNameError, match="holds no teacher 'real', only bits"):
            method("real")


def test_an_absent_teacher_or_bank_is_named(built: Path, tmp_path: Path) -> None:
    with pytest.raises(IncompleteBankError, match="lacks teacher 'x': build it with this one"):
        Bank.open(built, teachers=["real", "x"])
    with pytest.raises(IncompleteBankError, match="holds no bank"):
        Bank.open(tmp_path)


def test_other_items_are_refused(built: Path) -> None:
    with pytest.raises(StaleBankError, match=r"row 62 is 'item 5' there and 'x' now"):
        Bank.open(built, items=[*ITEMS[:-1], "x"])


def test_another_format_is_refused(copy: Path) -> None:
    header = json.loads((copy / "bank.json").read_text())
    (copy / "bank.json").write_text(json.dumps(header | {"format": 99}))
    with pytest.raises(StaleBankError, match="has bank format 99, this version reads 1"):
        Bank.open(copy)


# == Damage


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-5])


def _lengthen(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0\0")


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-3] ^= 0xFF
    path.write_bytes(content)


def _pickle(path: Path) -> None:
    np.save(path, np.array([{}]), allow_pickle=True)


def _transpose(path: Path) -> None:
    np.save(path, np.load(path).T.copy())


def _double(path: Path) -> None:
    np.save(path, np.load(path).astype(np.float64))


def _without_blocks(path: Path) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), "block": 0}))


def _with_a_lone_surrogate(path: Path) -> None:
    raw = json.loads(path.read_text())
    raw["card"]["options"] = {"\ud800": 1}
    path.write_text(json.dumps(raw))


AT_ONCE = [
    ("real/values.npy", _cut),
    ("real/values.npy", _lengthen),
    ("real/values.npy", _empty),
    ("real/values.npy", _transpose),
    ("real/values.npy", _double),
    ("real/values.npy", _pickle),
    ("real/values.npy", Path.unlink),
    ("bits/valid.npy", _cut),
    ("bits/valid.npy", Path.unlink),
    ("real/seal.json", _cut),
    ("real/card.json", _cut),
    ("real/card.json", _empty),
    ("bank.json", _cut),
    ("bank.json", lambda path: path.write_text('{"format": 1}')),
    ("bank.json", lambda path: path.write_text(path.read_text().replace("block", "x", 1))),
    ("bank.json", _without_blocks),
    (
        "real/card.json",
        lambda path: path.write_text('{"card": [1], "digest": "", "dtype": "fp32"}'),
    ),
    ("real/card.json", _with_a_lone_surrogate),
    ("real/values.npy", lambda path: path.write_bytes(path.read_bytes().replace(b"(", b"((", 1))),
    ("real/seal.json", lambda path: path.write_text("{}")),
    ("real/seal.json", lambda path: path.write_text(path.read_text().replace(': "', ': "x'))),
]


@pytest.mark.parametrize(("file", "damage"), AT_ONCE)
def test_damage_is_refused_at_once(copy: Path, file: str, damage: Callable[[Path], None]) -> None:
    damage(copy / file)
    with pytest.raises(CorruptFileError, match=file):
        Bank.open(copy)


ON_VERIFYING = [
    ("real/values.npy", _flip),
    ("bits/valid.npy", _flip),
    ("bits/failures.json", lambda path: path.write_text("{}")),
    ("bits/failures.json", Path.unlink),
    ("items.parquet", _cut),
    ("items.parquet", _empty),
    ("items.parquet", Path.unlink),
]


@pytest.mark.parametrize(("file", "damage"), ON_VERIFYING)
def test_damage_is_found_by_verifying(
    copy: Path, file: str, damage: Callable[[Path], None]
) -> None:
    damage(copy / file)
    Bank.open(copy)
    with pytest.raises(CorruptFileError, match=file):
        Bank.open(copy, verify=True)


def test_reasons_of_no_row_are_refused(copy: Path) -> None:
    (copy / "bits" / "failures.json").write_text('{"first": "why"}')
    with pytest.raises(CorruptFileError, match=r"failures\.json names no rows"):
        Bank.open(copy).failures("bits")


def test_an_index_of_other_items_is_refused(copy: Path) -> None:
    table = pq.read_table(copy / "items.parquet")
    pq.write_table(table.slice(1), copy / "items.parquet")
    with pytest.raises(CorruptFileError, match=r"does not hold the items that bank.json names"):
        _ = Bank.open(copy).items


def test_a_changed_card_is_refused(copy: Path) -> None:
    path = copy / "real" / "card.json"
    path.write_text(path.read_text().replace('"scale": 1.0', '"scale": 2.0'))
    with pytest.raises(CorruptFileError, match=r"card.json does not match its own digest: delete"):
        Bank.open(copy)


# == Targets


def test_targets_are_scaled_rows_without_nan(copy: Path) -> None:
    bank = Bank.open(copy)
    train = np.arange(40)
    scalings = {
        "bits": fit_scaling(bank, "bits", train, form="as-is"),
        "real": fit_scaling(bank, "real", train, form="standardized"),
    }
    reader = TargetReader(bank, scalings)
    rows = np.array([61, 2, 0, 60])
    targets = reader.targets(rows)
    for teacher, scaling in scalings.items():
        values = targets.values[teacher]
        assert values.dtype == torch.float32
        assert targets.present[teacher].tolist() == [True, False, True, False]
        assert torch.equal(values[[1, 3]], torch.zeros(2, scaling.dim))
        expected = scaling.apply(bank.raw(teacher, rows))
        assert np.array_equal(values[[0, 2]].numpy(), expected[[0, 2]])
        assert reader.specs[teacher].dim == scaling.dim
    assert list(reader.specs) == ["bits", "real"]
    assert [spec.support for spec in reader.specs.values()] == ["bits", "real"]
    assert reader.specs["bits"].mean.dtype == torch.float32
    known = [row for row in train if row != 2]
    assert np.allclose(reader.specs["bits"].mean, bank.raw("bits", np.array(known)).mean(axis=0))


def test_an_empty_batch_has_targets(copy: Path) -> None:
    bank = Bank.open(copy)
    reader = TargetReader(bank, {"real": fit_scaling(bank, "real", np.arange(9), form="as-is")})
    assert reader.targets(np.array([], dtype=np.int64)).values["real"].shape == (0, 4)


def test_a_reader_needs_known_teachers(copy: Path) -> None:
    bank = Bank.open(copy)
    scaling = fit_scaling(bank, "real", np.arange(9), form="as-is")
    with pytest.raises(ConfigError, match="at least one teacher must be read, there are none"):
        TargetReader(bank, {})
    with pytest.raises(UnknownNameError, match="holds no teacher 'x'"):
        TargetReader(bank, {"x": scaling})
