"""The program that embeds a large library in all ways that shall give the same bytes."""

from __future__ import annotations

import functools
import json
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rdkit import Chem

from molkd.benchmarks.scripts import endurance, endurance_library, endurance_report
from molkd.benchmarks.scripts.endurance_library import Library
from molkd.benchmarks.scripts.watching import Watched, kill_group, kill_worker, watch

CHAINS = ["C" * length + "N(C)c1ccccc1F" for length in range(1, 60)]


def _written(folder: Path) -> Path:
    path = folder / "chains.smi"
    path.write_text("\n".join(CHAINS) + "\n")
    return path


def _made(folder: Path, *, rows: int = 400, jobs: int = 1) -> Library:
    folder.mkdir(exist_ok=True)
    source = _written(folder)
    return endurance_library.make(folder / "library.smi", [source], rows=rows, seed=3, jobs=jobs)


def test_a_library_has_changed_orders_and_damaged_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endurance_library, "DAMAGED", 0.2)
    library = _made(tmp_path)
    lines = library.path.read_bytes().splitlines()
    texts = [line.split(b" ")[0] for line in lines]
    assert len(lines) == library.rows == 400
    assert [line.split(b" ")[1] for line in lines[:2]] == [b"row0000000000", b"row0000000001"]
    assert 40 < library.damaged < 120
    assert library.refused == {row for row, text in enumerate(texts) if _refuses(text)}
    readable = [text.decode() for row, text in enumerate(texts) if row not in library.refused]
    assert len(set(readable)) > 2 * len(CHAINS)
    whole = [Chem.CanonSmiles(text) for text in readable if "F" in text]
    known = {Chem.CanonSmiles(text) for text in CHAINS}
    assert sum(text in known for text in whole) > 300


def _refuses(text: bytes) -> bool:
    try:
        return not Chem.MolFromSmiles(text.decode())
    except UnicodeDecodeError:
        return True


def test_a_library_is_the_same_for_any_number_of_processes_and_is_made_once(
    tmp_path: Path,
) -> None:
    one, two = _made(tmp_path / "one"), _made(tmp_path / "two", jobs=2)
    assert one.path.read_bytes() == two.path.read_bytes()
    assert (one.damaged, one.refused) == (two.damaged, two.refused)
    one.path.write_bytes(b"C x\n")
    assert _made(tmp_path / "one").rows == 400
    assert one.path.read_bytes() == b"C x\n"


def test_rows_that_moved_or_lack_a_reason_are_counted(tmp_path: Path) -> None:
    (tmp_path / "library.smi").write_bytes(
        b"".join(
            text + b" " + endurance_library.name_of(row).encode() + b"\n"
            for row, text in enumerate([b"CC", b"C(", b"C\xff", b"CO", b"CN", b"CF"])
        )
    )
    library = Library(tmp_path / "library.smi", 6, 2, frozenset({1, 2}))
    right: dict[str, list[Any]] = {
        "id": [endurance_library.name_of(row) for row in range(6)],
        "smiles": ["CC", "C(", "C\\xff", "CO", "CN", "CF"],
        "error": [None, "syntax", "no UTF-8", None, None, None],
        "embedding": [[1.0], None, None, [1.0], [1.0], [1.0]],
    }
    counted = _counted(tmp_path, library, right)
    assert counted == {
        "rows": 6,
        "lost": 0,
        "shifted": 0,
        "invalid": 2,
        "reasons": 2,
        "of_two_minds": 0,
        "embedded_though": 0,
        "damaged": 2,
        "refused": 2,
        "refused_though": {},
    }
    wrong: dict[str, list[Any]] = {
        "id": [*right["id"][:3], right["id"][4], right["id"][3]],
        "smiles": ["CC", "C(", "C\\xff", "CN", "CO"],
        "error": [None, None, None, "too large: 3", None],
        "embedding": [[1.0], [1.0], None, None, [1.0]],
    }
    counted = _counted(tmp_path, library, wrong)
    assert counted == {
        "rows": 5,
        "lost": 1,
        "shifted": 2,
        "invalid": 2,
        "reasons": 1,
        "of_two_minds": 1,
        "embedded_though": 1,
        "damaged": 2,
        "refused": 2,
        "refused_though": {"too large": 1},
    }


def _counted(folder: Path, library: Library, columns: dict[str, Any]) -> dict[str, object]:
    pq.write_table(pa.table(columns), folder / "one.parquet")
    return endurance_library.checked(library, [folder / "one.parquet"])


