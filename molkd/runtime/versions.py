"""Versions of the packages that decide what is written, and which of them are others here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import cast


def installed(packages: Sequence[str]) -> dict[str, str]:
    """Returns package -> installed version, molkd's own first.

    Raises:
        PackageNotFoundError: one is not installed.
    """
    return {name: version(name) for name in ("molkd", *packages)}


def differences(there: object) -> str:
    """Returns which packages something was written with that are others here, in words.

    Args:
        there: what a file holds as the result of `installed` when it was written.

    Returns:
        For example "rdkit 2025.3.6 there, 2026.9.1 now"; empty where nothing differs.
    """
    if not isinstance(there, Mapping):
        return ""
    pairs = [
        (name, number, _here(str(name)))
        for name, number in cast("Mapping[object, object]", there).items()
    ]
    return "; ".join(
        f"{name} {number} there, {here} now" for name, number, here in pairs if number != here
    )


def _here(package: str) -> str:
    try:
        return version(package)
    except (PackageNotFoundError, ValueError):
        return "none"
