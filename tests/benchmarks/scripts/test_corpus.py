"""The program that draws a corpus without the molecules of the tasks."""

from __future__ import annotations

from pathlib import Path

import pytest

from molkd.benchmarks.quality import leakage
from molkd.benchmarks.scripts import corpus
from molkd.errors import ConfigError, InputError

CHAINS = ["C" * length + "O" for length in range(1, 31)]


def written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_a_corpus_holds_no_molecule_of_the_tasks(tmp_path: Path) -> None:
    source = written(tmp_path / "all.smi", "\n".join(CHAINS) + "\n")
    one = written(tmp_path / "tasks/a/test.csv", "Drug_ID,Drug,Y\n1,OC,0\n2,OCC,1\n").parent.parent
    other = written(tmp_path / "other.csv", "mol,Class\nOCCC,0\n")
    out = tmp_path / "corpus.smi"
    arguments = ["--from", source, "--without", one, "--without", other, "--count", 27]
    corpus.main([*map(str, arguments), "--out", str(out), "--jobs", "1"])
    assert sorted(out.read_text().splitlines(), key=len) == CHAINS[3:]


def test_the_order_is_drawn_with_the_seed() -> None:
    first, again, other = (
        corpus.draw(CHAINS, set(), count=10, seed=seed, jobs=1).smiles for seed in (0, 0, 1)
    )
    assert first == again != other
    assert set(first) < set(CHAINS)


def test_a_smaller_corpus_is_the_beginning_of_a_larger_one() -> None:
    seen = set(leakage.skeletons(["CCO"]))
    small, large = (corpus.draw(CHAINS, seen, count=count, seed=3, jobs=1) for count in (5, 29))
    assert large.smiles[:5] == small.smiles
    assert large.left_out == 1


def test_pieces_are_capped_with_hydrogen() -> None:
    assert corpus.pieces("Cc1ccccc1-c1ccc(F)nc1") == ["Cc1ccccc1", "Fc1ccccn1"]
    assert corpus.pieces("Cc1ccccc1-c1ccc(F)nc1", smallest=8) == []
    assert corpus.pieces("c1ccccc1") == corpus.pieces("nonsense") == []


def test_pieces_of_further_molecules_follow(tmp_path: Path) -> None:
    pairs = [f"Cc1ccccc1-c1ccc({'C' * length})nc1" for length in range(1, 9)]
    source = written(tmp_path / "all.smi", "\n".join(pairs) + "\n")
    task = written(tmp_path / "task.csv", "smiles,y\nCc1ccccc1,0\n")
    out = tmp_path / "corpus.smi"
    arguments = ["--from", source, "--without", task, "--count", 3, "--pieces", 4, "--out", out]
    corpus.main([*map(str, arguments), "--jobs", "1"])
    lines = out.read_text().splitlines()
    assert set(lines[:3]) < set(pairs)
    whole = [pair for pair in pairs if pair not in lines]
    assert len(set(lines[3:])) == 4
    assert set(lines[3:]) < {piece for pair in whole for piece in corpus.pieces(pair)}
    assert "Cc1ccccc1" not in lines


def test_molecules_without_skeleton_stay() -> None:
    assert corpus.draw(["C1CC"], {"x"}, count=1, seed=0, jobs=1).smiles == ["C1CC"]


def test_too_few_molecules_are_refused() -> None:
    with pytest.raises(ConfigError, match="only 29 molecules are left, 30 were asked for"):
        corpus.draw(CHAINS, set(leakage.skeletons(["CCO"])), count=30, seed=0, jobs=1)


def test_a_file_of_which_nothing_can_be_read_is_refused(tmp_path: Path) -> None:
    good = written(tmp_path / "good.csv", "smiles\nCCO\n")
    bad = written(tmp_path / "bad.csv", "mol,y\naspirin,1\n")
    with pytest.raises(InputError, match=r"no molecule of .*bad\.csv can be read"):
        corpus.skeletons_of([good, bad], jobs=1)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    written(tmp_path / "readme.md", "nothing")
    with pytest.raises(InputError, match="holds no file of molecules"):
        corpus.skeletons_of([tmp_path], jobs=1)


def test_errors_end_the_program_with_their_message(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--from", "x.smi", "--without", str(tmp_path), "--count", "1", "--out", "y"]
    with pytest.raises(SystemExit) as ended:
        corpus.main(arguments)
    assert ended.value.code == 2
    assert "holds no file of molecules" in capsys.readouterr().err


def test_a_real_task_is_read_whole(shared: Path) -> None:
    folder = shared / "data" / "tdc_admet_group" / "dili"
    found = corpus.skeletons_of([folder], jobs=1)
    assert len(found) > 450
    assert {len(block) for block in found} == {14}
