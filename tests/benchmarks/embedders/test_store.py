"""A store that grows, never computes twice, and keeps rows and reasons together."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from molkd.benchmarks.embedders import store as embedding_store
from molkd.benchmarks.embedders.store import EmbeddingStore, read, store_of
from molkd.benchmarks.tasks.task import Item
from molkd.errors import CorruptFileError
from molkd.types import Embeddings
from tests.fakes.fake_teachers import FakeTeacher


class Lengths:
    """Embeds a text as its length and the code of its first letter; fails on "X"."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def embed(self, items: Sequence[str], /) -> Embeddings:
        self.seen += items
        values = np.array([[len(text), ord(text[0])] for text in items], dtype=np.float32)
        failures = {row: "is an X" for row, text in enumerate(items) if text == "X"}
        values[list(failures)] = np.nan
        return Embeddings(values, failures)


def _fill(store: EmbeddingStore, model: Lengths, smiles: Sequence[str]) -> int:
    return store.fill(model, smiles, jobs=1, name="lengths", progress=False)


def test_rows_come_back_in_the_order_asked_for_with_reasons(tmp_path: Path) -> None:
    store = EmbeddingStore(tmp_path)
    _fill(store, Lengths(), ["CC", "X", "N"])
    found = store.rows(["N", "X", "CC", "N"])
    assert found.values[[0, 2, 3]].tolist() == [[1, 78], [2, 67], [1, 78]]
    assert found.failures == {1: "is an X"}
    assert np.isnan(found.values[1]).all()


def test_nothing_is_computed_twice(tmp_path: Path) -> None:
    model = Lengths()
    assert _fill(EmbeddingStore(tmp_path), model, ["CC", "N", "CC"]) == 2
    assert _fill(EmbeddingStore(tmp_path), model, ["O", "N", "CC"]) == 1
    assert model.seen == ["CC", "N", "O"]


def test_a_kill_costs_one_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding_store, "CHUNK", 2)

    class Killed(Lengths):
        def embed(self, items: Sequence[str], /) -> Embeddings:
            if "P" in items:
                raise KeyboardInterrupt
            return super().embed(items)

    smiles = ["C", "N", "O", "S", "P", "F"]
    with pytest.raises(KeyboardInterrupt):
        _fill(EmbeddingStore(tmp_path), Killed(), smiles)
    again = Lengths()
    assert _fill(EmbeddingStore(tmp_path), again, smiles) == 2
    assert again.seen == ["P", "F"]
    assert EmbeddingStore(tmp_path).rows(smiles).values[:, 1].tolist() == [*map(ord, smiles)]


def test_models_side_by_side_fail_where_one_fails(tmp_path: Path) -> None:
    class Constant(Lengths):
        def embed(self, items: Sequence[str], /) -> Embeddings:
            values = np.ones((len(items), 1), dtype=np.float32)
            failed = {row: "is N" for row, text in enumerate(items) if text == "N"}
            values[list(failed)] = np.nan
            return Embeddings(values, failed)

    for digest, model in {"a": Lengths(), "b": Constant()}.items():
        _fill(store_of(tmp_path, digest), model, ["C", "X", "N"])
    found = read(tmp_path, ["a", "b"], ["C", "N", "X"])
    assert found.values.shape == (3, 3)
    assert found.failures == {1: "is N", 2: "is an X"}
    assert np.isnan(found.values[1:]).all()
    assert found.values[0].tolist() == [1, 67, 1]


def test_an_image_is_known_by_its_bytes_wherever_they_are(tmp_path: Path) -> None:
    class Sizes:
        asked = 0

        def embed(self, items: Sequence[Item], /) -> Embeddings:
            self.asked += len(items)
            sizes = [len(item) if isinstance(item, bytes) else 1.0 for item in items]
            return Embeddings(np.array(sizes, dtype=np.float32)[:, None], {})

    store, model = EmbeddingStore(tmp_path / "store"), Sizes()
    copy = tmp_path / "copy.png"
    copy.write_bytes(b"twelve bytes")
    items = [b"twelve bytes", b"three", copy, tmp_path / "missing.png"]
    assert store.fill(model, items, jobs=1, name="sizes", progress=False) == 3
    assert model.asked == 3
    found = EmbeddingStore(tmp_path / "store").rows([*items, tmp_path / "missing.png"])
    assert found.values[0] == found.values[2]
    assert found.values[[1, 3, 4], 0].tolist() == [5, 1, 1]


@pytest.mark.parametrize("text", ["x" * 5000, "ends with\x00", "two\nlines", "lone \ud800", " "])
def test_any_text_finds_its_row_again(tmp_path: Path, text: str) -> None:
    store = EmbeddingStore(tmp_path)
    _fill(store, Lengths(), [text, text + "!"])
    again = EmbeddingStore(tmp_path)
    assert again.missing([text, text + "!"]) == []
    assert again.rows([text + "!", text]).values[:, 0].tolist() == [len(text) + 1, len(text)]
    (block,) = tmp_path.glob("*.npz")
    assert block.stat().st_size < 10_000  # no key is as wide as a long text


def test_a_damaged_block_says_what_to_do(tmp_path: Path) -> None:
    _fill(EmbeddingStore(tmp_path), Lengths(), ["C"])
    (block,) = tmp_path.glob("*.npz")
    block.write_bytes(block.read_bytes()[:40])
    with pytest.raises(CorruptFileError, match="delete it"):
        EmbeddingStore(tmp_path).rows(["C"])


def test_what_is_missing_is_an_error_not_a_row(tmp_path: Path) -> None:
    store = EmbeddingStore(tmp_path)
    _fill(store, Lengths(), ["C"])
    with pytest.raises(KeyError, match="CC"):
        store.rows(["C", "CC"])


def test_several_processes_give_the_same_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedding_store, "CHUNK", 3)
    smiles = ["C" * length for length in range(1, 9)]
    for jobs in (1, 2):
        folder = EmbeddingStore(tmp_path / str(jobs))
        folder.fill(FakeTeacher(), smiles, jobs=jobs, name="fake", progress=False)
    first, second = (sorted((tmp_path / jobs).iterdir()) for jobs in ("1", "2"))
    assert [path.name for path in first] == [path.name for path in second]
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
