"""`molkd report`."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from molkd.cli import app
from tests.fakes import libraries


def test_a_file_of_molecules_becomes_a_page(tmp_path: Path) -> None:
    source, page, drugs = (tmp_path / name for name in ("mine.smi", "page.html", "drugs.smi"))
    source.write_text("\n".join([*libraries.SMILES, "no molecule"]) + "\n")
    drugs.write_text("CCO alcohol\n")
    command = ["report", str(source), "-o", str(page), "-m", "molkd-tiny", "-j", "1"]
    done = CliRunner().invoke(app, [*command, "--drugs", str(drugs), "--clusters", "3"])
    assert done.exit_code == 0, done.output
    assert "26 molecules, 1 of them without embedding" in done.output
    text = page.read_text(encoding="utf-8")
    assert "3 clusters of 25 molecules" in text
    assert "alcohol" in text
    refused = CliRunner().invoke(app, command)
    assert "give --overwrite to replace it" in str(refused.exception or refused.output)


def test_another_suffix_is_refused_before_any_work(tmp_path: Path) -> None:
    refused = CliRunner().invoke(app, ["report", "none.smi", "-o", str(tmp_path / "page.pdf")])
    assert "written as .html" in str(refused.exception or refused.output)
