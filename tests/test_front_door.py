"""`import molkd`: few names, imported late, and each what the rest of the house has."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import molkd
from molkd import students
from molkd.errors import ConfigError, InputError, UnknownNameError
from molkd.items.molecules import chem
from tests.fakes import columns

SMILES = ["CCO", "c1ccccc1O", "CC(=O)O", "CCN", "CCCCCC", "C1CCCCC1", "COC", "CC#N"] * 3


class Weight:
    """A teacher of one's own."""

    card = molkd.TeacherCard(
        name="weight", kind="descriptor", dim=2, support="real", source="", license="", limits=""
    )

    def embed(self, items, /):
        parsed = chem.parse_all(items)
        values = np.full((len(items), 2), np.nan, dtype=np.float32)
        for row, mol in zip(parsed.rows, parsed.mols, strict=True):
            values[row] = mol.GetNumAtoms(), mol.GetNumBonds()
        return molkd.Embeddings(values, parsed.failures)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("front") / "student"
    students.make(students.sized("tiny")).save_pretrained(folder)
    return folder


def test_all_names_are_there_and_listed() -> None:
    assert len(molkd.__all__) <= 12
    assert [name for name in molkd.__all__ if not hasattr(molkd, name)] == []
    assert set(molkd.__all__) <= set(dir(molkd))
    assert [name for name in dir(molkd) if name[0] != "_"] == sorted(molkd.__all__)


def test_type_checkers_see_the_same_names() -> None:
    tree = ast.parse(Path(str(molkd.__file__)).read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    seen = [
        alias.name
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    ]
    assert sorted(seen) == sorted(molkd.__all__)


def test_a_name_loads_no_more_than_it_needs() -> None:
    code = "import sys, molkd; molkd.MolkdError, molkd.TeacherCard; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'destil'"):
        molkd.destil  # noqa: B018


def test_embedding_takes_a_folder_or_a_student(model: Path) -> None:
    student = molkd.load(model)
    expected = student.embed(["CCO", "xx"])
    for given in (model, str(model), student):
        embeddings = molkd.embed(["CCO", "xx"], given, device="cpu")
        np.testing.assert_array_equal(embeddings.values, expected.values)
        assert embeddings.failures == expected.failures


def test_a_single_text_is_refused(model: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"write \['CCO'\]"):
        molkd.embed("CCO", model)
    with pytest.raises(InputError, match=r"write \['CCO'\]"):
        molkd.distill("CCO", ["maccs"], tmp_path)


@pytest.mark.parametrize(
    "given",
    columns.COLUMNS,
    ids=lambda given: type(given).__name__,
)
def test_a_column_of_any_kind_is_embedded(model: Path, given: object) -> None:
    found = molkd.embed(given, model)  # pyright: ignore[reportArgumentType]
    expected = molkd.embed(["CCO", "xx"], model)
    np.testing.assert_array_equal(found.values, expected.values)
    assert found.failures == expected.failures
    np.testing.assert_array_equal(
        molkd.embed(iter(["CCO"]), model).values,  # pyright: ignore[reportArgumentType]
        expected.values[:1],
    )


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (columns.TWO_COLUMNS, r"one column, got a data frame of 2"),
        (chem.parse("CCO"), r"a list of items, got one Mol: write \[it\]"),
        ({"smiles": ["CCO"]}, "a list of items, got one dict"),
        (3, "a list of items, got one int"),
    ],
)
def test_what_is_no_column_is_refused(model: Path, given: object, said: str) -> None:
    with pytest.raises(InputError, match=said):
        molkd.embed(given, model)  # pyright: ignore[reportArgumentType]


def test_distilling_takes_names_and_objects(tmp_path: Path) -> None:
    settings = molkd.DistillSettings(student=molkd.students.sized("tiny"), valid_fraction=0.2)
    result = molkd.distill(SMILES, ["maccs", Weight()], tmp_path, settings, progress=False)
    assert set(result.information) == {"maccs", "weight"}
    vectors = molkd.embed(["CCO"], tmp_path, device="cpu").values
    np.testing.assert_array_equal(vectors, result.student.embed(["CCO"]).values)


def test_distilling_refuses_what_is_no_teacher_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="maccs"):
        molkd.distill(SMILES, ["macs"], tmp_path / "a")
    with pytest.raises(ConfigError, match="not a teacher"):
        molkd.distill(SMILES, [object()], tmp_path / "b")
    assert list(tmp_path.iterdir()) == []


def test_teachers_may_be_one_text_as_on_the_command_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="more than once: maccs"):
        molkd.distill(SMILES, "maccs,maccs", tmp_path)


@pytest.mark.parametrize(("chosen", "expected"), [(None, "passive"), ("active", "active")])
def test_threads_wait_without_spinning_unless_asked_to(chosen: str | None, expected: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    environment |= {"OMP_WAIT_POLICY": chosen} if chosen else {}
    code = (
        "import os, sys, molkd; print(os.environ['OMP_WAIT_POLICY'], 'torch' in sys.modules);"
        "import molkd.students.base; print('torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment
    )
    assert done.stdout.split() == [expected, "False", "True"]
