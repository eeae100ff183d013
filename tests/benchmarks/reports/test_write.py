"""Reports are whole, well-formed, safe against labels, and the same every time."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from molkd.benchmarks import reports, statistics
from molkd.benchmarks.reports import assemble, markdown, official, tradeoff
from molkd.benchmarks.reports.assemble import ReportInputs
from molkd.benchmarks.statistics.published import Published
from molkd.errors import InputError, UnknownNameError
from tests.fakes import fake_results
from tests.fakes.fake_results import HOSTILE

TASKS = ["caco2_wang", "ames", "herg", "dili", "ppbr_az", "half_life_obach"]
EMBEDDERS = ["ecfp4-counts", "student-base", "chemberta-77m-mtr", "untrained:base"]
SPEED = {
    "student-base": {"per_second": 1400.0, "parameters": 5_260_288},
    "ecfp4-counts": {"per_second": 9000.0, "parameters": 0},
    "untrained:base": {"per_second": 1400.0},
}
TEACHERS = {
    "teachers": {name: {"dim": 8, "effective_rank": 5.5, "failed": 0} for name in ("a", "b", "c")},
    "cka": [[1.0, 0.2, 0.9], [0.2, 1.0, 0.3], [0.9, 0.3, 1.0]],
    "r2": [[1.0, 0.1, None], [0.1, 1.0, 0.2], [0.8, 0.2, 1.0]],
    "sentences": ["a and c are alike."],
}


def figure(task: str = "ames", metric: str = "AUROC", **changes: object) -> Published:
    fields = {"source": "MolE", "group": "tdc-admet", "value": 0.823, "sd": 0.004, "note": ""}
    return Published(task=task, metric=metric, **{**fields, **changes})


class Page(HTMLParser):
    """Checks that tags are nested, and collects them with the text of cells."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in {"meta", "link", "wbr"}:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data) -> None:
        self.words.append(data)


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    results = fake_results.results(
        tasks=TASKS,
        embedders=[*EMBEDDERS, HOSTILE],
        seeds=3,
        extra=[fake_results.cliffs(), fake_results.left_out()],
    )
    reports.write(folder, results, published=[figure()], speed=SPEED, similarity=TEACHERS)
    return folder


def test_all_files_are_there(written) -> None:
    names = {path.name for path in written.iterdir()}
    assert names == {
        "report.md",
        "report.html",
        "ranks-tdc-admet-linear-given.png",
        "speed-tdc-admet-linear-given.png",
        "tasks-tdc-admet-linear-given.png",
        "equivalence-tdc-admet-linear-given.png",
        "ranks-moleculeace-linear-scaffold.png",
        "speed-moleculeace-linear-scaffold.png",
        "tasks-moleculeace-linear-scaffold.png",
        "equivalence-moleculeace-linear-scaffold.png",
        "teachers-cka.png",
        "teachers-r2.png",
    }
    linked = re.findall(r"\]\(([^)]+\.png)\)", (written / "report.md").read_text())
    assert set(linked) == names - {"report.md", "report.html"}


def test_the_page_is_well_formed_and_needs_nothing_else(written) -> None:
    text = (written / "report.html").read_text()
    page = Page(text)
    tags = [tag for tag, _ in page.seen]
    assert "script" not in tags
    assert "img" not in tags
    addresses = [a for _, about in page.seen for k, a in about.items() if k in {"href", "src"}]
    assert {a for a in addresses if not a.startswith(("#", "data:"))} == set()
    assert "url(" not in text
    assert "@import" not in text


def test_the_page_can_be_read_without_eyes(written) -> None:
    page = Page((written / "report.html").read_text())
    tags = [tag for tag, _ in page.seen]
    assert dict(page.seen)["html"] == {"lang": "en"}
    assert tags.count("caption") == tags.count("table") > 5
    assert tags.count("h1") == 1
    assert all(about.get("scope") for tag, about in page.seen if tag == "th")
    drawings = [about for tag, about in page.seen if tag == "svg"]
    ids = [about["id"] for _, about in page.seen if "id" in about]
    assert len(ids) == len(set(ids))
    for about in drawings:
        assert about["role"] == "img"
        assert set(about["aria-labelledby"].split()) <= set(ids)


