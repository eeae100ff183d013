"""Estimators as molfeat knows them: its states, and its classes for `isinstance`.

molfeat, which takes six seconds to load, is loaded where something of it is asked for.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any, Self, cast


class MolfeatStates:
    """What molfeat's transformers do with states, without being loaded before."""

    def __init_subclass__(cls) -> None:
        """Tells molfeat of a new class, where molfeat is in use."""
        super().__init_subclass__()
        if "molfeat.trans.pretrained" in sys.modules:
            join_molfeat()

    def to_state_dict(self) -> dict[str, Any]:
        """Returns class and parameters, for molfeat's `MoleculeTransformer.from_state_dict`."""
        return join_molfeat().to_state_dict(cast("Any", self))

    def to_state_json(self) -> str:
        """Returns what `to_state_dict` does, as JSON."""
        return join_molfeat().to_state_json(cast("Any", self))

    def to_state_yaml(self) -> str:
        """Returns what `to_state_dict` does, as YAML."""
        return join_molfeat().to_state_yaml(cast("Any", self))

    def to_state_json_file(self, filepath: str | os.PathLike[str]) -> None:
        """Writes what `to_state_json` returns."""
        join_molfeat().to_state_json_file(cast("Any", self), os.fspath(filepath))

    def to_state_yaml_file(self, filepath: str | os.PathLike[str]) -> None:
        """Writes what `to_state_yaml` returns."""
        join_molfeat().to_state_yaml_file(cast("Any", self), os.fspath(filepath))

    @staticmethod
    def from_state_dict(
        state: Mapping[str, Any], override_args: dict[str, Any] | None = None
    ) -> Self:
        """Returns the estimator that a state describes, of the class that the state names.

        Args:
            state: what `to_state_dict` gave.
            override_args: parameters that are to be others.
        """
        return join_molfeat().from_state_dict(dict(state), override_args)

    @staticmethod
    def from_state_json(state_json: str, override_args: dict[str, Any] | None = None) -> Self:
        """Reads what `to_state_json` gave; see `from_state_dict`."""
        return join_molfeat().from_state_json(state_json, override_args)

    @staticmethod
    def from_state_yaml(state_yaml: str, override_args: dict[str, Any] | None = None) -> Self:
        """Reads what `to_state_yaml` gave; see `from_state_dict`."""
        return join_molfeat().from_state_yaml(state_yaml, override_args)

    @staticmethod
    def from_state_json_file(
        filepath: str | os.PathLike[str], override_args: dict[str, Any] | None = None
    ) -> Self:
        """Reads what `to_state_json_file` wrote; see `from_state_dict`."""
        return join_molfeat().from_state_json_file(os.fspath(filepath), override_args)

    @staticmethod
    def from_state_yaml_file(
        filepath: str | os.PathLike[str], override_args: dict[str, Any] | None = None
    ) -> Self:
        """Reads what `to_state_yaml_file` wrote; see `from_state_dict`."""
        return join_molfeat().from_state_yaml_file(os.fspath(filepath), override_args)


def join_molfeat() -> type[Any]:
    """Loads molfeat, and makes our estimators transformers of it: by `isinstance`, and in states.

    Returns:
        molfeat's class of pretrained transformers.
    """
    from molfeat.trans import base
    from molfeat.trans.pretrained import PretrainedMolTransformer

    PretrainedMolTransformer.register(MolfeatStates)
    waiting = MolfeatStates.__subclasses__()
    while waiting:
        kind = waiting.pop()
        # Where its states look names up.
        cast("Any", base)._TRANSFORMERS[kind.__name__] = kind  # noqa: SLF001
        waiting += kind.__subclasses__()
    return PretrainedMolTransformer
