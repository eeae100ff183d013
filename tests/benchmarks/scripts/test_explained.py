"""What a student explains of its teachers' components."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from molkd import teachers
from molkd.bank import Bank, build
from molkd.benchmarks import embedders
from molkd.benchmarks.scripts import explained
from molkd.benchmarks.scripts.explained import Cached, Part

SMILES = [f"{head}{'C' * n}{tail}" for n in range(20) for head in "NO" for tail in ("F", "=O")]


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Bank:
    panel = [teachers.make(name) for name in ("maccs", "erg")]
    return build(tmp_path_factory.mktemp("bank"), SMILES, panel, parse=list, progress=False)


def test_teachers_side_by_side_explain_their_components_and_noise_nothing(
    tmp_path: Path, bank: Bank
) -> None:
    cached = Cached(tmp_path, jobs=1)
    reader, found = explained.components_of(bank, SMILES, cached, count=6)
    assert found.shape == (len(SMILES), 6)
    np.testing.assert_allclose(found.std(axis=0), 1, atol=1e-3)
    part = Part(SMILES, found * reader.sds.astype(np.float32))
    shares = explained.explained(embedders.make("maccs+erg"), part, part, cached)
    assert shares.corpus > 0.98
    mixed = Part(SMILES, np.random.default_rng(0).permutation(part.components))
    shares = explained.explained(embedders.make("erg"), mixed, mixed, cached)
    assert shares.others < 0.1


def test_rows_that_a_teacher_failed_on_are_written_as_such_and_left_out(
    tmp_path: Path, bank: Bank
) -> None:
    cached, items = Cached(tmp_path / "cache", jobs=1), [*SMILES, "no molecule"]
    _, found = explained.components_of(bank, items, cached, count=4)
    explained.write(tmp_path / "components.parquet", Part(items, found))
    read = embedders.make(f"file:{tmp_path / 'components.parquet'}").sources[0].model.embed(items)
    assert list(read.failures) == [len(SMILES)]
    np.testing.assert_array_equal(read.values, found)
    shares = explained.explained(
        embedders.make("maccs+erg"), Part(items, found), Part(items, found), cached
    )
    assert np.isfinite([shares.corpus, shares.others]).all()


def test_the_program_prints_a_row_per_student(
    tmp_path: Path, bank: Bank, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(explained, "_molecules", lambda _names, _data: SMILES)
    output, cache = tmp_path / "components.parquet", tmp_path / "cache"
    explained.main([str(bank.path), "molkd-static", "-o", str(output), "--cache", str(cache)])
    printed = capsys.readouterr().out.splitlines()
    assert output.exists()
    name, corpus, others = printed[-1].split()
    assert name == "molkd-static"
    assert float(others) < float(corpus) <= 1
    assert float(corpus) > 0.5  # the molecules that the map was fitted on
    with pytest.raises(SystemExit):
        explained.main([str(tmp_path / "none"), "molkd-static"])
    assert "none" in capsys.readouterr().err
