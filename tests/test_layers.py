"""Imports point one way: up the list of layers, and heavy libraries stay where they are adapted."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

LAYERS = [
    {"molkd", "errors", "types", "tensors", "live"},
    {"registry", "store", "chem", "graph", "text", "tokens", "images", "pixels", "rows"}
    | {"settings", "memory", "parallel", "devices", "plan"},
    {"bank", "axes", "scaling", "statistics", "targets", "splits"}
    | {
        "hub",
        "hub_inputs",
        "items",
        "objectives",
        "students",
        "formats",
        "checkpoint",
        "similarity",
        "adaptors",
    },
    {"fitting", "information", "redundancy", "distiller", "report", "embedding", "teachers"},
    {"featurizers", "recipe", "preparation", "pipeline"},
    {"benchmarks"},
    {"cli", "examples"},
]
"""Part of molkd -> its layer; a part imports from its own layer and from those before."""

STRANGERS = {
    ("distiller", "teachers"),
    ("pipeline", "teachers"),
    ("teachers", "distiller"),
    ("teachers", "students"),
}
"""Parts that must not know each other although their layers would allow it."""

WITHOUT_TORCH = {
    "types",
    "chem",
    "graph",
    "text",
    "tokens",
    "images",
    "pixels",
    "rows",
    "items",
    "store",
    "registry",
    "errors",
    "settings",
    "parallel",
    "formats",
}
"""Parts that worker processes import."""

HEAVY = {
    "transformers": {
        "molkd/hub/checkpoints.py",
        "molkd/hub/inputs.py",
        "molkd/students/transformer_base.py",
        "benchmarks/scripts/train_roberta.py",
    },
    "selfies": {"teachers/hub/tokens.py"},
    "molfeat": {
        "featurizers/estimator.py",
        "teachers/adapters/molfeat.py",
        "teachers/rdkit/pharmacophores.py",
    },
    "deepchem": {
        "teachers/adapters/deepchem.py",
        "featurizers/deepchem.py",
        "benchmarks/tasks/moleculenet.py",
    },
    "matplotlib": {"molkd/distillation/report.py", "benchmarks/reports/"},
    "datamol": {"molkd/items/molecules/chem.py", "benchmarks/diagnostics/samples.py"},
}
"""Library -> the only files and folders of the package that import it."""


def _files() -> list[Path]:
    tops = ("molkd", "teachers", "featurizers", "benchmarks", "examples")
    return sorted(path for top in tops for path in (ROOT / top).rglob("*.py"))


def _part(module: str) -> str:
    """The part of molkd that a dotted module name belongs to."""
    return module.split(".")[1] if module.startswith("molkd.") else "molkd"


def _module(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts if parts[0] == "molkd" else ("molkd", *parts)).removesuffix(".__init__")


def _imports(path: Path) -> Iterator[str]:
    """All modules that a file imports, wherever in the file, as dotted names."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            assert node.module is not None
            if node.module == "molkd":
                yield from (f"molkd.{alias.name}" for alias in node.names)
            else:
                yield node.module


def _layer(part: str) -> int:
    return next(index for index, layer in enumerate(LAYERS) if part in layer)


EDGES = [
    (path, _part(_module(path)), _part(imported))
    for path in _files()
    for imported in _imports(path)
    if imported.split(".")[0] == "molkd" and not imported.startswith("molkd.__")
]


@pytest.mark.parametrize("path", _files(), ids=_module)
def test_every_file_belongs_to_a_layer(path: Path) -> None:
    assert any(_part(_module(path)) in layer for layer in LAYERS), "name it in LAYERS"


def test_imports_point_up_the_layers() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} ({here}) imports molkd.{there}"
        for path, here, there in EDGES
        if _layer(there) > _layer(here) and here != "molkd"
    ]
    assert wrong == []


def test_strangers_do_not_import_each_other() -> None:
    assert [edge for edge in EDGES if edge[1:] in STRANGERS] == []


def test_light_parts_do_not_import_torch() -> None:
    torch_users = {
        str(path.relative_to(ROOT))
        for path in _files()
        if _part(_module(path)) in WITHOUT_TORCH
        for imported in _imports(path)
        if imported.split(".")[0] in {"torch", "torch_geometric"} or imported == "molkd.tensors"
    }
    assert torch_users == set()


@pytest.mark.parametrize("library", HEAVY)
def test_heavy_libraries_are_imported_only_where_they_are_adapted(library: str) -> None:
    users = {
        str(path.relative_to(ROOT))
        for path in _files()
        if path.relative_to(ROOT).parts[0] != "examples"
        if any(imported.split(".")[0] == library for imported in _imports(path))
    }
    assert {user for user in users if not user.startswith(tuple(HEAVY[library]))} == set()


def test_the_test_reads_imports_of_every_form(tmp_path: Path) -> None:
    source = tmp_path / "sample.py"
    source.write_text(
        "import molkd.cli\nfrom molkd import bank, store as s\n"
        "def f():\n    from molkd.students.base import Student\n"
    )
    found = sorted(_part(name) for name in _imports(source))
    assert found == ["bank", "cli", "store", "students"]


@pytest.mark.parametrize("part", ["bank", "objectives", "distiller.py"])
def test_what_trains_does_not_say_what_an_item_is(part: str):
    place = ROOT / "molkd" / part
    files = sorted(place.rglob("*.py")) if place.is_dir() else [place]
    word = re.compile(r"\b(texts?|vision|visual|images?|molecul\w*|smiles)\b", re.IGNORECASE)
    found = [
        f"{path.name}:{number}"
        for path in files
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if word.search(line)
    ]
    assert files
    assert found == []
