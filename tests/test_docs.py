"""What the documents say can be done as they say it."""

from __future__ import annotations

import ast
import gzip
import importlib.util
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import datamol as dm
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import typer.main
from PIL import Image

from molkd import students
from molkd.cli import app
from molkd.students import GineSettings
from molkd.students.settings_text import StaticSettings

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("*/README.md"), *DOCS.rglob("*.md")])

CHEAP = (
    *("distill", "embed", "truncate", "teachers", "bench tasks", "bench diagnose", "bench report"),
    *("search", "pick", "report", "map", "check", "predict", "merge"),
    "bench quality -e student=molkd:runs/student --table",
)
"""Commands that run here; the others are only read."""

SMALLER = {"distill": ["--epochs", "1", "-j", "1"], "map": ["-j", "1", "--layout", "pca"]}
SMALLER |= {"predict": ["-j", "1", "--repeats", "1"], "predict --load": ["-j", "1"]}
SMALLER |= {name: ["-j", "1"] for name in ("embed", "search", "pick", "report", "check")}
"""What is added to them, so that they are cheap."""

ELSEWHERE = re.compile(r"\b(resnet|hu-|molclr|ani-2x|s3://)")
"""Teachers whose weights are not on every machine, and files that are on none."""


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _blocks(path: Path) -> Iterator[tuple[str, str]]:
    """Language and text of the fenced blocks of a document, in order."""
    yield from re.findall(
        r"^```(\w+)\n(.*?)^```", path.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )


def _lines(block: str) -> Iterator[str]:
    """The commands of a block: continued lines joined, comments dropped, pipes taken apart."""
    for line in block.replace("\\\n", " ").splitlines():
        for part in line.partition("  #")[0].split("|"):
            command = re.sub(r"^(\w+=\S+ )+", "", part.strip())
            if command:
                yield command


COMMANDS = [
    pytest.param(line, id=f"{_name(path)}: {line[:60]}")
    for path in DOCUMENTS
    for language, block in _blocks(path)
    if language == "sh"
    for line in _lines(block)
]


def _script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("line", COMMANDS)
def test_commands_can_be_given(line: str) -> None:
    program, *words = shlex.split(line)
    if program == "torchrun":
        assert importlib.util.find_spec("molkd.__main__")
        program, words = "molkd", words[words.index("molkd") + 1 :]
    if program == "molkd":
        _parse(words)
    elif program == "make":
        assert set(words) <= set(
            re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
        )
    elif program == "python" and words[0] == "-m":
        assert importlib.util.find_spec(words[1])
    elif program == "python":
        assert (ROOT / words[0]).is_file()
    else:
        assert line.startswith(("pip install ", "printf ", "zcat "))


def _parse(words: list[str]) -> None:
    command: Any = typer.main.get_command(app)
    while hasattr(command, "commands"):
        assert words[0] in command.commands
        command, words = command.commands[words[0]], words[1:]
    command.make_context(command.name, words)  # raises on an unknown option or a missing value


