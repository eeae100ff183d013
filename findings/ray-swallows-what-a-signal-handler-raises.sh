#!/bin/sh
# Ray 2.60.0 turns what a signal handler raises into SystemError, after the timeout has passed.
#
# A deadline by `signal.setitimer` and a handler that raises, as timeouts of tests and of notebooks are
# made, ends a wait in Python: `time.sleep(20)` raises the handler's own error after 2 seconds. Inside
# `ray.wait` the handler runs, but its error is only left lying about: the wait goes on to its end, and
# then a SystemError is raised ("returned a result with an exception set"), which
# `except TimeoutError` does not catch. KeyboardInterrupt alone is handed on at once.
#
# Seen: "sleep: TimeoutError in time; wait: SystemError late".
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet ray==2.60.0
cat > "$folder/deadline.py" <<'PROGRAM'
import signal
import time

import ray


def too_late(number, frame):
    raise TimeoutError("two seconds are over")


def seen(waits):
    signal.setitimer(signal.ITIMER_REAL, 2)
    start = time.monotonic()
    try:
        waits()
    except Exception as error:
        when = "in time" if time.monotonic() - start < 10 else "late"
        return f"{type(error).__name__} {when}"
    return "nothing"


ray.init(address="local", num_cpus=1, log_to_driver=False, logging_level="ERROR")
signal.signal(signal.SIGALRM, too_late)


@ray.remote
def slow():
    time.sleep(60)


task = slow.remote()
slept = seen(lambda: time.sleep(20))
waited = seen(lambda: ray.wait([task], timeout=20))
print(f"sleep: {slept}; wait: {waited}")
PROGRAM
found=$(RAY_USAGE_STATS_ENABLED=0 "$folder/venv/bin/python" "$folder/deadline.py" 2> "$folder/errors")
echo "$found"
test "$found" = "sleep: TimeoutError in time; wait: SystemError late"
