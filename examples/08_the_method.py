"""The method on one screen: an encoder, a Gaussian head per teacher, and a sum of likelihoods.

    python examples/08_the_method.py OUTPUT

What `molkd distill` does with more care, for a reader of the paper: Formont et al. 2025, "Learning
Task-Agnostic Representations through Multi-Teacher Distillation" (NeurIPS; arXiv 2510.18680).
"""

from __future__ import annotations

import sys

import datamol as dm
import torch
from torch import nn
from torch.distributions import Normal
from torch.nn.functional import softplus

import molkd


def main(output: str, molecules: int = 300, epochs: int = 30) -> None:
    """Distils two teachers, and says what the student gained on each."""
    torch.manual_seed(0)
    smiles = dm.data.freesolv()["smiles"].tolist()[:molecules]
    teachers = {}  # frozen: each embeds every molecule once
    for name in ("maccs", "rdkit2d"):
        values = torch.from_numpy(molkd.teachers.make(name).embed(smiles).values)
        values = values[:, values.std(dim=0) > 0]
        teachers[name] = ((values - values.mean(dim=0)) / values.std(dim=0)).clamp(-5, 5)

    student = molkd.students.make(molkd.students.sized("tiny"))  # the encoder
    heads = nn.ModuleDict(  # q(teacher | student): a mean and a standard deviation per value
        {name: nn.Linear(student.embedding_dim, 2 * t.shape[1]) for name, t in teachers.items()}
    )
    optimizer = torch.optim.AdamW([*student.parameters(), *heads.parameters()], lr=1e-3)
    molecules_read = student.featurize(smiles)
    for epoch in range(epochs):
        nats = dict.fromkeys(teachers, 0.0)
        for rows in torch.randperm(len(smiles)).split(64):
            embedding = student(student.collate(molecules_read.select(rows.numpy()))).embedding
            loss = torch.zeros(())
            for name, head in heads.items():
                mean, raw = head(embedding).chunk(2, dim=-1)
                density = Normal(mean, 0.3 + softplus(raw))
                nll = -density.log_prob(teachers[name][rows]).mean()  # bounds h(teacher | student)
                loss = loss + nll
                nats[name] += nll.item() * len(rows) / len(smiles)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        if epoch in {0, epochs - 1}:
            print(
                f"epoch {epoch}:", ", ".join(f"{n} {v:.2f} nats a value" for n, v in nats.items())
            )
    student.save_pretrained(output)  # the heads are thrown away


if __name__ == "__main__":
    main(sys.argv[1])
