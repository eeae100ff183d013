"""A library is its file of embeddings, or is embedded first; it knows the student that made it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import molkd
from molkd import library, teachers
from molkd.embedding import TeacherEncoder, embed_file, settings_path
from molkd.errors import InputError, OutputError, WeightsError
from molkd.formats.writers import WRITERS

TABLE = "smiles,name,pIC50\nCCO,ethanol,5.5\nno molecule,oops,6\nc1ccccc1O,phenol,7.25\n"


@pytest.fixture
def molecules(tmp_path: Path) -> Path:
    path = tmp_path / "molecules.csv"
    path.write_text(TABLE)
    return path


@pytest.mark.parametrize("kind", list(WRITERS))
def test_molecules_are_embedded_first_and_read_back(
    tmp_path: Path, molecules: Path, kind: str
) -> None:
    made = library.opened(molecules, work=tmp_path / f"work.{kind}", progress=False)
    assert made.ids == ["ethanol", "oops", "phenol"]
    assert made.smiles == ["CCO", "no molecule", "c1ccccc1O"]
    assert made.valid.tolist() == [True, False, True]
    assert list(made.reasons) == [1]
    assert "SMILES" in made.reasons[1]
    assert [float(number) for number in made.columns["pIC50"].to_pylist()] == [5.5, 6.0, 7.25]
    assert made.model.startswith("molkd-small-")
    assert made.model_digest == molkd.load().digest
    expected = molkd.embed(made.smiles).values
    np.testing.assert_allclose(made.values, expected, atol=1e-5)
    again = library.opened(tmp_path / f"work.{kind}", work=tmp_path / "unused.parquet")
    assert again.digest == made.digest
    assert not (tmp_path / "unused.parquet").exists()


def test_every_row_that_is_moved_or_changed_gives_another_digest(
    tmp_path: Path, molecules: Path
) -> None:
    made = library.opened(molecules, work=tmp_path / "work.parquet", progress=False)
    order = [2, 1, 0]
    moved = library.Library(
        [made.ids[row] for row in order],
        [made.smiles[row] for row in order],
        made.values[order],
        {1: "x"},
        {},
        "",
        "",
    )
    renamed = library.Library(
        ["ethanol", "oopsp", "henol"], made.smiles, made.values, {1: "x"}, {}, "", ""
    )
    assert len({made.digest, moved.digest, renamed.digest}) == 3


def test_what_was_embedded_before_is_used_and_nothing_else_is_overwritten(
    tmp_path: Path, molecules: Path
) -> None:
    work = tmp_path / "work.parquet"
    first = library.opened(molecules, work=work, progress=False)
    written = work.stat().st_mtime_ns
    assert library.opened(molecules, work=work, progress=False).digest == first.digest
    assert work.stat().st_mtime_ns == written
    molecules.write_text(TABLE.replace("CCO", "CCN"))
    with pytest.raises(
        OutputError, match=r"was made from other molecules than .*: delete it, or .* --work"
    ):
        library.opened(molecules, work=work, progress=False)


def test_the_student_that_made_a_library_is_loaded(tmp_path: Path, molecules: Path) -> None:
    made = library.opened(molecules, work=tmp_path / "work.parquet", progress=False)
    assert library.student_of(made).digest == made.model_digest
    with pytest.raises(InputError) as raised:
        library.student_of(made, "molkd-static")
    assert made.model_digest[:12] in str(raised.value)
    assert molkd.load("molkd-static").digest[:12] in str(raised.value)
    with pytest.raises(InputError, match="molkd-static"):
        library.opened(tmp_path / "work.parquet", work=tmp_path / "no", model="molkd-static")


def test_a_table_from_elsewhere_is_read_and_its_student_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "own.parquet"
    values = pa.array([[1.0, 2.0], None, [3.0, 4.0]], pa.list_(pa.float32()))
    pq.write_table(pa.table({"smiles": ["C", "x", "N"], "embedding": values}), path)
    own = library.opened(path, work=tmp_path / "unused")
    assert (own.ids, own.model, own.model_digest) == (["0", "1", "2"], "", "")
    assert own.reasons == {1: "the file holds no embedding of it"}
    with pytest.raises(InputError, match="--model"):
        library.student_of(own)
    assert library.student_of(own, "molkd-static").digest  # nobody can say that it is another


def test_embeddings_of_a_teacher_have_no_student(tmp_path: Path) -> None:
    path, smiles = tmp_path / "maccs.parquet", tmp_path / "a.smi"
    smiles.write_text("CCO\n")
    embed_file(TeacherEncoder(teachers.make("maccs")), smiles, path, name="maccs", progress=False)
    with pytest.raises(WeightsError, match=r"made by 'maccs', no student within reach.*a teacher"):
        library.student_of(library.read(path))


def test_a_csv_names_its_student_by_the_settings_beside_it(tmp_path: Path, molecules: Path) -> None:
    work = tmp_path / "work.csv"
    library.opened(molecules, work=work, progress=False)
    settings_path(work).unlink()
    assert library.read(work).model_digest == ""


def test_texts_are_no_library(tmp_path: Path) -> None:
    path = tmp_path / "texts.parquet"
    pq.write_table(pa.table({"text": ["a"], "embedding": [[1.0]]}), path)
    with pytest.raises(InputError, match="holds texts; expected embeddings of molecules"):
        library.read(path)