def test_hostile_labels_stay_text(written) -> None:
    assert "<script" not in (written / "report.html").read_text()
    text = (written / "report.md").read_text()
    assert HOSTILE not in text
    assert "<b>" not in re.sub(r"\\.", "", text)
    rows = [line for line in text.splitlines() if line.startswith("|")]
    sizes = {len(re.findall(r"(?<!\\)\|", row)) for row in rows if "alert" in row}
    assert sizes <= {len(re.findall(r"(?<!\\)\|", row)) for row in rows if "student" in row}


def test_the_same_input_gives_the_same_bytes(tmp_path) -> None:
    results = fake_results.results(tasks=TASKS[:1], embedders=EMBEDDERS[:3], seeds=2)
    for folder in ("a", "b"):
        reports.write(tmp_path / folder, results, speed=SPEED, similarity=TEACHERS)
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes(), path.name


def tables_of(text: str) -> dict[str, list[list[str]]]:
    """First cell of the header -> rows of cells, of the first such Markdown table."""
    found: dict[str, list[list[str]]] = {}
    for block in text.split("\n\n"):
        if block.startswith("| "):
            lines = block.strip().split("\n")
            rows = [[c.strip() for c in re.split(r"(?<!\\)\|", r)[1:-1]] for r in lines]
            found.setdefault(f"{rows[0][0]} {rows[0][1]}", rows)
    return found


def test_tables_hold_the_numbers_of_the_results() -> None:
    results = fake_results.results(tasks=TASKS, embedders=EMBEDDERS, seeds=3)
    text = markdown.render(
        assemble.document(ReportInputs(results=results, reference="student-base"))
    )
    found = tables_of(text)

    lines = official.lines(results, group="tdc-admet", probe="linear", split="given")
    rows = found["task metric"]
    order = [cell.replace("\\", "") for cell in rows[0][3:]]
    for row, line in zip(rows[2:], lines, strict=True):
        assert row[0].replace("\\", "") == line.task
        values = [line.scores[name] for name in order]
        assert [cell.strip("*") for cell in row[3:]] == [value.text for value in values]
        best = [name for name, cell in zip(order, row[3:], strict=True) if cell.startswith("**")]
        assert best == [name for name in order if line.scores[name].mean == line.best]

    (section,) = statistics.tables(results)
    comparison = statistics.compare(section.table, "student-base")
    rows = found["embedder role"]
    titles = rows[0]
    assert titles[4:6] == ["Spearman (3 tasks)", "AUROC (3 tasks)"]
    ranks = [float(row[6]) for row in rows[2:]]
    assert ranks == sorted(ranks)
    for row in rows[2:]:
        name = row[0].strip("*")
        assert row[6] == f"{comparison.ranks[name]:.2f}"
        if name != "student-base":
            against = comparison.against[name]
            assert row[7] == f"{against.wins}/{against.ties}/{against.losses}"
            assert float(row[8].replace("\N{MINUS SIGN}", "-")) == round(against.mean_difference, 3)


def test_published_figures_stand_beside_ours_and_enter_nothing_else() -> None:
    results = fake_results.results(tasks=TASKS, embedders=EMBEDDERS, seeds=2)
    figures = [
        figure(),
        figure(task="herg", sd=None, note="own split"),
        figure(task="ames", metric="AUPRC"),  # not our metric
        figure(task="herg", group="moleculenet"),  # not our group
    ]
    given = ReportInputs(results=results, reference="student-base")
    plain = markdown.render(assemble.document(given))
    text = markdown.render(assemble.document(replace(given, published=figures)))
    start = text.index("### Published figures, not ours, never ranked")
    end = text.index("\n## ", start)
    assert text[:start] + text[end + 1 :] == plain
    rows = tables_of(text[start:end])["task metric"]
    assert [row[0] for row in rows[2:]] == ["ames", "herg"]
    assert rows[0][-1] == "published, not ours: MolE"
    assert [row[-1] for row in rows[2:]] == ["0.823 ± 0.004", "0.823"]
    assert "MolE: own split" in text[start:end]


