"""The process that measures one student once: `python -m molkd.benchmarks.price.worker`.

Reads a `PriceRequest` and writes a `PriceMeasurement`, see `molkd.benchmarks.speed.worker.respond`.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import molkd
from molkd.benchmarks.price.records import PriceMeasurement, PriceRequest
from molkd.benchmarks.speed.worker import respond
from molkd.benchmarks.tasks.modalities import BENCHMARKED
from molkd.embedding import EmbedSettings, embed_file
from molkd.formats.readers import read
from molkd.runtime import memory, settings

_COMMAND = "from molkd.cli import main; main()"
_LOOK_EVERY = 0.05
_MB = 2**20


def measure(request: PriceRequest) -> PriceMeasurement:
    """Measures what is asked for, in this process and one more that embeds one molecule.

    Raises:
        MolkdError: there is no such student, or the source cannot be read.
    """
    student: Any = molkd.load(request.student)
    student.embed(["C"])
    seconds: dict[str, float] = {}
    output: dict[str, int] = {}
    parts: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        startup = _startup(request.student, folder)
        start = time.process_time()
        smiles = [item for chunk in read(request.source) for item in chunk.items]
        reading = time.process_time() - start
        parsing = _parsing(smiles)
        invalid = 0
        for dtype in request.dtypes:
            options = settings.load(EmbedSettings, None, {"dtype": dtype})
            path = folder / f"{dtype}.parquet"
            with _watched(path.with_name(f"{path.name}.parts")) as largest:
                start = time.process_time()
                done = embed_file(
                    student, request.source, path, options, name=request.student, progress=False
                )
                seconds[dtype] = time.process_time() - start
            invalid = done.invalid
            output[dtype], parts[dtype] = path.stat().st_size, largest[0]
        parsing = (parsing + _parsing(smiles)) / 2
    return PriceMeasurement(
        rows=len(smiles),
        invalid=invalid,
        dimensions=student.embedding_dim,
        startup=startup,
        reading=reading,
        parsing=parsing,
        seconds=seconds,
        output=output,
        parts=parts,
        peak_mb=memory.peak() / _MB,
    )


def _parsing(smiles: Sequence[Any]) -> float:
    start = time.process_time()
    BENCHMARKED["molecules"].read(smiles)
    return time.process_time() - start


def _startup(student: str, folder: Path) -> float:
    """Seconds of the processor that `molkd embed` takes for one molecule."""
    import resource

    source = folder / "one.smi"
    source.write_text("C\n", encoding="ascii")
    arguments = ["embed", source, "-o", folder / "one.parquet", "-m", student, "-j", "1"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, "-c", _COMMAND, *map(str, arguments)], check=True, capture_output=True
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


@contextmanager
def _watched(folder: Path) -> Generator[list[int]]:
    """Gives the largest number of bytes that the files of a folder have had; looks all the time."""
    largest, ended = [0], threading.Event()

    def look() -> None:
        while not ended.wait(_LOOK_EVERY):
            try:
                sizes = [path.stat().st_size for path in folder.glob("part-*")]
            except OSError:  # removed while we looked
                continue
            largest[0] = max(largest[0], sum(sizes))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield largest
    finally:
        ended.set()
        thread.join()


if __name__ == "__main__":
    respond(lambda fields: measure(PriceRequest(**fields)))
