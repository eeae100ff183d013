"""How familiar molecules are to a student: a share of its corpus, with a reason."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

import molkd
from molkd import students
from molkd.errors import CorruptFileError
from molkd.students import GineSettings, GineStudent
from molkd.students.familiarity import FILE, LEAST, UNTOLD, Environments, Familiarity, Known
from molkd.students.molecules import MoleculeStudent

RINGS = ("c1ccccc1", "c1ccncc1", "C1CCCCC1", "C1CCNCC1", "c1ccsc1", "C1CCOC1")
ALIKE = [f"{'C' * n}{link}{ring}" for n in range(1, 21) for link in "CNOS" for ring in RINGS]
ROWS = np.random.default_rng(0).permutation(len(ALIKE)).tolist()
CORPUS, OTHERS = ([ALIKE[row] for row in rows] for rows in (ROWS[:300], ROWS[300:]))
STRANGE = ["FC(F)(F)C#CC(Br)=NP(=O)(F)F", "OB(O)C1=CC(=S)SS1"]


@pytest.fixture(scope="module")
def student(tmp_path_factory: pytest.TempPathFactory) -> GineStudent:
    made = students.make(GineSettings(size="tiny", hidden=32, layers=2, embedding_dim=32)).eval()
    made.folder = tmp_path_factory.mktemp("student")
    prepared = made.featurize(CORPUS)
    made.remember_familiar(prepared, made.encode(prepared).values, made.folder)
    return made


def _known(student: GineStudent, smiles: list[str]) -> Known:
    prepared = student.featurize(smiles)
    return student.known(prepared, student.encode(prepared).values)


def test_scores_are_shares_of_the_corpus(student: GineStudent) -> None:
    scores = _known(student, OTHERS).scores
    assert ((scores > 0) & (scores < 1)).all()
    assert np.median(scores) == pytest.approx(0.5, abs=0.15)
    assert (scores < 0.2).mean() < 0.4


def test_what_the_corpus_lacks_is_strange_and_the_reason_says_why(student: GineStudent) -> None:
    known = _known(student, [*STRANGE, CORPUS[40]])
    assert (known.scores[:2] < 0.05).all()
    assert known.scores[2] > 0.2
    assert known.reasons[0] is not None
    assert known.reasons[0].startswith("strange: ")
    assert known.reasons[2] is not None
    assert known.reasons[2].startswith("familiar: 0 of ")


def test_an_element_that_never_occurred_makes_the_score_0(student: GineStudent) -> None:
    student.remember(student.featurize(CORPUS))
    try:
        known = _known(student, ["CC[Se]CCCCCCC", "CCOCCCCCCC"])
    finally:
        student.domain = None
    assert known.scores[0] == 0
    assert known.reasons[0] == "never met: element Se"
    assert known.scores[1] > 0


def test_neither_order_nor_spelling_nor_failures_change_a_score(student: GineStudent) -> None:
    alone = _known(student, ["CCNc1ccccc1"]).scores[0]
    among = _known(student, [*CORPUS[:100], "no molecule", "c1cc(NCC)ccc1", *CORPUS[100:]])
    assert among.scores[101] == pytest.approx(alone, abs=1e-4)
    assert np.isnan(among.scores[100])
    assert among.reasons[100] is None


def test_nothing_is_nothing(student: GineStudent) -> None:
    assert len(_known(student, []).scores) == 0


def test_a_file_gives_the_same_scores(student: GineStudent) -> None:
    prepared = student.featurize(CORPUS)
    values = student.encode(prepared).values
    graphs = student.graphs_of(prepared)
    made = Familiarity.of(graphs, values, student.digest)
    assert made is not None
    assert student.familiarity is not None
    read = student.familiarity.known(student.familiarity.environments(graphs), values, {})
    assert np.array_equal(read.scores, made.known(made.environments(graphs), values, {}).scores)


def test_a_small_corpus_says_nothing(student: GineStudent) -> None:
    prepared = student.featurize(CORPUS[: LEAST - 1])
    values = student.encode(prepared).values
    assert Familiarity.of(student.graphs_of(prepared), values, "") is None


def test_a_student_without_the_file_says_what_it_lacks() -> None:
    made = students.make(GineSettings(size="tiny", embedding_dim=32)).eval()
    made.remember(made.featurize(CORPUS))
    known = _known(made, ["CCCCCCCCCO", "CC[Se]CCCCCCC", "no molecule"])
    assert known.reasons == [UNTOLD, "never met: element Se", None]
    assert known.scores[1] == 0
    assert np.isnan(known.scores[[0, 2]]).all()


def test_another_students_file_is_refused(student: GineStudent, tmp_path: Path) -> None:
    assert student.folder is not None
    (tmp_path / FILE).write_bytes((student.folder / FILE).read_bytes())
    with pytest.raises(CorruptFileError, match="belongs to another student"):
        Familiarity.read(tmp_path / FILE, "0" * 64)


@pytest.mark.parametrize("name", ["counts", "axes", "reference", "student"])
def test_a_file_that_lacks_something_is_refused(
    student: GineStudent, tmp_path: Path, name: str
) -> None:
    assert student.folder is not None
    with np.load(student.folder / FILE) as archive:
        arrays = {key: archive[key] for key in archive.files if key != name}
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    (tmp_path / FILE).write_bytes(stream.getvalue())
    with pytest.raises(CorruptFileError, match="says nothing of a corpus"):
        Familiarity.read(tmp_path / FILE, student.digest)
    (tmp_path / FILE).write_bytes(b"PK cut")
    with pytest.raises(CorruptFileError, match="cannot read"):
        Familiarity.read(tmp_path / FILE, student.digest)


@pytest.mark.parametrize("name", students.shipped.names())
def test_students_of_the_package_know_drugs_and_small_files_say_so(name: str) -> None:
    student = molkd.load(name)
    assert student.folder is not None
    assert (student.folder / FILE).stat().st_size < 300_000
    smiles = ["CC(=O)Oc1ccccc1C(=O)O", "CN1C=NC2=C1C(=O)N(C)C(=O)N2C", "C[Se]CC[Au]"]
    prepared = student.featurize(smiles)
    known = student.known(prepared, student.encode(prepared).values)
    assert (known.scores[:2] > 0.05).all()
    assert known.scores[2] == 0


def test_environments_of_parts_are_those_of_the_whole(student: GineStudent) -> None:
    assert student.familiarity is not None
    graphs = student.graphs_of(student.featurize(CORPUS))
    whole = student.familiarity.environments(graphs)
    parts = [
        student.familiarity.environments(graphs.select(rows))
        for rows in (np.arange(100), np.arange(100, len(CORPUS)))
    ]
    np.testing.assert_allclose(Environments.concatenate(parts).commonness, whole.commonness)
    assert (whole.rare <= whole.total).all()


def test_int8_reaches_to_nearly_all_values_of_the_corpus(student: GineStudent) -> None:
    values = student.embed(OTHERS).values
    assert student.reach is not None
    assert np.abs(values).max() < student.reach < 40 * np.abs(values).max()


def test_a_file_of_an_older_version_says_no_reach(student: GineStudent, tmp_path: Path) -> None:
    assert student.folder is not None
    with np.load(student.folder / FILE) as archive:
        older = {key: archive[key] for key in archive.files if key != "reach"}
    np.savez(tmp_path / FILE, **older)
    assert np.isnan(Familiarity.read(tmp_path / FILE, student.digest).reach)


@pytest.mark.parametrize("name", students.shipped.names())
def test_students_of_the_package_say_how_far_they_reach(name: str) -> None:
    student = molkd.load(name)
    assert isinstance(student, MoleculeStudent)
    assert 5 < (student.reach or 0) < 15
