"""`molkd bench`: from tasks and embedders to results and a report."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from typer.testing import CliRunner

from molkd.benchmarks import records
from molkd.benchmarks.quality import cost_records
from molkd.benchmarks.quality.cost_records import FILE
from molkd.benchmarks.quality.evaluation import RESULTS
from molkd.cli import app
from molkd.errors import ConfigError, InputError, UnknownNameError

CHAINS = ["C" * n + tail for n in range(1, 31) for tail in ("N", "O", "F", "c1ccccc1")]


def bench(*arguments: object) -> str:
    """Runs a command and returns what it prints; errors are raised."""
    done = CliRunner().invoke(app, ["bench", *map(str, arguments)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Chains and their lengths."""
    path = tmp_path / "chains.csv"
    rows = [f"{text},{len(text)},{2000 + row % 20}" for row, text in enumerate(CHAINS)]
    path.write_text("\n".join(["structure,atoms,year", *rows, ""]))
    return path


def _own(table: Path, output: Path, *more: object) -> str:
    return bench(
        *("quality", "-e", "maccs", "-e", "erg", "--no-baselines", "--table", table),
        *("--column", "structure", "--label-column", "atoms", "--metric", "MAE"),
        *("--seeds", 2, "-o", output, "--cache", output.parent / "cache", "-j", 1, *more),
    )


def test_a_table_of_ones_own(table: Path, tmp_path: Path) -> None:
    printed = _own(table, tmp_path / "out")
    assert "maccs" in printed
    found = records.read(tmp_path / "out" / RESULTS)
    assert [task.name for task in found.tasks] == ["chains"]
    assert len(found.scores) == 2 * 2
    page = (tmp_path / "out" / "report.html").read_text()
    assert "chains" in page
    assert (tmp_path / "out" / "report.md").is_file()
    assert list((tmp_path / "out").glob("*.png"))


def test_a_run_for_choices_does_not_show_test_rows(table: Path, tmp_path: Path) -> None:
    def ends(*options: object) -> tuple[str, str]:
        printed = bench(*options)
        means = [
            line
            for line in (tmp_path / "out/report.md").read_text().splitlines()
            if line.startswith("| ") and "maccs" in line
        ]
        return printed.split("report:")[0], means[0]

    out = ("-o", tmp_path / "out")
    chosen = _own(table, tmp_path / "out", "--part", "valid").split("report:")[0]
    assert ends("report", *out)[0] == chosen
    valid, test = ends("report", *out)[1], ends("report", *out, "--part", "test")[1]
    assert valid != test
    bench("join", tmp_path / "out", "-o", tmp_path / "out")
    assert ends("report", *out)[1] == valid
    _own(table, tmp_path / "out")
    assert ends("report", *out)[1] == test


def test_every_option_changes_something(table: Path, tmp_path: Path) -> None:
    def scores(name: str, *more: object) -> list[records.Score]:
        _own(table, tmp_path / name, *more)
        return list(records.read(tmp_path / name / RESULTS).scores)

    plain = scores("plain")
    assert {score.probe for score in scores("probe", "--probe", "knn")} == {"knn"}
    assert scores("log", "--log10")[0].test != plain[0].test
    assert scores("split", "--split", "cluster")[0].test != plain[0].test
    assert scores("time", "--time-column", "year")[0].test != plain[0].test
    corpus = tmp_path / "corpus.smi"
    corpus.write_text("\n".join(CHAINS[::3]))
    clean = scores("clean", "--corpus", corpus, "--exclude-leaked")
    assert clean[0].rows["test"] < plain[0].rows["test"]
    counted = records.read(tmp_path / "clean" / RESULTS).run.leakage
    assert counted["chains"]["items"] == len(CHAINS[::3])


def test_splits_and_learning_curves_are_one_report(table: Path, tmp_path: Path) -> None:
    asked = (
        "--split",
        "random,cluster",
        "--labelled",
        "10,30",
        "--draws",
        2,
        "--probe",
        "knn,mean",
    )
    _own(table, tmp_path / "out", *asked)
    found = records.read(tmp_path / "out" / RESULTS)
    assert [task.split for task in found.tasks] == ["random", "cluster"]
    counted = Counter((score.split, score.labelled) for score in found.scores)
    assert set(counted) == {(s, n) for s in ("random", "cluster") for n in (None, 10, 30)}
    assert set(counted.values()) == {2 * 2 * 2}  # embedders, probes, and seeds or draws
    text = (tmp_path / "out" / "report.md").read_text()
    for title in ("knn, splits side by side", "learning curves, cluster split"):
        assert f"## own: {title}" in text


