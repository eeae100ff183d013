"""The encoder of the chemical variational autoencoder: a character CNN over SMILES.

Source: Gómez-Bombarelli et al. 2018, https://doi.org/10.1021/acscentsci.7b00572,
https://github.com/aspuru-guzik-group/chemical_vae (model `zinc_properties`).
"""

from __future__ import annotations

from typing import cast

import torch
from rdkit import Chem
from torch import Tensor, nn

from molkd.items.molecules import chem
from molkd.teachers.base.network import VERSIONS, NetworkTeacher
from molkd.teachers.base.weights import WeightFile, load_npz
from molkd.teachers.sequences.character_codes import encoded, refusal
from molkd.types import TeacherCard

COMMIT = "a509dc613c4c9be54d448a34829bab25bcf09a79"
REPOSITORY = "aspuru-guzik-group/chemical_vae"
WEIGHTS = WeightFile(
    path="chemical-vae/zinc_properties_encoder.npz",
    sha256="0028c65eeff664a5ac1b7c1d53c828e318c3feaa269f37824de87ec080fa586c",
    url=None,
    origin=(
        f"models/zinc_properties/zinc_encoder.h5 of https://github.com/{REPOSITORY} at {COMMIT} "
        "to npz under the same array names"
    ),
)
CHARACTERS = "76o]3s(-S/B4[)#IlOHc1@=nP8C2F5rN+\\ "
PADDING = " "
MAX_LENGTH = 120
DIM = 196
EPSILON = 1e-3
FILTERS = ((len(CHARACTERS), 9, 9), (9, 9, 9), (9, 10, 11))
"""Input channels, output channels and width of the three convolutions."""
FLAT = 940


class ChemicalVaeEncoder(nn.Module):
    """Three convolutions and a dense layer, each with tanh and batch normalisation."""

    def __init__(self) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(nn.Conv1d(*shape) for shape in FILTERS)
        self.norms = nn.ModuleList(nn.BatchNorm1d(out, eps=EPSILON) for _, out, _ in FILTERS)
        self.dense = nn.Linear(FLAT, DIM)
        self.dense_norm = nn.BatchNorm1d(DIM, eps=EPSILON)
        self.mean = nn.Linear(DIM, DIM)

    def forward(self, codes: Tensor) -> Tensor:
        """Embeds padded strings, shape (b, `MAX_LENGTH`); shape (b, `DIM`)."""
        states = nn.functional.one_hot(codes, len(CHARACTERS)).float().transpose(1, 2)
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            states = norm(convolution(states).tanh())
        # The dense layer was trained on channels last.
        flat = states.transpose(1, 2).flatten(1)
        return cast("Tensor", self.mean(self.dense_norm(self.dense(flat).tanh())))


class ChemicalVaeTeacher(NetworkTeacher):
    """The mean of the latent code of the canonical SMILES, stereo included."""

    @property
    def card(self) -> TeacherCard:
        """What the teacher is; needs no weights."""
        return TeacherCard(
            name="chemical-vae",
            kind="SMILES model",
            dim=DIM,
            support="real",
            source=f"doi:10.1021/acscentsci.7b00572; https://github.com/{REPOSITORY} at {COMMIT}",
            license="Apache-2.0",
            limits=(
                f"Cannot embed canonical SMILES of more than {MAX_LENGTH} characters, or with a "
                f"character outside {CHARACTERS.strip()}: no salts, no rings closed by 9, "
                "no sodium or silicon."
            ),
            sha256={WEIGHTS.path: WEIGHTS.sha256},
            versions=VERSIONS,
        )

    def _refuse(self, mol: Chem.Mol) -> str | None:
        return refusal(chem.canonical_smiles(mol), alphabet=CHARACTERS, longest=MAX_LENGTH)

    def _build(self) -> nn.Module:
        encoder = ChemicalVaeEncoder()
        encoder.load_state_dict(state_from_keras(load_npz(WEIGHTS, self.weights_dir)))
        return encoder

    def _encode(self, network: nn.Module, mols: list[Chem.Mol], device: torch.device) -> Tensor:
        texts = [chem.canonical_smiles(mol).ljust(MAX_LENGTH, PADDING) for mol in mols]
        codes = encoded("".join(texts), CHARACTERS).view(len(mols), MAX_LENGTH)
        return cast("Tensor", network(codes.to(device)))


def state_from_keras(arrays: dict[str, Tensor]) -> dict[str, Tensor]:
    """Renames the published arrays and turns kernels from (..., in, out) into torch's order."""
    modules = {
        **{f"encoder_conv{i}": f"convolutions.{i}" for i in range(len(FILTERS))},
        **{f"encoder_norm{i}": f"norms.{i}" for i in range(len(FILTERS))},
        "encoder_dense0": "dense",
        "encoder_dense0_norm": "dense_norm",
        "z_mean_sample": "mean",
    }
    tensors = {
        "kernel:0": "weight",
        "bias:0": "bias",
        "gamma:0": "weight",
        "beta:0": "bias",
        "moving_mean:0": "running_mean",
        "moving_variance:0": "running_var",
    }
    state: dict[str, Tensor] = {}
    for name, value in arrays.items():
        module, tensor = name.split(".")
        reverse = tuple(range(value.ndim))[::-1]
        state[f"{modules[module]}.{tensors[tensor]}"] = value.permute(reverse)
    return state
