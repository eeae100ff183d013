"""A folder of files named by their rows is a library like one file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from molkd import library, students
from molkd.embedding import EmbedSettings, Shard, embed_file
from molkd.errors import InputError
from molkd.library import build, pick, read, rows_of, search
from tests.fakes import libraries


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """One file, and a folder of the same rows."""
    base = tmp_path_factory.mktemp("folders")
    file = libraries.embedded(base)
    options = EmbedSettings(keep=("all",))
    student = students.load(libraries.STUDENT)
    embed_file(
        student,
        base / "molecules.csv",
        base / "folder",
        options,
        name=libraries.STUDENT,
        rows_per_file=16,
    )
    return file, base / "folder"


def test_it_holds_the_rows_of_one_file(places: tuple[Path, Path]) -> None:
    file, folder = map(rows_of, places)
    assert (len(folder), folder.dim) == (len(file), file.dim) == (40, 128)
    np.testing.assert_allclose(*map(np.concatenate, map(list, _values(file, folder))), atol=1e-6)
    assert [block.ids for block in folder.source.blocks()] == [
        [f"M{row}" for row in range(start, min(start + 16, 40))] for start in (0, 16, 32)
    ]
    wanted = np.array([39, 3, 17, 0, 17], dtype=np.int64)
    assert folder.take(wanted).items == file.take(wanted).items
    assert folder.take(wanted).reasons == file.take(wanted).reasons
    assert read(places[1]).ids == read(places[0]).ids
    assert read(places[1]).reasons == read(places[0]).reasons


def _values(*rows: library.LibraryRows) -> list[object]:
    return [one.source.values() for one in rows]


def test_commands_answer_as_of_one_file(places: tuple[Path, Path], tmp_path: Path) -> None:
    found = [search(place, ["CCO", "c1ccccc1N"], k=3).table for place in places]
    same = ["query", "smiles", "tanimoto"]  # two rows of one molecule are equally near
    assert found[0].select(same) == found[1].select(same)
    picked = [pick(read(place), 5).rows.tolist() for place in places]
    assert picked[0] == picked[1]
    index = build(rows_of(places[1]), tmp_path / "index", progress=False)
    assert search(index, ["CCO"], k=1).table["id"].to_pylist() == ["M0"]
    assert library.embedded_file(places[1], work=tmp_path / "unused.parquet") == places[1]


def test_without_a_manifest_rows_may_be_missing(places: tuple[Path, Path], tmp_path: Path) -> None:
    student = students.load(libraries.STUDENT)
    source = places[0].with_name("molecules.csv")
    out = tmp_path / "out"
    embed_file(student, source, out, name=libraries.STUDENT, rows_per_file=16, shard=Shard(1, 2))
    for use in (rows_of, read):
        with pytest.raises(InputError, match=r"cannot read .*_manifest\.json.*run molkd merge"):
            use(out)


def test_a_damaged_file_is_named(places: tuple[Path, Path], tmp_path: Path) -> None:
    student = students.load(libraries.STUDENT)
    source, out = places[0].with_name("molecules.csv"), tmp_path / "out"
    embed_file(student, source, out, name=libraries.STUDENT, rows_per_file=16)
    name = "000000000016-000000000032.parquet"
    (out / name).write_bytes(b"PAR1")
    for use in (read, lambda path: list(rows_of(path).source.values())):
        with pytest.raises(InputError, match=f"cannot read embeddings from .*{name}"):
            use(out)
