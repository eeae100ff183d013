"""The forward SMILES language model of BIMODAL: two LSTM layers over characters.

Source: Grisoni et al. 2020, https://doi.org/10.1021/acs.jcim.9b00943,
https://github.com/ETHmodlab/BIMODAL (model `ForwardRNN_512`).
"""

from __future__ import annotations

from typing import cast

import numpy as np
import torch
from rdkit import Chem
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from molkd.teachers.base.network import VERSIONS, NetworkTeacher
from molkd.teachers.base.weights import WeightFile, load_npz
from molkd.teachers.sequences.character_codes import encoded, refusal
from molkd.types import Matrix, TeacherCard

COMMIT = "31c3265"
REPOSITORY = "ETHmodlab/BIMODAL"
WEIGHTS = WeightFile(
    path="bimodal/forward_rnn_512.npz",
    sha256="c9e10a3548684f69136f0ce41bfc24d7d16bf3b763967158a732b33c19494dc1",
    url=None,
    origin=(
        "evaluation/ForwardRNN_512/models/model_fold_1_epochs_9.dat of "
        f"https://github.com/{REPOSITORY} at {COMMIT} to npz under the same array names"
    ),
)
CHARACTERS = "#%()+-./0123456789=@ABCEFGHIKLMNOPSTVZ[\\]abcdegilnoprst"
START, END = "G", "E"
MAX_LENGTH = 200
DIM = 256
EPSILON = 1e-3
NEXT_CHARACTER = ("_norm_1.", "_wforward.")
"""Weights that follow the embedding, used only to predict the next character."""


class BimodalEncoder(nn.Module):
    """Characters, normalised as one-hot vectors, through two LSTM layers."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(len(CHARACTERS), eps=EPSILON)
        self.lstm = nn.LSTM(len(CHARACTERS), DIM, num_layers=2, batch_first=True)

    def forward(self, codes: Tensor, lengths: Tensor) -> Tensor:
        """Embeds strings.

        Args:
            codes: shape (b, t); what follows a string's end is never seen by its states.
            lengths: shape (b,).

        Returns:
            The mean over the string of the top layer's states, shape (b, `DIM`).
        """
        table = self.norm(torch.eye(len(CHARACTERS), device=codes.device))
        states: Tensor = self.lstm(table[codes])[0]
        inside = torch.arange(codes.shape[1], device=codes.device) < lengths[:, None]
        return (states * inside[:, :, None]).sum(1) / lengths[:, None]


class BimodalTeacher(NetworkTeacher):
    """The mean state over the canonical SMILES without stereo: stereo isomers are equal.

    Germanium reads as the start sign and einsteinium as the end sign, as in the original.
    """

    @property
    def card(self) -> TeacherCard:
        """What the teacher is; needs no weights."""
        return TeacherCard(
            name="bimodal",
            kind="SMILES model",
            dim=DIM,
            support="real",
            source=f"doi:10.1021/acs.jcim.9b00943; https://github.com/{REPOSITORY} at {COMMIT}",
            license="CC-BY-4.0",
            limits=(
                f"Cannot embed canonical SMILES of more than {MAX_LENGTH} characters, or with a "
                f"character outside {CHARACTERS}; stereo isomers get the same vector."
            ),
            sha256={WEIGHTS.path: WEIGHTS.sha256},
            versions=VERSIONS,
        )

    def _refuse(self, mol: Chem.Mol) -> str | None:
        return refusal(_text(mol), alphabet=CHARACTERS, longest=MAX_LENGTH)

    def _build(self) -> nn.Module:
        published = load_npz(WEIGHTS, self.weights_dir)
        state = {
            name.replace("_norm_0.", "norm.").replace("_lstm.", "lstm."): value
            for name, value in published.items()
            if not name.startswith(NEXT_CHARACTER)
        }
        encoder = BimodalEncoder()
        encoder.load_state_dict(state)
        return encoder

    def _compute(self, mols: list[Chem.Mol]) -> Matrix:
        # Strings of like length share a batch, so that little is spent on padding.
        order = sorted(range(len(mols)), key=lambda row: len(_text(mols[row])))
        values = np.empty((len(mols), DIM), dtype=np.float32)
        values[order] = super()._compute([mols[row] for row in order])
        return values

    def _encode(self, network: nn.Module, mols: list[Chem.Mol], device: torch.device) -> Tensor:
        rows = [encoded(START + _text(mol) + END, CHARACTERS) for mol in mols]
        lengths = torch.tensor([len(row) for row in rows], device=device)
        codes = pad_sequence(rows, batch_first=True).to(device)
        return cast("Tensor", network(codes, lengths))


def _text(mol: Chem.Mol) -> str:
    return Chem.MolToSmiles(mol, isomericSmiles=False)
