"""The command behind `make fuzz`: python -m tests.fuzz --count 1000000 --seed 0 --jobs 2."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
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
    """Counts per target, in Markdown; the last column is per second of a processor's work."""
    columns = (*_COLUMNS, *FAULTS)
    lines = [f"| target | {' | '.join(columns)} | inputs/s |", "|---" * (len(columns) + 2) + "|"]
    total: Counter[str] = Counter()
    for target, count in tally.counts.items():
        lines.append(_line(target, [count[column] for column in columns], tally.seconds[target]))
        total.update(count)
    whole = [total[column] for column in columns]
    return "\n".join([*lines, _line("all", whole, sum(tally.seconds.values()))])


def _line(target: str, cells: list[int], seconds: float) -> str:
    rate = f"{cells[0] / seconds:.0f}" if seconds > 1 else ""
    return f"| {target} | {' | '.join(map(str, cells))} | {rate} |"


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
