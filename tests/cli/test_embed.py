"""`molkd embed` and the root of the command line: options, messages, exit codes."""

from __future__ import annotations

import gzip
import io
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import torch

from molkd.cli.embed import describe
from molkd.embedding import EmbedSettings, Summary, settings_path
from molkd.errors import (
    ConfigError,
    InputError,
    MolkdError,
    OutputError,
    StaleBankError,
    UnknownNameError,
)
from molkd.runtime import settings
from molkd.students import GineSettings, load, make
from tests.cli.conftest import GOOD, Molkd


def test_what_lies_outside_the_corpus_is_counted(
    molkd: Molkd, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    student = make(GineSettings(size="tiny"))
    student.remember(student.featurize(["CCO", "CCCN"]))
    student.save_pretrained(tmp_path / "student")
    (tmp_path / "in.smi").write_text("CCO\n[U]\nCC[Fe]\nxx\nCCCCCC[Fe]C\n")
    code, said = molkd("embed", "-i", "in.smi", "-o", "out.npy", "-m", "student")
    assert code == 0
    assert (
        "3 of them lie outside what the student was distilled from: element Fe (2), element U (1), "
        "fewer than 3 heavy atoms (1), more than 4 heavy atoms (1)\n"
    ) in said
    make(GineSettings(size="tiny")).save_pretrained(tmp_path / "silent")
    assert "outside" not in molkd("embed", "-i", "in.smi", "-o", "o.npy", "-m", "silent")[1]


def test_two_spellings_of_a_folder_give_the_same_file(
    molkd: Molkd, smi: Path, model: Path, tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to(model)
    (tmp_path / "deep").mkdir()
    spellings = [model, f"{model}/", f"{model}/../{model.name}", "link", "deep/../link"]
    written: set[tuple[bytes, bytes]] = set()
    for place, spelling in enumerate(spellings):
        output = tmp_path / f"{place}" / "out.parquet"
        assert molkd("embed", "-i", smi, "-o", output, "-m", spelling)[0] == 0
        written.add((output.read_bytes(), settings_path(output).read_bytes()))
    assert len(written) == 1
    facts = pq.read_schema(output).metadata
    assert facts[b"molkd.model"] == model.name.encode()
    assert facts[b"molkd.model_digest"] == load(model).digest.encode()


def test_two_spellings_of_a_teacher_give_the_same_file(
    molkd: Molkd, smi: Path, model: Path, tmp_path: Path
) -> None:
    written: set[bytes] = set()
    for place, name in enumerate((f"molkd:{model}", f"molkd:{model}/")):
        output = tmp_path / f"{place}" / "out.parquet"
        assert molkd("teachers", "embed", name, "-i", smi, "-o", output, "-j", 1)[0] == 0
        written.add(output.read_bytes())
    assert len(written) == 1


def test_embed_gives_what_the_student_gives(
    molkd: Molkd, smi: Path, model: Path, tmp_path: Path
) -> None:
    code, said = molkd("embed", "-i", smi, "-o", "out.parquet", "-m", model, "-j", 1)
    assert code == 0
    assert "6 of 7 molecules embedded" in said
    assert "1 invalid, kept as empty rows:\n  row 6: SMILES syntax error" in said
    frame = pd.read_parquet(tmp_path / "out.parquet")
    assert frame["id"].fillna("").tolist() == [*[""] * 6, "molecule"]
    expected = load(model).embed(GOOD)
    np.testing.assert_allclose(
        np.stack(frame["embedding"][:6]),
        expected.values,
        atol=1e-6,
    )


def test_embed_again_says_that_nothing_is_to_do(molkd: Molkd, smi: Path, model: Path) -> None:
    arguments = ("embed", "-i", smi, "-o", "out.npz", "-m", model, "-j", 1)
    molkd(*arguments)
    assert molkd(*arguments) == (0, "out.npz is complete already: 7 molecules; nothing to do\n")
    code, said = molkd(*arguments, "--standardize", "light")
    assert code == 4
    assert "give --overwrite to replace it" in said
    assert molkd(*arguments, "--standardize", "light", "--overwrite")[0] == 0


def test_every_option_reaches_the_settings(molkd: Molkd, model: Path, tmp_path: Path) -> None:
    (tmp_path / "in.data").write_text("key,text,y,z\na,CCO,1,2\nb,bad,3,4\n")
    options = {
        "--column": "text",
        "--id-column": "key",
        "--keep": "z, y",
        "--input-format": "csv",
        "--format": "npy",
        "--dtype": "float16",
        "--on-invalid": "drop",
        "--max-invalid-fraction": "0.5",
        "--standardize": "full",
        "--batch-size": "7",
    }
    pairs = [part for pair in options.items() for part in pair]
    code, said = molkd(
        "embed", "-i", "in.data", "-o", "out.x", "-m", model, "--device", "cpu", "-j", 1, *pairs
    )
    assert (code, said.splitlines()[1]) == (0, "1 invalid, left out:")
    assert settings.load(EmbedSettings, settings_path(tmp_path / "out.x")) == EmbedSettings(
        column="text",
        id_column="key",
        keep=("z", "y"),
        input_format="csv",
        format="npy",
        dtype="float16",
        on_invalid="drop",
        max_invalid_frac=0.5,
        standardize="full",
        batch_size=7,
    )
    assert np.load(tmp_path / "out.x").dtype == np.float16


def test_dimensions_are_told_where_the_student_was_not_trained_for_them(
    molkd: Molkd, smi: Path, model: Path, tmp_path: Path
) -> None:
    code, said = molkd("embed", smi, "-o", "a.npy", "-m", model, "-j", 1, "--dimensions", 8)
    assert code == 0
    assert "not trained for 8 dimensions (matryoshka_dims: none)" in said
    assert np.load(tmp_path / "a.npy").shape == (7, 8)
    code, said = molkd("embed", smi, "-o", "b.npy", "-m", model, "--dtype", "int8")
    assert code == 2
    assert "dtype int8 needs to know how large the values" in said


def test_clipped_values_are_counted_in_words() -> None:
    summary = Summary(output=Path("a"), total=3, noun="molecules", invalid=0, clipped=2, reasons={})
    assert "2 values were larger than int8 reaches to, and clipped" in describe(summary)


def test_options_override_the_settings_file(
    molkd: Molkd, smi: Path, model: Path, tmp_path: Path
) -> None:
    config = tmp_path / "embed.toml"
    config.write_text('dtype = "float16"\nbatch_size = 3\nchunk_rows = 2\n')
    arguments = ("embed", "-i", smi, "-m", model, "-j", 1, "--config", config)
    molkd(*arguments, "-o", "a.npy")
    assert np.load(tmp_path / "a.npy").dtype == np.float16
    molkd(*arguments, "-o", "b.npy", "--dtype", "float32")
    found = settings.load(EmbedSettings, settings_path(tmp_path / "b.npy"))
    assert found == EmbedSettings(dtype="float32", batch_size=3, chunk_rows=2)
    config.write_text("batchsize = 3\n")
    code, said = molkd(*arguments, "-o", "c.npy")
    assert code == 2
    assert "unknown setting 'batchsize'. Did you mean 'batch_size'" in said


def test_standard_input(
    molkd: Molkd, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe = io.BytesIO(gzip.compress("\n".join(GOOD).encode()))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(pipe))
    code, _ = molkd(
        "embed", "-i", "-", "--input-format", "smi", "-o", "out.csv", "-m", model, "-j", 1
    )
    assert code == 0
    assert len(pd.read_csv(tmp_path / "out.csv")) == 6


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_gpu_gives_the_same_embedding_and_resumes(
    molkd: Molkd, model: Path, tmp_path: Path
) -> None:
    (tmp_path / "in.smi").write_text("\n".join(GOOD * 50))
    (tmp_path / "embed.toml").write_text("chunk_rows = 100\n")
    arguments = ("embed", "-i", "in.smi", "-m", model, "-j", 1, "--config", "embed.toml")
    for device in ("cpu", "cuda"):
        assert molkd(*arguments, "-o", f"{device}.npy", "--device", device)[0] == 0
    found = {device: np.load(tmp_path / f"{device}.npy") for device in ("cpu", "cuda")}
    np.testing.assert_allclose(found["cuda"], found["cpu"], atol=1e-4)
    stop = (*arguments, "-o", "again.npy", "--device", "cuda")
    (tmp_path / "in.smi").write_text("\n".join([*(GOOD * 50)[:250], "bad"]))
    assert molkd(*stop, "--on-invalid", "error")[0] == 3
    (tmp_path / "in.smi").write_text("\n".join(GOOD * 50))
    code, said = molkd(*stop)
    assert (code, "200 of them by an earlier, interrupted run" in said) == (0, True)
    np.testing.assert_array_equal(np.load(tmp_path / "again.npy"), found["cuda"])


def test_teachers_embed(molkd: Molkd, smi: Path, tmp_path: Path) -> None:
    code, said = molkd("teachers", "embed", "maccs", "-i", smi, "-o", "out.npz", "-j", 1)
    assert (code, said.splitlines()[2]) == (0, "  row 6: SMILES syntax error")
    arrays = np.load(tmp_path / "out.npz")
    assert arrays["X"].shape == (7, 167)
    assert arrays["valid"].tolist() == [True] * 6 + [False]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("-i", "in.smi", "-o", "o.npy", "-m", "none"), 1, "no student in folder 'none'"),
        (("-i", "no.smi", "-o", "o.npy"), 3, "molkd: cannot read no.smi: No such file"),
        (("-i", "in.smi", "-o", "o.xyz"), 2, "the suffix of o.xyz names no format"),
        (("-i", "in.smi", "-o", "in.smi/o.npy"), 4, "molkd: cannot write in.smi/o.npy"),
        (("-i", "in.smi", "-o", "o.npy", "--on-invalid", "error"), 3, "row 6: SMILES syntax"),
        (("-i", "in.smi", "-o", "o.npy", "--max-invalid-fraction", "0"), 3, "1 of 7 molecules are"),
        (("-i", "in.smi", "-o", "o.npy", "--max-invalid-fraction", "2"), 2, "must lie in [0, 1]"),
        (("-i", "in.smi", "-o", "o.npy", "--device", "tpu"), 2, "device 'tpu' is not available"),
        (("-i", "in.smi", "-o", "o.npy", "--config", "no.toml"), 2, "cannot read the settings"),
        (("-i", "in.smi", "-o", "o.npy", "--dtype", "float8"), 2, "float8"),
        (("-i", "in.smi"), 2, "--output"),
    ],
)
def test_errors_are_one_message_and_a_code(
    molkd: Molkd, smi: Path, model: Path, arguments: tuple[str, ...], code: int, message: str
) -> None:
    assert smi.exists()
    given = arguments if "-m" in arguments else (*arguments, "-m", str(model))
    found, said = molkd("embed", *given, "-j", 1)
    assert (found, message in said) == (code, True), said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("x"), 2),
        (UnknownNameError("x"), 2),
        (InputError("x"), 3),
        (OutputError(28, "x"), 4),
        (OutputError("x"), 4),
        (StaleBankError("x"), 1),
        (MolkdError("x"), 1),
        (KeyboardInterrupt(), 130),
    ],
)
def test_exit_codes(
    molkd: Molkd, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("molkd.students.load", fail)
    expected = "molkd: interrupted; the same command goes on where it stopped\n"
    said = expected if code == 130 else "molkd: x\n"
    assert molkd("embed", "-i", "a", "-o", "b", "-m", "c") == (code, said)


def test_unforeseen_errors_keep_their_traceback(
    molkd: Molkd, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr("molkd.students.load", fail)
    with pytest.raises(ZeroDivisionError, match="a defect"):
        molkd("embed", "-i", "a", "-o", "b", "-m", "c")
