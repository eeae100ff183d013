"""Nodes in a bank: ragged, resumable, added later, told apart from a bank without them."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from molkd.bank import Bank, build
from molkd.errors import (
    ConfigError,
    CorruptFileError,
    IncompleteBankError,
    OutputError,
    ShapeError,
    StaleBankError,
    UnknownNameError,
)
from molkd.targets.fitting import describe
from molkd.types import NodeEmbeddings, NodeTeacher
from tests.bank.node_teachers import LetterTeacher
from tests.fakes.fake_teachers import FakeTeacher, half_prepared

ITEMS = ["word" * (1 + row % 7) + str(row) for row in range(50)]
ITEMS[7], ITEMS[20], ITEMS[33], ITEMS[40] = "fail 7", "atomless 20", "odd 33", "burst 40"
WITHOUT = {2, 7, 20, 33, 40}


def _build(
    path: Path, *teachers: FakeTeacher, items: Sequence[str] = ITEMS, **options: Any
) -> Bank:
    defaults = {"block": 8, "errors": {2: "broken"}, "nodes": [t.name for t in teachers]}
    return build(path, items, teachers, progress=False, **{**defaults, **options})


def _bits(path: Path, teacher: str = "fake") -> list[bytes]:
    folder = path / teacher / "atoms"
    return [(folder / name).read_bytes() for name in ("values.bin", "starts.npy", "failures.json")]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("nodes") / "bank"
    _build(path, LetterTeacher(), FakeTeacher("plain"), nodes=["fake"], dtype="fp32")
    return path


# == Reading


@given(rows=st.lists(st.integers(0, len(ITEMS) - 1), max_size=30))
def test_nodes_come_in_the_order_of_the_rows(built: Path, rows: list[int]) -> None:
    values, counts = Bank.open(built).nodes("fake", np.array(rows, dtype=np.int64))
    due = [LetterTeacher().letters("" if row in WITHOUT else ITEMS[row]) for row in rows]
    assert counts.tolist() == [len(one) for one in due]
    assert values.dtype == np.float32
    assert values.shape == (sum(map(len, due)), 3)
    np.testing.assert_array_equal(values, np.concatenate([np.empty((0, 3)), *due]))


def test_statistics_of_nodes_are_those_of_numpy(built: Path) -> None:
    rows = np.array([30, 2, 1, 7, 45, 30])
    found = describe(Bank.open(built).node_chunks("fake", rows, size=2))
    letters = "".join(ITEMS[row] for row in (30, 1, 45, 30))
    expected = LetterTeacher().letters(letters).astype(np.float64)
    assert found is not None
    assert found.count == len(letters)
    np.testing.assert_allclose(found.mean, expected.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(found.sd, expected.std(axis=0), rtol=1e-12)


def test_halves_by_default_and_floats_on_request(tmp_path: Path) -> None:
    halves = _build(tmp_path / "half", LetterTeacher()).nodes("fake", np.array([0]))[0]
    exact = LetterTeacher().letters(ITEMS[0])
    np.testing.assert_array_equal(halves, exact.astype(np.float16).astype(np.float32))
    whole = _build(tmp_path / "whole", LetterTeacher(), dtype="fp32").nodes("fake", np.array([0]))
    np.testing.assert_array_equal(whole[0], exact)
    sizes = [
        (tmp_path / name / "fake/atoms/values.bin").stat().st_size for name in ("half", "whole")
    ]
    assert sizes[1] == 2 * sizes[0] > 0
    with pytest.raises(StaleBankError, match=r"'fake' in .*dtype: fp16 there, fp32 now.*delete"):
        _build(tmp_path / "half", LetterTeacher(), dtype="fp32")


def test_reasons_are_kept(built: Path) -> None:
    assert Bank.open(built).node_folders["fake"].failures() == {
        2: "broken",
        7: "fail 7 is too hard",
        20: "atomless 20 has no letters",
        33: "the teacher returned NaN or infinity",
        40: "burst 40 is no word",
    }
    assert Bank.open(built).valid("fake")[[20, 33, 40]].all(), "their rows are none the worse"


@pytest.mark.parametrize("rows", [np.array([50]), np.array([-1]), np.ones(50, dtype=bool)])
def test_rows_outside_are_refused(built: Path, rows: np.ndarray) -> None:
    with pytest.raises(ShapeError, match="row"):
        Bank.open(built).nodes("fake", rows)


def test_a_bank_without_nodes_says_how_to_add_them(built: Path, tmp_path: Path) -> None:
    bank = Bank.open(built)
    add = r"holds no nodes of teacher 'plain', only of fake: build it again with nodes=\['plain'\]"
    with pytest.raises(IncompleteBankError, match=add):
        bank.nodes("plain", np.arange(2))
    with pytest.raises(IncompleteBankError, match=add):
        Bank.open(built, nodes=["fake", "plain"])
    with pytest.raises(UnknownNameError, match="holds no teacher 'x'"):
        bank.nodes("x", np.arange(2))
    with pytest.raises(IncompleteBankError, match="nor of any other"):
        _build(tmp_path / "bank", LetterTeacher(), nodes=()).nodes("fake", np.arange(2))


def test_teachers_without_nodes_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    assert isinstance(LetterTeacher(), NodeTeacher)
    assert not isinstance(FakeTeacher(), NodeTeacher)
    able, plain = LetterTeacher("letters"), FakeTeacher("plain")
    with pytest.raises(
        ConfigError, match="'plain' has no states of nodes; of those given, letters do"
    ):
        _build(tmp_path / "bank", able, plain)
    with pytest.raises(ConfigError, match=r"none of those given does .graph networks such as hu-"):
        _build(tmp_path / "bank", plain)
    with pytest.raises(UnknownNameError, match=r"'leters', .* Did you mean 'letters'\?"):
        _build(tmp_path / "bank", able, nodes=["leters"])
    assert not (tmp_path / "bank").exists()


# == Building


def test_bits_depend_neither_on_block_nor_jobs_nor_preparation(built: Path, tmp_path: Path) -> None:
    for name, options in {"block": {"block": 50}, "jobs": {"jobs": 2}}.items():
        _build(tmp_path / name, LetterTeacher(), dtype="fp32", **options)
        assert _bits(tmp_path / name) == _bits(built)
    prepared = _build(tmp_path / "c", LetterTeacher(), parse=half_prepared, items=["a", "bad", "b"])
    assert prepared.nodes("fake", np.arange(3))[1].tolist() == [len("prepared a"), 0, 0]


def test_nodes_are_added_without_computing_rows_again(built: Path, tmp_path: Path) -> None:
    path = tmp_path / "bank"
    before = _build(path, LetterTeacher(), FakeTeacher("plain"), nodes=(), dtype="fp32")
    again = LetterTeacher()
    after = _build(path, again, FakeTeacher("plain"), nodes=["fake"], dtype="fp32")
    assert again.asked == []
    assert _bits(path) == _bits(built)
    assert before.digest != after.digest == Bank.open(built).digest
    assert Bank.open(path, nodes=()).digest == before.digest
    done = LetterTeacher()
    assert _build(path, done, FakeTeacher("plain"), nodes=["fake"]).digest == after.digest
    assert done.calls == 0


def test_other_nodes_are_refused(tmp_path: Path) -> None:
    _build(tmp_path / "bank", LetterTeacher())
    with pytest.raises(StaleBankError, match="width: 3 there, 4 now"):
        _build(tmp_path / "bank", LetterTeacher(width=4))


def test_an_interrupted_building_resumes_to_the_same_bits(tmp_path: Path) -> None:
    items = [*ITEMS[:30], "halt", *ITEMS[30:]]
    with pytest.raises(KeyboardInterrupt):
        _build(tmp_path / "bank", LetterTeacher(), items=items)
    bank = Bank.open(tmp_path / "bank")
    assert list(bank.folders) == ["fake"], "its rows can be read"
    assert not bank.node_folders
    with pytest.raises(
        IncompleteBankError, match=r"'fake' in .* are there for 24 of 51 rows: build"
    ):
        Bank.open(tmp_path / "bank", nodes=["fake"])
    values = tmp_path / "bank/fake/atoms/values.bin"
    values.write_bytes(values.read_bytes() + b"left by a block that was cut" * 1000)
    journal = values.with_name("journal.jsonl")
    journal.write_bytes(journal.read_bytes() + b'{"counts": [3')
    resumed = LetterTeacher(halts=False)
    _build(tmp_path / "bank", resumed, items=items).verify()
    assert resumed.asked == []
    assert resumed.calls < 40
    _build(tmp_path / "whole", LetterTeacher(halts=False), items=items)
    assert _bits(tmp_path / "bank") == _bits(tmp_path / "whole")


def test_nodes_interrupted_at_different_rows_resume_together(tmp_path: Path) -> None:
    items = [*ITEMS[:30], "halt", *ITEMS[30:]]
    with pytest.raises(KeyboardInterrupt):
        _build(tmp_path / "bank", LetterTeacher("far"), items=items)
    both = LetterTeacher("far", halts=False), LetterTeacher("new", halts=False, width=2)
    _build(tmp_path / "bank", *both, items=items)
    _build(tmp_path / "whole", *both, items=items)
    for name in ("far", "new"):
        assert _bits(tmp_path / "bank", name) == _bits(tmp_path / "whole", name)


def test_a_full_disk_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal, fsync = tmp_path / "bank/fake/atoms/journal.jsonl", os.fsync

    def full(descriptor: int) -> None:
        fsync(descriptor)
        if journal.exists() and len(journal.read_bytes().splitlines()) == 3:
            raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OutputError, match=r"values.bin: the disk is full: free some space"):
            _build(tmp_path / "bank", LetterTeacher())
    _build(tmp_path / "bank", LetterTeacher())
    _build(tmp_path / "whole", LetterTeacher())
    assert _bits(tmp_path / "bank") == _bits(tmp_path / "whole")


def test_a_teacher_that_sees_no_nodes_at_all_is_named(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="'fake' gave no nodes of any item; row 0: burst a is no"):
        bank = _build(tmp_path / "bank", LetterTeacher(), items=["burst a", "burst b"], errors={})
    values, counts = bank.nodes("fake", np.arange(2))
    assert values.shape == (0, 3)
    assert counts.tolist() == [0, 0]


def test_a_value_too_large_for_halves_is_named(tmp_path: Path) -> None:
    items = [*ITEMS[:8], "a", "huge"]
    with pytest.raises(ConfigError, match=r"'fake': block of row 8, node 1, .* too large for fp16"):
        _build(tmp_path / "bank", LetterTeacher(), items=items)


ZEROS = np.zeros((4, 3), np.float32)
WRONG: dict[str, tuple[NodeEmbeddings, str]] = {
    "width": (
        NodeEmbeddings(ZEROS[:, :2], np.array([0, 4, 4]), {}),
        "expected .nodes, 3. of float32",
    ),
    "starts": (NodeEmbeddings(ZEROS, np.array([0, 4]), {}), "do not divide 4 nodes among 2 items"),
    "ends": (NodeEmbeddings(ZEROS, np.array([0, 1, 3]), {}), "do not divide 4 nodes among 2 items"),
    "order": (NodeEmbeddings(ZEROS, np.array([0, 5, 4]), {}), "do not divide"),
    "failures": (NodeEmbeddings(ZEROS, np.array([0, 2, 4]), {2: ""}), "row 2 of 2 as failed"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_teacher_that_breaks_its_promise_is_named(
    tmp_path: Path, wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer, match = WRONG[wrong]
    monkeypatch.setattr(LetterTeacher, "embed_nodes", lambda *_: answer)
    with pytest.raises(ShapeError, match=f"^teacher 'fake' .*{match}"):
        _build(tmp_path / "bank", LetterTeacher(), items=["a", "b"], errors={})


# == Damage


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-5])


@pytest.mark.parametrize("file", ["values.bin", "starts.npy", "seal.json", "atoms.json"])
@pytest.mark.parametrize("damage", [_cut, Path.unlink])
def test_damage_is_named(tmp_path: Path, file: str, damage: Callable[[Path], None]) -> None:
    _build(tmp_path / "bank", LetterTeacher())
    damage(tmp_path / "bank/fake/atoms" / file)
    with pytest.raises((CorruptFileError, IncompleteBankError), match=r"atoms|fake"):
        Bank.open(tmp_path / "bank", nodes=["fake"])


def test_a_changed_byte_is_found_by_verifying(tmp_path: Path) -> None:
    _build(tmp_path / "bank", LetterTeacher())
    path = tmp_path / "bank/fake/atoms/values.bin"
    content = bytearray(path.read_bytes())
    content[5] ^= 1
    path.write_bytes(content)
    Bank.open(tmp_path / "bank")
    with pytest.raises(CorruptFileError, match=r"values.bin does not match its checksum: delete"):
        Bank.open(tmp_path / "bank", verify=True)


def test_a_header_that_was_changed_is_refused(tmp_path: Path) -> None:
    _build(tmp_path / "bank", LetterTeacher())
    path = tmp_path / "bank/fake/atoms/atoms.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"dim": 2}))
    with pytest.raises(CorruptFileError, match=r"atoms.json does not match its own digest"):
        Bank.open(tmp_path / "bank")
