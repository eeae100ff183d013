"""SMILES transformers that were trained on chemical reactions and lie in packages of PyPI.

Source: rxnmapper, Schwaller et al. 2021, https://doi.org/10.1126/sciadv.abe4166; rxnfp, Schwaller
et al. 2021, https://doi.org/10.1038/s42256-020-00284-w. Their tensors, configurations and
vocabularies are read; their code, which asks for old versions of much else, is not run.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from numbers import Integral
from typing import Any, ClassVar, Literal, cast

import numpy as np
import torch
from rdkit import Chem
from sklearn.utils._param_validation import Interval, StrOptions
from torch import Tensor, nn

from molkd.hub import checkpoints
from molkd.items.molecules import chem
from molkd.teachers.base import layers
from molkd.teachers.base.molecules import OnInvalid
from molkd.teachers.base.network import VERSIONS, NetworkTeacher
from molkd.teachers.base.weights import WeightFile, load_torch, locate
from molkd.teachers.hub.hidden import hidden_states
from molkd.teachers.hub.token_batches import TokenBatch, pooled
from molkd.teachers.hub.tokens import Tokens, UnreadableError
from molkd.types import Matrix, TeacherCard

ReactionModel = Literal["rxnmapper", "rxnfp"]

DIM = 256
LAYERS = 12
MAX_TOKENS = 512
START, END, PADDING = "[CLS]", "[SEP]", 0
PIECE = re.compile(
    r"%\([0-9]{3}\)|\[[^\]]+]|Br?|Cl?|N|O|S|P|F|I|b|c|n|o|s|p|\||\(|\)|\.|=|#|-|\+|\\|/|:|~|@|\?"
    r"|>>?|\*|\$|%[0-9]{2}|[0-9]"
)
"""What both packages take for one token."""
VOCABULARY_SHA256 = "399868a653e85549ce150af4a1f6cd2776240c6a3d951ced2120565f00f027fd"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Published:
    """A model as its package holds it.

    Attributes:
        package: what pip installs.
        folder: of its three files.
        config: sha256 of config.json.
        tensors: sha256 of pytorch_model.bin.
        kind: its architecture in transformers.
        source: for the card.
        trained_on: for the card.
    """

    package: str
    folder: str
    config: str
    tensors: str
    kind: str
    source: str
    trained_on: str

    def file(self, name: str, sha256: str) -> WeightFile:
        """Returns one of its files; pip must not install what the package's own code needs."""
        return WeightFile(f"{self.folder}/{name}", sha256, package=f"--no-deps {self.package}")

    @property
    def files(self) -> tuple[WeightFile, WeightFile, WeightFile]:
        """Tensors, configuration and vocabulary."""
        return (
            self.file("pytorch_model.bin", self.tensors),
            self.file("config.json", self.config),
            self.file("vocab.txt", VOCABULARY_SHA256),
        )


PUBLISHED: dict[ReactionModel, _Published] = {
    "rxnmapper": _Published(
        package="rxnmapper==0.4.3",
        folder="rxnmapper/models/transformers/albert_heads_8_uspto_all_1310k",
        config="ea0f3144af1d13a5d5928cff01abd8e7c14ab831ff7b6d73a14d4162864a876f",
        tensors="8541f3f500dae71abe678d546bd035ca946e2d1c819f6b2cf41a97faedd7e6a2",
        kind="albert",
        source="doi:10.1126/sciadv.abe4166; https://pypi.org/project/rxnmapper/0.4.3",
        trained_on="Masked tokens of reactions from US patents, without labels",
    ),
    "rxnfp": _Published(
        package="rxnfp==0.1.0",
        folder="rxnfp/models/transformers/bert_pretrained",
        config="024d89cb6056e146e066ebbcd9d565d6968d53e82953570a8b110b26495d7d4b",
        tensors="50a6ed263d33ae759affa82c1e85554cc5ea9f56145f5c7fb39b6c25d4356437",
        kind="bert",
        source=(
            "doi:10.1038/s42256-020-00284-w; https://pypi.org/project/rxnfp/0.1.0 (bert_pretrained)"
        ),
        trained_on="Masked tokens of reactions, Pistachio's by the paper, without labels",
    ),
}


