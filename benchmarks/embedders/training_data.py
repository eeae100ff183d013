"""What teachers have seen in training, as data: whose labels, and which molecules.

Each line rests on the teacher's card, the README of its weights or its paper, named beside it. What
no source states stands as "not stated", and a teacher without a line here as unknown: nothing is
guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

CHEMBL, PUBCHEM = "ChEMBL", "PubChem"


@dataclass(frozen=True, slots=True)
class TrainingData:
    """What a teacher has seen.

    Attributes:
        labels: collections whose measured labels of bioassays it was trained on.
        other: other targets of its training, in words: what can be computed, or gene expression.
        molecules: where its molecules come from, in words; "" where it was not trained.
        source: what states this.
    """

    labels: tuple[str, ...]
    other: str
    molecules: str
    source: str


NOTHING = TrainingData((), "", "", "computed from the structure; nothing was trained")

_HU = "Hu et al. 2020, arXiv 1905.12265"
_SUPERVISED = TrainingData((CHEMBL,), "", "ChEMBL: 456,000 of 1,310 assays", _HU)
_CONTEXT = TrainingData((), "contexts within molecules", "unlabelled", _HU)
_BOTH = TrainingData(
    (CHEMBL,), "contexts within molecules", "ChEMBL: 456,000 of 1,310 assays; unlabelled", _HU
)

_COMPUTED = (
    "ecfp4 ecfp4-count ecfp6 ecfp6-count fcfp4 atom-pair topological-torsion maccs rdkit-path "
    "avalon erg cats2d rdkit2d"
)

SEEN: Mapping[str, TrainingData] = {
    **dict.fromkeys(_COMPUTED.split(), NOTHING),
    **{
        f"hu-{network}-{pretraining}": seen
        for network in ("gat", "gcn", "graphsage")
        for pretraining, seen in (
            ("contextpred", _CONTEXT),
            ("supervised", _SUPERVISED),
            ("supervised-contextpred", _BOTH),
        )
    },
    "molclr-gcn": TrainingData(
        (), "views of a molecule", "PubChem: 10 million, unlabelled", "MolCLR, arXiv 2102.10056"
    ),
    "minimol": TrainingData(
        (PUBCHEM,),
        "quantum chemistry (PCQM4M), gene expression (L1000)",
        "LargeMix: 6 million of PCQM4M, PCBA and L1000; its published configuration leaves the "
        "molecules of the ADMET test sets in",
        "card; arXiv 2404.14986",
    ),
    "chemnet": TrainingData(
        (CHEMBL, PUBCHEM),
        "",
        "about 6,000 assays of ChEMBL, ZINC and PubChem; there is no list of them",
        "card; Preuer et al. 2018",
    ),
    "chemical-vae": TrainingData(
        (), "computed properties", "ZINC", "README of the weights: zinc_properties"
    ),
    "bimodal": TrainingData(
        (), "next characters", "not stated", "README of the weights: a language model"
    ),
    "jtvae": TrainingData((), "reconstruction", "ZINC: 250,000", "card; Jin et al. 2018"),
    "espaloma-charge": TrainingData((), "AM1-BCC charges (computed)", "SPICE", "card"),
    "ani-2x": TrainingData(
        (),
        "energies (computed)",
        "8.9 million geometries, of GDB-11 and ChEMBL among others",
        "card; Devereux et al. 2020",
    ),
    **dict.fromkeys(
        ("csp5", "csp5-1h"),
        TrainingData((), "NMR shifts (measured)", "literature NMR spectra (NMRexp)", "card"),
    ),
    "rxnmapper": TrainingData((), "masked tokens", "reactions of US patents", "card"),
    "rxnfp": TrainingData((), "masked tokens", "reactions of Pistachio", "card"),
}
"""Name of a teacher -> what it has seen."""


def seen_by(source: str) -> TrainingData | None:
    """Returns what a source of an embedder has seen; None where nobody has said.

    Args:
        source: a name of `sources_of`; a layer of a teacher ("minimol@layer:8") has seen what the
            teacher has.
    """
    return SEEN.get(source.partition("@")[0])
