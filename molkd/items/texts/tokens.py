"""Texts as packed tokens: what text students read, without torch."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import numpy.typing as npt

from molkd.errors import ConfigError
from molkd.failures import joined, picked
from molkd.items.texts.reading import read_all
from molkd.types import Mask, Rows, ranges_of, starts_of

if TYPE_CHECKING:  # tokenizers is loaded in the process that tokenizes
    from tokenizers import Tokenizer

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
"""The first tokens of every vocabulary that is learnt here; padding is token 0."""

_INNER = "##"
_LETTERS = 1000


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of n texts, end to end; a text that failed has none.

    Attributes:
        ids: shape (t,), tokens of all texts.
        starts: shape (n + 1,), text i holds tokens from starts[i] to starts[i + 1].
        cut: shape (n,), whether the end of a text was cut off.
        failures: row -> reason.
    """

    ids: npt.NDArray[np.int32]
    starts: Rows
    cut: Mask
    failures: Mapping[int, str]

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def shortened(self) -> int:
        """How many texts lost their end."""
        return int(self.cut.sum())

    @property
    def sizes(self) -> Rows:
        """Shape (n,): tokens per text."""
        return np.diff(self.starts)

    def select(self, rows: Rows) -> Self:
        """Returns the tokens of some texts, in the order given."""
        sizes = self.sizes[rows]
        return type(self)(
            self.ids[ranges_of(self.starts[rows], sizes)],
            starts_of(sizes),
            self.cut[rows],
            picked(self.failures, rows),
        )

    @classmethod
    def concatenate(cls, parts: Sequence[Self]) -> Self:
        """Returns the tokens of several parts, one after the other."""
        return cls(
            np.concatenate([part.ids for part in parts]),
            starts_of(np.concatenate([part.sizes for part in parts])),
            np.concatenate([part.cut for part in parts]),
            joined([(len(part), part.failures) for part in parts]),
        )


@dataclass(frozen=True, slots=True)
class Tokenizing:
    """Turns texts into tokens; small and picklable.

    Attributes:
        tokenizer: in the JSON of the library tokenizers.
        max_length: tokens at which a text is cut, special ones included; None cuts none.
        special: whether the tokens that frame a text are added.
    """

    tokenizer: str
    max_length: int | None
    special: bool

    def __call__(self, items: Sequence[object]) -> Tokens:
        """Reads texts."""
        texts, rows, failures = read_all(items)
        encodings = _tokenizer(self.tokenizer, self.max_length).encode_batch(
            texts, add_special_tokens=self.special
        )
        sizes = np.zeros(len(items), dtype=np.int64)
        cut = np.zeros(len(items), dtype=np.bool_)
        sizes[rows] = [len(one.ids) for one in encodings]
        cut[rows] = [bool(one.overflowing) for one in encodings]
        ids = np.array([token for one in encodings for token in one.ids], dtype=np.int32)
        return Tokens(ids, starts_of(sizes), cut, failures)


def learn(texts: Sequence[str], *, size: int, lower_case: bool = True) -> str:
    """Learns a WordPiece vocabulary from texts, as BERT's.

    Args:
        texts: the corpus.
        size: tokens, the five special ones included.
        lower_case: whether case and accents are dropped.

    Returns:
        A tokenizer in the JSON of the library tokenizers; the same for the same texts.

    Raises:
        ConfigError: the size is too small for any word.
    """
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
    from tokenizers.trainers import WordPieceTrainer

    normalizer = normalizers.BertNormalizer(lowercase=lower_case)
    seeds = _alphabet(normalizer.normalize_str(one) for one in texts)
    first = [*SPECIAL, *seeds, *(f"{_INNER}{letter}" for letter in seeds)]
    if size <= len(first):
        raise ConfigError(
            f"a vocabulary of {size} tokens is too small for {len(seeds)} different letters: "
            f"give at least {2 * len(first)}"
        )
    # The trainer numbers letters in the order of a hash table, special tokens in the order given:
    # letters are special tokens here, and plain ones in the tokenizer that is returned.
    rough = Tokenizer(models.WordPiece(unk_token=SPECIAL[1]))
    rough.normalizer = normalizer  # pyright: ignore[reportAttributeAccessIssue]
    rough.pre_tokenizer = pre_tokenizers.BertPreTokenizer()  # pyright: ignore[reportAttributeAccessIssue]
    trainer = WordPieceTrainer(vocab_size=size, special_tokens=first, show_progress=False)
    letters = set(seeds)
    rough.train_from_iterator(
        (_spelt(normalizer.normalize_str(one), letters) for one in texts), trainer
    )
    tokenizer = Tokenizer(models.WordPiece(rough.get_vocab(), unk_token=SPECIAL[1]))
    tokenizer.add_special_tokens(list(SPECIAL))
    tokenizer.normalizer = normalizer  # pyright: ignore[reportAttributeAccessIssue]
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()  # pyright: ignore[reportAttributeAccessIssue]
    tokenizer.decoder = decoders.WordPiece()  # pyright: ignore[reportAttributeAccessIssue]
    _, _, begin, end, _ = SPECIAL
    tokenizer.post_processor = processors.TemplateProcessing(  # pyright: ignore[reportAttributeAccessIssue]
        single=f"{begin} $A {end}",
        pair=f"{begin} $A {end} $B:1 {end}:1",
        special_tokens=[(name, SPECIAL.index(name)) for name in (begin, end)],
    )
    return tokenizer.to_str()


def _alphabet(texts: Iterable[str]) -> list[str]:
    """The most frequent letters, in the order of Unicode."""
    counts: Counter[str] = Counter()
    for one in texts:
        counts.update(one)
    usual = sorted(counts, key=lambda letter: (-counts[letter], letter))[:_LETTERS]
    return sorted(letter for letter in usual if not letter.isspace())


def _spelt(text: str, letters: set[str]) -> str:
    return "".join(letter if letter in letters else " " for letter in text)


def vocabulary(tokenizer: str) -> dict[str, int]:
    """Returns token -> number of a tokenizer in JSON."""
    return _tokenizer(tokenizer, None).get_vocab()


@functools.lru_cache(maxsize=4)
def _tokenizer(tokenizer: str, max_length: int | None) -> Tokenizer:
    from tokenizers import Tokenizer

    try:
        loaded = Tokenizer.from_str(tokenizer)
    except Exception as error:  # the library raises just that
        raise ConfigError(
            f"this is no tokenizer.json of the library tokenizers: {error}"
        ) from error
    loaded.no_padding()
    if max_length is None:
        loaded.no_truncation()
    else:
        loaded.enable_truncation(max_length)
    return loaded
