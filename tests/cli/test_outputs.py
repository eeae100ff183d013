"""Where a command cannot write: a folder instead of a file, a file instead of a folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from molkd import cli
from molkd.errors import OutputError
from molkd.students import GineSettings, make

FILES = {
    "embed": ["embed", "-m", "student", "-i", "in.smi"],
    "teachers embed": ["teachers", "embed", "maccs", "-i", "in.smi"],
    "bench speed": ["bench", "speed", "-e", "maccs"],
}
FOLDERS = {
    "distill": ["distill", "-i", "in.smi", "-t", "maccs"],
    "truncate": ["truncate", "student", "-d", "8"],
    "teachers learn-lsa": ["teachers", "learn-lsa", "-i", "in.txt"],
}


@pytest.fixture(autouse=True)
def _there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(GineSettings(size="tiny")).save_pretrained(tmp_path / "student")
    (tmp_path / "in.smi").write_text("CCO\n")
    (tmp_path / "in.txt").write_text("a text\n")
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder.parquet").mkdir()
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("overwrite", [[], ["--overwrite"]])
@pytest.mark.parametrize("output", ["folder", "folder.parquet", "folder/"])
@pytest.mark.parametrize("command", FILES)
def test_a_folder_is_no_file_and_no_overwriting_makes_it_one(
    command: str, output: str, overwrite: list[str]
) -> None:
    with pytest.raises(OutputError) as refused:
        cli.app([*FILES[command], "-o", output, *overwrite], standalone_mode=False)
    name = "speed.json" if "speed" in command else "embeddings.parquet"
    place = output.rstrip("/")
    assert str(refused.value) == (f"{place} is a folder: name a file in it, such as {place}/{name}")
    assert list(Path(place).iterdir()) == []


@pytest.mark.parametrize("output", ["file", "file/inner"])
@pytest.mark.parametrize("command", FOLDERS)
def test_a_file_is_no_folder(command: str, output: str) -> None:
    with pytest.raises(OutputError, match=r"is a file: (give|choose) (a new|another) folder"):
        cli.app([*FOLDERS[command], "-o", output], standalone_mode=False)
    assert Path("file").read_text() == "mine"
