"""The command behind `make fuzz`: python -m tests.fuzz --count 1000000 --seed 0 --jobs 2."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from tests.fuzz.cases import ROOT, run
from tests.fuzz.targets import SHARES, TARGETS, recipes
from tests.fuzz.watch import FAULTS, Tally, watch
from tests.fuzz.worker import limit_memory, quiet

_FOLDER = ROOT / "build" / "fuzz"
_COLUMNS = ("inputs", "rows", "valid", "reasons", "refused", "spoilt", "unstable")


def main() -> int:
    """Runs; returns 1 where there was a fault."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--count", type=int, default=250_000, help="inputs in all, about")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--target", action="append", choices=list(SHARES), help="only this one")
    parser.add_argument("--replay", type=Path, help="a recipe that an earlier run kept")
    arguments = parser.parse_args()
    if arguments.replay:
        return _replay(arguments.replay)
    started = time.monotonic()

    def progress(tally: Tally) -> None:
        inputs = sum(count["inputs"] for count in tally.counts.values())
        found = ", ".join(f"{sum(c[one] for c in tally.counts.values())} {one}" for one in FAULTS)
        print(f"{time.monotonic() - started:.0f} s: {inputs} inputs; {found}", flush=True)

    counts = recipes(arguments.count, arguments.target)
    tally = watch(counts, _FOLDER, seed=arguments.seed, jobs=arguments.jobs, progress=progress)
    progress(tally)
    print(_table(tally))
    for finding in sorted(tally.findings.values(), key=lambda one: (one.target, -one.count)):
        last = finding.text.strip().splitlines()[-1:] or [""]
        print(f"\n{finding.count} x {finding.verdict} of {finding.target}: {finding.key}")
        print(f"  {last[0][:200]}\n  {_FOLDER.relative_to(ROOT) / finding.name}.json")
    return int(tally.failed)


def _table(tally: Tally) -> str:
    """Counts per target, in Markdown."""
    columns = (*_COLUMNS, *FAULTS)
    lines = [f"| target | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
    total = dict.fromkeys(columns, 0)
    for target, count in tally.counts.items():
        cells = {column: count[column] for column in columns}
        total = {column: total[column] + cells[column] for column in columns}
        lines.append(f"| {target} | {' | '.join(map(str, cells.values()))} |")
    lines.append(f"| all | {' | '.join(map(str, total.values()))} |")
    return "\n".join(lines)


def _replay(path: Path) -> int:
    recipe = json.loads(path.read_text())
    with quiet():
        target = TARGETS[recipe["target"]]
        limit_memory()
        outcome = run(target, recipe)
    print(outcome.verdict, outcome.seen, outcome.text, sep="\n")
    return int(outcome.verdict in FAULTS)


if __name__ == "__main__":
    sys.exit(main())