@pytest.mark.parametrize("path", DOCUMENTS, ids=_name)
def test_blocks_run_in_order(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = [(language, text) for language, text in _blocks(path) if language in {"python", "sh"}]
    monkeypatch.chdir(tmp_path)
    page = ModuleType("page")
    monkeypatch.setitem(sys.modules, "page", page)
    if blocks:
        _supply(tmp_path)
    for language, text in blocks:
        if language == "python":
            _make_models(text)
            exec(compile(text, str(path), "exec"), page.__dict__)  # noqa: S102  (our documents)
            for line in text.splitlines():
                _check_shown(line, page)
        else:
            for line in text.replace("\\\n", " ").splitlines():
                _make_models(line)
                _run(line.partition("  #")[0])


def _check_shown(line: str, page: ModuleType) -> None:
    """Checks "expression  # what it is" where that is a value in Python's words, or a shape."""
    expression, _, shown = line.partition("  # ")
    value, shape = re.match(r"[\[{].*[\]}]$", shown), re.match(r"shape (\([^)]*\))", shown)
    if not (value or shape):
        return
    found: Any = eval(expression.partition(" = ")[0], page.__dict__)  # noqa: S307  (our documents)
    if shape:
        any_width = re.compile(r"\d+\)$")  # of another student
        assert any_width.sub("d)", str(found.shape)) == any_width.sub("d)", shape[1])
    else:
        assert getattr(found, "tolist", lambda: found)() == ast.literal_eval(shown)


def test_what_a_page_shows_wrongly_is_noticed() -> None:
    page = ModuleType("page")
    page.__dict__.update(values=np.zeros((3, 8)), why={2: "syntax"}, valid=np.array([True]))
    for right in (
        *("values  # shape (3, 8); words", "values  # shape (3, d)", 'why  # {2: "syntax"}'),
        *("valid  # [True]", "valid  # words", "valid = f()  # [True]"),
    ):
        _check_shown(right, page)
    for wrong in ("values  # shape (2, d)", 'why  # {2: "other"}', "valid = f()  # [False]"):
        with pytest.raises(AssertionError):
            _check_shown(wrong, page)


def test_the_first_blocks_of_the_readme_print_what_they_show(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "benchmarks").symlink_to(ROOT / "benchmarks")
    monkeypatch.chdir(tmp_path)
    text = next(text for _, text in _blocks(ROOT / "README.md") if "molkd.embed" in text)
    page = ModuleType("page")
    exec(compile(text, "README.md", "exec"), page.__dict__)  # noqa: S102  (our documents)
    assert str(page.embeddings.values.shape) in text
    assert np.isnan(page.embeddings.values[-1]).all()


def _make_models(text: str) -> None:
    """Makes the students that a text reads and that nothing before it has written."""
    for folder, make in MODELS.items():
        if folder in text and f"-o {folder}" not in text and not Path(folder).exists():
            make(folder)


def _run(line: str) -> None:
    if line.startswith("printf "):
        subprocess.run(line, shell=True, check=True)  # noqa: S602  (our documents)
    words, line = shlex.split(line)[1:], " ".join(line.split())
    cheap = line.startswith(tuple(f"molkd {command}" for command in CHEAP))
    if cheap and not ELSEWHERE.search(line):
        more = SMALLER.get(" ".join(words[:2]), SMALLER.get(words[0], []))
        app([*words, *more], standalone_mode=False)


def _supply(folder: Path) -> None:
    """Writes the files that documents name without making them."""
    smiles = dm.data.freesolv()["smiles"].tolist()[:60]
    (folder / "demo-output").mkdir()
    for name in ("molecules", "library", "demo-output/corpus", "demo-output/solubility"):
        (folder / f"{name}.smi").write_text("\n".join(smiles) + "\n")
    (folder / "library.smi.gz").write_bytes(gzip.compress("\n".join(smiles).encode()))
    rows = [f"{text},{number},{number / 7},b{number}" for number, text in enumerate(smiles)]
    header = "structure,compound,pIC50,batch"
    values = [f"{text},{number / 7}" for number, text in enumerate(smiles)]
    (folder / "measured.csv").write_text("\n".join(["smiles,pIC50", *values]) + "\n")
    (folder / "library.csv").write_text("\n".join([header, *rows]) + "\n")
    for name, some in {"old.csv": smiles[:9], "new.csv": smiles[9:20]}.items():
        (folder / name).write_text("\n".join(["smiles", *some]) + "\n")
    for number in range(3):
        pq.write_table(pa.table({"smiles": smiles[number::3]}), folder / f"part-{number}.parquet")
    texts = [f"Where is my word{number}, and my word{number + 1}?" for number in range(300)]
    (folder / "texts.csv").write_text("text\n" + "\n".join(f'"{text}"' for text in texts) + "\n")
    (folder / "photos").mkdir()
    for number in range(4):
        pixels = np.full((32, 32, 3), 60 * number, dtype=np.uint8)
        Image.fromarray(pixels).save(folder / "photos" / f"{number}.png")
    labels = [f"{text},{number % 2}" for number, text in enumerate(smiles)]
    (folder / "assay.csv").write_text("\n".join(["smiles,active", *labels]) + "\n")
    (folder / "runs" / "quality").mkdir(parents=True)
    results = ROOT / "benchmarks" / "results"
    shutil.copy(results / "quality" / "results.jsonl", folder / "runs" / "quality")
    shutil.copy(results / "speed-baseline.json", folder / "runs" / "speed.json")
    for shared in ("benchmarks", "examples"):
        (folder / shared).symlink_to(ROOT / shared)


def _molecular(folder: str) -> None:
    students.make(GineSettings(size="tiny")).save_pretrained(folder)
    (Path(folder) / "settings.toml").write_text('teachers = ["maccs", "erg"]\n')


def _textual(folder: str) -> None:
    texts = ["Where is my card?", "Where is my money?"]
    settings = StaticSettings(vocabulary=60, size="static-small")
    students.make(settings, items=texts).save_pretrained(folder)


def _visual(folder: str) -> None:
    students.make(students.sized("vit-tiny")).save_pretrained(folder)


MODELS: dict[str, Callable[[str], None]] = {
    "runs/student": _molecular,
    "runs/text": _textual,
    "runs/image": _visual,
}
"""Folder of a student that documents name without distilling it -> what makes it."""


@pytest.mark.parametrize("path", DOCUMENTS, ids=_name)
def test_named_files_and_links_exist(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    named = r"`((?:molkd|teachers|featurizers|benchmarks|examples|tests|docs)/[\w/.-]+)`"
    missing = [name for name in re.findall(named, text) if not (ROOT / name).exists()]
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#]*)(#[^)]*)?\)", text):
        linked = path.parent / target if target else path
        if not linked.exists() or (anchor and anchor[1:] not in _anchors(linked)):
            missing.append(target + anchor)
    assert missing == []


def _anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    plain = (re.sub(r"[^\w\s-]", "", heading.lower()).strip() for heading in headings)
    return {re.sub(r"[\s-]+", "-", heading) for heading in plain}


def test_figures_and_tables_are_those_of_the_code(tmp_path: Path) -> None:
    script = _script("generate")
    (tmp_path / "figures").mkdir()
    script.main(tmp_path)
    stale = [
        figure.name
        for figure in (tmp_path / "figures").iterdir()
        if figure.read_bytes() != (DOCS / "figures" / figure.name).read_bytes()
    ]
    pages = {page: page.read_text(encoding="utf-8") for page in DOCS.rglob("*.md")}
    stale += [_name(page) for page, text in pages.items() if script.filled(text) != text]
    assert stale == [], "run: python docs/generate.py"


def test_the_site_builds_without_warnings_and_needs_no_network() -> None:
    pytest.importorskip("zensical")
    command = [Path(sys.executable).with_name("zensical"), "build", "--strict", "--clean"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    outside = re.compile(r"<(?:script|link|img|iframe)[^>]+(?:src|href)=\"?(?:https?:)?//[^\" >]*")
    pages = list((ROOT / "build" / "docs").rglob("*.html"))
    assert len(pages) > len(list(DOCS.rglob("*.md")))  # and one for what is not found
    found = [outside.findall(page.read_text(encoding="utf-8")) for page in pages]
    assert found == [[]] * len(pages)


def test_every_page_is_in_the_menu() -> None:
    menu = set(re.findall(r'"([\w/-]+\.md)"', (ROOT / "zensical.toml").read_text()))
    assert menu == {str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md")}


def test_the_readme_is_short_and_starts_with_what_works_in_a_fresh_clone() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 120
    language, text = next(_blocks(ROOT / "README.md"))
    assert (language, next(_lines(text)).split("  #")[0]) == ("sh", "pip install .")
