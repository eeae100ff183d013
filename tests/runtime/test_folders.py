"""Folders that are whole or absent."""

from __future__ import annotations

from pathlib import Path

import pytest

from molkd.errors import OutputError
from molkd.runtime.files import atomic_path


def _tree(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): p.read_text() for p in folder.rglob("*") if p.is_file()}


def _fill(folder: Path, text: str) -> None:
    (folder / "inner").mkdir(parents=True)
    (folder / "inner" / "a").write_text(text)


def test_a_folder_takes_its_place_whole_and_replaces_an_older_one(tmp_path: Path) -> None:
    path = tmp_path / "new" / "set.lance"
    with atomic_path(path) as temporary:
        _fill(temporary, "first")
        assert not path.exists()
    (path / "left over").write_text("old")
    with atomic_path(path) as temporary:
        _fill(temporary, "second")
        assert (path / "left over").exists()
    assert _tree(tmp_path) == {"new/set.lance/inner/a": "second"}


def _fill_and_fail(path: Path, error: BaseException) -> None:
    with atomic_path(path) as temporary:
        _fill(temporary, "half")
        raise error


@pytest.mark.parametrize(
    ("error", "seen"),
    [(OSError(28, "full"), OutputError), (KeyboardInterrupt(), KeyboardInterrupt)],
)
def test_a_folder_that_is_not_finished_leaves_the_older_one(
    tmp_path: Path, error: BaseException, seen: type[BaseException]
) -> None:
    path = tmp_path / "set.lance"
    _fill(path, "whole")
    with pytest.raises(seen):
        _fill_and_fail(path, error)
    assert _tree(tmp_path) == {"set.lance/inner/a": "whole"}
