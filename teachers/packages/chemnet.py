"""ChemNet: convolutions and LSTMs over SMILES, trained on bioassays, from the package `fcd-torch`.

Source: Preuer et al. 2018, Fréchet ChemNet Distance, https://doi.org/10.1021/acs.jcim.8b00234.
"""

from __future__ import annotations

import os
import re
from numbers import Integral
from typing import Any, ClassVar, cast

import torch
from rdkit import Chem
from sklearn.utils._param_validation import Interval
from torch import Tensor, nn
from torch.nn import functional

from molkd.items.molecules import chem
from molkd.teachers.base import layers
from molkd.teachers.base.molecules import OnInvalid
from molkd.teachers.base.network import VERSIONS, NetworkTeacher
from molkd.teachers.base.weights import WeightFile, locate
from molkd.types import TeacherCard

WEIGHTS = WeightFile(
    "fcd_torch/ChemNet_v0.13_pretrained.pt",
    sha256="a36658cc7c94d3c728eacd7ed2d2f104753bb2fde742c2817daefe9533a28080",
    package="fcd-torch==1.0.7",
)
SYMBOLS = (
    *("C", "N", "O", "H", "F", "Cl", "P", "B", "Br", "S", "I", "Si", "#", "(", ")", "+", "-"),
    *("1", "2", "3", "4", "5", "6", "7", "8", "=", "[", "]", "@", "c", "n", "o", "s", "X", "."),
)
UNKNOWN = SYMBOLS.index("X")
END = SYMBOLS.index(".")
READ_AS_UNKNOWN = frozenset("/\\%90")
"""What is no atom and has no symbol; of an atom without one the original reads letters."""

ELEMENTS = frozenset({"C", "N", "O", "H", "F", "Cl", "P", "B", "Br", "S", "I", "Si"})
LENGTH = 350
"""Symbols that are read, the end among them."""

WIDTHS = (len(SYMBOLS), 32, 32, 128, 512)
"""Of what the first layer reads, and of each layer."""

DIM, LAYERS = WIDTHS[-1], len(WIDTHS) - 1
_CODES = {symbol: code for code, symbol in enumerate(SYMBOLS)}
_SYMBOL = re.compile("Cl|Br|Si|.")


class ChemNet(nn.Module):
    """Two convolutions of stride 2; two LSTMs, the first of which reads from the end."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv1d(len(SYMBOLS), 32, 4, stride=2, bias=False)
        self.second = nn.Conv1d(32, 32, 4, stride=2, bias=False)
        self.backward_lstm = nn.LSTM(32, 128, batch_first=True)
        self.forward_lstm = nn.LSTM(128, DIM, batch_first=True)

    def forward(self, codes: Tensor, layer: int = LAYERS) -> Tensor:
        """Embeds symbols by a layer: the last state of an LSTM, else the mean over all places.

        Args:
            codes: shape (b, `LENGTH`), -1 after the end.
            layer: 0 is what the first convolution reads.

        Returns:
            Shape (b, `WIDTHS[layer]`).
        """
        states = functional.one_hot(codes + 1, len(SYMBOLS) + 1)[:, :, 1:].transpose(1, 2)
        states = states.float() / len(SYMBOLS)
        for module, padding in ((self.first, (1, 1)), (self.second, (1, 2)))[:layer]:
            states = functional.selu(module(functional.pad(states, padding)))
        if layer < LAYERS - 1:
            return states.mean(dim=2)
        backward: Tensor = self.backward_lstm(states.transpose(1, 2).flip(1))[0]
        if layer < LAYERS:
            return backward[:, -1]
        forward: Tensor = self.forward_lstm(backward.flip(1))[0]
        return forward[:, -1]


class ChemnetTeacher(NetworkTeacher):
    """The last state over the canonical SMILES: what the Fréchet ChemNet Distance is measured on.

    The original reads sodium as nitrogen, tin as sulfur and nitrogen, and of a salt one part; here
    these are refused.

    Attributes:
        layer: that is read in place of the last: 0 is the symbols, 1 and 2 are the convolutions,
            whose mean over all places is taken, padding among them, 3 is the LSTM from the end.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **NetworkTeacher._parameter_constraints,  # noqa: SLF001
        "layer": [Interval(Integral, 0, None, closed="left"), None],
    }

    def __init__(
        self,
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
        self.layer = layer

    @property
    def card(self) -> TeacherCard:
        """What the teacher is; needs no weights."""
        self._validate_params()
        layers.check(self.layer, LAYERS, "chemnet")
        card = TeacherCard(
            name="chemnet",
            kind="SMILES model",
            dim=DIM,
            support="real",
            source=(
                "doi:10.1021/acs.jcim.8b00234; https://github.com/insilicomedicine/fcd_torch as "
                f"{WEIGHTS.package}"
            ),
            license="MIT (the package; nothing is stated of the weights)",
            limits=(
                f"Cannot embed canonical SMILES of more than {LENGTH - 1} symbols or of several "
                f"parts (salts), elements beside {', '.join(sorted(ELEMENTS))}, nor aromatic boron "
                "and phosphorus. E and Z get the same vector."
            ),
            trained_on=(
                "Labels of about 6,000 bioassays from ChEMBL, ZINC and PubChem, says the paper; "
                "there is no list of them. Labels of cyp2c9_veith, cyp2d6_veith and cyp3a4_veith "
                "(PubChem) may be among them: report these tasks apart. So may those of "
                "lipophilicity, protein binding and clearance that AstraZeneca gave to ChEMBL."
            ),
            sha256={WEIGHTS.path: WEIGHTS.sha256},
            versions=VERSIONS,
        )
        return layers.card_of(card, self.layer, None if self.layer is None else WIDTHS[self.layer])

    def _refuse(self, mol: Chem.Mol) -> str | None:
        return _refusal(chem.canonical_smiles(mol), {atom.GetSymbol() for atom in mol.GetAtoms()})

    def _build(self) -> nn.Module:
        network = ChemNet()
        path = locate(WEIGHTS, self.weights_dir)
        published = torch.load(path, map_location="cpu", weights_only=True)
        modules = list(network.children())
        for module, (_, (state, *_)) in zip(modules, published, strict=True):
            module.load_state_dict(state)
        return network

    def _encode(self, network: nn.Module, mols: list[Chem.Mol], device: torch.device) -> Tensor:
        codes = torch.full((len(mols), LENGTH), -1)
        for row, mol in enumerate(mols):
            read = codes_of(chem.canonical_smiles(mol))
            codes[row, : len(read)] = torch.tensor(read)
        layer = LAYERS if self.layer is None else self.layer
        return cast("Tensor", network(codes.to(device), layer))


def codes_of(smiles: str) -> list[int]:
    """Returns the places of its symbols in `SYMBOLS`, and the end."""
    return [*(_CODES.get(symbol, UNKNOWN) for symbol in _SYMBOL.findall(smiles)), END]


def _refusal(smiles: str, elements: set[str]) -> str | None:
    parts = smiles.count(".") + 1
    if parts > 1:
        return f"a compound of {parts} parts, of which the model reads one"
    symbols = _SYMBOL.findall(smiles)
    if len(symbols) >= LENGTH:
        return f"canonical SMILES of {len(symbols)} symbols; the model reads at most {LENGTH - 1}"
    unknown = sorted(elements - ELEMENTS) or sorted(set(symbols) - set(SYMBOLS) - READ_AS_UNKNOWN)
    if unknown:
        return f"canonical SMILES {smiles} has {', '.join(unknown)}, unknown to the model"
    return None
