"""Weights are found, fetched and verified; a wrong or partial file is never used."""

from __future__ import annotations

import hashlib
import http.server
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from molkd.errors import OutputError, WeightsError
from molkd.teachers.base import weights
from molkd.teachers.base.weights import WeightFile, cache_dir, load_npz, locate

CONTENT = bytes(range(256)) * 2000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class _Handler(http.server.BaseHTTPRequestHandler):
    """/whole sends the content, /half breaks off, /stall sends half and waits, others are 404."""

    def do_GET(self) -> None:
        if self.path not in {"/whole", "/half", "/stall"}:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT if self.path == "/whole" else CONTENT[: len(CONTENT) // 2])
        if self.path == "/stall":
            self.wfile.flush()
            self.server.released.wait(30)  # type: ignore[attr-defined]

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(weights, "SCHEMES", frozenset({"http"}))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as httpd:
        httpd.released = threading.Event()  # type: ignore[attr-defined]
        thread = threading.Thread(target=httpd.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_port}"
        httpd.released.set()  # type: ignore[attr-defined]
        httpd.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MOLKD_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("MOLKD_WEIGHTS_DIR", raising=False)
    return tmp_path / "home"


def _put(folder: Path, content: bytes = CONTENT) -> Path:
    path = folder / "family" / "net.pth"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    return path


def _file(url: str | None = None, sha256: str = SHA256) -> WeightFile:
    return WeightFile(
        "family/net.pth", sha256, url, origin="net.h5 of someone's repository at c0de"
    )


def test_the_argument_comes_before_the_environment_and_that_before_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOLKD_WEIGHTS_DIR", str(tmp_path / "environment"))
    cached = _put(cache_dir())
    assert locate(_file(), tmp_path / "argument") == cached
    environment = _put(tmp_path / "environment")
    assert locate(_file(), tmp_path / "argument") == environment
    argument = _put(tmp_path / "argument")
    assert locate(_file(), str(tmp_path / "argument")) == argument
    assert locate(_file()) == environment


def test_without_molkd_home_the_cache_is_the_users(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MOLKD_HOME")
    assert cache_dir().parts[-2:] == ("molkd", "weights")


def test_a_file_with_another_checksum_is_refused_by_name(tmp_path: Path) -> None:
    found = _put(tmp_path, b"other")
    other = hashlib.sha256(b"other").hexdigest()
    with pytest.raises(WeightsError, match=f"net.pth.*expected sha256 {SHA256}, got {other}") as e:
        locate(_file(), tmp_path)
    assert str(found) in str(e.value)


def test_a_download_lands_in_the_cache_and_is_not_repeated(server: str, home: Path) -> None:
    path = locate(_file(f"{server}/whole"))
    assert path == home / "weights" / "family" / "net.pth"
    assert path.read_bytes() == CONTENT
    assert locate(_file("http://127.0.0.1:1/gone")) == path


def test_a_download_with_another_checksum_is_refused_and_removed(server: str, home: Path) -> None:
    with pytest.raises(WeightsError, match="not the published file: expected sha256 0000"):
        locate(_file(f"{server}/whole", sha256="0" * 64))
    assert not [path for path in home.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("place", "cause"), [("/half", "broke off after 256000 of 512000"), ("/gone", "404")]
)
def test_a_failed_download_says_what_to_do(server: str, home: Path, place: str, cause: str) -> None:
    with pytest.raises(WeightsError, match=cause) as caught:
        locate(_file(server + place))
    message = str(caught.value)
    remedies = (SHA256, server, "--weights-dir", "MOLKD_WEIGHTS_DIR", "family/net.pth", str(home))
    assert all(remedy in message for remedy in remedies)
    assert not [path for path in home.rglob("*") if path.is_file()]


def test_a_refused_connection_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "SCHEMES", frozenset({"http"}))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with pytest.raises(WeightsError, match=r"cannot be reached.*MOLKD_WEIGHTS_DIR"):
        locate(_file("http://127.0.0.1:1/net.pth"))


def test_a_server_that_stops_sending_is_given_up(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights, "TIMEOUT", 1.0)
    with pytest.raises(WeightsError, match="timed out"):
        locate(_file(f"{server}/stall"))


def test_only_https_is_downloaded_from(tmp_path: Path) -> None:
    for url in ("http://127.0.0.1/net.pth", _put(tmp_path).as_uri()):
        with pytest.raises(WeightsError, match="not https"):
            locate(_file(url))


def test_a_file_that_is_hosted_nowhere_says_so() -> None:
    with pytest.raises(
        WeightsError, match=r"hosted nowhere.*conversion of net.h5 of someone's repository at c0de"
    ) as caught:
        locate(_file(None))
    assert SHA256 in str(caught.value)


def test_a_cache_that_cannot_be_written_is_an_output_error(server: str, home: Path) -> None:
    home.write_text("a file where the folder should be")
    with pytest.raises(OutputError, match="cannot write"):
        locate(_file(f"{server}/whole"))


def test_a_download_killed_half_way_leaves_nothing_under_the_final_name(
    server: str, home: Path
) -> None:
    code = (
        "from molkd.teachers.base import weights as w; w.SCHEMES = {'http'}\n"
        f"w.locate(w.WeightFile('family/net.pth', '{SHA256}', '{server}/stall'))"
    )
    target = home / "weights" / "family" / "net.pth"
    with subprocess.Popen([sys.executable, "-c", code]) as child:
        deadline = time.monotonic() + 60
        while not any(p.stat().st_size for p in home.rglob(".net.pth.*.partial")):
            assert time.monotonic() < deadline
            assert child.poll() is None
            time.sleep(0.05)
        child.kill()
    assert not target.exists()
    assert locate(_file(f"{server}/whole")).read_bytes() == CONTENT


def test_npz_files_with_objects_are_refused(tmp_path: Path) -> None:
    import numpy as np

    path = tmp_path / "evil.npz"
    np.savez(path, value=np.array([object()], dtype=object))
    file = WeightFile("evil.npz", hashlib.sha256(path.read_bytes()).hexdigest(), None)
    with pytest.raises(ValueError, match="allow_pickle=False"):
        load_npz(file, tmp_path)
