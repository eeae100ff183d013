"""An S3-compatible store and a plain web server, on ports of this machine."""

from __future__ import annotations

import contextlib
import functools
import http.server
import logging
import socket
import threading
from collections.abc import Generator, Mapping
from pathlib import Path

import fsspec
import pytest

KEYS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}


def account(monkeypatch: pytest.MonkeyPatch, home: Path, settings: Mapping[str, str]) -> None:
    """Gives the tests a home without settings of stores, and those given; forgets connections."""
    names = ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN", "PROFILE", "ENDPOINT_URL")
    for name in names:
        monkeypatch.delenv(f"AWS_{name}", raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    for protocol in ("s3", "http"):
        fsspec.get_filesystem_class(protocol).clear_instance_cache()


@contextlib.contextmanager
def s3_server() -> Generator[str]:
    """Yields the address of an empty store."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass

    def copyfile(self, source, outputfile) -> None:
        with contextlib.suppress(ConnectionError):  # of those who have read enough
            super().copyfile(source, outputfile)


class _Ranges(_Quiet):
    """Sends parts of files, as most servers do."""

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        asked = self.headers.get("Range", "").removeprefix("bytes=")
        if not asked or not path.is_file():
            super().do_GET()
            return
        first, _, last = asked.partition("-")
        whole = path.read_bytes()
        part = whole[int(first) : int(last) + 1 if last else None]
        self.send_response(206)
        self.send_header("Content-Length", str(len(part)))
        self.send_header(
            "Content-Range", f"bytes {first}-{int(first) + len(part) - 1}/{len(whole)}"
        )
        self.end_headers()
        self.wfile.write(part)


@contextlib.contextmanager
def web_server(folder: Path, *, ranges: bool = True) -> Generator[str]:
    """Yields the address of a folder."""
    handler = functools.partial(_Ranges if ranges else _Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


@contextlib.contextmanager
def deaf_server() -> Generator[str]:
    """Yields the address of a server that takes calls and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
