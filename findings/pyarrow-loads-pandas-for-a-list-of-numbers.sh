#!/bin/sh
# Where pandas is installed, pyarrow 26.0.1 imports it whenever it makes an array of a list, and to give
# an array to NumPy, although neither has anything to do with pandas.
#
# `pyarrow.array([1])` and `Array.to_numpy()` look whether their argument is a pandas object, or one could
# be asked for, and load the package to find out; reading a Parquet file to Python objects does not. A
# program that writes one small table pays for pandas, some half a second of its start here. An array
# made by `Array.from_buffers`, and read by its buffers or by `to_pylist`, does without.
#
# Seen with pandas 3.1.1 and NumPy 2.4.6, whether pandas is loaded: import False, array(list) True,
# array(NumPy) True, from_buffers False, to_pylist False, to_numpy True.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet pyarrow==26.0.1 pandas==3.1.1 numpy==2.4.6
loads() {
    "$folder/env/bin/python" - "$1" "$2" <<'PROGRAM'
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet

values = np.arange(3)
raw = [None, pa.py_buffer(values)]
exec(sys.argv[2])
print(sys.argv[1], "pandas" in sys.modules)
PROGRAM
}
{
    loads "import" "pass"
    loads "array(list)" "pa.array([1])"
    loads "array(NumPy)" "pa.array(values)"
    loads "from_buffers" "pa.Array.from_buffers(pa.int64(), 3, raw)"
    loads "to_pylist" "pa.Array.from_buffers(pa.int64(), 3, raw).to_pylist()"
    loads "to_numpy" "pa.Array.from_buffers(pa.int64(), 3, raw).to_numpy()"
} >"$folder/seen"
cat "$folder/seen"
test "$(cat "$folder/seen")" = "import False
array(list) True
array(NumPy) True
from_buffers False
to_pylist False
to_numpy True"
