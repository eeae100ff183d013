"""Many files: which ones, in which order, and what is wrong with one of them."""

from __future__ import annotations

import gzip
import os
import pickle
import shutil
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from molkd.errors import ConfigError, InputError
from molkd.formats.chunks import Chunk
from molkd.formats.columns import Columns
from molkd.formats.readers import agreed, kind_of, read, read_items
from molkd.formats.sources import Source, listed, size_of
from molkd.items import MODALITIES
from tests.formats.rows import file, rows_of

TEXTS = MODALITIES["texts"].style
IMAGES = MODALITIES["images"].style


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def _files(contents: Mapping[str, str]) -> None:
    for name, content in contents.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        file(Path(), name, content)


def _message(source: Source, columns: Columns | None = None) -> str:
    with pytest.raises(InputError) as caught:
        next(read(source, columns))
    return str(caught.value)


# == Which files


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("part-*.csv", ["part-1.csv", "part-10.csv", "part-9.csv"]),
        ("part-[0-8]*.csv", ["part-1.csv", "part-10.csv"]),
        ("part-?.csv", ["part-1.csv", "part-9.csv"]),
        ("d*/*.csv", ["d1/a.csv", "d2/a.csv"]),
        ("**/*.csv", ["d1/a.csv", "d1/e/a.csv", "d2/a.csv", "odd1.csv"]),
        ("part-9.csv", ["part-9.csv"]),
        (["part-9.csv", "d*/*.csv", Path("part-1.csv")], ["part-9.csv", "d1/a.csv", "d2/a.csv"]),
        ("odd[1].csv", ["odd[1].csv"]),
        ("absent.csv", ["absent.csv"]),
        ("-", ["-"]),
    ],
)
def test_files_of_a_pattern_come_in_the_order_of_their_characters(
    source: Source, expected: Sequence[str]
) -> None:
    names = ["part-10.csv", "part-9.csv", "part-1.csv", "d2/a.csv", "d1/a.csv", "d1/e/a.csv"]
    _files(dict.fromkeys([*names, "odd[1].csv", "odd1.csv", ".part-2.csv", "part-2.csv.txt"], "x"))
    Path("part-0.csv").mkdir()
    found = listed(source)
    assert [*found[: len(expected)]] == expected
    assert listed(found) == found, "what was listed is listed as it is"


def test_a_pattern_knows_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    file(tmp_path, "a.csv", "x")
    assert listed("~/*.csv") == (str(tmp_path / "a.csv"),)


@pytest.mark.parametrize(
    ("source", "kind", "expected"),
    [
        ("no-*.csv", InputError, r"no file matches 'no-\*\.csv': look at the folder"),
        ([], ConfigError, "no file is named"),
        (["a.csv", "*.csv"], ConfigError, r"a\.csv is named twice: its rows would count twice"),
        (["a.csv", "./a.csv"], ConfigError, r"\./a\.csv is named twice, also as a\.csv: its rows"),
        (["a.csv", "-"], ConfigError, r"standard input \(-\) cannot be read together with files"),
    ],
)
def test_sources_that_are_refused(source: Source, kind: type[Exception], expected: str) -> None:
    _files({"a.csv": "smiles\nC\n"})
    with pytest.raises(kind, match=expected):
        listed(source)


def test_all_files_have_one_format() -> None:
    _files({"a.csv": "smiles\nC\n", "b.smi": "CC\n", "c.csv.gz": "smiles\nC\n", "d": "smiles\nN\n"})
    with pytest.raises(
        ConfigError, match=r"several formats: a\.csv is csv and b\.smi is smi\. Narrow"
    ):
        kind_of("*.*")
    assert kind_of("*.csv*") == "csv"
    assert rows_of(["a.csv", "d"], kind="csv").items == ["C", "N"]
    with pytest.raises(ConfigError, match="the suffix of d names no format"):
        kind_of(["a.csv", "d"])


def test_a_folder_is_named_by_a_pattern() -> None:
    _files({"lib/a.smi": "C\n"})
    with pytest.raises(
        ConfigError, match=r"it is a folder, so .* pattern in quotes, 'lib/\*\.smi'"
    ):
        kind_of("lib/")
    Path("lib.smi").mkdir()
    with pytest.raises(InputError, match=r"Is a directory; name its files .*'lib\.smi/\*'"):
        next(read("lib.smi"))
    with pytest.raises(
        ConfigError, match="lib is a folder of files: it cannot be read with others"
    ):
        kind_of(["lib", "lib.smi"], None, IMAGES)


