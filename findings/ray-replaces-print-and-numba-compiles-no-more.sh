#!/bin/sh
# Where a worker of Ray 2.60.0 has printed a line, Numba 0.68.1 no longer compiles what prints.
#
# Ray shows what its workers print, and draws its progress bars around that. When the first line
# arrives, it replaces `builtins.print` of the program by a function of its own, for good, also after
# `ray.shutdown()`. Numba knows the built-in function only: whatever it compiles afterwards that
# holds a `print`, as its own `numba.get_num_threads` does, ends with "Untyped global name 'print'". So
# a program that uses Ray and then, for example, UMAP 0.5.12 fails, where the same lines in the other
# order run. `RAY_TQDM_PATCH_PRINT=0`, set before Ray starts, keeps the built-in function.
#
# Seen: "no Ray: True", "printing: TypingError", "printing, RAY_TQDM_PATCH_PRINT=0: True".
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet ray==2.60.0 numba==0.68.1
cat > "$folder/program.py" <<'PROGRAM'
import sys
import time

import numba
import numpy as np
import ray


@ray.remote
def work():
    print("done")


@numba.njit
def share(values):
    return values.sum() / max(numba.get_num_threads(), 1)


if sys.argv[1] == "printing":
    ray.init(address="local", num_cpus=1)
    ray.get(work.remote())
    time.sleep(5)  # lines arrive a little later than results
    ray.shutdown()
try:
    found = share(np.ones(10)) > 0
except numba.core.errors.TypingError as error:
    found = "TypingError" if "name 'print'" in str(error) else error
with open(sys.argv[2], "w") as file:
    file.write(str(found))
PROGRAM
seen() {
    RAY_USAGE_STATS_ENABLED=0 "$folder/venv/bin/python" "$folder/program.py" "$1" "$folder/found" \
        > "$folder/log" 2>&1
    cat "$folder/found"
}
alone=$(seen alone)
printing=$(seen printing)
kept=$(RAY_TQDM_PATCH_PRINT=0 seen printing)
echo "no Ray: $alone"
echo "printing: $printing"
echo "printing, RAY_TQDM_PATCH_PRINT=0: $kept"
test "$alone $printing $kept" = "True TypingError True"