def test_the_smallest_benchmark_has_a_report(tmp_path) -> None:
    results = fake_results.results(tasks=["ames"], embedders=EMBEDDERS[:2], seeds=1)
    page, text, *_ = reports.write(tmp_path, results)
    Page(page.read_text())
    assert "no critical difference for fewer than three" in text.read_text()
    rows = tables_of(text.read_text())["task metric"]
    assert re.fullmatch(r"(\*\*)?0\.\d{3}(\*\*)?", rows[2][3])


def test_a_single_embedder_has_a_report(tmp_path) -> None:
    results = fake_results.results(tasks=["ames", "herg"], embedders=["maccs"], seeds=2)
    page, *_ = reports.write(tmp_path, results)
    Page(page.read_text())


def test_results_without_scores_say_so(tmp_path) -> None:
    results = fake_results.results(tasks=[], extra=[fake_results.left_out()])
    page, text = reports.write(tmp_path, results)
    Page(page.read_text())
    assert "No task has a score of every embedder." in text.read_text()
    assert "constant labels in the train rows of seed 0" in text.read_text()


def test_the_first_student_is_the_reference_unless_one_is_named() -> None:
    results = fake_results.results(tasks=["ames"], embedders=EMBEDDERS)
    assert assemble.reference_of(results, None) == "student-base"
    assert assemble.reference_of(results, "ecfp4-counts") == "ecfp4-counts"
    without = fake_results.results(tasks=["ames"], embedders=EMBEDDERS[:1])
    assert assemble.reference_of(without, None) == "ecfp4-counts"
    with pytest.raises(UnknownNameError, match=r"'ecfp4'.*Did you mean 'ecfp4-counts'"):
        assemble.reference_of(results, "ecfp4")


def test_several_probes_are_several_chapters() -> None:
    results = fake_results.results(tasks=TASKS[:3], embedders=EMBEDDERS, probes=("linear", "MLP!"))
    document = assemble.document(ReportInputs(results=results, reference="student-base"))
    assert [chapter.title for chapter in document.chapters] == [
        "Who wins",
        "tdc-admet: linear probe, given split",
        "tdc-admet: MLP! probe, given split",
        "Contamination",
        "What this rests on",
    ]
    names = [picture.name for picture in document.pictures]
    assert len(names) == len(set(names)) == 6


@pytest.mark.parametrize(
    "speed",
    [
        {"a": {"per_second": 0.0}},
        {"a": {"per_second": float("nan")}},
        {"a": {"parameters": 5}},
        {"machine": "fast"},
    ],
)
def test_speeds_that_are_none_are_refused(speed) -> None:
    with pytest.raises(InputError, match=r"speed of '(a|machine)'.*per_second"):
        tradeoff.timings(speed)


@pytest.mark.parametrize(
    "changes", [{"cka": [[1.0]]}, {"cka": "x"}, {"teachers": {"a": {}}}, {"teachers": None}]
)
def test_a_comparison_of_teachers_of_another_form_is_refused(tmp_path, changes) -> None:
    results = fake_results.results(tasks=["ames"], embedders=EMBEDDERS)
    with pytest.raises(InputError, match="molkd teachers compare --json"):
        reports.write(tmp_path, results, similarity={**TEACHERS, **changes})
    assert list(tmp_path.iterdir()) == []


def test_more_embedders_than_can_be_told_apart_are_tabled_but_not_drawn(tmp_path: Path) -> None:
    many = [f"embedder {number}" for number in range(25)]
    results = fake_results.results(tasks=TASKS[:2], embedders=many, seeds=1)
    reports.write(tmp_path, results)
    assert not list(tmp_path.glob("tasks-*.png"))
    _, _, scores = (tmp_path / "report.md").read_text().partition("### Scores by task")
    assert all(name in scores for name in many)
