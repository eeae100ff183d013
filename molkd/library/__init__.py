"""What a chemist does with a library once it is embedded: functions over files of embeddings.

Each is a command, too: `molkd search`, `molkd map`, ...
"""

from molkd.library.hits import Hits, Queries
from molkd.library.index import Index
from molkd.library.indexing import build
from molkd.library.picking import clusters, pick
from molkd.library.picks import Clusters, Picks
from molkd.library.rows import rows_of
from molkd.library.searching import Searchable, search
from molkd.library.table import Library, embedded_file, opened, read, student_of

__all__ = [
    "Clusters",
    "Hits",
    "Index",
    "Library",
    "Picks",
    "Queries",
    "Searchable",
    "build",
    "clusters",
    "embedded_file",
    "opened",
    "pick",
    "read",
    "rows_of",
    "search",
    "student_of",
]
