#!/bin/sh
# molfeat 1.0.0: scikit-learn's clone of CheMeleonTransformer or MolJEPATransformer has the defaults again.
#
# `get_params`, by which scikit-learn copies, names n_jobs, dtype and verbose only, which both hand to
# molfeat's base class. A clone of CheMeleon with a checkpoint of one's own, as a pipeline in
# GridSearchCV or cross_val_score makes for every fold, reads the published weights instead, downloading
# them if need be, and one of Mol-JEPA gives "cls" where "embeddings" was asked for: 512 columns in place
# of 6,656. Nothing is raised or said. Pickling, `copy.deepcopy` and molfeat's `to_state_dict` keep all
# parameters.
#
# Seen: "mine.pt chemeleon_mp.pt mine.pt" (as made, cloned, pickled) and "embeddings 6656 cls 512".
# Usage: give a Python that has molfeat 1.0.0 as the argument, else one is installed (with torch).
set -eu
python=${1:-}
if [ -z "$python" ]; then
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    python3 -m venv "$folder/venv"
    "$folder/venv/bin/pip" install --quiet molfeat==1.0.0 torch==2.13.0 rdkit==2026.9.1
    python="$folder/venv/bin/python"
fi
seen=$("$python" -W ignore - <<'PROGRAM'
import pickle
from pathlib import Path

from molfeat.trans.pretrained import CheMeleonTransformer, MolJEPATransformer
from sklearn.base import clone

own = CheMeleonTransformer("mine.pt", checksum=None)
print(*(Path(one.checkpoint_path).name for one in (own, clone(own), pickle.loads(pickle.dumps(own)))))
wide = MolJEPATransformer(output="embeddings")
print(wide.output, len(wide), clone(wide).output, len(clone(wide)))
PROGRAM
)
echo "$seen"
test "$seen" = "mine.pt chemeleon_mp.pt mine.pt
embeddings 6656 cls 512"
