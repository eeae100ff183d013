"""Files that are whole or absent, whatever happens while they are written."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from molkd.errors import CorruptFileError, OutputError
from molkd.runtime import files


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_file_is_there_when_the_block_ends_and_not_before(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "file"
    with files.atomic_path(path) as temporary:
        temporary.write_text("whole")
        assert not path.exists()
        assert temporary.parent == path.parent  # a rename across file systems is no rename
    assert path.read_text() == "whole"
    assert _names(path.parent) == ["file"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_an_interruption_leaves_the_file_of_before(
    tmp_path: Path, error: type[BaseException]
) -> None:
    path = tmp_path / "file"
    path.write_text("before")

    def interrupted() -> None:
        with files.atomic_path(path) as temporary:
            temporary.write_text("ha")
            raise error

    with pytest.raises(error):
        interrupted()
    assert path.read_text() == "before"
    assert _names(tmp_path) == ["file"]


KILLED = """
import os, pathlib, sys
from molkd.runtime import files
with files.atomic_path(pathlib.Path(sys.argv[1])) as temporary:
    temporary.write_text("ha")
    os._exit(9)
"""


def test_a_kill_leaves_the_file_of_before_and_does_not_disturb_the_next(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("before")
    killed = subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False)
    assert killed.returncode == 9
    assert len(_names(tmp_path)) == 2
    assert path.read_text() == "before"
    files.write_bytes(path, b"after")
    assert path.read_text() == "after"


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        (errno.ENOSPC, "the disk is full: free some space and run the same command again"),
        (errno.EDQUOT, "the disk quota is used up"),
        (errno.EACCES, "permission refused: choose another place"),
        (errno.EROFS, "the file system is read-only"),
        (errno.EFBIG, "no file may be so large here .*: write several"),
        (errno.EIO, "Input/output error"),
    ],
)
def test_what_keeps_a_file_from_being_written_is_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, advice: str
) -> None:
    path = tmp_path / "file"
    path.write_text("before")

    def fails(*_: Any) -> None:
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fails)
        with pytest.raises(OutputError, match=rf"cannot write .*file: .*{advice}") as caught:
            files.write_bytes(path, b"after")
    assert caught.value.errno == code
    assert path.read_text() == "before"
    assert _names(tmp_path) == ["file"]


def test_what_cannot_be_removed_does_not_hide_what_could_not_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any, **__: Any) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(Path, "write_bytes", fails)
    monkeypatch.setattr(Path, "unlink", fails)
    with pytest.raises(OutputError, match=r"cannot write .*file: the file system is read-only"):
        files.write_bytes(tmp_path / "file", b"")


def test_an_explanation_is_given_once(tmp_path: Path) -> None:
    with (
        pytest.raises(OutputError, match="inner: the disk is full") as caught,
        files.explained(tmp_path / "outer"),
        files.explained(tmp_path / "inner"),
    ):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert "outer" not in str(caught.value)


def test_a_folder_that_is_a_file_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"cannot write .*file/inner"):
        files.write_bytes(tmp_path / "file" / "inner", b"")


def test_json_comes_back(tmp_path: Path) -> None:
    value = {"β": [1, 2.5, None], "a": {"b": True}}
    files.write_json(tmp_path / "v.json", value)
    assert files.read_json(tmp_path / "v.json") == value
    assert "β" in (tmp_path / "v.json").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot read .*v.json: .*No such file"),
        (b'{"a": [1', "cannot read .*v.json"),
        (b"\xff\xfe", "cannot read .*v.json"),
        (b"[1]", "v.json does not hold a JSON object"),
    ],
)
def test_what_is_no_json_object_is_refused(
    tmp_path: Path, content: bytes | None, message: str
) -> None:
    if content is not None:
        (tmp_path / "v.json").write_bytes(content)
    with pytest.raises(CorruptFileError, match=message):
        files.read_json(tmp_path / "v.json")


def test_what_is_left_of_processes_that_are_gone_is_removed(tmp_path: Path) -> None:
    gone = 999_999_999  # no process has such a number
    (tmp_path / f".out.{gone}.partial").mkdir()
    (tmp_path / f".out.{gone}.partial" / "vectors").touch()
    (tmp_path / f".out.{10**30}.partial").touch()
    kept = [f".out.{os.getpid()}.partial", f".other.{gone}.partial", ".out.mine.partial"]
    for name in kept:
        (tmp_path / name).touch()
    files.remove_leftovers(tmp_path / "out")
    assert _names(tmp_path) == sorted(kept)


def test_the_checksum_is_sha256(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert files.sha256_of(tmp_path / "abc") == expected