def test_of_a_group_what_is_present_is_taken_and_the_rest_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "moleculeace"
    folder.mkdir()
    rows = [f"{text},{row % 7},{row % 2},{'test' if row % 4 else 'train'}"
            for row, text in enumerate(CHAINS)]  # fmt: skip
    table = "\n".join(["smiles,y,cliff_mol,split", *rows, ""])
    for target in ("CHEMBL204_Ki", "CHEMBL218_EC50"):
        (folder / f"{target}.csv").write_text(table)
    out = ("-o", tmp_path / "out", "--cache", tmp_path / "cache", "--data", tmp_path, "-j", 1)
    given = ("quality", "-e", "maccs", "--no-baselines", "--tasks", "moleculeace", "--seeds", 1)
    with pytest.raises(InputError, match=r"28 of 30 tasks of moleculeace.*--present"):
        bench(*given, *out)
    with pytest.raises(ConfigError, match="--present takes what is there"):
        bench(*given, *out, "--present", "--download")
    printed = bench(*given, *out, "--present")
    assert "moleculeace:chembl1862_ki" in printed
    found = records.read(tmp_path / "out" / RESULTS)
    assert [task.name for task in found.tasks] == ["chembl204_ki", "chembl218_ec50"]
    assert len(found.run.absent) == 28
    text = (tmp_path / "out" / "report.md").read_text().replace("\\", "")
    assert "moleculeace:chembl1862_ki was left out: its table was not there" in text
    assert "## moleculeace: cliffs apart, linear, given split" in text


def test_a_report_is_written_again_with_another_reference(table: Path, tmp_path: Path) -> None:
    _own(table, tmp_path / "out")
    before = (tmp_path / "out" / "report.md").read_text()
    bench("report", "-o", tmp_path / "out", "--reference", "erg")
    after = (tmp_path / "out" / "report.md").read_text()
    assert before != after
    assert "compared with erg" in after
    assert "A difference below .02 Spearman" in after
    bench("report", "-o", tmp_path / "out", "--region", "Spearman=.3")
    assert "A difference below .3 Spearman" in (tmp_path / "out" / "report.md").read_text()
    with pytest.raises(ConfigError, match="expected METRIC=WIDTH, got 'Spearman'"):
        bench("report", "-o", tmp_path / "out", "--region", "Spearman")


def test_costs_stand_beside_scores_unless_they_are_not_wanted(table: Path, tmp_path: Path) -> None:
    _own(table, tmp_path / "out", "--no-cost")
    assert not (tmp_path / "out" / FILE).exists()
    assert "per second and core" not in (tmp_path / "out" / "report.md").read_text()
    before = (tmp_path / "out" / RESULTS).read_bytes()
    _own(table, tmp_path / "out")
    assert (tmp_path / "out" / RESULTS).read_bytes() == before
    costs, _ = cost_records.read(tmp_path / "out")
    assert set(costs) == {"maccs", "erg"}
    bench("report", "-o", tmp_path / "out")
    page = (tmp_path / "out" / "report.md").read_text()
    assert "per second and core" in page
    assert "Quality against speed" in page


def test_quality_against_speed_and_size_is_one_table(table: Path, tmp_path: Path) -> None:
    printed = _own(table, tmp_path / "out", "--probe", "linear,knn")
    assert "the probe chosen (linear, knn)" in printed
    text = bench("table", "-o", tmp_path / "out", "-e", "erg")
    assert text.startswith("own, chosen (linear, knn) probe, ")
    (row,) = [line for line in text.splitlines() if line.startswith("| erg ")]
    assert row.startswith("| erg | 315 | 0 | ")
    with pytest.raises(UnknownNameError, match="'ergo'"):
        bench("table", "-o", tmp_path / "out", "-e", "ergo")


@pytest.mark.parametrize("only", [["knn=erg", "knn=avalon"], ["knn=erg,avalon"]])
def test_a_probe_that_did_not_ask_the_reference_compares_the_others(
    table: Path, tmp_path: Path, only: list[str]
) -> None:
    asked = (*(text for one in only for text in ("--only", one)), "-e", "avalon")
    printed = _own(table, tmp_path / "out", "--probe", "linear,knn", *asked)
    assert "All of this holds for the probe linear" in printed
    assert "All of this holds for the probe knn" in printed


def test_tasks_are_listed_with_what_is_here(tmp_path: Path) -> None:
    listed = bench("tasks", "--data", tmp_path)
    assert "tdc-admet:ames\tclassification\tAUROC\tnot here" in listed


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (["-e", "maccs", "--table", "{table}"], ConfigError, "--metric"),
        (["-e", "macs", "--table", "{table}", "--metric", "MAE"], InputError, "structure"),
        (["-e", "maccs", "--tasks", "tdc-admit"], UnknownNameError, "tdc-admet"),
        (["-e", "maccs", "--tasks", "tdc-admet:ames"], InputError, "ames"),
        (
            [
                *("-e", "maccs", "--probe", "lineal", "--table", "{table}", "--metric", "MAE"),
                *("--column", "structure", "--label-column", "atoms"),
            ],
            UnknownNameError,
            "linear",
        ),
        (["-e", "maccs", "--split", "given,scafold"], ConfigError, "'scafold'.*'scaffold'"),
        (["-e", "maccs", "--labelled", "10,few"], ConfigError, "--labelled: 'few' is no whole"),
        (["-e", "maccs", "--labelled", "5"], ConfigError, "at least 10"),
    ],
)
def test_what_is_wrong_is_named_before_any_work(
    table: Path, tmp_path: Path, arguments: list[str], error: type[Exception], message: str
) -> None:
    given = [text.replace("{table}", str(table)) for text in arguments]
    with pytest.raises(error, match=message):
        bench("quality", *given, "-o", tmp_path / "out", "--data", tmp_path, "-j", 1)
    assert not (tmp_path / "out").exists()


def test_excluding_needs_a_corpus(table: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--corpus"):
        _own(table, tmp_path / "out", "--exclude-leaked")
