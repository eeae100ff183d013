"""The probe that is hard to beat on fingerprints and descriptors: a random forest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import logit
from threadpoolctl import threadpool_limits

from molkd.benchmarks.probes.base import LINKS, LOSSES, Fitted, Part, about, check, spread
from molkd.benchmarks.tasks.kinds import Kind
from molkd.benchmarks.tasks.task import Labels
from molkd.types import Matrix

if TYPE_CHECKING:
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    Model = RandomForestClassifier | RandomForestRegressor


@dataclass(frozen=True, kw_only=True)
class Forest:
    """Scikit-learn's random forest; validation rows choose how many rows a leaf holds at least.

    With ECFP4 counts and RDKit descriptors (`ecfp4-count+rdkit2d`) and leaves of one row it is the
    forest of the Polaris tables (github.com/JacksonBurns/chemeleon, 2026-01), but that validation
    rows are not fitted, and that in regression, too, a split looks at the square root of the
    columns: at all of them it takes five times as long on 167 columns, fourteen times on 2,048.

    A probability counts one more tree that votes as the training rows are on average: where all
    trees agree and are wrong, log-loss would be infinite. The ranking stays as it is.

    Attributes:
        trees: how many.
        pilots: how many of them are grown for each candidate; the best is grown on.
        least_rows: of a leaf, each in turn. Of equally good candidates the first wins.
        columns: how many of them a split looks at, in scikit-learn's words.
    """

    trees: int = 500
    pilots: int = 50
    least_rows: tuple[int, ...] = (125, 25, 5, 1)
    columns: str = "sqrt"

    @property
    def about(self) -> dict[str, object]:
        """See `Probe.about`."""
        return about(self, "forest", ["scikit-learn", "numpy"])

    @threadpool_limits.wrap(limits=1)
    def fit(self, train: Part, valid: Part, *, kind: Kind, seed: int) -> Fitted:
        """See `Probe.fit`; the seed decides rows and columns of each tree."""
        check(train, valid, kind)
        losses: list[float] = []
        best: Model | None = None
        for rows in self.least_rows:
            model = self._pilot(rows, kind, seed).fit(train.x, train.y)
            losses.append(LOSSES[kind](valid.y, _outputs(model, valid.x, train.y, kind)))
            if best is None or losses[-1] < min(losses[:-1]):
                best = model
        chosen: Any = best
        if self.trees > self.pilots:
            chosen.set_params(n_estimators=self.trees).fit(train.x, train.y)

        @threadpool_limits.wrap(limits=1)
        def predict(x: Matrix) -> Labels:
            return LINKS[kind](_outputs(chosen, x, train.y, kind))

        return Fitted(predict, {"least_rows": float(self.least_rows[int(np.argmin(losses))])})

    def _pilot(self, rows: int, kind: Kind, seed: int) -> Model:
        from sklearn import ensemble

        maker: Any = ensemble.RandomForestClassifier
        if kind == "regression":
            maker = ensemble.RandomForestRegressor
        return maker(
            n_estimators=min(self.trees, self.pilots),
            max_features=self.columns,
            min_samples_leaf=rows,
            random_state=seed,
            warm_start=True,
        )


def _outputs(model: Any, x: Matrix, y: Labels, kind: Kind) -> Labels:
    """Values, log-odds, or the logarithms of shares of shape (m, k)."""
    if not len(x):
        return np.empty((0, int(y.max()) + 1) if kind == "multiclass" else 0)
    if kind == "regression":
        return model.predict(x)
    classes, trees = model.classes_, len(model.estimators_)
    overall = np.array([np.mean(y == each) for each in classes])
    shares = (model.predict_proba(x) * trees + overall) / (trees + 1)
    if kind == "classification":
        return logit(shares[:, 1])
    return spread(np.log(shares), classes, absent=-np.inf)
