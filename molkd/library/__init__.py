"""What a chemist does with a library once it is embedded: functions over files of embeddings.

Each is a command, too: `molkd search`, `molkd map`, ...
"""

from molkd.library.checking import Checked, check
from molkd.library.table import Library, opened, read, student_of

__all__ = ["Checked", "Library", "check", "opened", "read", "student_of"]
