#!/bin/sh
# DeepChem 2.8.0 counts labels that are missing as zeros when it standardises labels.
#
# `CSVLoader` reads an empty cell as a label 0 with weight 0, so that a loss passes over it.
# `NormalizationTransformer` looks at labels alone: mean and standard deviation of a task are those of
# its labels and of one zero for each compound that was not measured. Where a table joins assays most
# cells are empty. Here half of the potencies of one assay are missing: its mean is taken for 3.75
# instead of 7.5, its deviation for 3.77 instead of 0.5, and what it measured lies at 1.0 with a
# deviation of .13. Predictions are brought back by the same numbers, so that no scale looks wrong; but
# in the squared error of both tasks this one counts by .13 squared, a fiftieth of its share.
# The remedy is to take mean and deviation where `dataset.w` is not 0.
#
# Seen: mean and deviation of each task, as its measured labels have them, as the transformer has them,
# and those of the measured labels after the transformation.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet deepchem==2.8.0 rdkit==2026.9.1 numpy==2.4.6 pandas==3.1.1 \
    scikit-learn==1.9.1 scipy==1.17.1
cat > "$folder/potencies.csv" <<'TABLE'
smiles,often,seldom
CCO,5,
CCN,6,
CCC,7,7
CCCC,5,8
CCCl,6,
CCBr,7,
CCI,5,7
CCF,7,8
TABLE
cat > "$folder/standardise.py" <<'PROGRAM'
import sys

import deepchem as dc

featurizer = dc.feat.MACCSKeysFingerprint()
loader = dc.data.CSVLoader(["often", "seldom"], feature_field="smiles", featurizer=featurizer)
dataset = loader.create_dataset(sys.argv[1])
transformer = dc.trans.NormalizationTransformer(transform_y=True, dataset=dataset)
standardised = transformer.transform(dataset)
for task, name in enumerate(dataset.tasks):
    measured = dataset.w[:, task] > 0
    before, after = dataset.y[measured, task], standardised.y[measured, task]
    numbers = (before.mean(), before.std(), transformer.y_means[task], transformer.y_stds[task])
    print("seen", name, *(f"{number:.2f}" for number in (*numbers, after.mean(), after.std())))
PROGRAM
seen=$("$folder/venv/bin/python" "$folder/standardise.py" "$folder/potencies.csv" 2>"$folder/errors" |
    grep '^seen') || {
    cat "$folder/errors"
    exit 1
}
echo "$seen"
test "$seen" = "seen often 6.00 0.87 6.00 0.87 0.00 1.00
seen seldom 7.50 0.50 3.75 3.77 1.00 0.13"