# == Their rows


def test_rows_are_counted_through_all_files() -> None:
    _files(
        {"1.csv": "smiles,id\nC,a\nCC,b\n", "2.csv": "id,smiles\n,N\n", "3.csv": "smiles;id\nO;c"}
    )
    chunk = rows_of("*.csv", rows=2)
    assert (chunk.ids, chunk.items) == (["a", "b", None, "c"], ["C", "CC", "N", "O"])
    items, failures = read_items(["3.csv", "1.csv"])
    assert (items, failures) == (["O", "C", "CC"], {})


def test_a_file_with_a_header_alone_has_no_rows() -> None:
    _files({"1.csv": "smiles\nC\n", "2.csv": "smiles\n", "3.csv": "smiles\nN\n"})
    assert rows_of("*.csv").items == ["C", "N"]
    _files({"1.csv": "smiles\n", "3.csv": "smiles\n"})
    assert _message("*.csv") == "1.csv and 2 more holds no SMILES"


@pytest.mark.parametrize("content", [b"", gzip.compress(b"", mtime=0)], ids=["plain", "gzip"])
def test_an_empty_file_among_many_is_refused(content: bytes) -> None:
    _files({"1.smi": "C\n", "3.smi": "N\n"})
    file(Path(), "2.smi", content)
    assert _message("*.smi") == "2.smi is empty"


def test_a_cut_file_is_named_with_its_own_last_row() -> None:
    lines = "".join(f"{'CN' * (row % 40)}C m{row * 7919}\n" for row in range(40_000))
    data = gzip.compress(lines.encode())
    for name, content in {"1.smi.gz": data, "2.smi.gz": data[:-2000], "3.smi.gz": data}.items():
        file(Path(), name, content)
    chunks: list[Chunk] = []
    with pytest.raises(InputError, match=r"^2\.smi\.gz is cut or damaged: ") as caught:
        chunks.extend(read("*.smi.gz", chunk_rows=1000))
    last = int(str(caught.value).partition("the last good row is ")[2].partition(",")[0])
    seen = sum(map(len, chunks))
    assert 30_000 < last < 40_000
    assert 0 <= 40_000 + last - seen < 1000, "what is whole was read"


def test_a_table_that_is_cut_is_found_before_the_first_row() -> None:
    for name in ("1.parquet", "2.parquet"):
        pq.write_table(pa.table({"smiles": ["C"] * 100}), name)
    Path("2.parquet").write_bytes(Path("2.parquet").read_bytes()[:-20])
    assert _message("*.parquet").startswith("2.parquet is cut or damaged: ")


# == Their columns


def test_columns_of_another_file_are_refused_before_the_first_row() -> None:
    _files(
        {"1.csv": "smiles,id\nC,a\n", "2.csv": "smiles,id\nC,b\n", "3.csv": "structure,id\nC,c\n"}
    )
    assert _message("*.csv") == (
        "3.csv has no column 'smiles'. Columns: 'structure', 'id'. Of 1.csv, the first of the "
        "files, 'smiles', 'id' are read, and all must have the same: choose columns that all have "
        "with --column, --id-column or --keep, or embed these files apart"
    )
    Path("3.csv").unlink()
    _files({"2.csv": "smiles,name\nC,b\n"})
    assert "2.csv has no column 'id'." in _message("*.csv")
    assert rows_of("*.csv", Columns(id="")).ids == [None, None]


@pytest.mark.parametrize(
    ("first", "other", "columns", "expected"),
    [
        (
            "smiles\nC\n",
            "smiles,id\nC,a\n",
            Columns(),
            "has a column 'id', which would be read too",
        ),
        ("smiles,x\nC,1\n", "smiles\nC\n", Columns(keep=("all",)), "has no column 'x'"),
        ("smiles,x\nC,1\n", "smiles,y,x\nC,2,1\n", Columns(keep=("all",)), "has a column 'y'"),
        ("smiles,x\nC,1\n", "smiles,y\nC,2\n", Columns(keep=("x",)), "has no column 'x'"),
        ("a,b\nC,1\n", "b,c\n1,C\n", Columns("a"), "has no column 'a'"),
        ("Smiles,id\nC,1\n", "smiles,id\nC,1\n", Columns(), "has no column 'Smiles'"),
    ],
)
def test_files_that_differ_in_what_is_read(
    first: str, other: str, columns: Columns, expected: str
) -> None:
    _files({"1.csv": first, "2.csv": other})
    said = _message("*.csv", columns)
    assert f"2.csv {expected}" in said
    assert "Of 1.csv, the first of the files, " in said


