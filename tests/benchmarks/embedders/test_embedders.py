"""Embedders by name, what is made of several, and what stands beside every comparison."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from molkd import students
from molkd.benchmarks.embedders import Embedder, make, store, with_baselines
from molkd.benchmarks.embedders.precomputed import Precomputed
from molkd.benchmarks.tasks.modalities import BENCHMARKED
from molkd.embedding import embed_file
from molkd.errors import ConfigError, InputError, UnknownNameError
from molkd.items.images import decoding
from molkd.types import Embeddings

SMILES = ["CCO", "c1ccccc1", "CC(=O)O"]


@pytest.fixture(scope="module")
def student(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("student")
    students.make(students.GineSettings(size="tiny"), seed=3).save_pretrained(folder)
    (folder / "settings.toml").write_text('teachers = ["maccs", "ecfp4-count"]\n')
    return folder


def _rows(embedder: Embedder, cache: Path) -> Embeddings:
    embedder.fill(SMILES, cache=cache, jobs=1, progress=False)
    return store.read(cache, embedder.digests, SMILES)


def test_a_label_is_for_tables_alone() -> None:
    plain, labelled = make("maccs"), make("keys=maccs")
    assert (plain.label, labelled.label) == ("maccs", "keys")
    assert plain.digest == labelled.digest
    assert plain.role == "teacher"
    assert plain.parameters == 0


def test_two_stand_side_by_side(tmp_path: Path) -> None:
    maccs, counts = (_rows(make(name), tmp_path).values for name in ("maccs", "ecfp4-count"))
    both = make("maccs+ecfp4-count")
    assert np.array_equal(_rows(both, tmp_path).values, np.concatenate([maccs, counts], axis=1))
    assert both.role == "baseline"
    assert both.digest != make("ecfp4-count+maccs").digest


def test_components_are_part_of_what_decides() -> None:
    assert make("pca:8:maccs").components == 8
    assert make("pca:8:maccs").digest != make("pca:9:maccs").digest
    assert make("pca:8:maccs").digests == make("maccs").digests


def test_a_student_and_an_untrained_one_of_the_same_shape(student: Path, tmp_path: Path) -> None:
    trained, fresh = make(f"molkd:{student}"), make(f"untrained:{student}")
    assert (trained.role, fresh.role) == ("student", "baseline")
    assert trained.parameters == fresh.parameters
    assert trained.parameters
    first, second = (_rows(embedder, tmp_path).values for embedder in (trained, fresh))
    assert first.shape == second.shape
    assert not np.allclose(first, second)
    assert make(f"untrained:{student}", seed=1).digest != fresh.digest
    assert make(f"untrained:{student}").digest == fresh.digest
    assert make("untrained:tiny").digest == fresh.digest


def test_baselines_stand_beside_a_student(student: Path) -> None:
    found, notes = with_baselines([make(f"s=molkd:{student}")], teachers=True, weights_dir=None)
    labels = [embedder.label for embedder in found]
    assert labels[0] == "s"
    assert labels[1:3] == ["maccs", "ecfp4-count"]
    assert {"rdkit2d", "ecfp4-count+rdkit2d", "teachers of s, PCA-512", "s, untrained"} < set(
        labels
    )
    assert len(labels) == len(set(labels)) == 7
    assert notes == []


def test_training_runs_have_the_baselines_of_one_student(student: Path) -> None:
    given = [make(f"s#{run}=molkd:{student}") for run in range(2)]
    found, _ = with_baselines(given, teachers=False, weights_dir=None)
    labels = [embedder.label for embedder in found]
    assert labels[:4] == ["s#0", "s#1", "teachers of s, PCA-512", "s, untrained"]


@pytest.mark.parametrize("order", ["molkd:{}+ecfp4", "ecfp4+molkd:{}"])
def test_a_student_beside_others_has_the_baselines_of_a_student(student: Path, order: str) -> None:
    given = make(f"both={order.format(student)}")
    found, notes = with_baselines([given], teachers=True, weights_dir=None)
    specs = {embedder.label: embedder.spec for embedder in found}
    assert specs["both, untrained"] == order.replace("molkd", "untrained").format(student)
    assert specs["teachers of both, PCA-512"] == "pca:512:maccs+ecfp4-count"
    assert {"maccs", "ecfp4-count"} < set(specs)
    assert notes == []


def test_components_of_a_student_beside_others_are_compared_as_they_are(student: Path) -> None:
    found, notes = with_baselines(
        [make(f"pca:5:ecfp4+molkd:{student}")], teachers=True, weights_dir=None
    )
    assert len(found) == 4
    assert notes == []


@pytest.mark.parametrize(
    ("spec", "modality", "baseline"),
    [("pixels:8", "images", "pixels:32"), ("hashed-ngrams", "texts", "hashed-ngrams")],
)
def test_other_items_have_other_baselines(spec: str, modality: str, baseline: str) -> None:
    given = make(spec)
    assert given.modality == modality
    found, notes = with_baselines([given], teachers=False, weights_dir=None)
    assert {embedder.label for embedder in found} == {spec, baseline}
    assert {embedder.modality for embedder in found} == {modality}
    assert notes == []


def test_what_reads_other_items_cannot_stand_side_by_side() -> None:
    with pytest.raises(ConfigError, match="not maccs molecules, pixels:8 images"):
        make("maccs+pixels:8")
    assert make("cut:20:maccs+maccs").modality == "molecules"
    assert make("cut:20:pixels:8").modality == "images"


def test_pixels_are_resized_and_a_corrupt_image_costs_its_row(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    small = random.integers(256, size=(8, 8, 3), dtype=np.uint8)
    path = tmp_path / "large.png"
    path.write_bytes(bytes(decoding.stored(small.repeat(4, axis=0).repeat(4, axis=1))))
    items = [decoding.stored(small), b"no image", path, tmp_path / "missing.png"]
    embedder = make("pixels:8")
    embedder.fill(items, cache=tmp_path, jobs=1, progress=False)
    found = store.read(tmp_path, embedder.digests, items)
    assert sorted(found.failures) == [1, 3]
    assert "missing.png" in found.failures[3]
    assert np.isnan(found.values[[1, 3]]).all()
    np.testing.assert_allclose(found.values[0], small.ravel() / 255, atol=1e-6)
    np.testing.assert_array_equal(found.values[0], found.values[2])
    for wrong in ("pixels:0", "pixels:x", "pixels:9999"):
        with pytest.raises(ConfigError, match="expected pixels:N"):
            make(wrong)


def test_texts_of_a_file_are_looked_up_as_they_are_written(tmp_path: Path) -> None:
    path = tmp_path / "texts.csv"
    path.write_text('text,x,y\n"Hello, you",1,2\nnan,3,4\n')
    embedder = make(f"file:{path}")
    assert embedder.modality == "texts"
    assert embedder.sources[0].model.embed(["Hello, you"]).values.tolist() == [[1, 2]]
    path.write_text("text,smiles,x\na,C,1\n")
    with pytest.raises(InputError, match="several columns of items"):
        Precomputed(path)


def test_what_was_given_is_not_added_again() -> None:
    found, _ = with_baselines([make("e=ecfp4-count")], teachers=False, weights_dir=None)
    assert [embedder.label for embedder in found] == ["e", "rdkit2d", "ecfp4-count+rdkit2d"]


def test_teachers_that_cannot_run_here_are_named(student: Path, tmp_path: Path) -> None:
    folder = tmp_path / "student"
    folder.mkdir()
    for path in student.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / "settings.toml").write_text('teachers = ["maccs", "molfeat:no-such-thing"]\n')
    found, notes = with_baselines([make(f"molkd:{folder}")], teachers=True, weights_dir=None)
    assert "maccs" in [embedder.label for embedder in found]
    assert len(notes) == 1
    assert "molfeat:no-such-thing is left out" in notes[0]


def test_a_student_without_settings_has_no_oracle(student: Path, tmp_path: Path) -> None:
    folder = tmp_path / "student"
    students.load(student).save_pretrained(folder)
    found, notes = with_baselines([make(f"molkd:{folder}")], teachers=True, weights_dir=None)
    assert not any(embedder.components for embedder in found)
    assert "neither its settings.toml nor its card names its teachers" in notes[0]


def test_a_student_of_the_package_has_the_teachers_of_its_card() -> None:
    found, _ = with_baselines([make("molkd:molkd-tiny")], teachers=False, weights_dir=None)
    (oracle,) = [embedder.spec for embedder in found if embedder.components]
    assert oracle.startswith("pca:512:")
    assert "maccs" in oracle


@pytest.mark.parametrize("text", ["", "=maccs", "pca:0:maccs", "pca:x:maccs", "pca:8:", "pca:8"])
def test_what_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="expected"):
        make(text)


def test_an_unknown_teacher_has_its_near_names() -> None:
    with pytest.raises(UnknownNameError, match="maccs"):
        make("macs")


def test_a_student_is_no_teacher(tmp_path: Path) -> None:
    for name in ("molkd-tiny", "molkd-tiny-1", str(tmp_path)):
        with pytest.raises(ConfigError, match=f"is no teacher; a student is molkd:{name}"):
            make(name)


def test_labels_are_unique() -> None:
    with pytest.raises(ConfigError, match="LABEL=EMBEDDER"):
        with_baselines([make("rdkit2d=maccs")], teachers=False, weights_dir=None)


@pytest.mark.parametrize("suffix", ["parquet", "csv", "npz"])
def test_embeddings_of_a_file_are_those_that_were_written(
    student: Path, tmp_path: Path, suffix: str
) -> None:
    source = tmp_path / "in.smi"
    source.write_text("\n".join([*SMILES, "not-a-smiles"]))
    written = tmp_path / f"out.{suffix}"
    embed_file(students.load(student), source, written, name="s", progress=False)
    expected = students.load(student).embed(SMILES).values
    found = Precomputed(written).embed([*reversed(SMILES), "not-a-smiles", "CCCC"])
    assert np.array_equal(found.values[:3], expected[::-1])
    assert sorted(found.failures) == [3, 4]
    assert make(f"file:{written}").digest == make(f"x=file:{written}").digest


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("none.csv", "a,b\n1,2\n", "smiles"),
        ("words.csv", "smiles,x\nCCO,no\n", "cannot read"),
        ("empty.csv", "", "cannot read"),
        ("other.txt", "x", "molkd embed"),
    ],
)
def test_a_file_that_holds_none_is_refused(
    tmp_path: Path, name: str, content: str, message: str
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=message):
        Precomputed(tmp_path / name)
    assert BENCHMARKED["molecules"].baselines[0] == "ecfp4-count"


def test_cut_takes_the_first_dimensions_and_knows_its_width() -> None:
    whole, cut = (make(spec) for spec in ("maccs", "cut:20:maccs"))
    (source,) = cut.sources
    values = source.model.embed(["CCO", "c1ccccc1"]).values
    np.testing.assert_array_equal(
        values, whole.sources[0].model.embed(["CCO", "c1ccccc1"]).values[:, :20]
    )
    assert cut.digest not in {whole.digest, make("cut:21:maccs").digest}
    with pytest.raises(ConfigError, match="167 dimensions cannot be cut to 200"):
        make("cut:200:maccs").sources[0].model.embed(["CCO"])
    with pytest.raises(ConfigError, match="expected cut:N:EMBEDDER"):
        make("cut:maccs")
