"""What users import: light where it must be, present where it is promised."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

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

OPEN = {"Registry.add", "Registry.make", "set_params", "MolKDFeaturizer.featurize"}
"""Functions that take free keywords: makers by name, and methods of scikit-learn and DeepChem."""


@pytest.mark.parametrize("module", LIGHT)
def test_light_modules_load_no_slow_library(module: str) -> None:
    code = f"import sys, {module}; print(*[name for name in {SLOW} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def _sources() -> list[Path]:
    return sorted(
        path for top in ("molkd", "teachers", "featurizers") for path in (ROOT / top).rglob("*.py")
    )


def _module(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts if parts[0] == "molkd" else ("molkd", *parts)).removesuffix(".__init__")


@pytest.mark.parametrize("path", _sources(), ids=_module)
def test_all_names_only_what_exists(path: Path) -> None:
    module = importlib.import_module(_module(path))
    assert [name for name in getattr(module, "__all__", []) if not hasattr(module, name)] == []


@pytest.mark.parametrize("path", _sources(), ids=_module)
def test_public_functions_take_no_free_keywords(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    owners = {"": tree, **{c.name: c for c in tree.body if isinstance(c, ast.ClassDef)}}
    found = [
        f"{owner}.{node.name}".lstrip(".")
        for owner, parent in owners.items()
        for node in parent.body
        if isinstance(node, ast.FunctionDef) and node.args.kwarg and node.name[0] != "_"
    ]
    assert [name for name in found if not {name, name.split(".")[-1]} & OPEN] == []
