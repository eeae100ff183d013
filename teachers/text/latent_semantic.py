"""Latent semantic analysis: weighted words of a text, projected on what varies in a corpus [0].

References:
    [0] Deerwester et al., Indexing by latent semantic analysis, JASIS 41 (1990) 391.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load, save
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

from molkd.errors import ConfigError, CorruptFileError, InputError, WeightsError
from molkd.items.texts import reading
from molkd.runtime import files
from molkd.teachers.base.card_facts import kebab
from molkd.teachers.base.items import TextTeacher
from molkd.types import TeacherCard

SETTINGS, TENSORS = "lsa.json", "lsa.safetensors"
_FORMAT = 1
_BATCH = 4096


@dataclass(frozen=True, slots=True)
class _Learned:
    """What was read from a folder.

    Attributes:
        folder: which one.
        weighting: a TfidfVectorizer: texts -> weighted words, shape (n, w), sparse.
        components: shape (dim, w).
        settings: options and facts of the corpus.
        sha256: file -> checksum.
    """

    folder: str
    weighting: Any
    components: npt.NDArray[np.float32]
    settings: Mapping[str, Any]
    sha256: Mapping[str, str]


class LatentSemantic(TextTeacher):
    """What `learn` wrote to a folder, as a teacher.

    A row is that of scikit-learn's TfidfVectorizer (sublinear, of length one) projected by its
    TruncatedSVD. A text of which no word is known has a row of zeros: it says nothing.

    Attributes:
        folder: what `learn` wrote.
        name: name on the card; None is that of the folder.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "folder": [str, os.PathLike],
        "name": [str, None],
    }
    _loaded: _Learned | None = None

    def __init__(self, folder: str | os.PathLike[str], *, name: str | None = None) -> None:
        self.folder = folder
        self.name = name

    @classmethod
    def learn(
        cls,
        texts: Sequence[object],
        folder: str | os.PathLike[str],
        *,
        dim: int = 256,
        seed: int = 0,
        min_df: int = 2,
        max_terms: int | None = 50_000,
        words: int = 1,
        iterations: int = 5,
    ) -> Self:
        """Learns words, weights and components from a corpus, writes them and returns the teacher.

        The same texts and options give the same files.

        Args:
            texts: the corpus; what is no usable text is left out.
            folder: where `lsa.json` and `lsa.safetensors` go.
            dim: width of a row.
            seed: of the randomised decomposition.
            min_df: in how many texts a term must occur.
            max_terms: how many of the most frequent terms are kept; None keeps all.
            words: words in the longest term; 1 is single words, 2 also pairs.
            iterations: of the power method inside the decomposition.

        Raises:
            ConfigError: fewer texts or terms than dimensions.
            InputError: no usable text.
            OutputError: the folder cannot be written.
        """
        readable, _, _ = reading.read_all(texts)
        if not readable:
            raise InputError(f"none of {len(texts)} items is a usable text")
        options = {"min_df": min_df, "max_features": max_terms, "ngram_range": [1, words]}
        weighting = _weighting(options)
        try:
            weighted = weighting.fit_transform(readable)
        except ValueError as error:  # scikit-learn's word for an empty vocabulary
            raise ConfigError(
                f"no term occurs in {min_df} texts: lower min_df ({error})"
            ) from error
        if dim > min(weighted.shape):
            raise ConfigError(
                f"dim={dim} is more than {len(readable)} texts with {weighted.shape[1]} terms allow"
            )
        svd: Any = TruncatedSVD(dim, n_iter=iterations, random_state=seed).fit(weighted)
        facts = {"dim": dim, "seed": seed, "iterations": iterations, "texts": len(readable)}
        _write(Path(folder), weighting, svd.components_, {"weighting": options, **facts})
        return cls(folder)

    @property
    def card(self) -> TeacherCard:
        """What it is, and everything that decides its numbers.

        Raises:
            WeightsError: the folder holds nothing that `learn` wrote, or it was changed.
        """
        learned = self._read_folder()
        facts = learned.settings
        return TeacherCard(
            name=self.name or kebab(Path(self.folder).expanduser().resolve().name),
            kind="latent semantic analysis",
            modality="texts",
            dim=len(learned.components),
            support="real",
            source=f"learned from {facts['texts']} texts; Deerwester et al., JASIS 41 (1990) 391",
            license="that of the texts it was learned from",
            limits="a text of which it knows no word has a row of zeros",
            sha256=learned.sha256,
            versions={"scikit-learn": version("scikit-learn")},
        )

    def _read_folder(self) -> _Learned:
        self._validate_params()
        folder = str(Path(self.folder).expanduser())
        if self._loaded is None or self._loaded.folder != folder:
            self._loaded = _read(Path(folder))
        return self._loaded

    def _compute(self, readable: list[str]) -> tuple[npt.NDArray[Any], Mapping[int, str]]:
        learned = self._read_folder()
        parts = [
            learned.weighting.transform(readable[start : start + _BATCH]) @ learned.components.T
            for start in range(0, len(readable), _BATCH)
        ]
        return np.concatenate(parts), {}


def _weighting(options: Mapping[str, Any], **learned: Any) -> TfidfVectorizer:
    return TfidfVectorizer(
        sublinear_tf=True,
        min_df=options["min_df"],
        max_features=options["max_features"],
        ngram_range=tuple(options["ngram_range"]),
        **learned,
    )


def _write(
    folder: Path, weighting: TfidfVectorizer, components: npt.NDArray[Any], facts: dict[str, Any]
) -> None:
    tensors = save(
        {
            "idf": weighting.idf_.astype(np.float64),
            "components": np.ascontiguousarray(components, dtype=np.float32),
        }
    )
    files.write_bytes(folder / TENSORS, tensors)
    terms = weighting.get_feature_names_out().tolist()
    sha256 = files.sha256_of(folder / TENSORS)
    settings = {"format": _FORMAT, **facts, "sha256": sha256, "terms": terms}
    files.write_json(folder / SETTINGS, settings)


def _read(folder: Path) -> _Learned:
    try:
        settings = files.read_json(folder / SETTINGS)
        data = (folder / TENSORS).read_bytes()
        sha256 = {name: files.sha256_of(folder / name) for name in (SETTINGS, TENSORS)}
        if settings.get("format") != _FORMAT or settings.get("sha256") != sha256[TENSORS]:
            raise WeightsError(f"{folder / TENSORS} is not the file that {SETTINGS} belongs to")
        tensors = load(data)
        weighting = _weighting(settings["weighting"], vocabulary=settings["terms"])
        weighting.idf_ = tensors["idf"]
    except (CorruptFileError, OSError, KeyError, ValueError) as error:
        raise WeightsError(
            f"{folder} holds no latent semantic analysis: {error}; write one with "
            "molkd.teachers.text.latent_semantic.LatentSemantic.learn"
        ) from error
    return _Learned(str(folder), weighting, tensors["components"], settings, sha256)
