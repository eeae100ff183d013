"""Tables are found or fetched, verified against the first download, and never half there."""

from __future__ import annotations

import http.server
import io
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from molkd.benchmarks.tasks.downloads import DataFile, data_dir, find, obtain
from molkd.errors import CorruptFileError, InputError
from molkd.runtime.files import sha256_of
from molkd.teachers.base import weights

TABLE = b"smiles,y\nC,1\n"


def _archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("group/a/test.csv", TABLE)
        archive.writestr("group/b/test.csv", b"smiles,y\nCC,2\n")
    return buffer.getvalue()


class _Server(http.server.ThreadingHTTPServer):
    pages: dict[str, bytes]
    asked: list[str]


class _Handler(http.server.BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        page = self.server.pages.get(self.path)
        if page is None:
            self.send_error(404)
            return
        self.send_response(200)
        length = len(page) * (2 if self.path == "/cut.csv" else 1)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[_Server]:
    monkeypatch.setattr(weights, "SCHEMES", frozenset({"http"}))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with _Server(("127.0.0.1", 0), _Handler) as httpd:
        httpd.asked = []
        httpd.pages = {
            "/a.csv": TABLE,
            "/cut.csv": TABLE,
            "/all.zip": _archive(),
            "/no.zip": b"PK no archive",
            "/page.csv": b"<html>sign in</html>",
        }
        thread = threading.Thread(target=httpd.serve_forever, args=(0.01,))
        thread.start()
        yield httpd
        httpd.shutdown()
        thread.join()


def _file(server: _Server, page: str, **fields: str) -> DataFile:
    return DataFile("made/a.csv", f"http://127.0.0.1:{server.server_port}/{page}", **fields)


def test_a_table_is_fetched_once_and_its_checksum_kept(server: _Server, tmp_path: Path) -> None:
    file = _file(server, "a.csv")
    path = obtain(file, tmp_path, download=True)
    assert path == tmp_path / "made" / "a.csv"
    assert path.read_bytes() == TABLE
    assert (tmp_path / "made" / "a.csv.sha256").read_text() == f"{sha256_of(path)}  a.csv\n"
    assert obtain(file, tmp_path, download=True) == obtain(file, tmp_path) == path
    assert server.asked == ["/a.csv"]


def test_a_table_that_changed_later_is_refused(server: _Server, tmp_path: Path) -> None:
    file = _file(server, "a.csv")
    path = obtain(file, tmp_path, download=True)
    path.write_bytes(TABLE + b"CC,2\n")
    with pytest.raises(CorruptFileError, match=r"a\.csv is not what was downloaded .*delete it"):
        obtain(file, tmp_path)
    path.unlink()
    server.pages["/a.csv"] = b"smiles,y\nC,2\n"
    with pytest.raises(CorruptFileError, match="not what was downloaded the first time"):
        obtain(file, tmp_path, download=True)
    assert not path.exists()
    path.with_name("a.csv.sha256").unlink()
    assert obtain(file, tmp_path, download=True).read_bytes() == b"smiles,y\nC,2\n"


def test_tables_of_an_archive_share_one_download(server: _Server, tmp_path: Path) -> None:
    address = f"http://127.0.0.1:{server.server_port}/all.zip"
    for name in ("a", "b"):
        file = DataFile(f"g/{name}.csv", address, archive="g.zip", member=f"group/{name}/test.csv")
        assert obtain(file, tmp_path, download=True).read_bytes().startswith(b"smiles,y\nC")
    assert server.asked == ["/all.zip"]
    assert {path.name for path in (tmp_path / "g").iterdir()} == {
        "a.csv", "a.csv.sha256", "b.csv", "b.csv.sha256",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("page", "fields", "error", "message"),
    [
        ("gone.csv", {}, InputError, r"gone\.csv cannot be reached.*404.*put the table at .*made"),
        ("cut.csv", {}, InputError, r"cut\.csv broke off"),
        ("page.csv", {}, InputError, r"sent no table but an empty or a web page"),
        ("no.zip", {"archive": "no.zip", "member": "a"}, CorruptFileError, "does not hold a"),
        ("all.zip", {"archive": "g.zip", "member": "c"}, CorruptFileError, "does not hold c"),
    ],
)
def test_what_cannot_be_fetched_leaves_no_table(
    server: _Server,
    tmp_path: Path,
    page: str,
    fields: dict[str, str],
    error: type[Exception],
    message: str,
) -> None:
    with pytest.raises(error, match=message):
        obtain(_file(server, page, **fields), tmp_path, download=True)
    assert not list(tmp_path.rglob("a.csv*"))
    assert not list(tmp_path.rglob("*.partial"))


def test_a_missing_table_says_how_to_get_it(tmp_path: Path) -> None:
    file = DataFile("made/a.csv", "https://example.org/1", archive="g.zip", member="in/a.csv")
    with pytest.raises(InputError) as caught:
        obtain(file, tmp_path)
    message = str(caught.value)
    place = str(tmp_path / "made" / "a.csv")
    for part in (place, "https://example.org/1", "in/a.csv", "--download", "--data", "MOLKD_DATA"):
        assert part in message


def test_only_https_is_fetched(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not https"):
        obtain(DataFile("a.csv", "http://127.0.0.1:1/a.csv"), tmp_path, download=True)


def test_another_name_of_a_table_is_taken(tmp_path: Path) -> None:
    file = DataFile("made/A.csv", "https://example.org/1", aliases=("made/small.csv",))
    assert find(file, tmp_path) is None
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "small.csv").write_bytes(TABLE)
    assert obtain(file, tmp_path).name == "small.csv"
    (tmp_path / "made" / "A.csv").write_bytes(TABLE)
    assert obtain(file, tmp_path).name == "A.csv"


def test_the_folder_is_the_argument_the_variable_or_a_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOLKD_DATA_DIR", str(tmp_path / "named"))
    monkeypatch.setenv("MOLKD_HOME", str(tmp_path / "home"))
    assert data_dir(tmp_path) == tmp_path
    assert data_dir() == tmp_path / "named"
    monkeypatch.delenv("MOLKD_DATA_DIR")
    assert data_dir() == tmp_path / "home" / "data"
    monkeypatch.delenv("MOLKD_HOME")
    assert data_dir().parts[-2:] == ("molkd", "data")
