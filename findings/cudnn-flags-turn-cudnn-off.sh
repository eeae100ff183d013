#!/bin/sh
# torch 2.13.0: `torch.backends.cudnn.flags(allow_tf32=False)` turns off not only TF32 but cuDNN.
#
# The context manager reads like "change this one flag", and its sibling names (`allow_tf32`,
# `deterministic`) are what one wants to change. But every flag has a default of its own, and that of
# `enabled` is False: within the block convolutions on a GPU run without cuDNN, slower and by other
# kernels, without a warning. The flags of before come back after it. No GPU is needed to see it.
#
# Seen: "before True, within False, after True", and deterministic, set to True before, False within.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet torch==2.13.0 numpy==2.4.6
seen=$("$folder/venv/bin/python" - <<'PROGRAM'
import torch

cudnn = torch.backends.cudnn
cudnn.deterministic = True
before = cudnn.enabled
with cudnn.flags(allow_tf32=False):
    within, deterministic = cudnn.enabled, cudnn.deterministic
print(torch.__version__.split("+")[0], before, within, cudnn.enabled, deterministic)
PROGRAM
)
echo "$seen"
test "$seen" = "2.13.0 True False True False"