def test_what_is_not_read_may_differ() -> None:
    _files({"1.csv": "smiles,id,x\nC,a,1\n", "2.csv": "y,id,smiles\n2,b,N\n"})
    assert rows_of("*.csv").items == ["C", "N"]
    assert rows_of("*.csv", Columns(keep=())).ids == ["a", "b"]
    _files({"2.csv": "name,id,smiles\n2,b,N\n", "1.csv": "smiles,name\nC,a\n"})
    assert rows_of("*.csv").ids == ["a", "2"], "the identifiers of the first file"


@pytest.mark.parametrize("other", ["C m1\n", "structure,id\nC,m1\n"])
def test_a_list_among_tables_is_refused(other: str) -> None:
    _files({"1.smi": "smiles,id\nC,a\n", "2.smi": other})
    assert "2.smi has no line with the names of its columns. Of 1.smi, the first" in _message(
        "*.smi"
    )


def test_columns_of_parquet_and_json(tmp_path: Path) -> None:
    pq.write_table(pa.table({"smiles": ["C"], "id": [1]}), "1.parquet")
    pq.write_table(pa.table({"smiles": [1], "id": [1]}), "2.parquet")
    assert "2.parquet: column 'smiles' holds int64, not SMILES" in _message("*.parquet")
    pq.write_table(pa.table({"smiles": ["C"]}), "2.parquet")
    assert "2.parquet has no column 'id'" in _message("*.parquet")
    _files({"1.jsonl": '{"text": "a", "id": "x"}\n', "2.jsonl": '{"body": "a", "id": "x"}\n'})
    assert "2.jsonl has no column 'text'" in _message("*.jsonl", Columns(style=TEXTS))


def test_what_was_agreed_holds_in_other_processes() -> None:
    _files({"1.csv": "smiles,name\nC,a\n", "2.csv": "smiles,name,id\nN,b,1\n"})
    columns = agreed(listed("*.csv"), Columns(), "csv")
    columns = pickle.loads(pickle.dumps(columns))  # noqa: S301 - our own
    assert rows_of("2.csv", columns).ids == ["b"], "the identifiers that 1.csv has"
    Path("1.csv").unlink()
    _files({"3.csv": "text,name\nC,a\n"})
    with pytest.raises(InputError, match=r"3\.csv has no column 'smiles'.* Of 1\.csv, the first"):
        rows_of("*.csv", columns)


# == Odd names and odd files


def test_pipes_are_read_once() -> None:
    for name in ("1.smi", "2.smi"):
        os.mkfifo(name)
        threading.Thread(
            target=Path(name).write_text, args=[f"C {name}\nCC\n"], daemon=True
        ).start()
    _files({"3.smi": "N m\n"})
    assert rows_of("*.smi").ids == ["1.smi", None, "2.smi", None, "m"]
    assert size_of("1.smi") is None


@pytest.mark.parametrize("length", [100, 300, 5000])
@pytest.mark.parametrize("character", ["C", "[C@H]", "*"])
def test_a_molecule_in_the_place_of_a_file(character: str, length: int) -> None:
    text = f"{character * length}.smi"
    with pytest.raises(
        InputError, match=r"cannot read .*: (No such file|File name too long)|no file m"
    ):
        next(read(text))
    with pytest.raises((ConfigError, InputError)):
        next(read(text.removesuffix(".smi")))


def test_a_redirected_file_has_a_size(monkeypatch: pytest.MonkeyPatch) -> None:
    _files({"a.smi": "C\n"})
    with Path("a.smi").open() as stream:
        monkeypatch.setattr("sys.stdin", stream)
        assert size_of("-") == 2


def test_a_compressed_table_is_copied_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        pq.write_table(pa.table({"smiles": ["C"], "id": [number]}), "plain")
        Path(f"{number}.parquet.gz").write_bytes(gzip.compress(Path("plain").read_bytes()))
    copies: list[object] = []
    copy = shutil.copyfileobj
    monkeypatch.setattr(shutil, "copyfileobj", lambda *two: copies.append(two) or copy(*two))
    assert rows_of("*.parquet.gz").ids == ["0", "1", "2"]
    assert len(copies) == 3
