"""NumPy's files: whatever is wrong with one ends in an error that names it."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from molkd.errors import CorruptFileError
from molkd.runtime.arrays import map_array, read_array, read_arrays

VALUES = np.arange(6, dtype=np.float32).reshape(2, 3)


def _header(text: str) -> bytes:
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode() + b"\x00" * 24


SHAPED = "{'descr': '<f4', 'fortran_order': False, 'shape': %s, }\n"
DAMAGED = {
    "cut": _header(SHAPED % "(2, 3)")[:-1],
    "empty": b"",
    "no array": b"smiles,id\n",
    "a bracket that stays open": _header("{'descr': '<f4', 'shape': ((2,\n"),
    "a null byte": _header("{'descr': '<f4'\x00, \n"),
    "more than there is memory": _header(SHAPED % "(4, 30000000000000)"),
    "more than 64 bits": _header(SHAPED % "(99999999999999999999999,)"),
    "pickled": _header("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }\n"),
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_array_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "values.npy"
    path.write_bytes(content)
    for read in (read_array, map_array):
        with pytest.raises(CorruptFileError, match=r"cannot read .*values\.npy: ."):
            read(path)


def test_arrays_are_read_and_mapped(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", VALUES)
    np.testing.assert_array_equal(read_array(tmp_path / "a.npy"), VALUES, strict=True)
    mapped = map_array(tmp_path / "a.npy")
    np.testing.assert_array_equal(mapped, VALUES, strict=True)
    assert not mapped.flags.writeable


def test_arrays_are_chosen_by_name(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, x=VALUES, y=VALUES[0])
    assert list(read_arrays(path)) == ["x", "y"]
    assert list(read_arrays(path, ("y", "z"))) == ["y"]


@pytest.mark.parametrize("content", [*DAMAGED.values(), b"no array at all"])
def test_an_archive_of_something_else_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", content)
    with pytest.raises(CorruptFileError, match=r"cannot read .*a\.npz: ."):
        read_arrays(path)
    np.save(tmp_path / "single.npy", VALUES)
    with pytest.raises(CorruptFileError, match="a single array and no archive"):
        read_arrays(tmp_path / "single.npy")


def test_an_encrypted_archive_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, x=VALUES)
    content = bytearray(path.read_bytes())
    content[6] |= 1  # the flag of encryption, in both places
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    with pytest.raises(CorruptFileError, match="encrypted"):
        read_arrays(path)
