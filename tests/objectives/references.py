"""Every loss again, slowly: float64 NumPy, one row and one teacher at a time.

Only learnt weights are taken from the objective; every formula is written down a second time.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from scipy import special, stats

from molkd.objectives import MutualInformation, Objective
from molkd.objectives.diverse.objective import Diverse
from molkd.objectives.headwise import HeadwiseObjective
from molkd.tensors import Features, Targets


def mse(_objective: Objective, _teacher: str, outputs: Any, target: Any) -> float:
    return float(np.mean((outputs - target) ** 2))


def cosine(_objective: Objective, _teacher: str, outputs: Any, target: Any) -> float:
    return 1 - float(outputs @ target / np.linalg.norm(outputs) / np.linalg.norm(target))


def unic(objective: Objective, teacher: str, outputs: Any, target: Any) -> float:
    error = np.abs(outputs - target)
    smooth = np.where(error < 1, error**2 / 2, error - 0.5).mean()
    return 0.5 * cosine(objective, teacher, outputs, target) + 0.5 * float(smooth)


def mi(objective: Objective, teacher: str, outputs: Any, target: Any) -> float:
    assert isinstance(objective, MutualInformation)
    spec = objective.specs[teacher]
    if spec.support == "real":
        mean, raw = np.split(outputs, 2)
        low = math.log(objective.settings.smallest_sd)
        sd = np.exp(low + (2 - low) / (1 + np.exp(-4 / (2 - low) * raw)))
        return float(-stats.norm.logpdf(target, mean, sd).sum() / spec.dim)
    marginal = spec.mean.double().numpy()
    if spec.support == "bits":
        nats = -stats.bernoulli.logpmf(target, 1 / (1 + np.exp(-outputs))).sum()
        entropy = stats.bernoulli.entropy(marginal).sum()
    else:
        rate = np.exp(-10 + 20 / (1 + np.exp(-4 / 20 * outputs)))
        nats = -stats.poisson.logpmf(target, rate).sum()
        entropy = stats.poisson.entropy(marginal).sum()
    return float(nats / (entropy / (0.5 * math.log(2 * math.pi * math.e))))


ROW_LOSSES: dict[str, Callable[[Objective, str, Any, Any], float]] = {
    "mse": mse,
    "cosine": cosine,
    "unic": unic,
    "mi": mi,
}


def headwise(name: str, objective: HeadwiseObjective, features: Features, targets: Targets) -> Any:
    """Shape (teachers, b): the loss of each row; NaN where a teacher is not present."""
    table = np.full((len(objective.specs), len(features.embedding)), np.nan)
    for i, teacher in enumerate(objective.specs):
        outputs = objective.predict(teacher, features).detach().double().numpy()
        for b in range(table.shape[1]):
            if targets.present[teacher][b]:
                target = targets.values[teacher][b].double().numpy()
                table[i, b] = ROW_LOSSES[name](objective, teacher, outputs[b], target)
    return table


def diverse(objective: Diverse, features: Features, targets: Targets) -> dict[str, float]:
    """The four terms of DiverseDistill without filtering, answers by the gate."""
    w = {name: value.detach().double().numpy() for name, value in objective.state_dict().items()}
    names = list(objective.specs)
    x = features.layers[1].detach().double().numpy()
    z = features.embedding.detach().double().numpy()

    def linear(key: str, value: Any) -> Any:
        return w[f"{key}.weight"] @ value + w[f"{key}.bias"]

    def answer(i: int, row: int, t: Any) -> Any:
        general = linear("querying.general.2", _gelu(linear("querying.general.0", x[row])))
        asked = np.concatenate([general, w["querying.teachers"][i]])
        query = linear(f"querying.decoders.{i}", asked)
        at = f"answers.to {names[i]}"
        said = linear(f"{at}.value", t) * special.expit(linear(f"{at}.gate", query))
        said = (said - said.mean()) / np.sqrt(said.var() + 1e-5)
        said = said * w[f"{at}.answer.0.weight"] + w[f"{at}.answer.0.bias"]
        return linear(f"{at}.answer.2", _gelu(said))

    def error(i: int, state: Any, t: Any) -> float:
        return float(np.mean((linear(f"anchors.to {names[i]}", state) - t) ** 2))

    student: list[float] = []
    own: list[list[float]] = [[] for _ in names]
    rest: list[list[float]] = [[] for _ in names]
    direct: list[list[float]] = [[] for _ in names]
    shares = np.zeros(len(names))
    there = 0
    for row in range(len(z)):
        here = [i for i, name in enumerate(names) if targets.present[name][row]]
        if not here:
            continue
        there += 1
        t = {i: targets.values[names[i]][row].double().numpy() for i in here}
        matched = linear("querying.match.2", _gelu(linear("querying.match.0", x[row])))
        scores = {i: w["querying.teachers"][i] @ matched / math.sqrt(len(matched)) for i in here}
        mass = sum(math.exp(s) for s in scores.values())
        weight = {i: math.exp(s) / mass for i, s in scores.items()}
        answers = {i: answer(i, row, t[i]) for i in here}
        common = sum(weight[i] * answers[i] for i in here)
        student.append(float(np.mean((z[row] - common) ** 2)))
        for i in here:
            shares[i] += weight[i]
            own[i].append(error(i, answers[i], t[i]))
            direct[i].append(error(i, z[row], t[i]))
            others = [j for j in here if j != i]
            if others:
                total = sum(weight[j] for j in others)
                rest[i].append(error(i, sum(weight[j] * answers[j] for j in others) / total, t[i]))
    return {
        "student": float(np.mean(student)),
        "anchor": _mean_of_means(rest) + 0.5 * _mean_of_means(own),
        "balance": len(names) * float(((shares / there) ** 2).sum()) - 1,
        "direct": _mean_of_means(direct),
    }


def _gelu(x: Any) -> Any:
    return x * stats.norm.cdf(x)


def _mean_of_means(rows: list[list[float]]) -> float:
    return float(np.mean([np.mean(part) for part in rows if part]))


def as_numpy(value: torch.Tensor) -> Any:
    """Float64, without gradients."""
    return value.detach().double().numpy()
