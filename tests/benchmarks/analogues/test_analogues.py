"""Embedders that look for analogues: known answers, failures, resuming, the report."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from molkd.benchmarks import analogues, embedders
from molkd.benchmarks.analogues import AnalogueSettings, records, report, search
from molkd.benchmarks.analogues.decoys import Decoys
from molkd.benchmarks.analogues.records import Found
from molkd.benchmarks.analogues.series import Series
from molkd.benchmarks.embedders import Embedder, Source
from molkd.benchmarks.quality.evaluation import Workspace
from molkd.benchmarks.reports.tables import NONE
from molkd.errors import ConfigError, InputError
from molkd.types import Embeddings

CORES = {"para": "c1ccc(-c2ccc(-c3ccccc3)cc2)cc1", "meta": "c1ccc(-c2cccc(-c3ccccc3)c2)cc1"}
SERIES = tuple(
    Series(name, core, tuple(f"{group}{core}" for group in ("C", "CC", "O", "N", "F", "Cl")))
    for name, core in CORES.items()
)
DECOYS = Decoys(tuple("C" * length + end for length in range(2, 32) for end in "ONF"), 1, 2)


@dataclass(frozen=True)
class Toy:
    """Embeds by a function of the SMILES; what it gives no row for fails."""

    row: Callable[[str], Sequence[float] | None]

    def embed(self, items: Sequence[str], /) -> Embeddings:
        rows = [self.row(item) for item in items]
        values = np.array([(np.nan, np.nan) if row is None else row for row in rows], np.float32)
        return Embeddings(values, {at: "no" for at, row in enumerate(rows) if row is None})


def toy(label: str, row: Callable[[str], Sequence[float] | None]) -> Embedder:
    return Embedder(label, label, "teacher", (Source(f"toy {label}", Toy(row), 0),))


def by_ring(smiles: str) -> Sequence[float]:
    """Analogues in one direction, decoys in all others."""
    if "c1" in smiles:
        return (3.0, 3.0)
    angle = np.deg2rad(100 + 7 * len(smiles))
    return (float(np.cos(angle)), float(np.sin(angle)))


def space(folder: Path) -> Workspace:
    return Workspace(folder=folder / "out", cache=folder / "cache", progress=False)


def run(
    folder: Path, *more: Embedder, decoys: Decoys = DECOYS, neighbours: int = 5
) -> tuple[records.Run, list[Found]]:
    compared = analogues.compared_with_reference(more)
    settings = AnalogueSettings(neighbours=neighbours)
    return analogues.run(compared, SERIES, decoys, settings, space(folder))


def test_each_embedder_is_asked_by_its_metrics(tmp_path: Path) -> None:
    blind = toy("blind", lambda _: (1.0, 0.0))
    asked, found = run(tmp_path, toy("ring", by_ring), blind)
    assert [(one.embedder, one.metric, one.dim) for one in found] == [
        ("ECFP4", "Tanimoto", 2048),
        *(("ring", metric, 2) for metric in ("cosine", "cosine, standardised")),
        *(("blind", metric, 2) for metric in ("cosine", "cosine, standardised")),
    ]
    assert [one.shares for one in found[:3]] == [(1.0, 1.0)] * 3
    assert [one.firsts for one in found[:3]] == [pytest.approx((1.0, 1.0))] * 3
    assert [one.shares for one in found[3:]] == [(0.0, 0.0)] * 2
    assert found[3].firsts == pytest.approx((91.0, 91.0))
    assert (asked.decoys, len(asked.series)) == (90, 2)
    assert asked.settings["neighbours"] == 5


def test_standardising_mends_a_common_direction(tmp_path: Path) -> None:
    def row(smiles: str) -> Sequence[float]:
        angle = len(smiles) + smiles.count("c")
        return (1e4 + angle / 50, 1.0 if "c1" in smiles else -1.0 + angle % 2)

    _, (_, plain, standardised) = run(tmp_path, toy("shifted", row))
    assert np.mean(standardised.shares) >= np.mean(plain.shares)


def test_what_one_cannot_embed_is_counted_and_left_out_for_all(tmp_path: Path) -> None:
    lost = {DECOYS.smiles[0], SERIES[0].members[0]}
    picky = toy("picky", lambda smiles: None if smiles in lost else by_ring(smiles))
    asked, _ = run(tmp_path, picky)
    assert asked.decoys == 89
    assert [members for _, _, members in asked.series] == [5, 6]
    assert "picky cannot embed 2 of 102 molecules" in asked.notes
    assert asked.notes[0].startswith("90 decoys were drawn")


def test_nothing_left_is_refused(tmp_path: Path) -> None:
    no_decoys = toy("rings", lambda smiles: by_ring(smiles) if "c1" in smiles else None)
    with pytest.raises(InputError, match=r"no decoy .*rings cannot embed 90 of 102"):
        run(tmp_path, no_decoys)
    no_series = toy("chains", lambda smiles: None if "c1" in smiles else by_ring(smiles))
    with pytest.raises(InputError, match="no series is left"):
        run(tmp_path, no_series)


def test_a_run_goes_on_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = run(tmp_path, toy("ring", by_ring), toy("other", lambda text: (len(text), 1.0)))
    path = tmp_path / "out" / records.RESULTS
    text = path.read_text()
    lines = text.splitlines(keepends=True)
    path.write_text("".join(lines[:3]) + lines[3][:40])  # the run, two results, and half of one
    searched: list[int] = []
    ranks = search.ranks

    def counted(*arguments: object) -> object:
        searched.append(1)
        return ranks(*arguments)

    monkeypatch.setattr(search, "ranks", counted)
    again = run(tmp_path, toy("ring", by_ring), toy("other", lambda text: (len(text), 1.0)))
    assert again == whole
    assert len(searched) == 3
    assert path.read_text() == text
    both, _ = toy("ring", by_ring), path.write_text(text)
    _, twice = run(tmp_path, both, replace(both, label="same"))
    assert [one.embedder for one in twice] == ["ECFP4", "ring", "ring", "same", "same"]
    assert len(searched) == 3
    fewer = replace(DECOYS, smiles=DECOYS.smiles[:50])
    run(tmp_path, toy("ring", by_ring), decoys=fewer)
    run(tmp_path, toy("ring", by_ring), decoys=fewer, neighbours=4)
    assert len(searched) == 3 + 3 + 3


def test_what_cannot_be_compared_is_refused() -> None:
    texts = Embedder("texts", "t", "teacher", (Source("t", Toy(by_ring), 0, "texts"),))
    with pytest.raises(ConfigError, match="texts reads texts, and series hold molecules"):
        analogues.compared_with_reference([texts])
    with pytest.raises(ConfigError, match=r"pca:2:maccs: principal components .*training rows"):
        analogues.compared_with_reference([embedders.make("pca:2:maccs")])
    with pytest.raises(ConfigError, match="one label: ECFP4"):
        analogues.compared_with_reference([embedders.make("ECFP4=maccs")])
    with pytest.raises(ConfigError, match="neighbours must be at least 1"):
        AnalogueSettings(neighbours=0)
    with pytest.raises(ConfigError, match="scaffold or framework, not 'shape'"):
        AnalogueSettings(by="shape")  # pyright: ignore[reportArgumentType]


def _found(label: str, shares: Sequence[float], firsts: Sequence[float]) -> Found:
    return Found(
        embedder=label,
        spec=label,
        dim=2,
        metric="cosine",
        shares=tuple(shares),
        firsts=tuple(firsts),
        key=label,
    )


def test_the_table_pairs_series_with_the_reference() -> None:
    reference = _found("ECFP4", (0.5, 0.7, 0.9), (1.0, 2.0, 4.0))
    worse = _found("worse", (0.4, 0.6, 0.8), (2.0, 4.0, 8.0))
    first, second = report.rows([reference, worse])
    assert [len(first), len(second)] == [len(report.COLUMNS)] * 2
    assert first[3] == "0.700"
    assert first[5:7] == ["reference", NONE]
    assert second[5:7] == ["−0.100", "−0.100 to −0.100"]  # noqa: RUF001 (the sign of numbers)
    assert second[7:] == ["4.00", "2.00", "2.00 to 2.00"]
    low, high = map(float, second[4].split(" to "))
    assert low < 0.6 < high


def test_one_series_has_no_interval() -> None:
    (line,) = report.rows([_found("ECFP4", (0.5,), (1.0,))])
    assert line[4] == NONE


def test_the_page_says_what_was_asked(tmp_path: Path) -> None:
    asked, found = run(tmp_path, toy("ring", by_ring))
    page = report.write(tmp_path, asked, found).read_text()
    assert "2 series, 12 actives, 2 targets, 90 decoys" in page
    assert "first 5 neighbours" in page
    assert "90 decoys were drawn; 1 molecules drawn besides" in page
    assert page.count("| ring |") == 2
    stored = (tmp_path / "out" / records.RESULTS).read_text().splitlines()
    assert [json.loads(line)["record"] for line in stored] == ["run", *["found"] * 3]
