"""What a chemist does with a library: functions over molecules, or files of embeddings.

    from molkd import library

    mine = library.of("molecules.csv")  # or SMILES, or a data frame
    library.search(mine, ["CCO"])
    library.pick(mine, 20)

Each is a command, too: `molkd search`, `molkd pick`, `molkd map`, ... Names are imported when they
are first used, so that the command line can read settings without torch.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from molkd.library.checking import Checked, check
    from molkd.library.compounds import Composition, composition
    from molkd.library.given import of
    from molkd.library.hits import Hits, Queries
    from molkd.library.index import Index
    from molkd.library.indexing import build
    from molkd.library.makers import student_of
    from molkd.library.maps.map import Map, map_of
    from molkd.library.maps.settings import MapSettings
    from molkd.library.picking import clusters, pick
    from molkd.library.picks import Clusters, Picks
    from molkd.library.report import Report, report_of
    from molkd.library.rows import rows_of
    from molkd.library.searching import Searchable, search
    from molkd.library.table import Library, embedded_file, opened, read

__all__ = [
    "Checked",
    "Clusters",
    "Composition",
    "Hits",
    "Index",
    "Library",
    "Map",
    "MapSettings",
    "Picks",
    "Queries",
    "Report",
    "Searchable",
    "build",
    "check",
    "clusters",
    "composition",
    "embedded_file",
    "map_of",
    "of",
    "opened",
    "pick",
    "read",
    "report_of",
    "rows_of",
    "search",
    "student_of",
]

_PLACES: Final[Mapping[str, str]] = {
    "Checked": "molkd.library.checking:Checked",
    "Clusters": "molkd.library.picks:Clusters",
    "Composition": "molkd.library.compounds:Composition",
    "Hits": "molkd.library.hits:Hits",
    "Index": "molkd.library.index:Index",
    "Library": "molkd.library.table:Library",
    "Map": "molkd.library.maps.map:Map",
    "MapSettings": "molkd.library.maps.settings:MapSettings",
    "Picks": "molkd.library.picks:Picks",
    "Queries": "molkd.library.hits:Queries",
    "Report": "molkd.library.report:Report",
    "Searchable": "molkd.library.searching:Searchable",
    "build": "molkd.library.indexing:build",
    "check": "molkd.library.checking:check",
    "clusters": "molkd.library.picking:clusters",
    "composition": "molkd.library.compounds:composition",
    "embedded_file": "molkd.library.table:embedded_file",
    "map_of": "molkd.library.maps.map:map_of",
    "of": "molkd.library.given:of",
    "opened": "molkd.library.table:opened",
    "pick": "molkd.library.picking:pick",
    "read": "molkd.library.table:read",
    "report_of": "molkd.library.report:report_of",
    "rows_of": "molkd.library.rows:rows_of",
    "search": "molkd.library.searching:search",
    "student_of": "molkd.library.makers:student_of",
}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = pkgutil.resolve_name(_PLACES[name])
    return found
