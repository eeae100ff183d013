"""What a user waits for before the first vector: libraries are loaded where they are used."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from molkd import students
from molkd.students import GineSettings

HEAVY = {
    *("transformers", "deepchem", "molfeat", "datamol", "matplotlib", "networkx", "sympy"),
    *("pandas", "scipy", "sklearn", "onnxruntime", "requests", "torch._dynamo", "torch._inductor"),
    *("torch_geometric", "s3fs", "gcsfs"),
}
"""What neither a student's loading nor its embedding needs."""

ESTIMATOR = {"pandas", "scipy", "sklearn"}
"""What scikit-learn brings: an estimator is one of its classes."""

PROGRAMS = {
    "import": "import molkd",
    "help": "from molkd.cli import main; main()",
    "estimator": "from molkd.featurizers import MolKDTransformer; MolKDTransformer(MODEL)",
    "students": "from molkd import students; students.GineStudent",
    "load": "import molkd; molkd.load(MODEL)",
    "python": "import molkd; print(molkd.embed(['CCO', 'c1ccccc1O'], MODEL, device='cpu').values)",
    "transform": "from molkd.featurizers import MolKDTransformer as T; T(MODEL).transform(['CCO'])",
    "embed": "from molkd.cli import main; main()",
}
WITHOUT_TORCH = {"import", "help", "estimator"}
ARGUMENTS = {
    "help": ["--help"],
    "embed": ["embed", "-i", "one.smi", "-o", "one.parquet", "-m", "student", "--device", "cpu"],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("start")
    students.make(GineSettings(size="tiny")).save_pretrained(folder / "student")
    (folder / "one.smi").write_text("CCO ethanol\n")
    return folder


def _loaded(program: str, folder: Path) -> set[str]:
    """The modules that are there when a program ends."""
    lines = [
        "import sys",
        "sys.argv = ['molkd', *sys.argv[1:]]",
        f"MODEL = {str(folder / 'student')!r}",
        "try:",
        f"    {PROGRAMS[program]}",
        "except SystemExit as stop:",
        "    assert not stop.code, stop.code",
        "print('\\nmodules', *sys.modules)",
    ]
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines), *ARGUMENTS.get(program, [])],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines()[-1].split()[1:])


@pytest.mark.parametrize("program", PROGRAMS)
def test_nothing_is_loaded_that_is_not_used(program: str, folder: Path) -> None:
    allowed = ESTIMATOR if program in {"estimator", "transform"} else set[str]()
    needless = HEAVY | {"torch"} if program in WITHOUT_TORCH else HEAVY
    assert (needless - allowed) & _loaded(program, folder) == set()
    if program == "embed":
        assert (folder / "one.parquet").exists()


def test_the_list_of_heavy_libraries_is_one_of_names_that_exist() -> None:
    code = f"import importlib.util as u; print([n for n in {sorted(HEAVY)} if not u.find_spec(n)])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