class ReactionEncoder(nn.Module):
    """A transformer with its vocabulary.

    Attributes:
        body: from tokens to their hidden states.
        vocabulary: token -> number.
        layer: whose states are pooled; None is the last one.
    """

    def __init__(
        self, body: nn.Module, vocabulary: dict[str, int], layer: int | None = None
    ) -> None:
        super().__init__()
        self.body = body
        self.vocabulary = vocabulary
        self.layer = layer

    def read(self, smiles: str) -> Tokens:
        """Returns the tokens of a SMILES.

        Raises:
            UnreadableError: the vocabulary lacks one, or there are too many.
        """
        pieces = PIECE.findall(smiles)
        unknown = dict.fromkeys(piece for piece in pieces if piece not in self.vocabulary)
        if unknown or "".join(pieces) != smiles:
            names = ", ".join(map(repr, unknown)) or "a character"
            raise UnreadableError(f"canonical SMILES {smiles} has {names}, unknown to the model")
        if len(pieces) + 2 > MAX_TOKENS:
            raise UnreadableError(f"{len(pieces) + 2} tokens, more than the model's {MAX_TOKENS}")
        ids = [self.vocabulary[piece] for piece in (START, *pieces, END)]
        return Tokens(ids, [False, *[True] * len(pieces), False])

    def forward(self, tokens: TokenBatch) -> Tensor:
        """Embeds b molecules; shape (b, `DIM`)."""
        read = {"input_ids": tokens.ids, "attention_mask": tokens.mask}
        states = hidden_states(self.body, self.layer, read)
        return pooled(states, tokens.mask, tokens.content, "mean")


class ReactionTransformer(NetworkTeacher):
    """The mean of the hidden states over the tokens of the canonical SMILES, stereo included.

    Special tokens are left out: nothing that these models were trained for gave them a meaning.

    Attributes:
        model: which of `PUBLISHED`.
        layer: whose states are pooled, from 0, the embeddings of the tokens, to `LAYERS`; None is
            the last one.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **NetworkTeacher._parameter_constraints,  # noqa: SLF001
        "model": [StrOptions(set(PUBLISHED))],
        "layer": [Interval(Integral, 0, None, closed="left"), None],
    }

    def __init__(
        self,
        model: ReactionModel,
        *,
        layer: int | None = None,
        weights_dir: str | os.PathLike[str] | None = None,
        device: str = "cpu",
        batch_size: int = 128,
        on_invalid: OnInvalid = "error",
    ) -> None:
        super().__init__(
            weights_dir=weights_dir, device=device, batch_size=batch_size, on_invalid=on_invalid
        )
        self.model: ReactionModel = model
        self.layer = layer

    @property
    def card(self) -> TeacherCard:
        """What the teacher is; needs no weights."""
        self._validate_params()
        published = PUBLISHED[self.model]
        layers.check(self.layer, LAYERS, self.model)
        card = TeacherCard(
            name=self.model,
            kind="SMILES model",
            dim=DIM,
            support="real",
            source=published.source,
            license="MIT",
            limits=(
                f"Cannot embed canonical SMILES of more than {MAX_TOKENS - 2} tokens, or with an "
                "atom in brackets that its vocabulary lacks."
            ),
            trained_on=(
                f"{published.trained_on}. Compounds of a "
                "benchmark may be among these reagents and products, their labels are not."
            ),
            sha256={file.path: file.sha256 for file in published.files},
            options={"pooling": "mean"},
            versions=VERSIONS,
        )
        return layers.card_of(card, self.layer)

    def _build(self) -> nn.Module:
        published = PUBLISHED[self.model]
        tensors, config, vocabulary = published.files
        body = checkpoints.build(
            published.kind,
            locate(config, self.weights_dir),
            load_torch(tensors, self.weights_dir),
        )
        lines = locate(vocabulary, self.weights_dir).read_text(encoding="utf-8").splitlines()
        tokens = {token: number for number, token in enumerate(lines)}
        return ReactionEncoder(body, tokens, self.layer)

    def _refuse(self, mol: Chem.Mol) -> str | None:
        try:
            cast("ReactionEncoder", self._ready()).read(chem.canonical_smiles(mol))
        except UnreadableError as error:
            return str(error)
        return None

    def _compute(self, mols: list[Chem.Mol]) -> Matrix:
        """Embeds in the order of length, so that little is spent on padding."""
        order = np.argsort([len(chem.canonical_smiles(mol)) for mol in mols], kind="stable")
        values = np.empty((len(mols), DIM), dtype=np.float32)
        values[order] = super()._compute([mols[row] for row in order])
        return values

    def _encode(self, network: nn.Module, mols: list[Chem.Mol], device: torch.device) -> Tensor:
        encoder = cast("ReactionEncoder", network)
        sequences = [encoder.read(chem.canonical_smiles(mol)) for mol in mols]
        return cast("Tensor", encoder(TokenBatch.of(sequences, PADDING).to(device)))
