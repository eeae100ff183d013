#!/bin/sh
# scikit-learn 1.9.1 grows another regression forest, with the same seed, from fingerprints that are
# stored sparsely.
#
# `RandomForestRegressor(random_state=0)` on ECFP4 counts as a dense array and as `csr_matrix`, which
# hold the same numbers: not one of 50 trees is the same, and predictions of logP are up to a quarter
# of a unit apart. The classifier grows the same trees from both. What differs is the order in which
# labels are summed: rows of a sparse column are the non-zero ones and then the rest. Many columns
# of a fingerprint part the molecules alike, so that splits are equally good, and the last bit of a
# sum says which is taken. With labels in eighths, whose sums are exact, all trees are the same; with
# labels in tenths none is. One that reports scores with a seed has to say how features were stored.
#
# Seen: labels or model, trees that are the same of 50, and whether predictions are.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet scikit-learn==1.9.1 scipy==1.17.1 numpy==2.4.6 rdkit==2026.9.1
seen=$("$folder/venv/bin/python" - <<'PROGRAM'
from itertools import product

import numpy as np
from rdkit import Chem
from rdkit.Chem import Crippen, rdFingerprintGenerator
from scipy.sparse import csr_matrix
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

RINGS = ("c1ccc({})cc1{}", "c1cc({})ncc1{}", "c1cc({})sc1{}", "C1CCC({})CC1{}", "C1CN({})CCC1{}")
GROUPS = ("C", "CC", "O", "OC", "N", "F", "Cl", "Br", "C(=O)O", "C(=O)N", "C#N", "C(F)(F)F")
mols = [Chem.MolFromSmiles(ring.format(*two)) for ring, two in product(RINGS, product(GROUPS, repeat=2))]
maker = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048)
x = np.array([maker.GetCountFingerprintAsNumPy(mol) for mol in mols], dtype=np.float32)
logp = np.array([Crippen.MolLogP(mol) for mol in mols])
train = np.arange(len(mols)) % 3 > 0


def compare(name, forest, y):
    dense, sparse = (forest(50, random_state=0, max_features=1 / 3).fit(part[train], y[train]) for part in (x, csr_matrix(x)))
    alike = sum(np.array_equal(a.tree_.feature, b.tree_.feature) for a, b in zip(dense.estimators_, sparse.estimators_))
    apart = np.abs(dense.predict(x[~train]) - sparse.predict(csr_matrix(x)[~train])).max()
    print(name, alike, "equal" if apart == 0 else "more than a tenth apart" if apart > 0.1 else "close")


compare("logP:", RandomForestRegressor, logp)
compare("logP in tenths:", RandomForestRegressor, np.round(10 * logp) / 10)
compare("logP in eighths:", RandomForestRegressor, np.round(8 * logp) / 8)
compare("classes:", RandomForestClassifier, (logp > 1.5).astype(int))
PROGRAM
)
echo "$seen"
test "$seen" = "logP: 0 more than a tenth apart
logP in tenths: 0 more than a tenth apart
logP in eighths: 50 equal
classes: 50 equal"
