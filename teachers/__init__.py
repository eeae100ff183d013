"""Frozen encoders of molecules, texts and images, one family per file, by name.

Nothing is imported before it is made. A name is one of the built-in ones, one that another
distribution offers through the entry point group "molkd.teachers", or a prefix with a name of the
library behind it: "hf:", "molfeat:", "deepchem:", "molkd:"; "st:" and "lsa:" for texts,
"hf-vision:" and "timm:" for images, "depict:" and "describe:" to show them molecules.

A new teacher is a file in one of the folders here, and a line below.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from molkd.deprecated import renamed
from molkd.teachers.hub import known
from molkd.teachers.registry import (
    ENTRY_POINTS,
    PREFIXES,
    TEACHERS,
    as_teacher,
    make,
    names,
    parse_names,
)

if __name__ != "molkd.teachers":
    raise ImportError("import molkd.teachers, not teachers")

if TYPE_CHECKING:  # it loads torch
    from molkd.tensors import as_queryable

__all__ = [
    "ENTRY_POINTS",
    "PREFIXES",
    "TEACHERS",
    "as_queryable",
    "as_teacher",
    "make",
    "names",
    "parse_names",
]

_FINGERPRINTS = "molkd.teachers.rdkit.fingerprints"
for _radius in (2, 3):
    for _suffix, _counts in (("", False), ("-count", True)):
        TEACHERS.add(
            f"ecfp{2 * _radius}{_suffix}",
            f"{_FINGERPRINTS}:MorganTeacher",
            radius=_radius,
            counts=_counts,
        )
TEACHERS.add("fcfp4", f"{_FINGERPRINTS}:MorganTeacher", radius=2, features=True)
TEACHERS.add("atom-pair", f"{_FINGERPRINTS}:AtomPairTeacher")
TEACHERS.add("topological-torsion", f"{_FINGERPRINTS}:TopologicalTorsionTeacher")
TEACHERS.add("maccs", f"{_FINGERPRINTS}:MaccsTeacher")
TEACHERS.add("rdkit-path", f"{_FINGERPRINTS}:RDKitPathTeacher")
TEACHERS.add("avalon", f"{_FINGERPRINTS}:AvalonTeacher")
TEACHERS.add("erg", "molkd.teachers.rdkit.pharmacophores:ErgTeacher")
TEACHERS.add("cats2d", "molkd.teachers.rdkit.pharmacophores:Cats2dTeacher")
TEACHERS.add("rdkit2d", "molkd.teachers.rdkit.descriptors:Rdkit2dTeacher")
for _architecture in ("gat", "gcn", "graphsage"):
    for _pretraining in ("contextpred", "supervised", "supervised_contextpred"):
        TEACHERS.add(
            f"hu-{_architecture}-{_pretraining.replace('_', '-')}",
            "molkd.teachers.graphs.pretrained_gnn:PretrainedGnnTeacher",
            architecture=_architecture,
            pretraining=_pretraining,
        )
TEACHERS.add("molclr-gcn", "molkd.teachers.graphs.molclr:MolclrTeacher")
TEACHERS.add("minimol", "molkd.teachers.packages.minimol:MinimolTeacher")
TEACHERS.add("chemnet", "molkd.teachers.packages.chemnet:ChemnetTeacher")
TEACHERS.add("chemical-vae", "molkd.teachers.sequences.chemical_vae:ChemicalVaeTeacher")
TEACHERS.add("bimodal", "molkd.teachers.sequences.bimodal:BimodalTeacher")
TEACHERS.add("espaloma-charge", "molkd.teachers.packages.espaloma:EspalomaChargeTeacher")
TEACHERS.add("jtvae", "molkd.teachers.packages.jtvae:JunctionTreeTeacher")
for _reactions in ("rxnfp", "rxnmapper"):
    TEACHERS.add(
        _reactions, "molkd.teachers.packages.reactions:ReactionTransformer", model=_reactions
    )
TEACHERS.add("ani-2x", "molkd.teachers.conformers.ani2x:Ani2xTeacher")
TEACHERS.add("csp5", "molkd.teachers.conformers.csp5:Csp5Teacher")
TEACHERS.add("csp5-1h", "molkd.teachers.conformers.csp5:Csp5Teacher", nucleus="1H")
for _layers in (20, 32, 44, 56):
    TEACHERS.add(
        f"resnet{_layers}-cifar10",
        "molkd.teachers.vision.cifar_resnets:CifarResNetTeacher",
        layers=_layers,
    )
_HUB = {"molecules": "smiles:HuggingFaceTeacher", "images": "images:HubVisionTeacher"}
for _modality, _class in _HUB.items():
    for _model in known.named(_modality):
        TEACHERS.add(
            _model.name,
            f"molkd.teachers.hub.{_class}",
            model=_model.hub,
            revision=_model.revision,
            **_model.options,
        )
TEACHERS.add("hashed-ngrams", "molkd.teachers.text.hashed_ngrams:HashedNgrams")
for _model in known.named("texts"):
    TEACHERS.add(_model.name, "molkd.teachers.hub.texts:known_encoder", model=_model.name)

PREFIXES.add("hf", "molkd.teachers.hub.smiles:HuggingFaceTeacher")
PREFIXES.add("molfeat", "molkd.teachers.adapters.molfeat:MolfeatTeacher")
PREFIXES.add("deepchem", "molkd.teachers.adapters.deepchem:DeepChemTeacher")
PREFIXES.add("molkd", "molkd.featurizers.transformer:MolKDTransformer")
PREFIXES.add("st", "molkd.teachers.hub.texts:SentenceEncoder")
PREFIXES.add("lsa", "molkd.teachers.text.latent_semantic:LatentSemantic")
PREFIXES.add("hf-vision", "molkd.teachers.hub.images:HubVisionTeacher")
PREFIXES.add("timm", "molkd.teachers.vision.timm:TimmTeacher", extra="timm")
PREFIXES.add("depict", "molkd.teachers.through:depicted")
PREFIXES.add("describe", "molkd.teachers.through:described")


def __getattr__(name: str) -> Any:
    if name == "as_queryable":
        from molkd.tensors import as_queryable

        return as_queryable
    return renamed(__name__, name)
