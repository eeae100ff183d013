"""Decoys: drawn by seed, none of them an analogue, none lost without a word."""

from __future__ import annotations

from pathlib import Path

import pytest

from molkd.benchmarks.analogues import decoys
from molkd.benchmarks.analogues.decoys import Excluded
from molkd.benchmarks.quality import leakage
from molkd.errors import ConfigError, InputError

CHAINS = ["C" * length + end for length in range(2, 30) for end in "ONF"]
NOTHING = Excluded((), ())


def test_the_seed_decides_and_fewer_begin_alike() -> None:
    drawn = decoys.draw(CHAINS, NOTHING, count=40, seed=3)
    assert len(set(drawn.smiles)) == 40
    assert decoys.draw(CHAINS, NOTHING, count=10, seed=3).smiles == drawn.smiles[:10]
    assert decoys.draw(CHAINS, NOTHING, count=40, seed=4).smiles != drawn.smiles


def test_skeletons_and_scaffolds_are_left_out_and_counted() -> None:
    smiles = ["CCO", "OCC", "CCN", "Cc1ccccc1", "CCC", "nonsense", "CCCC", "[CH3-]CN"]
    excluded = Excluded(leakage.skeletons(["CCN"]), {"c1ccccc1"})
    drawn = decoys.draw(smiles, excluded, count=3, seed=0)
    with pytest.raises(ConfigError, match=r"--decoys 4: only 3 of 8 .*2 unreadable, 3 known"):
        decoys.draw(smiles, excluded, count=4, seed=0)
    assert set(leakage.skeletons(drawn.smiles)) == set(leakage.skeletons(["CCO", "CCC", "CCCC"]))
    assert "3 decoys were drawn" in drawn.left_out


def test_files_are_joined(tmp_path: Path) -> None:
    paths = [tmp_path / "a.smi", tmp_path / "b.smi"]
    paths[0].write_text("\n".join(CHAINS[:50]) + "\n")
    paths[1].write_text("\n".join(CHAINS[40:]) + "\n")
    assert decoys.read(paths) == CHAINS


def test_the_same_is_drawn_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def drawn(smiles: list[str]) -> decoys.Decoys:
        return decoys.drawn_once(smiles, NOTHING, count=60, seed=0, cache=tmp_path)

    first = drawn(CHAINS)
    assert first == decoys.draw(CHAINS, NOTHING, count=60, seed=0)
    monkeypatch.setattr(decoys, "draw", lambda *_, **__: pytest.fail("drawn again"))
    assert drawn(CHAINS) == first
    with pytest.raises(pytest.fail.Exception):
        drawn(CHAINS[1:])


def test_what_cannot_be_drawn_from_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"there is no file .*absent.smi"):
        decoys.read([tmp_path / "absent.smi"])
    with pytest.raises(ConfigError, match="at least 1, not 0"):
        decoys.draw(CHAINS, NOTHING, count=0, seed=0)
