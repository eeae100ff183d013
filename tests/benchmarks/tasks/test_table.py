"""A user's table as a task: columns, splits, times, and a clear word on all that is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from molkd.benchmarks.tasks import table
from molkd.benchmarks.tasks.splitting import split
from molkd.errors import ConfigError, InputError, UnknownNameError

SMILES = [f"{'C' * n}{end}" for n in range(1, 11) for end in ("O", "N")]
VALUES = [float(place) for place in range(20)]
CLASSES = [place % 2 for place in range(20)]


def _write(folder: Path, suffix: str = "csv", **columns: Any) -> Path:
    frame = pd.DataFrame({"smiles": SMILES, **columns})
    path = folder / f"Mine.{suffix}"
    if "parquet" in suffix:
        frame.to_parquet(path)
    else:
        frame.to_csv(
            path, index=False, sep="\t" if "t" in suffix.split(".", maxsplit=1)[0] else ","
        )
    return path


@pytest.mark.parametrize("suffix", ["csv", "csv.gz", "csv.zst", "tsv", "tab", "parquet"])
def test_every_format_gives_the_same_task(tmp_path: Path, suffix: str) -> None:
    task = table.read(_write(tmp_path, suffix, y=VALUES), metric="RMSE")
    assert (task.name, task.group, task.kind, task.metric) == ("mine", "own", "regression", "RMSE")
    assert task.items == tuple(SMILES)
    assert task.labels.dtype == np.float64
    assert task.labels[:, 0].tolist() == VALUES
    assert task.label_names == ("y",)
    assert (task.split, task.scale, task.notes) == ("scaffold", "linear", ())


@pytest.mark.parametrize("separator", [";", "\t", ","])
@pytest.mark.parametrize("suffix", ["csv", "tsv"])
def test_any_delimiter_under_any_suffix(tmp_path: Path, suffix: str, separator: str) -> None:
    path = tmp_path / f"mine.{suffix}"
    pd.DataFrame({"smiles": SMILES, "y": VALUES}).to_csv(path, index=False, sep=separator)
    assert table.read(path, metric="RMSE").labels[:, 0].tolist() == VALUES


def test_metric_decides_the_kind(tmp_path: Path) -> None:
    path = _write(tmp_path, target=CLASSES, fine=VALUES)
    assert table.read(path, metric="AUPRC").kind == "classification"
    with pytest.raises(UnknownNameError, match=r"unknown metric 'AUROCC'\. Did you mean 'AUROC'"):
        table.read(path, metric="AUROCC")


@pytest.mark.parametrize("values", [[bool(c) for c in CLASSES], [str(float(c)) for c in CLASSES]])
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_classes_may_be_truth_values_or_text(
    tmp_path: Path, values: list[Any], suffix: str
) -> None:
    if suffix == "csv" and isinstance(values[0], bool):
        values = [int(value) for value in values]
    task = table.read(_write(tmp_path, suffix, y=values), metric="AUROC")
    assert task.labels[:, 0].tolist() == CLASSES


# == Columns


def test_chosen_columns_are_taken(tmp_path: Path) -> None:
    path = _write(tmp_path, structure=SMILES[::-1], a=VALUES, b=CLASSES)
    task = table.read(
        path, smiles_column="structure", label_columns=["b", "a"], metric="MAE", name="other"
    )
    assert task.name == "other"
    assert task.items == tuple(SMILES[::-1])
    assert task.label_names == ("b", "a")
    assert task.labels.T.tolist() == [CLASSES, VALUES]


@pytest.mark.parametrize(
    ("columns", "options", "message"),
    [
        ({"a": VALUES}, {}, r"no column with a usual name for a label: .*--label-column.*'a'"),
        ({"y": VALUES, "Target": VALUES}, {}, r"several columns with a usual name for a label"),
        ({"y": VALUES, "Drug": SMILES}, {}, r"several columns with a usual name for SMILES"),
        ({"Activty": VALUES}, {"label_columns": ["Activity"]}, r"no column 'Activity'.*'Activty'"),
        ({"y": VALUES}, {"smiles_column": "smile"}, r"no column 'smile'\. Did you mean 'smiles'"),
        ({"y": VALUES}, {"split_column": "part"}, r"no column 'part'.*Columns: 'y'"),
        ({"y": VALUES}, {"time_column": "year"}, r"no column 'year'"),
    ],
)
def test_a_column_that_is_not_clear_is_an_error_that_lists_them(
    tmp_path: Path, columns: dict[str, Any], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        table.read(_write(tmp_path, **columns), metric="MAE", **options)


# == Labels


@pytest.mark.parametrize(
    ("value", "metric", "message"),
    [
        ("high", "MAE", r"Mine\.csv, row 3 \(counted from 0\): y is 'high', must be a number"),
        ("inf", "MAE", r"row 3 \(counted from 0\): y is inf, must be a finite number"),
        ("2", "AUROC", r"row 3 \(counted from 0\): y is 2, must be 0 or 1, for AUROC scores"),
        ("0.5", "AUROC", r"row 3 \(counted from 0\): y is 0\.5, must be 0 or 1"),
    ],
)
def test_a_label_that_makes_no_sense_names_its_row(
    tmp_path: Path, value: str, metric: str, message: str
) -> None:
    path = _write(tmp_path, y=[*map(str, CLASSES[:3]), value, *map(str, CLASSES[4:])])
    with pytest.raises(InputError, match=message):
        table.read(path, metric=metric)


def test_logarithms_need_positive_labels(tmp_path: Path) -> None:
    path = _write(tmp_path, y=VALUES)
    with pytest.raises(InputError, match=r"row 0 .*y is 0, must be positive"):
        table.read(path, metric="MAE", scale="log10")
    with pytest.raises(ConfigError, match="which have no logarithm"):
        table.read(path, metric="AUROC", scale="log10")
    shifted = _write(tmp_path, y=[value + 1 for value in VALUES])
    assert table.read(shifted, metric="MAE", scale="log10").scale == "log10"


def test_rows_without_a_label_are_left_out_and_counted(tmp_path: Path) -> None:
    values: list[float | None] = [*VALUES]
    values[2] = values[5] = None
    task = table.read(_write(tmp_path, y=values), metric="MAE")
    assert len(task.items) == 18
    assert SMILES[2] not in task.items
    assert task.notes == ("2 rows without a label were left out (rows 2, 5, counted from 0)",)


def test_missing_labels_of_many_stay_missing(tmp_path: Path) -> None:
    some: list[float | None] = [None if place % 5 == 0 else place % 2 for place in range(20)]
    task = table.read(_write(tmp_path, a=CLASSES, b=some), label_columns=["a", "b"], metric="AUROC")
    assert len(task.items) == 20
    assert np.isnan(task.labels[:, 1]).tolist() == [value is None for value in some]
    assert task.notes == ()


@pytest.mark.parametrize(
    ("labels", "metric", "message"),
    [
        ([3.5] * 20, "MAE", r"cannot be a task: y has one value only \(3\.5\)"),
        ([1] * 20, "AUROC", r"cannot be a task: y has one class only \(1\)"),
        ([*VALUES[:13], *[None] * 7], "MAE", r"y has 13 rows with a label, at least 14"),
        ([None] * 20, "MAE", r"y has 0 rows with a label"),
    ],
)
def test_labels_that_cannot_be_learned_are_refused(
    tmp_path: Path, labels: list[Any], metric: str, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        table.read(_write(tmp_path, y=labels), metric=metric)


def test_of_many_labels_those_that_cannot_be_learned_are_left_out(tmp_path: Path) -> None:
    path = _write(tmp_path, a=CLASSES, b=[0] * 20, c=[1, 0] + [None] * 18)
    task = table.read(path, label_columns=["a", "b", "c"], metric="AUROC")
    assert task.label_names == ("a",)
    (note,) = task.notes
    assert note.startswith("2 labels were left out: b has one class only (0); c has 2 rows with a")


# == Molecules


def test_unreadable_molecules_are_left_out_and_named(tmp_path: Path) -> None:
    smiles = [*SMILES]
    smiles[1], smiles[7], smiles[9] = "C(", "", "NaN"
    task = table.read(_write(tmp_path, smiles=smiles, y=VALUES), metric="MAE")
    assert len(task.items) == 17
    assert task.labels[:, 0].tolist() == [v for v in VALUES if v not in (1, 7, 9)]
    assert task.notes == (
        "3 molecules that RDKit cannot read were left out (rows 1, 7, 9, counted from 0)",
    )


def test_duplicates_are_counted_and_kept_on_one_side(tmp_path: Path) -> None:
    twins = ["OC", "NC", "OCC"]  # of rows 0, 1, 2, written in another way
    frame = pd.DataFrame({"smiles": SMILES + twins, "y": [*VALUES, 9.0, 9.0, VALUES[2]]})
    path = tmp_path / "twins.csv"
    frame.to_csv(path, index=False)
    task = table.read(path, metric="MAE")
    (note,) = task.notes
    assert note.startswith("3 molecules occur more than once (6 rows), 2 of them with different")
    for seed in range(10):
        parts = split(task, method="random", seed=seed)
        for rows in (parts.train, parts.valid, parts.test):
            inside = set(rows.tolist())
            assert all((row in inside) == (row + 20 in inside) for row in range(3))


# == Splits and times


def test_a_given_split_is_taken_with_its_validation_rows(tmp_path: Path) -> None:
    parts = ["train"] * 12 + ["Valid"] * 4 + ["TEST"] * 4
    task = table.read(_write(tmp_path, y=VALUES, part=parts), metric="MAE", split_column="part")
    assert task.split == "given"
    found = split(task, seed=0)
    assert [rows.tolist() for rows in (found.train, found.valid, found.test)] == [
        list(range(12)), list(range(12, 16)), list(range(16, 20)),
    ]  # fmt: skip


def test_without_validation_rows_they_are_drawn(tmp_path: Path) -> None:
    path = _write(tmp_path, y=VALUES, part=["train"] * 16 + ["test"] * 4)
    task = table.read(path, metric="MAE", split_column="part")
    assert task.valid is None
    found = split(task, seed=0)
    assert found.test.tolist() == [16, 17, 18, 19]
    assert len(found.valid) == 2


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (["train"] * 19 + ["holdout"], r"row 19 .*the split is 'holdout', must be one of train"),
        (["train"] * 20, r"its split leaves no test row that can be used"),
        (["test"] * 20, r"its split leaves no training row"),
    ],
)
def test_a_split_that_makes_no_sense_is_refused(
    tmp_path: Path, parts: list[str], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        table.read(_write(tmp_path, y=VALUES, part=parts), metric="MAE", split_column="part")


def test_molecules_on_both_sides_of_a_given_split_are_counted(tmp_path: Path) -> None:
    smiles = [*SMILES[:15], SMILES[1], *SMILES[16:19], SMILES[0]]  # row 15 twice in training
    path = _write(tmp_path, smiles=smiles, y=VALUES, part=["train"] * 16 + ["test"] * 4)
    notes = table.read(path, metric="MAE", split_column="part").notes
    assert notes[1] == "1 molecules are in the official test rows and in the others too"


@pytest.mark.parametrize(
    ("texts", "years"),
    [
        ([str(2000 + n) for n in range(20)], [2000.0 + n for n in range(20)]),
        (["2020-01-01", "2020-07-01T12:00:00"] * 10, [2020.0, 2020 + 182 / 366] * 10),
    ],
)
def test_times_are_years_or_dates(tmp_path: Path, texts: list[str], years: list[float]) -> None:
    task = table.read(_write(tmp_path, y=VALUES, when=texts), metric="MAE", time_column="when")
    assert task.split == "time"
    assert task.times is not None
    assert task.times.tolist() == years


def test_times_of_a_typed_table(tmp_path: Path) -> None:
    days = pd.date_range("2001-01-01", periods=20)
    for values in (days, [2001.0] * 20, [2001] * 20):
        path = _write(tmp_path, "parquet", y=VALUES, when=values)
        task = table.read(path, metric="MAE", time_column="when")
        assert task.times is not None
        assert task.times[0] == 2001.0


@pytest.mark.parametrize("text", ["", "last year", "2020-13-01"])
def test_a_time_that_makes_no_sense_names_its_row(tmp_path: Path, text: str) -> None:
    path = _write(tmp_path, y=VALUES, when=["2001"] * 4 + [text] + ["2002"] * 15)
    with pytest.raises(InputError, match=r"row 4 .*when is '.*', must be a year or a date"):
        table.read(path, metric="MAE", time_column="when")


# == Files
