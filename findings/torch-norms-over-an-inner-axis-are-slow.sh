#!/bin/sh
# torch 2.13.0 takes tens of times as long for a norm as for the sum of squares under a root, on a
# processor, where the axis is not the last one.
#
# Equivariant networks (PaiNN and its kin) keep vectors of atoms as (atoms, 3, channels) and take
# their lengths over the middle axis. `torch.linalg.vector_norm(x, dim=1)` of 52 atoms and 256
# channels took 1.3 ms with one thread, `(x * x).sum(dim=1).sqrt()` of the same 20 us, 66 times less;
# over the last axis the norm was the faster one. Results differ by a bit at most. The norm reduces
# such an axis one number at a time (https://github.com/pytorch/pytorch/issues/40570), the sum in
# vectors. A profile of a network of chemical shifts had a sixth of its time there.
#
# Seen: axis, whether the norm takes more than ten times as long or less than twice, and whether both
# are close.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet torch==2.13.0 numpy==2.4.6
seen=$("$folder/venv/bin/python" - <<'PROGRAM'
import time

import torch

torch.set_num_threads(1)
x = torch.randn(52, 3, 256, generator=torch.Generator().manual_seed(0))


def fastest(work):
    taken = []
    for _ in range(200):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return min(taken)


for axis in (1, 2):
    norm, plain = (lambda: torch.linalg.vector_norm(x, dim=axis)), (lambda: (x * x).sum(dim=axis).sqrt())
    ratio = fastest(norm) / fastest(plain)
    words = "more than ten times as long" if ratio > 10 else "less than twice as long" if ratio < 2 else f"{ratio:.1f} times"
    print(f"axis {axis}:", words, "close" if torch.allclose(norm(), plain(), rtol=1e-6) else "apart")
PROGRAM
)
echo "$seen"
test "$seen" = "axis 1: more than ten times as long close
axis 2: less than twice as long close"
