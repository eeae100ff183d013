"""Imports point one way, up the floors; heavy libraries stay where they are adapted."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

FLOORS = [
    {"errors"},
    {"deprecated"},
    {"types"},
    {"tensors", "failures", "runtime"},
    {"items", "bank", "objectives", "hub"},
    {"formats", "targets"},
    {"information", "embedding"},
    {"students"},
    {"distillation", "featurizers"},
    {"teachers"},
    {"benchmarks"},
    {"library"},
    {"prediction"},
    {"api"},
    {"cli"},
    {"__main__"},
    {"examples"},
]
"""Rooms of molkd, and modules outside of rooms: each imports from the floors before its own."""

STRANGERS = {("distillation", "teachers"), ("teachers", "students"), ("teachers", "distillation")}
"""Rooms that must not know each other although their floors would allow it."""

WITHOUT_TORCH = {"types", "errors", "failures", "items", "formats", "embedding", "deprecated"}
"""What worker processes import."""

HEAVY = {
    "transformers": {
        "molkd/hub/",
        "molkd/students/transformer_base.py",
        "benchmarks/scripts/train_roberta.py",
    },
    "selfies": {"teachers/hub/tokens.py"},
    "molfeat": {
        "featurizers/states.py",
        "benchmarks/embedders/peers.py",
        "teachers/adapters/molfeat.py",
        "teachers/rdkit/pharmacophores.py",
    },
    "deepchem": {
        "teachers/adapters/deepchem.py",
        "featurizers/deepchem.py",
        "benchmarks/tasks/moleculenet.py",
    },
    "skops": {"molkd/prediction/saved.py"},
    "fsspec": {"molkd/formats/stores.py"},
    "aiohttp": {"molkd/formats/stores.py"},
    "onnxruntime": {"teachers/packages/onnx.py"},
    "matplotlib": {
        "molkd/distillation/report.py",
        "molkd/library/maps/chart.py",
        "benchmarks/reports/",
    },
    "umap": {"molkd/library/maps/layout.py"},
    "torch.distributed": {"molkd/runtime/distributed.py"},
    "ray": {"molkd/runtime/cluster/"},
    "tqdm": {"molkd/runtime/progress.py"},
    "datamol": {"molkd/items/molecules/chem.py", "benchmarks/diagnostics/samples.py"},
}
"""Library -> the only files and folders of the package that import it."""

FRONT_DOOR = "molkd"
"""The package itself: its names may stand for anything, and rooms import its version alone."""


def _files() -> Mapping[str, Path]:
    """Module -> file, of all of molkd and the examples."""
    tops = ("molkd", "teachers", "featurizers", "benchmarks", "examples")
    return {_module(path): path for top in tops for path in sorted((ROOT / top).rglob("*.py"))}


def _module(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts if parts[0] == "molkd" else ("molkd", *parts)).removesuffix(".__init__")


FILES = _files()


def _room(module: str) -> str:
    return module.split(".")[1] if module.count(".") else FRONT_DOOR


def _imports(source: str, *, for_types: bool = True) -> Iterator[str]:
    """All that a file imports, wherever in it, and what its strings name as "molkd.x:Name".

    What only type checkers import is left out where `for_types` is False.
    """
    for node in _nodes(ast.parse(source), for_types=for_types):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            assert node.module is not None
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            named = re.fullmatch(r"(molkd(?:\.\w+)+):\w+|(molkd(?:\.\w+){3,})", node.value)
            yield from named.groups("")[:2] if named else ()


def _nodes(tree: ast.AST, *, for_types: bool) -> Iterator[ast.AST]:
    yield tree
    for child in ast.iter_child_nodes(tree):
        typing = isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"
        if for_types or not typing:
            yield from _nodes(child, for_types=for_types)


def _arrows(*, for_types: bool = True) -> dict[str, set[str]]:
    """Module -> the modules of molkd that it imports; the most exact name of each counts."""
    return {
        module: {
            name
            for name in _imports(path.read_text(encoding="utf-8"), for_types=for_types)
            if name in FILES and name not in {module, FRONT_DOOR}
        }
        for module, path in FILES.items()
        if module not in {FRONT_DOOR, "molkd.deprecated"}
    }


ARROWS = _arrows()


def _floor(room: str) -> int:
    return next(floor for floor, rooms in enumerate(FLOORS) if room in rooms)


def test_every_room_has_a_floor() -> None:
    assert {_room(module) for module in FILES} - {FRONT_DOOR} == set().union(*FLOORS)


def test_imports_point_up_the_floors() -> None:
    wrong = [
        f"{module} imports {imported}"
        for module, names in ARROWS.items()
        for imported in names
        if _room(imported) != _room(module) and _floor(_room(imported)) >= _floor(_room(module))
    ]
    assert wrong == []


def test_strangers_do_not_import_each_other() -> None:
    wrong = [
        f"{module} imports {imported}"
        for module, names in ARROWS.items()
        for imported in names
        if (_room(module), _room(imported)) in STRANGERS
    ]
    assert wrong == []


def test_no_module_imports_itself_by_way_of_others() -> None:
    running = {
        module: {name for name in names if not any(o.startswith(f"{name}.") for o in names)}
        for module, names in _arrows(for_types=False).items()
    }
    try:
        TopologicalSorter(running).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_light_rooms_do_not_import_torch() -> None:
    users = [
        module
        for module, path in FILES.items()
        if _room(module) in WITHOUT_TORCH
        for imported in _imports(path.read_text(encoding="utf-8"))
        if imported.split(".")[0] in {"torch", "torch_geometric"} or imported == "molkd.tensors"
    ]
    assert users == []


@pytest.mark.parametrize("library", HEAVY)
def test_heavy_libraries_are_imported_only_where_they_are_adapted(library: str) -> None:
    users = {
        str(path.relative_to(ROOT))
        for module, path in FILES.items()
        if _room(module) != "examples"
        if any(
            f"{name}.".startswith(f"{library}.")
            for name in _imports(path.read_text(encoding="utf-8"))
        )
    }
    assert {user for user in users if not user.startswith(tuple(HEAVY[library]))} == set()


def test_imports_of_every_form_are_read() -> None:
    source = (
        "import molkd.cli\nfrom molkd import bank, store as s\n"
        "def f():\n    from molkd.students.base import Student\n"
        "PLACE = 'molkd.teachers.rdkit:Maccs'\nMAIN = 'molkd.benchmarks.speed.worker'\n"
    )
    rooms = {_room(name) for name in _imports(source)} - {FRONT_DOOR}
    assert rooms == {"bank", "store", "cli", "students", "teachers", "benchmarks"}


@pytest.mark.parametrize("room", ["bank", "objectives", "distillation/trainer.py"])
def test_what_trains_does_not_say_what_an_item_is(room: str) -> None:
    place = ROOT / "molkd" / room
    files = sorted(place.rglob("*.py")) if place.is_dir() else [place]
    word = re.compile(
        r"(?<![a-z])(texts?|vision|visual|images?|molecul\w*|smiles|atoms?)(?![a-z])", re.IGNORECASE
    )
    lines = [
        f"{path.name}:{number}"
        for path in files
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if word.search(line.replace("text_of", "")) and '"atoms' not in line  # names of files
    ]
    assert files
    assert lines == []
