"""Chemical language models of the Hugging Face hub that molkd knows by name: facts, no code.

A fact that could not be verified is not invented: a licence that its page does not state reads
`UNSTATED`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from molkd.teachers.base.provenance import UNSTATED

Representation = Literal["smiles", "selfies"]
Pooling = Literal["mean", "cls", "last"]

_CHEMBERTA_2 = "ChemBERTa-2, arXiv:2209.01712"
_CHEMGPT = "ChemGPT, doi:10.26434/chemrxiv-2022-3s512"


@dataclass(frozen=True, slots=True, kw_only=True)
class HubModel:
    """A model of the hub.

    Attributes:
        name: registry name.
        hub: name on the hub, "owner/model".
        dim: width of its hidden states.
        source: paper.
        representation: what its tokenizer was trained on.
        pooling: pooling that its card means.
        license: licence of the weights as its page states it.
        revision: commit or reference that holds safetensors. "refs/pr/N" is the hub's own
            conversion of a repository whose main branch has pickled weights only; None is the
            main branch.
    """

    name: str
    hub: str
    dim: int
    source: str
    representation: Representation = "smiles"
    pooling: Pooling = "mean"
    license: str = UNSTATED
    revision: str | None = None

    @property
    def options(self) -> dict[str, Any]:
        """Keywords that make `HuggingFaceTeacher` this model; it takes the rest from here."""
        return {
            "model": self.hub,
            "representation": self.representation,
            "pooling": self.pooling,
            "revision": self.revision,
        }


NAMED: dict[str, HubModel] = {
    model.name: model
    for model in (
        HubModel(
            name="chemberta-77m-mtr",
            hub="DeepChem/ChemBERTa-77M-MTR",
            dim=384,
            source=_CHEMBERTA_2,
        ),
        HubModel(
            name="chemberta-77m-mlm",
            hub="DeepChem/ChemBERTa-77M-MLM",
            dim=384,
            source=_CHEMBERTA_2,
            revision="refs/pr/2",
        ),
        HubModel(
            name="chemberta-10m-mtr",
            hub="DeepChem/ChemBERTa-10M-MTR",
            dim=384,
            source=_CHEMBERTA_2,
            revision="0b8445fa67eb979533cbab19561ed7397311944b",
        ),
        HubModel(
            name="chemberta-10m-mlm",
            hub="DeepChem/ChemBERTa-10M-MLM",
            dim=384,
            source=_CHEMBERTA_2,
        ),
        HubModel(
            name="chemberta-5m-mtr",
            hub="DeepChem/ChemBERTa-5M-MTR",
            dim=384,
            source=_CHEMBERTA_2,
            revision="refs/pr/1",
        ),
        HubModel(
            name="chemberta-5m-mlm",
            hub="DeepChem/ChemBERTa-5M-MLM",
            dim=384,
            source=_CHEMBERTA_2,
        ),
        HubModel(
            name="chemberta-zinc-v1",
            hub="seyonec/ChemBERTa-zinc-base-v1",
            dim=768,
            source="ChemBERTa, arXiv:2010.09885",
            revision="refs/pr/2",
        ),
        HubModel(
            name="molformer-xl-both-10pct",
            hub="ibm/MoLFormer-XL-both-10pct",
            dim=768,
            source="MoLFormer, arXiv:2106.09553",
            license="Apache-2.0",
            revision="e2ac555fb16948735e52c76111c26b6fb8873856",
        ),
        HubModel(
            name="roberta-zinc-480m",
            hub="entropy/roberta_zinc_480m",
            dim=768,
            source="https://huggingface.co/entropy/roberta_zinc_480m",
            license="MIT",
        ),
        HubModel(
            name="chemgpt-4.7m",
            hub="ncfrey/ChemGPT-4.7M",
            dim=128,
            source=_CHEMGPT,
            representation="selfies",
            revision="refs/pr/1",
        ),
        HubModel(
            name="chemgpt-19m",
            hub="ncfrey/ChemGPT-19M",
            dim=256,
            source=_CHEMGPT,
            representation="selfies",
            revision="7a2fecd65059d778807939848915b16efebb9cff",
        ),
        HubModel(
            name="chemgpt-1.2b",
            hub="ncfrey/ChemGPT-1.2B",
            dim=2048,
            source=_CHEMGPT,
            representation="selfies",
            revision="f743bbb1e66a4864045b3db612c2fe97c0c34969",
        ),
    )
}
"""Registry name -> model."""

BY_HUB: dict[str, HubModel] = {model.hub: model for model in NAMED.values()}
"""Name on the hub -> model."""
