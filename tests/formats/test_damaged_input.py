"""Files that are cut, empty, in another encoding or something else: an error, never fewer rows."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import zstandard

from molkd.errors import InputError
from molkd.formats.readers import read
from molkd.formats.streams import LONGEST_LINE

RANDOM = np.random.default_rng(0).integers(1, 9, (50_000, 2)).tolist()
LINES = [f"{'C' * a}{'N' * b} m{i}" for i, (a, b) in enumerate(RANDOM)]
SMI = "\n".join(LINES).encode()
FEW = "\n".join(LINES[:5_000]).encode()
CSV = b"smiles,id\n" + SMI.replace(b" ", b",")


def _rows(path: Path) -> int:
    return sum(len(chunk) for chunk in read(path, chunk_rows=100))


def _file(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def _zstd(content: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(content)


def _parquet() -> bytes:
    buffer = io.BytesIO()
    pd.DataFrame({"smiles": [line.split()[0] for line in LINES]}).to_parquet(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("kind", "suffix", "share"),
    [("smi", "gz", 0.3), ("csv", "gz", 0.999), ("csv", "zst", 0.3), ("smi", "zst", 0.999)],
)
def test_cut_compressed_text(tmp_path: Path, kind: str, suffix: str, share: float) -> None:
    whole = {"smi": SMI, "csv": CSV}[kind]
    data = {"gz": gzip.compress, "zst": _zstd}[suffix](whole)
    path = _file(tmp_path, f"in.{kind}.{suffix}", data[: int(share * len(data))])
    expected = r"in\..* is cut or damaged: .*; the last good row is (\d+), counted from 0\. Copy"
    with pytest.raises(InputError, match=expected) as caught:
        _rows(path)
    last = int(str(caught.value).split("good row is ")[1].split(",")[0])
    block = 10_000  # zstd gives 128 KiB or nothing
    assert share * len(LINES) - block < last < len(LINES)
    assert _rows(_file(tmp_path, f"whole.{kind}.{suffix}", data)) == len(LINES)


@pytest.mark.parametrize("size", [3, 10, 15])
@pytest.mark.parametrize("suffix", ["gz", "zst"])
def test_cut_within_the_first_bytes(tmp_path: Path, suffix: str, size: int) -> None:
    data = {"gz": gzip.compress, "zst": _zstd}[suffix](SMI)
    with pytest.raises(InputError, match=r"no row is whole|not UTF-8"):
        _rows(_file(tmp_path, f"in.smi.{suffix}", data[:size]))


def test_several_frames_and_one_cut(tmp_path: Path) -> None:
    for compress in (gzip.compress, _zstd):
        data = compress(FEW + b"\n") + compress(FEW)
        assert _rows(_file(tmp_path, "in.smi", data)) == 10_000
        with pytest.raises(InputError, match="is cut or damaged"):
            _rows(_file(tmp_path, "in.smi", data[:-3]))


def test_damaged_within(tmp_path: Path) -> None:
    for compress in (gzip.compress, _zstd):
        data = bytearray(compress(FEW))
        data[len(data) // 2 : len(data) // 2 + 50] = bytes(50)
        with pytest.raises(InputError, match="is cut or damaged"):
            _rows(_file(tmp_path, "in.smi", bytes(data)))


def test_cut_parquet(tmp_path: Path) -> None:
    data = _parquet()
    for cut in (data[:-5], data[: len(data) // 2], b"PAR1"):
        with pytest.raises(InputError, match="no Parquet file, or one without its end"):
            _rows(_file(tmp_path, "in.parquet", cut))
    damaged = data[:2000] + bytes(3000) + data[5000:]
    with pytest.raises(InputError, match="is cut or damaged"):
        _rows(_file(tmp_path, "in.parquet", damaged))


def test_csv_cut_within_quotes(tmp_path: Path) -> None:
    path = _file(tmp_path, "in.csv", b'id,smiles\na,C\nb,CC\n"an unfinished na')
    with pytest.raises(InputError, match=r"opens in line 4 is not closed; the last good row is 1"):
        _rows(path)


def test_csv_with_bad_quotes(tmp_path: Path) -> None:
    path = _file(tmp_path, "in.csv", b'id,smiles\na,C\n"b" c,CC\n')
    with pytest.raises(InputError, match=r"in\.csv, line 3: .*double the quote"):
        _rows(path)


def test_cut_sdf(tmp_path: Path) -> None:
    from rdkit import Chem

    block = Chem.MolToMolBlock(Chem.MolFromSmiles("CCO"))
    whole = f"{block}$$$$\n{block}$$$$\n"
    assert _rows(_file(tmp_path, "whole.sdf", whole.encode())) == 2
    assert _rows(_file(tmp_path, "space.sdf", (whole + "\n \n").encode())) == 2
    assert _rows(_file(tmp_path, "dollars.sdf", whole[:-5].encode())) == 2
    for cut in (2, 7, 12, 45, len(block) - 10):  # dollars, "M  END", bonds, the title
        with pytest.raises(InputError, match=r"not closed by \$\$\$\$; the last good row is 0"):
            _rows(_file(tmp_path, "in.sdf", whole[:-cut].encode()))


@pytest.mark.parametrize("cut", range(1, 30))
def test_sdf_cut_within_a_property(tmp_path: Path, cut: int) -> None:
    """Only a record that ends at an empty line, or a file that ends at a record, can be whole."""
    from rdkit import Chem

    record = Chem.MolToMolBlock(Chem.MolFromSmiles("CCO")) + "> <a>\n1\n\n> <b>\n2 %\n\n$$$$\n"
    path = _file(tmp_path, "in.sdf", (record + record)[:-cut].encode())
    ends = (record + record)[:-cut].endswith(("\n\n", "$$$$"))
    if ends:
        assert _rows(path) == 2
        return
    with pytest.raises(InputError, match=r"not closed by \$\$\$\$; the last good row is 0"):
        _rows(path)


@pytest.mark.parametrize("kind", ["smi", "csv", "tsv", "sdf", "parquet"])
def test_empty_files(tmp_path: Path, kind: str) -> None:
    with pytest.raises(InputError, match=rf"in.{kind} is empty"):
        _rows(_file(tmp_path, f"in.{kind}", b""))


@pytest.mark.parametrize(
    ("name", "content"),
    [("in.smi", b"\n\n"), ("in.smi", b"smiles\n"), ("in.csv", b"smiles,id\n"), ("in.sdf", b"\n")],
)
def test_files_without_molecules(tmp_path: Path, name: str, content: bytes) -> None:
    with pytest.raises(InputError, match=f"{name} holds no SMILES"):
        _rows(_file(tmp_path, name, content))


def test_utf_8_is_read(tmp_path: Path) -> None:
    path = _file(tmp_path, "in.smi", "C β-méthyl\n".encode())
    assert next(read(path)).ids == ["β-méthyl"]


def test_one_endless_line(tmp_path: Path) -> None:
    path = _file(tmp_path, "in.smi", b"C" * (LONGEST_LINE + 5))
    with pytest.raises(InputError, match=r"line 1: more than .* characters"):
        _rows(path)


def test_missing_files_and_folders(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot read .*no\.smi: No such file"):
        _rows(tmp_path / "no.smi")
    (tmp_path / "folder.smi").mkdir()
    with pytest.raises(InputError, match=r"cannot read .*folder\.smi: Is a directory"):
        _rows(tmp_path / "folder.smi")
