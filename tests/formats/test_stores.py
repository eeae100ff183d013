"""Files in object stores and on servers; the network of the tests ends at this machine."""

from __future__ import annotations

import contextlib
import gzip
import itertools
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from pathlib import Path

import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from molkd.embedding.extent import Extent
from molkd.errors import InputError, OutputError
from molkd.formats import stores
from molkd.formats.columns import Columns
from molkd.formats.readers import kind_of, read
from molkd.formats.sources import listed, size_of
from molkd.items import MODALITIES
from molkd.runtime import files
from tests.fakes import object_store
from tests.formats.rows import rows_of

ROWS = 50_000
LETTERS = np.random.default_rng(0).choice(list("CNOSFP"), (ROWS, 30))
SMILES = ["".join(row) for row in LETTERS]
CUTS = [0, 20_000, 20_100, ROWS]
STYLE = MODALITIES["molecules"].style


@pytest.fixture(scope="module")
def address() -> Generator[str]:
    with object_store.s3_server() as address:
        yield address


@pytest.fixture
def s3(address: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> fsspec.AbstractFileSystem:
    settings = {**object_store.KEYS, "AWS_ENDPOINT_URL": address}
    object_store.account(monkeypatch, tmp_path, settings)
    return fsspec.filesystem("s3")


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three files of every format."""
    folder = tmp_path_factory.mktemp("library")
    for number, (start, stop) in enumerate(itertools.pairwise(CUTS)):
        some = SMILES[start:stop]
        text = "\n".join(some).encode()
        (folder / f"{number}.smi").write_bytes(text)
        (folder / f"{number}.csv.gz").write_bytes(gzip.compress(b"smiles\n" + text))
        table = pa.table({"smiles": some, "other": range(start, stop), "id": range(start, stop)})
        pq.write_table(table, folder / f"{number}.parquet", row_group_size=6_000)
    return folder


SUFFIXES = ("smi", "csv.gz", "parquet")


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("scheme", ["s3", "memory", "file", "http", "plain http"])
def test_a_library_is_the_same_wherever_it_lies(
    scheme: str, suffix: str, library: Path, request: pytest.FixtureRequest
) -> None:
    match scheme:
        case "s3":
            store = request.getfixturevalue("s3")
            if not store.exists("library"):
                store.put(str(library), "library", recursive=True)
            place = "s3://library"
        case "memory":
            fsspec.filesystem("memory").put(str(library), "/library", recursive=True)
            place = "memory://library"
        case "file":
            place = library.as_uri()
        case _:
            server = object_store.web_server(library, ranges=scheme == "http")
            place = request.getfixturevalue("opened")(server)
    source, spans = f"{place}/*.{suffix}", [range(100, 9_000), range(19_990, 20_200)]
    here = read(f"{library}/*.{suffix}", spans=spans)
    assert [chunk.digest for chunk in read(source, spans=spans)] == [chunk.digest for chunk in here]
    assert rows_of(f"{place}/1.{suffix}").items == SMILES[CUTS[1] : CUTS[2]]
    extent = Extent(source, None, STYLE)
    known = suffix == "parquet" and scheme != "plain http"
    assert extent.rows == (ROWS if known else None)
    rows = [extent.rows for _ in extent.chunks(read, Columns(), 1000)]
    assert extent.rows == ROWS
    if suffix != "parquet":
        assert rows[30] is not None
        assert abs(rows[30] - ROWS) < 0.3 * ROWS


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Generator[Callable[..., str]]:
    """Enters what the tests start, and ends it with them."""
    object_store.account(monkeypatch, tmp_path, {})
    with contextlib.ExitStack() as stack:
        yield stack.enter_context


def test_a_column_is_read_and_no_more(s3: fsspec.AbstractFileSystem, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    noise = [rng.bytes(1000) for _ in range(30_000)]
    table = pa.table({"smiles": SMILES[:30_000], "noise": noise})
    pq.write_table(table, tmp_path / "big.parquet", row_group_size=15_000, compression="none")
    s3.mkdir("big")
    s3.put(str(tmp_path / "big.parquet"), "big/big.parquet")
    with stores.opened("s3://big/big.parquet") as raw:
        cache = raw.raw._file.cache
        file = pq.ParquetFile(raw, buffer_size=1 << 20, pre_buffer=False)
        assert sum(len(batch) for batch in file.iter_batches(columns=["smiles"])) == 30_000
        assert cache.total_requested_bytes < 0.6 * s3.size("big/big.parquet")


def test_a_question_mark_in_a_url_is_no_pattern(library: Path, opened: Callable[..., str]) -> None:
    place = opened(object_store.web_server(library))
    url = f"{place}/1.csv.gz?download=1"
    assert listed(url) == (url,)
    assert kind_of(url) == "csv"
    assert len(rows_of(url)) == 100


def test_a_name_with_a_bracket_is_found_in_a_store() -> None:
    memory = fsspec.filesystem("memory")
    for name, text in {"lib[1].smi": "CC", "lib1.smi": "N"}.items():
        memory.pipe(f"/odd/{name}", text.encode())
    assert rows_of("memory://odd/lib[1].smi").items == ["CC"]
    assert rows_of("memory://odd/*.smi").items == ["N", "CC"]


# == What cannot be read


def _refused(source: str, kind: type[Exception] = InputError) -> str:
    started = time.monotonic()
    with pytest.raises(kind) as caught:
        next(read(source))
    assert time.monotonic() - started < 40
    said = str(caught.value)
    assert "\n" not in said
    return said


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (
            "s3://none/a.csv",
            "cannot read s3://none/a.csv: there is no such file, or no such bucket",
        ),
        (
            "s3://none/*.csv",
            "no file matches 's3://none/*.csv': look at the folder (of a store: the",
        ),
        ("s3://there/a.csv", "cannot read s3://there/a.csv: there is no such file"),
        ("s3://there/*.csv", "no file matches 's3://there/*.csv'"),
        ("memory://none/a.csv", "there is no such file"),
        ("file:///none/a.csv", "cannot read /none/a.csv: No such file or directory"),
        (
            "s4://a/a.csv",
            "s4://a/a.csv: nobody knows URLs that begin with s4://. Did you mean 's3'",
        ),
        (
            "foo://a/*.csv",
            "Files are read from s3://, gs://, https://, file:// and others of fsspec",
        ),
    ],
)
def test_what_is_not_there(s3: fsspec.AbstractFileSystem, url: str, expected: str) -> None:
    s3.mkdirs("there", exist_ok=True)
    assert expected in _refused(url)


@pytest.mark.parametrize("name", ["a.csv", "*.csv"])
def test_a_store_without_credentials(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    object_store.account(monkeypatch, tmp_path, {})
    assert _refused(f"s3://private/{name}") == (
        f"cannot read s3://private/{name}: no credentials: set AWS_ACCESS_KEY_ID and "
        "AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or for a public bucket FSSPEC_S3_ANON=true"
    )


@pytest.mark.parametrize("url", ["s3://library/a.csv", "s3://library/*.csv"])
def test_a_server_that_is_not_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, url: str
) -> None:
    with object_store.deaf_server() as address:
        pass
    settings = {**object_store.KEYS, "AWS_ENDPOINT_URL": address, "AWS_MAX_ATTEMPTS": "1"}
    object_store.account(monkeypatch, tmp_path, settings)
    said = _refused(url)
    assert f"cannot read {url}: its server does not answer ([Errno" in said
    assert "at AWS_ENDPOINT_URL, then run the same command again" in said


@pytest.mark.parametrize("scheme", ["s3", "http"])
def test_a_server_that_says_nothing(
    scheme: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(stores, "_PATIENCE", 1.0)
    with object_store.deaf_server() as address:
        settings = {**object_store.KEYS, "AWS_ENDPOINT_URL": address}
        object_store.account(monkeypatch, tmp_path, settings)
        url = "s3://library/a.csv" if scheme == "s3" else f"{address}/a.csv"
        assert "its server does not answer in 1 seconds: look at the network" in _refused(url)


def test_access_that_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError("Access Denied")

    monkeypatch.setattr(fsspec.get_filesystem_class("memory"), "open", refuse)
    assert _refused("memory://a.csv") == (
        "cannot read memory://a.csv: access is refused (Access Denied): give the rights that its "
        "server asks for"
    )


@pytest.mark.parametrize("suffix", ["smi", "parquet"])
def test_a_connection_that_breaks_while_it_is_read(
    library: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = fsspec.filesystem("memory")
    memory.put(f"{library}/0.{suffix}", "/broken/0")

    class Breaking:
        def __init__(self, file) -> None:
            self.file, self.left = file, 4 if suffix == "parquet" else 2

        def read(self, size):
            self.left -= 1
            if self.left < 0:
                raise ConnectionResetError("Connection reset by peer")
            return self.file.read(size)

        def __getattr__(self, name):
            return getattr(self.file, name)

    whole = type(memory).open
    monkeypatch.setattr(type(memory), "open", lambda *a, **b: Breaking(whole(*a, **b)))
    with pytest.raises(
        InputError, match=r"^cannot read memory://broken/0: its server does not answ"
    ):
        list(read("memory://broken/0", kind=suffix))


@pytest.mark.parametrize(
    ("package", "url", "expected"),
    [
        ("s3fs", "s3://a/b.csv", "pip install 'molkd[s3]'"),
        ("gcsfs", "gs://a/b.csv", "pip install 'molkd[gs]'"),
        ("aiohttp", "https://a/b.csv", "pip install 'molkd[http]'"),
        ("adlfs", "abfs://a/b.csv", "Install adlfs to access Azure"),
    ],
)
def test_a_package_that_is_missing(package: str, url: str, expected: str) -> None:
    lines = [
        f"import sys; sys.modules[{package!r}] = None",
        "from molkd.errors import MissingExtraError",
        "from molkd.formats.sources import listed",
        f"try: listed({url!r})",
        "except MissingExtraError as error: print(error)",
    ]
    said = subprocess.check_output([sys.executable, "-c", "\n".join(lines)], text=True)
    assert said.startswith(f"{url} needs another package: {expected}")


def test_nothing_is_written_to_a_store() -> None:
    for name in ("s3://b/out.parquet", "memory://out.parquet"):
        with pytest.raises(
            OutputError, match="nothing is written to a store: write a file here, th"
        ):
            files.refuse_folder(Path(name), "x.parquet")
    with pytest.raises(OutputError, match=r"s3://b/out\.csv: nothing is written"):
        files.write_bytes(Path("s3://b/out.csv"), b"")


def test_sizes(library: Path) -> None:
    fsspec.filesystem("memory").pipe("/sizes/a.smi", b"CC\n")
    assert size_of("memory://sizes/a.smi") == 3
    assert size_of(str(library / "none")) is None
    assert size_of("-") is None
