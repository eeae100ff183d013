"""What a chemist does with a library once it is embedded: functions over files of embeddings.

Each is a command, too: `molkd search`, `molkd map`, ... Names are imported when they are first
used, so that the command line can read settings without torch.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from molkd.library.map_settings import MapSettings
    from molkd.library.maps import Map, map_of
    from molkd.library.table import Library, opened, read, student_of

__all__ = ["Library", "Map", "MapSettings", "map_of", "opened", "read", "student_of"]

_PLACES: Final[Mapping[str, str]] = {
    "Library": "molkd.library.table:Library",
    "Map": "molkd.library.maps:Map",
    "MapSettings": "molkd.library.map_settings:MapSettings",
    "map_of": "molkd.library.maps:map_of",
    "opened": "molkd.library.table:opened",
    "read": "molkd.library.table:read",
    "student_of": "molkd.library.table:student_of",
}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = pkgutil.resolve_name(_PLACES[name])
    return found
