#!/bin/sh
# Ray 2.60.0 prints on standard output that a worker died, although `log_to_driver` is off.
#
# `ray.init(log_to_driver=False, logging_level="ERROR")` keeps what workers print away from the
# program. The report of a killed worker comes by another way and is printed with `print`, on standard
# output, into whatever the program writes there: a table that goes on to `sort` or `> table.csv` then
# has a line of Ray's in it, though the program caught the error and exits with 0. What keeps it out is
# an expression in `RAY_DEDUP_LOGS_SKIP_REGEX`, set before Ray is imported.
#
# Seen: "rows 2, of Ray 1" and, with the variable, "rows 2, of Ray 0".
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet ray==2.60.0
cat > "$folder/table.py" <<'PROGRAM'
import os
import time

import ray

ray.init(address="local", num_cpus=1, log_to_driver=False, logging_level="ERROR")


@ray.remote(max_retries=0)
def killed():
    os.kill(os.getpid(), 9)


print("name,value")
try:
    ray.get(killed.remote())
except ray.exceptions.WorkerCrashedError:
    print("killed,")
time.sleep(5)
PROGRAM
seen() {
    RAY_USAGE_STATS_ENABLED=0 "$folder/venv/bin/python" "$folder/table.py" \
        > "$folder/table.csv" 2> "$folder/errors"
    rows=$(grep -c '^[a-z]*,' "$folder/table.csv" || true)
    others=$(grep -c 'worker died or was killed' "$folder/table.csv" || true)
    echo "rows $rows, of Ray $others"
}
plain=$(seen)
export RAY_DEDUP_LOGS_SKIP_REGEX="worker died or was killed"
silenced=$(seen)
echo "$plain; with the variable $silenced"
test "$plain; $silenced" = "rows 2, of Ray 1; rows 2, of Ray 0"
