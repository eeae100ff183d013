"""`molkd teachers compare`: tables, JSON, heat map, what is said and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from molkd import cli
from molkd.cli import teachers_compare
from molkd.errors import ConfigError, InputError, StaleBankError, UnknownNameError

SMILES = [f"{'C' * n}{middle}{tail}"
          for n in range(1, 6)
          for middle in ("O", "N", "C(=O)", "c1ccc(cc1)")
          for tail in ("C", "CO", "CCl", "C(F)F", "CC#N")]  # fmt: skip


@pytest.fixture
def library(tmp_path: Path) -> Path:
    path = tmp_path / "library.smi"
    path.write_text("\n".join([*SMILES, "nonsense", SMILES[0]]) + "\n")
    return path


def _compare(*arguments: object) -> None:
    """Runs the command in this process; a foreseen error comes out as itself."""
    texts = ["teachers", "compare", *map(str, arguments), "-j", "1"]
    cli.app(texts, standalone_mode=False)


def test_tables_and_sentences(library, capsys):
    _compare("maccs,ecfp4,ecfp4-count", "-i", library)
    captured = capsys.readouterr()
    facts, cka, r2, overlap, said = captured.out.split("\n\n")
    header, *rows = [line.split("\t") for line in facts.splitlines()]
    assert header == ["teacher", "dim", "effective rank", "failed", "molecules/s"]
    assert [row[:2] for row in rows] == [
        ["maccs", "167"],
        ["ecfp4", "2048"],
        ["ecfp4-count", "2048"],
    ]
    assert all(float(row[4]) > 0 for row in rows)
    for table, title in zip((cka, r2, overlap), teachers_compare.MATRICES.values(), strict=True):
        first, *lines = [line.split("\t") for line in table.splitlines()]
        assert first == [title, "1", "2", "3"]
        assert [line[0] for line in lines] == ["1 maccs", "2 ecfp4", "3 ecfp4-count"]
    assert "2 ecfp4\t" in cka
    assert [line.split("\t")[place + 1] for place, line in enumerate(cka.splitlines()[1:])] == [
        "1.00"
    ] * 3
    assert "distilling" in said or "No teacher is redundant" in said
    assert "100 different molecules of 102 rows (1 unreadable, 1 repeated)" in captured.err


def test_teachers_of_texts_are_compared_on_texts(tmp_path, capsys):
    path = tmp_path / "texts.txt"
    words = ["salt", "water", "acid", "base", "ether"]
    path.write_text("\n".join(f"{a} in {b} with {c}" for a in words for b in words for c in words))
    learnt = tmp_path / "lsa"
    run = ["teachers", "learn-lsa", "-i", str(path), "-o", str(learnt), "--dim", "4"]
    cli.app(run, standalone_mode=False)
    capsys.readouterr()
    _compare(f"lsa:{learnt},hashed-ngrams", "-i", path)
    captured = capsys.readouterr()
    assert "texts/s" in captured.out
    assert "125 different texts of 125 rows" in captured.err
    with pytest.raises(ConfigError, match="no texts are built in: give a file with --input"):
        _compare(f"lsa:{learnt},hashed-ngrams")


def test_json_holds_the_matrices_and_nothing_that_json_does_not_know(library, capsys):
    _compare("maccs,ecfp4", "-i", library, "--json", "--sample", 80, "--seed", 3)
    said = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert list(said["teachers"]) == ["maccs", "ecfp4"]
    assert said["teachers"]["maccs"]["dim"] == 167
    assert said["items"]["drawn"] == 80
    assert said["cka"][0][0] == pytest.approx(1)
    assert said["cka"][0][1] == said["cka"][1][0]
    assert said["r2"][0][1] != said["r2"][1][0]
    assert said["groups"] == [["maccs"], ["ecfp4"]]
    assert said["sentences"]


def test_the_same_seed_gives_the_same_figures_and_a_kept_bank_too(library, tmp_path, capsys):
    found = []
    for seed, folder in ((0, "bank"), (0, "bank"), (0, "other"), (1, "third")):
        _compare(
            "maccs,ecfp4", "-i", library, "--json", "--seed", seed, "--bank", tmp_path / folder
        )
        said = json.loads(capsys.readouterr().out)
        found.append([said["cka"], said["r2"], said["overlap"]])
    assert found[0] == found[1] == found[2] != found[3]
    with pytest.raises(StaleBankError):
        _compare("maccs,ecfp4", "-i", library, "--sample", 70, "--bank", tmp_path / "bank")


def test_a_heat_map_is_drawn(library, tmp_path, capsys):
    _compare("maccs,ecfp4", "-i", library, "--plot", tmp_path / "new" / "map.png")
    assert (tmp_path / "new" / "map.png").read_bytes().startswith(b"\x89PNG")


def test_without_a_file_molecules_of_chembl_are_taken(capsys):
    _compare("maccs,ecfp4", "--sample", 60)
    assert "60 different molecules of 60 rows" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (["maccs"], ConfigError, "name at least two teachers to compare, as in maccs,"),
        (["ecfp4", "--sample", "60"], ConfigError, "at least two"),
        (["maccs,maccs"], ConfigError, "more than once: maccs"),
        (["maccs,efcp4"], UnknownNameError, "Did you mean .*'ecfp4'"),
        (["maccs,ecfp4", "--plot", "map.pdf"], ConfigError, "map.pdf does not end in .png"),
        (["maccs,ecfp4", "--sample", "20"], InputError, "only 20 of 20 .* give more items$"),
        (["maccs,hashed-ngrams"], ConfigError, r"hashed-ngrams \(texts\) read different things"),
        (["hashed-ngrams,describe:hashed-ngrams"], ConfigError, "read different things"),
        (["maccs,ecfp4", "-i", "missing.smi"], InputError, "missing.smi"),
    ],
)
def test_what_is_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        _compare(*arguments)
