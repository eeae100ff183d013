"""`molkd embed` of several files, patterns and URLs, as they are typed."""

from __future__ import annotations

from pathlib import Path

import fsspec
import pandas as pd
import pytest

from tests.cli.conftest import GOOD, Molkd


@pytest.mark.parametrize(
    "typed",
    [
        ["-i", "part-*.smi"],
        ["part-*.smi"],
        ["part-1.smi", "part-2.smi"],
        ["-i", "part-1.smi", "part-2.smi"],
        ["-i", "part-1.smi", "-i", "part-2.smi"],
        ["-i", "memory://typed/part-*.smi"],
    ],
)
def test_several_files_are_one_library(
    molkd: Molkd, model: Path, tmp_path: Path, typed: list[str]
) -> None:
    memory = fsspec.filesystem("memory")
    for name, rows in {"part-1.smi": GOOD[:4], "part-2.smi": GOOD[4:], "in.smi": GOOD}.items():
        (tmp_path / name).write_text("\n".join(rows))
        memory.pipe(f"/typed/{name}", "\n".join(rows).encode())
    for output, source in {"one.csv": ["in.smi"], "many.csv": typed}.items():
        code, said = molkd("embed", *source, "-o", output, "-m", model, "-j", 1)
        assert (code, "6 of 6 molecules embedded" in said) == (0, True), said
    assert (tmp_path / "many.csv").read_bytes() == (tmp_path / "one.csv").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        (["-o", "out.csv"], 2, "expected a file to embed, got none: molkd embed library.smi -o"),
        (["none-*.smi", "-o", "out.csv"], 3, "no file matches 'none-*.smi'"),
        (["foo://a/b.smi", "-o", "out.csv"], 3, "nobody knows URLs that begin with foo://"),
        (["in.smi", "-o", "s3://bucket/out.csv"], 4, "s3://bucket/out.csv: nothing is written to"),
        (["in.smi", "in.smi", "-o", "out.csv"], 2, "in.smi is named twice"),
    ],
)
def test_sources_and_places_that_are_refused(
    molkd: Molkd, smi: Path, model: Path, arguments: list[str], code: int, expected: str
) -> None:
    found, said = molkd("embed", *arguments, "-m", model)
    assert found == code
    assert f"molkd: {expected}" in said or expected in said
    assert said.count("\n") == 1
    assert smi.exists()


def test_a_library_without_a_folder_needs_a_place_for_its_embeddings(
    molkd: Molkd, smi: Path, tmp_path: Path
) -> None:
    fsspec.filesystem("memory").pipe("/lib/in.smi", smi.read_bytes())
    arguments = ["search", "memory://lib/in.smi", "--query", "CCO", "-o", "hits.csv"]
    code, said = molkd(*arguments)
    assert code == 2
    assert "memory://lib/in.smi is embedded first: say with --work FILE.parquet where to" in said
    assert molkd(*arguments, "--work", "work.parquet")[0] == 0
    assert len(pd.read_csv(tmp_path / "hits.csv")) > 0
