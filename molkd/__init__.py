"""molkd distils many frozen molecular encoders into one small, fast student, without labels.

    import molkd

    result = molkd.distill(smiles, teachers=["ecfp4-count", "rdkit2d"], output="runs/mine")
    vectors = molkd.embed(["CCO", "c1ccccc1"], model="runs/mine").values

Importing it is immediate: each name below is imported when it is first used.
"""

from __future__ import annotations

import os
import pkgutil
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from molkd.deprecated import OldModules

if TYPE_CHECKING:
    from molkd import students, teachers
    from molkd.api import distill, embed, load
    from molkd.distillation.schedule import TrainSettings
    from molkd.distillation.settings import DistillSettings
    from molkd.errors import MolkdError
    from molkd.students import Student
    from molkd.types import Embeddings, Teacher, TeacherCard

__version__ = "0.1.0"

__all__ = [
    "DistillSettings",
    "Embeddings",
    "MolkdError",
    "Student",
    "Teacher",
    "TeacherCard",
    "TrainSettings",
    "distill",
    "embed",
    "load",
    "students",
    "teachers",
]

_PLACES: Final[Mapping[str, str]] = {
    "DistillSettings": "molkd.distillation.settings:DistillSettings",
    "Embeddings": "molkd.types:Embeddings",
    "MolkdError": "molkd.errors:MolkdError",
    "Student": "molkd.students:Student",
    "Teacher": "molkd.types:Teacher",
    "TeacherCard": "molkd.types:TeacherCard",
    "TrainSettings": "molkd.distillation.schedule:TrainSettings",
    "distill": "molkd.api:distill",
    "embed": "molkd.api:embed",
    "load": "molkd.api:load",
    "students": "molkd.students",
    "teachers": "molkd.teachers",
}
"""Public name -> where it is; a type checker reads the imports above instead."""


sys.meta_path.append(OldModules())

# Heard only before torch is loaded: threads that spin while they wait cost tenfold on a busy
# machine (a step of `small` in two threads 1,430 ms of processor time for 190). A choice stands.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")


def __getattr__(name: str) -> Any:
    """Imports a public name when it is first asked for (PEP 562)."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = pkgutil.resolve_name(_PLACES[name])
    return globals()[name]


def __dir__() -> list[str]:
    return sorted([*__all__, *(name for name in globals() if name.startswith("__"))])
