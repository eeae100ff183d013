"""Files of tables that are damaged, missing, or of no known format."""

from __future__ import annotations

from pathlib import Path

import pytest

from molkd.benchmarks.tasks import table
from molkd.errors import ConfigError, InputError


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"", "cannot read"),
        ("a.csv", b"smiles,y\n", "holds no rows"),
        ("a.csv", b"smiles,y\nC,1,2\nCC,1\n", "cannot read"),
        ("a.csv", b"smiles,y,z\nC,1,2\n\nCC,1\n", "row 1 .* has fewer fields than the header"),
        ("a.csv", b'smiles,y\n"C,1\n', "cannot read"),
        ("a.csv", b"smiles,y\n\xff\xfe,1\n", "cannot read"),
        ("a.csv.gz", b"\x1f\x8b\x08", "cannot read"),
        ("a.parquet", b"PAR1", "cannot read"),
    ],
)
def test_a_damaged_file_is_an_input_error(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        table.read(path, metric="MAE")


def test_a_missing_file_and_an_unknown_suffix(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot read .*nothing\.csv"):
        table.read(tmp_path / "nothing.csv", metric="MAE")
    with pytest.raises(ConfigError, match=r"names no format of tables; they are csv, tsv"):
        table.read(tmp_path / "mine.xlsx", metric="MAE")
