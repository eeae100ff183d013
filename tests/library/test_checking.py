"""A library is checked row by row, as embed --with-domain would."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import molkd
from molkd import library
from molkd.embedding import EmbedSettings, TeacherEncoder, embed_file
from molkd.errors import ConfigError, OutputError
from molkd.library import results
from molkd.students import shipped
from molkd.students.familiarity import FILE, UNTOLD
from molkd.teachers import make

MOLECULES = "CC(=O)Oc1ccccc1C(=O)O aspirin\nno_molecule oops\n[U] metal\nCCCCO butanol\n"


@pytest.fixture
def molecules(tmp_path: Path) -> Path:
    path = tmp_path / "m.smi"
    path.write_text(MOLECULES)
    return path


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_every_row_has_a_score_or_a_reason(tmp_path: Path, molecules: Path, kind: str) -> None:
    opened = library.opened(molecules, work=tmp_path / "e.parquet", keep=(), progress=False)
    found = library.check(opened, library.student_of(opened))
    found.write(tmp_path / f"c.{kind}")
    frame = (pd.read_csv if kind == "csv" else pd.read_parquet)(tmp_path / f"c.{kind}")
    assert frame["id"].tolist() == ["aspirin", "oops", "metal", "butanol"]
    assert frame["valid"].tolist() == [True, False, True, True]
    assert frame["familiarity"].isna().tolist() == [False, True, False, False]
    assert frame["familiarity"][2] == 0
    assert frame["familiarity_reason"][2].startswith("never met: element U")
    assert "SMILES" in frame["error"][1]
    said = found.describe()
    assert "1 with something that the student never met" in said
    assert "1 have no embedding" in said
    page = found._repr_html_()
    assert page.count("<li>") == 3
    assert page.index("<strong>metal</strong>") < page.index("<strong>aspirin</strong>")


@pytest.mark.parametrize("standardize", ["none", "full"])
def test_embed_adds_the_same_scores_as_columns(
    tmp_path: Path, molecules: Path, standardize: str
) -> None:
    student = molkd.load()
    molecules.write_text(f"{MOLECULES}CC(=O)[O-].[Na+] salt\n[Na+].[Cl-].CCN amine\n")
    settings = EmbedSettings(with_domain=True, standardize=standardize)
    embed_file(student, molecules, tmp_path / "e.parquet", settings, name="s", progress=False)
    table = pq.read_table(tmp_path / "e.parquet").to_pydict()
    opened = library.read(tmp_path / "e.parquet")
    known = library.check(opened, student).known
    np.testing.assert_allclose(
        np.array(table["familiarity"], dtype=float), known.scores, atol=1e-4, equal_nan=True
    )
    assert table["familiarity_reason"] == list(known.reasons)


def test_what_is_known_of_the_corpus_decides_what_is_written(
    tmp_path: Path, molecules: Path
) -> None:
    folder, out = tmp_path / "student", tmp_path / "e.parquet"
    shutil.copytree(shipped.folder_of(shipped.DEFAULT), folder)
    (folder / FILE).rename(tmp_path / FILE)
    settings = EmbedSettings(with_domain=True)

    def embed() -> list[str | None]:
        embed_file(molkd.load(folder), molecules, out, settings, name="s", progress=False)
        return pq.read_table(out)["familiarity"].to_pylist()

    assert embed()[0] is None
    (tmp_path / FILE).rename(folder / FILE)
    with pytest.raises(OutputError, match="was made from other molecules, by another model or"):
        embed()
    out.unlink()
    assert embed()[0] is not None


@pytest.mark.parametrize("rows", [None, 2])
def test_a_column_of_the_same_name_is_not_lost(tmp_path: Path, rows: int | None) -> None:
    source = tmp_path / "in.csv"
    source.write_text("smiles,familiarity\nCCO,mine\n")
    settings = EmbedSettings(with_domain=True, keep=("all",))
    student, out = molkd.load(), tmp_path / "out"
    with pytest.raises(ConfigError, match="'familiarity' cannot be kept, for with_domain adds"):
        embed_file(student, source, out, settings, name="s", progress=False, rows_per_file=rows)


def test_a_teacher_knows_no_corpus(tmp_path: Path, molecules: Path) -> None:
    encoder = TeacherEncoder(make("maccs"))
    settings = EmbedSettings(with_domain=True)
    with pytest.raises(ConfigError, match="asks a student of molecules"):
        embed_file(encoder, molecules, tmp_path / "e.parquet", settings, name="maccs")


def test_processes_change_no_score(tmp_path: Path) -> None:
    path = tmp_path / "m.smi"
    path.write_text("".join(f"{'C' * (n % 40 + 1)}O {n}\n" for n in range(2100)))
    opened = library.opened(path, work=tmp_path / "e.parquet", keep=(), progress=False)
    student = library.student_of(opened)
    one, two = (library.check(opened, student, jobs=jobs).known for jobs in (1, 2))
    assert np.array_equal(one.scores, two.scores)
    assert one.reasons == two.reasons


def test_a_student_without_a_record_is_told(tmp_path: Path, molecules: Path) -> None:
    student = molkd.load()
    opened = library.opened(molecules, work=tmp_path / "e.parquet", keep=(), progress=False)
    student.folder = None
    found = library.check(opened, student)
    assert UNTOLD in found.describe()


def test_other_formats_are_refused_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"\.csv, \.parquet, \.html"):
        results.refuse_output(tmp_path / "c.xlsx", overwrite=False)
