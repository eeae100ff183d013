"""The process that measures one student once: `python -m molkd.benchmarks.price.worker`.

Reads a `PriceRequest` and writes a `PriceMeasurement`, see `molkd.benchmarks.speed.worker.respond`.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

import molkd
from molkd.benchmarks.price.records import PriceMeasurement, PriceRequest
from molkd.benchmarks.speed.worker import respond
from molkd.benchmarks.tasks.modalities import BENCHMARKED
from molkd.embedding import EmbedSettings, embed_file
from molkd.embedding.joining import Pieces, encoding_of_schema
from molkd.embedding.parts import Parts
from molkd.formats.readers import read
from molkd.runtime import memory, settings

_COMMAND = "from molkd.cli import main; main()"
_MB = 2**20
_PASSES = 20


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
        smiles = [item for chunk in read(request.source) for item in chunk.items]
        passing = _passing(request.source, len(smiles))
        parsing = _parsing(smiles)
        invalid = 0
        for dtype in request.dtypes:
            options = settings.load(EmbedSettings, None, {"dtype": dtype})
            path = folder / f"{dtype}.parquet"
            start = time.process_time()
            done = embed_file(
                student, request.source, path, options, name=request.student, progress=False
            )
            seconds[dtype] = time.process_time() - start
            invalid = done.invalid
            output[dtype], parts[dtype] = path.stat().st_size, _parts(path)
        parsing = (parsing + _parsing(smiles)) / 2
    return PriceMeasurement(
        rows=len(smiles),
        invalid=invalid,
        dimensions=student.embedding_dim,
        startup=startup,
        passing=passing,
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


def _passing(source: str, rows: int) -> float:
    """Seconds to pass over all rows, on average over several times, for it takes milliseconds."""
    start = time.process_time()
    for _ in range(_PASSES):
        deque(read(source, spans=[range(rows, rows + 1)]), maxlen=0)
    return (time.process_time() - start) / _PASSES


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


def _parts(path: Path) -> int:
    """Bytes of the parts from which a file was written."""
    parts = Parts(path.with_name(f"{path.name}.parts"))
    for index, chunk in enumerate(Pieces([path], [True], encoding_of_schema(pq.read_schema(path)))):
        parts.write(index, "0" * 64, chunk)
    size = sum(part.stat().st_size for part in parts.folder.iterdir())
    parts.remove()
    return size


if __name__ == "__main__":
    respond(lambda fields: measure(PriceRequest(**fields)))
