#!/bin/sh
# PyTorch Geometric 2.8.1 adds numbers of atoms to a label, if its name has "index" or "batch" in it.
#
# When molecules become a batch, whatever refers to atoms is shifted by the atoms that come before it,
# and what does is told by its name alone: any attribute with "index" in it, whatever its type, even a
# measured real number, of a molecule and not of its atoms. A refractive index of ethanol of 1.361
# is 2.361 behind water, and 5.501 is that of benzene behind both; so is a Balaban or Wiener index, or
# `row_index`, the row of the table that a prediction is written back to. Names with "batch" in them
# (`assay_batch`) are shifted by the values before, each and one more. The first molecule of a batch is
# right, no warning is given, and with shuffling the error differs from epoch to epoch. It does not
# show where one looks: `batch[1]` and `to_data_list` take off again what was added. What keeps it out
# is another name, or a class of one's own with another `__inc__`.
#
# Seen: each attribute as it was given, as a loader hands it on in one batch of three molecules, and as
# it is in the batch taken apart.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet torch-geometric==2.8.1 torch==2.13.0 rdkit==2026.9.1 numpy==2.4.6
seen=$("$folder/venv/bin/python" - <<'PROGRAM'
import torch
from torch_geometric.loader import DataLoader
from torch_geometric.utils import from_smiles

LIQUIDS = {"O": 1.333, "CCO": 1.361, "c1ccccc1": 1.501}
VALUES = {
    "refraction": list(LIQUIDS.values()),
    "refractive_index": list(LIQUIDS.values()),
    "row_index": [0, 1, 2],
    "assay_batch": [7, 7, 7],
}
graphs = [from_smiles(smiles) for smiles in LIQUIDS]
for name, values in VALUES.items():
    for graph, value in zip(graphs, values):
        setattr(graph, name, torch.tensor([value]))
batch = next(iter(DataLoader(graphs, batch_size=3)))
for name, values in VALUES.items():
    apart = [graph[name].item() for graph in batch.to_data_list()]
    print(name, values, *([round(value, 3) for value in seen] for seen in (batch[name].tolist(), apart)))
PROGRAM
)
echo "$seen"
test "$seen" = "refraction [1.333, 1.361, 1.501] [1.333, 1.361, 1.501] [1.333, 1.361, 1.501]
refractive_index [1.333, 1.361, 1.501] [1.333, 2.361, 5.501] [1.333, 1.361, 1.501]
row_index [0, 1, 2] [0, 2, 6] [0, 1, 2]
assay_batch [7, 7, 7] [7, 15, 23] [7, 7, 7]"
