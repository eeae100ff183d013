"""The wheel holds all of molkd and nothing else."""

from __future__ import annotations

import importlib
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from importlib.metadata import entry_points, version
from pathlib import Path

import pytest

import molkd
from molkd.students import shipped

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
NOT_SHIPPED = ("molkd.benchmarks.gpu", "molkd.benchmarks.scripts", "molkd.benchmarks.studies")
"""Programs and studies of this repository: run from a checkout, no part of the wheel."""

LINKED = {f"molkd.{name}": name for name in ("teachers", "featurizers", "benchmarks")}


def _packages_on_disk() -> set[str]:
    found = {
        ".".join(init.parent.relative_to(ROOT).parts)
        for top in ("molkd", *LINKED.values())
        for init in (ROOT / top).rglob("__init__.py")
    }
    names = {f"molkd.{name}" if name.split(".")[0] in LINKED.values() else name for name in found}
    return {name for name in names if not name.startswith(NOT_SHIPPED)}


def test_every_package_on_disk_is_declared() -> None:
    assert set(PROJECT["tool"]["setuptools"]["packages"]) == _packages_on_disk()


def test_every_data_file_is_declared() -> None:
    declared = PROJECT["tool"]["setuptools"]["package-data"]
    for package, folder in {"molkd": "molkd", **LINKED}.items():
        patterns = declared.get(package, [])
        for path in (ROOT / folder).iterdir():
            if path.is_file() and path.suffix != ".py":
                assert any(path.match(pattern) for pattern in patterns), path


def test_links_lead_to_the_mapped_folders() -> None:
    mapped = PROJECT["tool"]["setuptools"]["package-dir"]
    for package, folder in LINKED.items():
        assert (ROOT / package.replace(".", "/")).resolve() == (ROOT / folder).resolve()
        assert mapped[package] == folder


@pytest.mark.parametrize("folder", LINKED.values())
def test_mapped_folders_refuse_their_own_name(folder: str) -> None:
    with pytest.raises(ImportError, match=f"import molkd.{folder}, not {folder}"):
        importlib.import_module(folder)


def test_versions_agree() -> None:
    assert molkd.__version__ == PROJECT["project"]["version"] == version("molkd")


@pytest.mark.parametrize("group", ["console_scripts", *PROJECT["project"]["entry-points"]])
def test_entry_points_load(group: str) -> None:
    ours = [point for point in entry_points(group=group) if point.value.startswith("molkd")]
    assert ours
    for point in ours:
        assert callable(point.load())


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the source distribution and the wheel of this tree."""
    pytest.importorskip("build")
    copy = tmp_path_factory.mktemp("source") / "molkd"
    unwanted = shutil.ignore_patterns("__pycache__", ".*", "results", "build", "*.egg-info", "runs")
    shutil.copytree(ROOT, copy, symlinks=True, ignore=unwanted)
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", "dist"]
    subprocess.run(command, cwd=copy, check=True, capture_output=True)
    return copy / "dist"


@pytest.fixture(scope="module")
def source(built: Path) -> set[str]:
    """The files of a source distribution of this tree."""
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as stream:
        return {name.partition("/")[2] for name in stream.getnames()}


def test_a_wheel_holds_the_students_and_is_small(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    assert wheel.stat().st_size < 60e6
    with zipfile.ZipFile(wheel) as stream:
        inside = set(stream.namelist())
    for name in shipped.names():
        for file in (shipped.FOLDER / name).rglob("*.*"):
            assert str(file.relative_to(ROOT)) in inside
    assert shipped.names()
    assert not {name for name in inside if name.startswith("tests")}


def test_a_source_distribution_holds_no_part_of_the_tests(source: set[str]) -> None:
    assert {name for name in source if name.startswith("tests")} == set()


def test_a_source_distribution_holds_what_its_readme_links_to(source: set[str]) -> None:
    text = (ROOT / "README.md").read_text()
    links = re.findall(r"\]\((?!https?:)([^)#]+)", text) + re.findall(
        r'src(?:set)?="([^"]+)"', text
    )
    assert links
    assert set(links) - source == set()


def test_every_dependency_has_a_tested_version() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    tested = {_normal(line.split("==")[0]) for line in lines if "==" in line}
    project = PROJECT["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    names = {_normal(re.split(r"[<>=!~\[; ]", requirement)[0]) for requirement in wanted}
    assert names - tested == set()


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
