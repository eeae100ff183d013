"""One column of items in every form in which libraries keep one, and what is none."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa

COLUMNS = [
    pd.DataFrame({"smiles": ["CCO", "xx"]}),
    pd.Series(["CCO", "xx"]),
    pl.DataFrame({"smiles": ["CCO", "xx"]}),
    pl.Series(["CCO", "xx"]),
    pa.table({"smiles": ["CCO", "xx"]}),
    pa.array(["CCO", "xx"]),
    np.array(["CCO", "xx"]),
    ("CCO", "xx"),
]

TWO_COLUMNS = pd.DataFrame({"a": ["CCO"], "b": ["CCN"]})
