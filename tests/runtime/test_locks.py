"""One process writes a folder at a time; a lock ends with its owner."""

from __future__ import annotations

import errno
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import filelock
import pytest

from molkd.errors import OutputError
from molkd.runtime import locks

HOLD = """
import sys, time
from pathlib import Path
from molkd.runtime import locks
with locks.held(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_owner_is_refused_until_the_first_ends(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    with (
        locks.held(folder),
        pytest.raises(OutputError, match=r"another process is writing .*folder: wait"),
        locks.held(folder),
    ):
        pytest.fail("held twice")
    with locks.held(folder):
        pass


def test_what_nothing_was_written_to_goes_again(tmp_path: Path) -> None:
    with locks.held(tmp_path / "new" / "folder"):
        (tmp_path / "new" / "other").touch()
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["other"]
    with locks.held(tmp_path / "new"):  # which was there before
        (tmp_path / "new" / "other").unlink()
    assert [path.name for path in (tmp_path / "new").iterdir()] == [locks.NAME]
    with locks.held(tmp_path / "newer"):
        (tmp_path / "newer" / "written").touch()
    assert {path.name for path in (tmp_path / "newer").iterdir()} == {locks.NAME, "written"}


def test_a_killed_owner_leaves_nothing_held(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == "held\n"
        with pytest.raises(OutputError), locks.held(tmp_path):
            pytest.fail("held twice")
        owner.send_signal(signal.SIGKILL)
        owner.wait()
    with locks.held(tmp_path):
        pass


def test_a_file_in_the_place_of_the_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot write"), locks.held(tmp_path / "file"):
        pytest.fail("held")


def test_file_systems_without_locks_hold_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_self: Any, **_: Any) -> None:
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(filelock.FileLock, "acquire", refuse)
    with locks.held(tmp_path):
        assert True


def test_a_folder_that_cannot_be_written_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_self: Any, **_: Any) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(filelock.FileLock, "acquire", refuse)
    with pytest.raises(OutputError, match="read-only: choose another"), locks.held(tmp_path):
        pytest.fail("held")


def test_nothing_is_held_in_a_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    url = "s3://bucket/run"
    with pytest.raises(OutputError, match=f"{url}: nothing is written"), locks.held(Path(url)):
        pytest.fail("held")
    assert list(tmp_path.iterdir()) == []
