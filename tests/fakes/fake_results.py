"""Results of a benchmark that nobody ran: realistic in shape, known in every number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from molkd.benchmarks.records import EmbedderRecord, Results, Role, Run, Score, TaskRecord

ADMET = {
    "caco2_wang": ("MAE", 910),
    "bioavailability_ma": ("AUROC", 640),
    "lipophilicity_astrazeneca": ("MAE", 4200),
    "solubility_aqsoldb": ("MAE", 9982),
    "hia_hou": ("AUROC", 578),
    "pgp_broccatelli": ("AUROC", 1218),
    "bbb_martins": ("AUROC", 2030),
    "ppbr_az": ("MAE", 1614),
    "vdss_lombardo": ("Spearman", 1130),
    "cyp2c9_veith": ("AUPRC", 12092),
    "cyp2d6_veith": ("AUPRC", 13130),
    "cyp3a4_veith": ("AUPRC", 12328),
    "cyp2c9_substrate_carbonmangels": ("AUPRC", 669),
    "cyp2d6_substrate_carbonmangels": ("AUPRC", 667),
    "cyp3a4_substrate_carbonmangels": ("AUROC", 670),
    "half_life_obach": ("Spearman", 667),
    "clearance_microsome_az": ("Spearman", 1102),
    "clearance_hepatocyte_az": ("Spearman", 1213),
    "herg": ("AUROC", 655),
    "ames": ("AUROC", 7278),
    "dili": ("AUROC", 475),
    "ld50_zhu": ("MAE", 7385),
}
"""Task of TDC's ADMET group -> (official metric, rows)."""

EMBEDDERS: dict[str, tuple[Role, int, int | None, float]] = {
    "student-base": ("student", 512, 5_260_288, 0.062),
    "ecfp4+rdkit-descriptors": ("baseline", 2265, 0, 0.058),
    "oracle (PCA of all teachers)": ("baseline", 512, 0, 0.055),
    "rdkit-descriptors": ("baseline", 217, 0, 0.05),
    "ecfp4-counts": ("baseline", 2048, 0, 0.03),
    "chemberta-77m-mtr": ("teacher", 384, 3_430_000, 0.033),
    "hu-graphsage-supervised-contextpred": ("teacher", 300, 1_860_000, 0.012),
    "hu-gin-supervised-masking": ("teacher", 300, 1_860_000, 0.008),
    "hu-gat-contextpred": ("teacher", 300, None, -0.03),
    "untrained:base": ("baseline", 512, 5_260_288, 0.01),
}
"""Label -> role, width, weights, how good it is."""

HOSTILE = 'a<b> & "c" | *d* `e` $f$ <script>alert(1)</script>'
"""A label that breaks whatever does not escape it."""


def results(
    *,
    tasks: Sequence[str] = tuple(ADMET),
    embedders: Sequence[str] = tuple(EMBEDDERS),
    seeds: int = 5,
    probes: Sequence[str] = ("linear",),
    extra: Sequence[TaskRecord] = (),
) -> Results:
    """Results on tasks of the ADMET group, or by name of one's own, and on `extra` tasks."""
    records = [*map(_task, tasks), *extra]
    return Results(
        Run(
            settings={"probes": list(probes), "seeds": seeds, "split": None},
            versions={"molkd": "0.1.0", "numpy": "2.4.6", "scikit-learn": "1.9.1"},
            leakage={
                name: {"items": 900 + i, "train": 31 + i, "test": 7} for i, name in enumerate(tasks)
            },
        ),
        tuple(records),
        tuple(map(_embedder, embedders)),
        tuple(_scores([record for record in records if record.compared], embedders, seeds, probes)),
    )


def multi_label(name: str = "tox21", labels: int = 12) -> TaskRecord:
    """A task of several labels."""
    return _task(name, group="moleculenet", labels=tuple(f"assay-{i}" for i in range(labels)))


def cliffs(name: str = "chembl204_ki") -> TaskRecord:
    """A regression whose test rows have a subset."""
    return _task(name, group="moleculeace", metric="RMSE")


def left_out(name: str = "constant") -> TaskRecord:
    """A task without scores."""
    notes = ("y left out: constant labels in the train rows of seed 0",)
    return _task(name, compared=0, notes=notes)


def _task(name: str, **changes: object) -> TaskRecord:
    metric, items = ADMET.get(name, ("AUROC", 800))
    metric = str(changes.get("metric", metric))
    kind = "classification" if metric in {"AUROC", "AUPRC"} else "regression"
    fields = {
        "name": name,
        "group": "tdc-admet",
        "kind": kind,
        "metric": metric,
        "comparable": "AUROC" if kind == "classification" else "Spearman",
        "split": "scaffold" if "group" in changes else "given",
        "labels": ("y",),
        "items": items,
        "compared": items - 2,
        "digest": f"{hash_of(name):064x}",
        "notes": (f"{items % 7} molecules occur more than once with different labels",)
        if items % 7
        else (),
    }
    return TaskRecord(**{**fields, **changes})  # pyright: ignore[reportArgumentType]


def _embedder(label: str) -> EmbedderRecord:
    role, dim, parameters, _ = EMBEDDERS.get(label, ("baseline", 16, None, 0.0))
    return EmbedderRecord(
        label=label,
        spec=label.partition("-")[0],
        role=role,
        digest=f"{hash_of(label):064x}",
        dim=dim,
        parameters=parameters,
        failed=hash_of(label) % 5,
    )


def _scores(
    records: Sequence[TaskRecord], embedders: Sequence[str], seeds: int, probes: Sequence[str]
) -> Iterator[Score]:
    for record in records:
        for label in record.labels:
            for embedder in embedders:
                for probe in probes:
                    for seed in range(seeds):
                        yield _score(record, label, embedder, probe, seed)


def _score(record: TaskRecord, label: str, embedder: str, probe: str, seed: int) -> Score:
    noise = np.random.default_rng([hash_of(x) for x in (record.name, label, embedder, probe)])
    ease = np.random.default_rng(hash_of(record.name + label)).uniform(0.6, 0.85)
    skill = EMBEDDERS.get(embedder, ("", 0, 0, 0.0))[3] + noise.normal(0, 0.02)
    values = ease + skill + noise.normal(0, 0.008, size=64)
    good = float(np.clip(values[seed % 64], 0, 1))
    if record.kind == "classification":
        test = {"AUROC": good, "AUPRC": good**1.4}
    else:
        unit = 10.0 if record.name == "ppbr_az" else 1.0
        test = {
            "Spearman": good,
            "R2": good**2,
            "MAE": unit * (1.2 - good),
            "RMSE": unit * (1.5 - good),
        }
    if record.group == "moleculeace":
        test |= {"RMSE[cliffs]": 1.7 - good}
    return Score(
        task=record.name,
        label=label,
        embedder=embedder,
        probe=probe,
        seed=seed,
        test=test,
        valid={},
        chosen={},
        rows={"train": 100, "valid": 20, "test": 30},
        key=f"{hash_of(record.name + label + embedder + probe + str(seed)):064x}",
    )


def hash_of(text: str) -> int:
    """A number that depends on the text alone."""
    value = 0
    for byte in text.encode():
        value = (value * 131 + byte) % 1_000_003
    return value
