#!/bin/sh
# torch 2.13.0 exports the mean over the atoms of each molecule as the value of its last atom.
#
# `scatter_reduce(..., "mean")` is how a readout takes the mean of what belongs together, in chemprop's
# `MeanAggregation` for one. ONNX has no such reduction. `torch.onnx.export`, with onnxscript 0.7.2,
# does not say so: it writes `ScatterElements` with the reduction "none", by which values replace each
# other. Every step of the export ends well, the file passes `onnx.checker`, and in ONNX Runtime each
# molecule is embedded by its last atom. Molecules of one atom do not show it; `verify=True` does, which
# compares numbers and is off unless asked for. "sum" and "amax" are exported as what they are, so a mean
# should be written as a sum over a count.
#
# Seen: of molecules with 1, 2 and 3 atoms, the readout in torch and in ONNX Runtime, for three reductions.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet torch==2.13.0 onnxscript==0.7.2 onnx==1.23.2 onnxruntime==1.32.0 \
    numpy==2.4.6
cat > "$folder/readout.py" <<'PROGRAM'
import sys

import onnx
import onnxruntime
import torch


class Readout(torch.nn.Module):
    def __init__(self, reduction):
        super().__init__()
        self.reduction = reduction

    def forward(self, atoms, owner):
        molecules = torch.zeros(3, 1)
        place = owner.unsqueeze(1)
        return molecules.scatter_reduce(0, place, atoms, self.reduction, include_self=False)


atoms = torch.tensor([[5.0], [2.0], [4.0], [1.0], [1.0], [7.0]])
owner = torch.tensor([0, 1, 1, 2, 2, 2])
for reduction in ("sum", "amax", "mean"):
    readout = Readout(reduction).eval()
    file = f"{sys.argv[1]}/{reduction}.onnx"
    torch.onnx.export(readout, (atoms, owner), file, verbose=False)
    onnx.checker.check_model(file, full_check=True)
    session = onnxruntime.InferenceSession(file)
    (exported,) = session.run(None, {"atoms": atoms.numpy(), "owner": owner.numpy()})
    print(reduction, readout(atoms, owner).flatten().tolist(), exported.ravel().tolist())
PROGRAM
seen=$("$folder/venv/bin/python" "$folder/readout.py" "$folder" 2>"$folder/errors" | grep '^[a-z]* \[[0-9]') || {
    cat "$folder/errors"
    exit 1
}
echo "$seen"
test "$seen" = "sum [5.0, 6.0, 9.0] [5.0, 6.0, 9.0]
amax [5.0, 4.0, 7.0] [5.0, 4.0, 7.0]
mean [5.0, 3.0, 3.0] [5.0, 4.0, 7.0]"
