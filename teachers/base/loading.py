"""What is read from disk when it is first needed, and again when parameters change."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar, Generic, TypeVar

import torch
from sklearn.base import BaseEstimator

LoadedT = TypeVar("LoadedT")


class LoadsOnce(BaseEstimator, Generic[LoadedT]):
    """An estimator around something that takes long to load.

    A family implements `_load`, and computes with what `_ready` returns.
    """

    _not_loaded: ClassVar[frozenset[str]] = frozenset({"batch_size", "license", "on_invalid"})
    """Parameters that do not matter for what is loaded."""

    _loaded: tuple[tuple[object, ...], Any] | None = None

    @abstractmethod
    def _load(self) -> LoadedT:
        """Builds what is needed to embed, frozen, on its device.

        Raises:
            ConfigError: a parameter does not fit, or there is no such device here.
            WeightsError: the weights are missing or not the published ones.
        """

    def _ready(self) -> LoadedT:
        """Returns what was loaded for the parameters as they are; loads it if need be."""
        loaded = self._current()
        if loaded is None:
            self._validate_params()
            with torch.inference_mode(mode=False):  # else no gradient could ever pass through it
                loaded = self._load()
            self._loaded = (self._key(), loaded)
        return loaded

    def _current(self) -> LoadedT | None:
        """Returns what was loaded, or None if nothing was or parameters changed since."""
        if self._loaded is None or self._loaded[0] != self._key():
            return None
        return self._loaded[1]

    def _key(self) -> tuple[object, ...]:
        parameters = self.get_params(deep=False)
        return tuple(value for name, value in parameters.items() if name not in self._not_loaded)