def test_a_command_is_watched_with_its_processes_and_killed_with_them(tmp_path: Path) -> None:
    child = "import time; block = bytearray(60_000_000); time.sleep(60)"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    steps = iter(range(10_000))
    found = watch(
        [sys.executable, "-c", code],
        tmp_path / "log",
        lambda: next(steps),
        after=1.5,
        strike=kill_group,
    )
    assert (found.code, found.struck) == (-9, True)
    assert 1.5 <= found.seconds < 30
    assert found.workers_mb > 50
    assert found.together_mb >= max(found.parent_mb, found.workers_mb)
    assert found.trace[0][0] == 1


def test_a_worker_is_killed_as_soon_as_there_is_one(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys, time; time.sleep(1); "
        "sys.exit(subprocess.run(['sleep', '60']).returncode + 12)"
    )
    found = watch(
        [sys.executable, "-c", code],
        tmp_path / "log",
        lambda: 0,
        strike=functools.partial(kill_worker, name="sleep"),
    )
    assert (found.code, found.struck) == (3, True)


def test_of_all_workers_the_one_that_works_is_killed(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys\n"
        "idle = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "busy = subprocess.Popen([sys.executable, '-c', 'while True: pass'])\n"
        "code = busy.wait()\n"
        "idle.kill()\n"
        "sys.exit(code + 12)"
    )
    strike = functools.partial(kill_worker, name=sys.executable)
    found = watch([sys.executable, "-c", code], tmp_path / "log", lambda: 0, strike=strike, after=3)
    assert (found.code, found.struck) == (3, True)


def test_cost_is_that_between_two_moments() -> None:
    trace = ((2, 1.0, 5.0), (4, 2.0, 6.0), (8, 3.0, 10.0))
    seen = Watched(
        code=0, seconds=3, processor=11, parent_mb=1, workers_mb=1, together_mb=1, trace=trace
    )
    assert seen.between(0, 3) == 0.5
    assert seen.between(0, 4) == 5 / 6
    assert seen.between(0, 8) is None
    assert seen.between(0, 1) is None


@pytest.mark.slow
def test_all_ways_give_the_same_and_what_is_finished_stays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    given = ["--from", _written(tmp_path), "--work", tmp_path / "work", "-o", tmp_path / "out.json"]
    given += ["--rows", 300, "--small", 60, "--rows-per-file", 70, "--kills", 1, "--shards", 2]
    arguments = [*map(str, given), "-j", "1"]
    endurance.main(arguments)
    shown = capsys.readouterr().out
    lines = [line.split("\t") for line in shown.splitlines() if "\t" in line]
    assert [line[0] for line in lines[1:]] == [
        *("small first", "one run", "small last", "killed", "shards")
    ]
    assert [line[4] for line in lines[1:]] == ["", "yes", "", "yes", "yes"]
    assert lines[4][2] == "1"
    assert "300 rows, 0 lost, 0 shifted; " in shown
    content = json.loads((tmp_path / "out.json").read_text())
    stages = content["stages"]
    assert len(stages["one run"]["sha256"]) == 5 + 1
    assert not list((tmp_path / "work").glob("*/*.parquet"))

    monkeypatch.setattr(endurance, "watch", None)  # nothing is run again
    endurance.main(arguments)
    assert capsys.readouterr().out == shown
    with pytest.raises(SystemExit, match="2"):
        endurance.main([*arguments, "--seed", "1"])
    assert "was begun with other options" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="2"):
        endurance.main([*arguments, "--engines", "lokal"])
    assert "unknown engine 'lokal'" in capsys.readouterr().err

    shards = tmp_path / "work" / "shards.json"
    shards.write_text(shards.read_text().replace(stages["shards"]["sha256"]["_manifest.json"], "x"))
    with pytest.raises(SystemExit, match="1"):
        endurance.main(arguments)
    assert "shards: other bytes than in one run" in capsys.readouterr().err


def test_what_must_not_be_is_said() -> None:
    names = ("lost", "shifted", "of_two_minds", "embedded_though")
    checked = {"rows": 9, "invalid": 1, **dict.fromkeys(names, 0)}
    one = {"sha256": {"a": "1"}, "checked": checked, "manifest": {"rows": 9, "invalid": 1}}
    assert endurance_report.wrong({"one run": one, "killed": {"sha256": {"a": "1"}}}) == []
    one = {**one, "checked": {**checked, "shifted": 2, "invalid": 2}}
    assert endurance_report.wrong({"one run": one, "killed": {"sha256": {}}}) == [
        "killed: other bytes than in one run",
        "2 rows: shifted",
        "the manifest says 9 rows, 1 of them invalid",
    ]
