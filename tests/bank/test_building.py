"""Building, resuming and extending a bank, with every failure a teacher or a disk can have."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from molkd.bank import Bank, blocks
from molkd.bank.builder import build
from molkd.bank.files import folder_name
from molkd.errors import (
    ConfigError,
    ShapeError,
    WeightsError,
)
from molkd.types import Embeddings
from tests.fakes.fake_teachers import FakeTeacher, half_prepared

ITEMS = [f"item {row}" for row in range(100)]


def _build(path: Path, items: Sequence[str], *teachers: FakeTeacher, **options: Any) -> Bank:
    return build(path, items, teachers, progress=False, **{"block": 16, **options})


def _bits(bank: Bank) -> dict[str, list[bytes]]:
    return {
        name: [(folder.path / file).read_bytes() for file in ("values.npy", "valid.npy")]
        for name, folder in bank.folders.items()
    }


# == What is stored


def test_rows_are_those_of_the_teacher(tmp_path: Path) -> None:
    teacher = FakeTeacher()
    bank = _build(tmp_path / "bank", ITEMS, teacher)
    assert np.array_equal(bank.raw("fake", np.arange(100)), teacher.embed(ITEMS).values)
    assert bank.valid("fake").all()
    assert not bank.failures("fake")
    assert bank.cards["fake"] == teacher.card
    assert list(bank.items) == ITEMS


@pytest.mark.parametrize(
    ("support", "dtype", "expected"),
    [
        ("bits", "auto", np.float16),
        ("counts", "auto", np.float16),
        ("real", "auto", np.float32),
        ("real", "fp16", np.float16),
        ("bits", "fp32", np.float32),
    ],
)
def test_dtype(tmp_path: Path, support: Any, dtype: str, expected: type) -> None:
    teacher = FakeTeacher(support=support)
    bank = _build(tmp_path / "bank", ITEMS, teacher, dtype=dtype)
    values = np.load(bank.folders["fake"].path / "values.npy")
    assert values.dtype == expected
    exact = teacher.embed(ITEMS).values
    assert np.array_equal(bank.raw("fake", np.arange(100)), exact.astype(expected).astype("f4"))


@pytest.mark.parametrize("block", [1, 7, 100, 5000])
def test_bits_do_not_depend_on_the_block(tmp_path: Path, block: int) -> None:
    items = [*ITEMS, "fail 1", "raise 2", "nan 3"]
    one = _build(tmp_path / "a", items, FakeTeacher())
    other = _build(tmp_path / "b", items, FakeTeacher(), block=block)
    assert _bits(one) == _bits(other)
    assert one.failures("fake") == other.failures("fake")
    assert one.digest == other.digest


def test_teachers_on_a_gpu_compute_in_this_process(tmp_path: Path) -> None:
    here, elsewhere = FakeTeacher("gpu"), FakeTeacher("cpu")
    here.device = "cuda"  # type: ignore[attr-defined]
    bank = _build(tmp_path / "bank", ITEMS, elsewhere, here, jobs=2)
    assert (here.asked, elsewhere.asked) == (ITEMS, [])
    assert list(bank.folders) == ["cpu", "gpu"]


def test_what_auto_means_decides_where_teachers_compute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    for there in (True, False):
        monkeypatch.setattr(torch.cuda, "is_available", lambda there=there: there)
        teacher = FakeTeacher("auto")
        teacher.device = "auto"  # type: ignore[attr-defined]
        _build(tmp_path / f"{there}", ITEMS, teacher, jobs=2)
        assert teacher.asked == (ITEMS if there else [])


def test_bits_do_not_depend_on_the_jobs(tmp_path: Path) -> None:
    items = [*ITEMS, "fail 1", "raise 2", "nan 3", "bad 4"]
    teachers = FakeTeacher("a"), FakeTeacher("b", support="bits", dim=40)
    one, two = (
        _build(tmp_path / str(jobs), items, *teachers, jobs=jobs, parse=half_prepared)
        for jobs in (1, 2)
    )
    assert _bits(one) == _bits(two)
    assert one.failures("a") == two.failures("a")
    assert one.failures("a") == {103: "bad 4 cannot be prepared"}


@pytest.mark.parametrize("jobs", [1, 2])
def test_every_teacher_is_heard_of_within_a_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jobs: int
) -> None:
    seen: list[Any] = []

    class Heard(blocks.Progress):
        def __exit__(self, *of: object) -> None:
            seen.append((self._label, self.done, self.total))

        def update(self, count: int, *, total: int | None = None) -> None:
            super().update(count, total=total)
            seen.append(self.done)

    monkeypatch.setattr(blocks, "Progress", Heard)
    _build(tmp_path / "bank", ITEMS, FakeTeacher("a"), FakeTeacher("b"), block=50, jobs=jobs)
    assert ("teachers (2)", 200, 200) in seen
    if jobs == 1:
        assert [count for count in seen if count and isinstance(count, int)][:4] == [
            *(50, 100, 150, 200)
        ]


def test_building_needs_no_torch() -> None:
    code = "import sys, molkd.bank.builder; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


# == Items and teachers that fail


def test_a_failed_item_costs_its_row_and_no_other(tmp_path: Path) -> None:
    items = ["one", "fail two", "three", "raise four", "nan five", "six"]
    teacher = FakeTeacher()
    bank = _build(tmp_path / "bank", items, teacher)
    assert bank.failures("fake") == {
        1: "fail two is too hard",
        3: "no such thing as raise four",
        4: "the teacher returned NaN or infinity",
    }
    assert bank.valid("fake").tolist() == [True, False, True, False, False, True]
    values = bank.raw("fake", np.arange(6))
    assert np.isnan(values[[1, 3, 4]]).all()
    assert np.array_equal(values[[0, 2, 5]], [teacher.row(items[row]) for row in (0, 2, 5)])


def test_known_errors_are_kept_and_not_asked_about(tmp_path: Path) -> None:
    teacher = FakeTeacher()
    bank = _build(tmp_path / "bank", ITEMS, teacher, errors={7: "no SMILES", 90: "too large"})
    assert bank.errors == {7: "no SMILES", 90: "too large"}
    assert bank.failures("fake") == bank.errors
    assert teacher.asked == [item for row, item in enumerate(ITEMS) if row not in (7, 90)]


def test_items_are_prepared_once_for_all_teachers(tmp_path: Path) -> None:
    calls: list[Sequence[str]] = []

    def parse(items: Sequence[str]) -> Sequence[str]:
        calls.append(items)
        return half_prepared(items)

    teachers = FakeTeacher("a"), FakeTeacher("b")
    _build(tmp_path / "bank", ITEMS, *teachers, parse=parse, block=50)
    assert calls == [ITEMS[:50], ITEMS[50:]]
    assert teachers[0].asked == teachers[1].asked == half_prepared(ITEMS)


def test_preparation_must_keep_the_number_of_items(tmp_path: Path) -> None:
    with pytest.raises(ShapeError, match="parse returned 1 objects for 16 items"):
        _build(tmp_path / "bank", ITEMS, FakeTeacher(), parse=lambda items: items[:1])


@pytest.mark.parametrize("word", ["raise", "fail", "nan"])
def test_a_teacher_that_fails_everywhere_is_all_invalid(tmp_path: Path, word: str) -> None:
    items = [f"{word} {row}" for row in range(40)]
    good = FakeTeacher("good", obeys=False)
    with pytest.warns(UserWarning, match="teacher 'fake' failed on all 40 items; row 0: "):
        bank = _build(tmp_path / "bank", items, FakeTeacher(), good)
    assert not bank.valid("fake").any()
    assert len(bank.failures("fake")) == 40
    assert np.isnan(bank.raw("fake", np.arange(40))).all()
    assert bank.valid("good").all()


def test_missing_weights_end_the_building(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="the weights are gone"):
        _build(tmp_path / "bank", [*ITEMS, "weights"], FakeTeacher())


WRONG = {
    "rows": (Embeddings(np.zeros((3, 5), np.float32), {}), r"shape \(3, 5\) of float32 for 16"),
    "width": (Embeddings(np.zeros((16, 4), np.float32), {}), r"expected \(16, 5\) of float32"),
    "dtype": (Embeddings(np.zeros((16, 5)), {}), r"of float64 for 16"),  # pyright: ignore[reportArgumentType]
    "failures": (Embeddings(np.zeros((16, 5), np.float32), {16: ""}), "row 16 of 16 as failed"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_teacher_that_breaks_its_promise_is_named(
    tmp_path: Path, wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer, match = WRONG[wrong]
    monkeypatch.setattr(FakeTeacher, "embed", lambda *_: answer)
    with pytest.raises(ShapeError, match=f"^teacher 'fake' .*{match}"):
        _build(tmp_path / "bank", ITEMS, FakeTeacher())


@pytest.mark.parametrize(("support", "wrong"), [("bits", 0.5), ("counts", -1.0)])
def test_values_off_the_support_are_refused(
    tmp_path: Path, support: Any, wrong: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        FakeTeacher,
        "row",
        lambda _, item: np.full(5, wrong if item == ITEMS[20] else 1.0, np.float32),
    )
    with pytest.raises(
        ConfigError, match=f"'fake' says {support}, but row 20, column 0 is {wrong}"
    ):
        _build(tmp_path / "bank", ITEMS, FakeTeacher(support=support))


def test_a_value_too_large_for_fp16_is_named_and_fp32_takes_it(tmp_path: Path) -> None:
    teacher = FakeTeacher(scale=1e5, support="counts")
    with pytest.raises(ConfigError, match=r"'fake': row 0, column 0 .* too large .*dtype 'fp32'"):
        _build(tmp_path / "bank", ITEMS, teacher)
    bank = _build(tmp_path / "other", ITEMS, teacher, dtype="fp32")
    assert np.array_equal(bank.raw("fake", np.arange(100)), teacher.embed(ITEMS).values)


# == Settings


@pytest.mark.parametrize(
    ("items", "teachers", "options", "match"),
    [
        ([], [FakeTeacher()], {}, "at least one item, there are none"),
        (ITEMS, [], {}, "at least one teacher, there are none"),
        (ITEMS, [FakeTeacher(), FakeTeacher()], {}, "two teachers are called 'fake'"),
        (ITEMS, [FakeTeacher()], {"errors": {100: "x"}}, "row 100, but there are 100 items"),
        (ITEMS, [FakeTeacher()], {"jobs": 0}, "jobs must be at least 1, not 0"),
        (ITEMS, [FakeTeacher()], {"block": 0}, "block must be at least 1, not 0"),
    ],
)
def test_settings_are_checked(
    tmp_path: Path, items: list[str], teachers: Any, options: dict[str, Any], match: str
) -> None:
    with pytest.raises(ConfigError, match=match):
        _build(tmp_path / "bank", items, *teachers, **options)
    assert not (tmp_path / "bank").exists()


@settings(max_examples=40)
@given(st.lists(st.text(min_size=1), unique=True, min_size=2, max_size=5))
def test_folder_names_are_safe_and_differ(names: list[str]) -> None:
    folders = [folder_name(name).lower() for name in names]
    assert len(set(folders)) == len(names)
    for folder in folders:
        assert len(folder) <= 64
        assert folder.isascii()
        assert not set(folder) & set('/\\:*?"<>|. ')


def test_a_teacher_named_like_a_path_stays_in_the_bank(tmp_path: Path) -> None:
    name = "hf:/../../x"
    bank = _build(tmp_path / "bank", ITEMS, FakeTeacher(name))
    assert bank.folders[name].path.parent == tmp_path / "bank"
    assert Bank.open(tmp_path / "bank", teachers=[name]).valid(name).all()
    card = json.loads((bank.folders[name].path / "card.json").read_text())
    assert card["card"]["name"] == name
