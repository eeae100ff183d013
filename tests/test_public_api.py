"""What users import: light where it must be, present where it is promised."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

LIGHT = [
    "molkd",
    "molkd.types",
    "molkd.items.molecules.chem",
    "molkd.items.molecules.graph",
    "molkd.runtime.files",
    "molkd.runtime.registry",
    "molkd.errors",
    "molkd.runtime.settings",
    "molkd.formats",
    "molkd.cli",
]
"""Modules that start in a moment: worker processes and the command line load them first."""

SLOW = ["torch", "torch_geometric", "transformers", "deepchem", "matplotlib", "datamol", "sklearn"]

OPEN = {
    *("Registry.add", "Registry.make", "set_params", "MolKDFeaturizer.featurize"),
    "renamed_fields",
}
"""Functions that take free keywords: makers by name, and methods of scikit-learn and DeepChem."""


def test_light_modules_load_no_slow_library() -> None:
    code = (
        "import importlib, sys\n"
        f"for module in {LIGHT}:\n"
        "    importlib.import_module(module)\n"
        f"    print(module, *[name for name in {SLOW} if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == LIGHT


SOURCES = sorted(
    path for top in ("molkd", "teachers", "featurizers") for path in (ROOT / top).rglob("*.py")
)


def _module(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts if parts[0] == "molkd" else ("molkd", *parts)).removesuffix(".__init__")


def test_all_names_only_what_exists() -> None:
    absent = [
        f"{module}.{name}"
        for module in map(_module, SOURCES)
        for name in getattr(importlib.import_module(module), "__all__", [])
        if not hasattr(importlib.import_module(module), name)
    ]
    assert absent == []


def _free_keywords(path: Path) -> set[str]:
    """Public functions and methods of a file that take `**keywords`."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    owners = {"": tree, **{c.name: c for c in tree.body if isinstance(c, ast.ClassDef)}}
    return {
        f"{owner}.{node.name}".lstrip(".")
        for owner, parent in owners.items()
        for node in parent.body
        if isinstance(node, ast.FunctionDef) and node.args.kwarg and node.name[0] != "_"
    }


def test_public_functions_take_no_free_keywords() -> None:
    offenders = [
        f"{_module(path)}.{name}"
        for path in SOURCES
        for name in sorted(_free_keywords(path))
        if not {name, name.split(".")[-1]} & OPEN
    ]
    assert offenders == []
