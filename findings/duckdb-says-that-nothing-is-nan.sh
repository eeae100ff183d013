#!/bin/sh
# DuckDB 2.0.1 answers `isnan` with false for every row of a Parquet file of pyarrow's or polars' in
# which each row group holds some number, NaN or not.
#
# Parquet keeps NaN out of a column's smallest and largest value. DuckDB takes these two for bounds of
# all rows, and concludes that none can be NaN: in SELECT as in WHERE. So `WHERE NOT isnan(score)` lets
# failed predictions pass, and the mean of what is left is NaN. To DuckDB NaN is greater than all
# numbers, but `score > 0.9` finds only those that share a row group with a number above 0.9: how a file
# is cut into row groups decides which rows an answer has. An element of a list, as of an embedding, is
# NaN to SELECT and not to WHERE. The same table in memory, written by DuckDB itself, or with a
# row group of nothing but NaN does not show this. `isfinite` tells a score that is NaN apart in all of
# them. Better are nulls in its place, as molkd writes them, or `write_statistics=False`.
#
# Seen: for scores NaN .2 NaN .95 .5 .4 of rows 0 to 5, in a table and in files: the rows with `isnan`,
# those above .9, those with `isfinite`, and the mean where `isnan` is not true; and where each score is
# a list of one, the rows with `isnan` by SELECT and by WHERE.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet duckdb==2.0.1 pyarrow==26.0.1 polars==2.1.0 numpy==2.4.6
cat > "$folder/scores.py" <<'PROGRAM'
import sys

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

scores = np.array([np.nan, 0.2, np.nan, 0.95, 0.5, 0.4])
scored = pa.table({"row": range(6), "score": scores})


def show(name, source):
    def rows(condition):
        found = duckdb.sql(f"SELECT row FROM {source} WHERE {condition} ORDER BY row").fetchall()
        return [row for (row,) in found]

    ((mean,),) = duckdb.sql(f"SELECT avg(score) FROM {source} WHERE NOT isnan(score)").fetchall()
    print(name, rows("isnan(score)"), rows("score > 0.9"), rows("isfinite(score)"), round(mean, 2))


def file(name, write):
    path = f"{sys.argv[1]}/{name}.parquet"
    write(path)
    show(name, f"'{path}'")


show("table", "scored")
file("duckdb", lambda path: duckdb.sql("SELECT * FROM scored").write_parquet(path))
file("unmeasured", lambda path: pq.write_table(scored, path, write_statistics=False))
for size in (6, 2, 1):
    file(f"pyarrow-{size}", lambda path: pq.write_table(scored, path, row_group_size=size))
for size in (6, 2):
    file(f"polars-{size}", lambda path: pl.from_arrow(scored).write_parquet(path, row_group_size=size))
path = f"{sys.argv[1]}/list.parquet"
pq.write_table(pa.table({"row": range(6), "scores": [[score] for score in scores]}), path)
selected = duckdb.sql(f"SELECT row, isnan(scores[1]) FROM '{path}' ORDER BY row").fetchall()
found = duckdb.sql(f"SELECT row FROM '{path}' WHERE isnan(scores[1]) ORDER BY row").fetchall()
print("list", [row for row, missing in selected if missing], [row for (row,) in found])
PROGRAM
seen=$("$folder/venv/bin/python" "$folder/scores.py" "$folder")
echo "$seen"
test "$seen" = "table [0, 2] [0, 2, 3] [1, 3, 4, 5] 0.51
duckdb [0, 2] [0, 2, 3] [1, 3, 4, 5] 0.51
unmeasured [0, 2] [0, 2, 3] [1, 3, 4, 5] 0.51
pyarrow-6 [] [0, 2, 3] [1, 3, 4, 5] nan
pyarrow-2 [] [2, 3] [1, 3, 4, 5] nan
pyarrow-1 [0, 2] [0, 2, 3] [1, 3, 4, 5] 0.51
polars-6 [] [0, 2, 3] [1, 3, 4, 5] nan
polars-2 [] [2, 3] [1, 3, 4, 5] nan
list [0, 2] []"
