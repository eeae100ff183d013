"""What the tests of live teachers share."""

from __future__ import annotations

import torch
from torch import Tensor

from molkd.tensors import QueryableTeacher
from tests.teachers import tiny_models

ITEMS = ["CCO", "no molecule", "c1ccccc1C(=O)O", "C", "*[U]", "CC(C)Cc1ccc(cc1)C(C)C(=O)O", "N#CC"]
PRESENT = [True, False, True, True, False, True, True]
TRANSFORMERS = {
    "bert": tiny_models.bert,
    "roberta": tiny_models.roberta,
    "electra": tiny_models.electra,
    "distilbert": tiny_models.distilbert,
    "t5": tiny_models.t5,
    "gpt2": tiny_models.gpt2,
}
GRAPHS = ["hu-gcn-contextpred", "hu-gat-contextpred", "hu-graphsage-contextpred", "molclr-gcn"]


def query_to(live: QueryableTeacher, count: int = len(ITEMS), *, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, live.query_dim, generator=generator)
