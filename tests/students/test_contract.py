"""What every student promises, whatever its items are."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from molkd import students
from molkd.errors import ConfigError, CorruptFileError
from molkd.runtime import settings
from molkd.students import Student, StudentSettings
from tests.fakes.kinds import SAMPLES, Sample

EVERY = pytest.mark.parametrize("name", list(SAMPLES))


def _settings(sample: Sample) -> StudentSettings:
    return settings.from_table(StudentSettings, {"size": sample.size, **sample.options})


def _student(name: str, seed: int = 0) -> Student:
    sample = SAMPLES[name]
    return students.make(_settings(sample), seed=seed, items=sample.items).eval()


@EVERY
def test_order_and_size_of_batches_do_not_matter(name: str):
    student, items = _student(name), list(SAMPLES[name].items)
    whole = student.embed(items).values
    assert whole.shape == (len(items), student.embedding_dim)
    assert np.isfinite(whole).all()
    assert len(np.unique(whole.round(5), axis=0)) > 30  # it does tell items apart
    order = np.random.default_rng(0).permutation(len(items))
    shuffled = student.embed([items[row] for row in order], batch_size=7).values
    np.testing.assert_allclose(shuffled, whole[order], atol=1e-5)


@EVERY
def test_failed_items_are_empty_rows_with_a_reason(name: str):
    student, sample = _student(name), SAMPLES[name]
    good = list(sample.items[:3])
    items = [good[0], *sample.wrong, *good[1:]]
    embedded = student.embed(items)
    assert list(embedded.failures) == list(range(1, 1 + len(sample.wrong)))
    for reason, expected in zip(embedded.failures.values(), sample.wrong.values(), strict=True):
        assert expected in reason
    assert np.isnan(embedded.values[1 : 1 + len(sample.wrong)]).all()
    rows = [0, -2, -1]
    np.testing.assert_allclose(embedded.values[rows], student.embed(good).values, atol=1e-5)


@EVERY
def test_nothing_and_only_failures(name: str):
    student = _student(name)
    assert student.embed([]).values.shape == (0, student.embedding_dim)
    only = student.embed([None, None])
    assert np.isnan(only.values).all()
    assert list(only.failures) == [0, 1]


@EVERY
def test_asking_for_layers_does_not_change_the_embedding(name: str):
    student, items = _student(name), SAMPLES[name].items[:5]
    batch = student.collate(student.featurize(items))
    with torch.no_grad():
        plain, layered = student(batch), student(batch, layers=True)
    assert torch.equal(plain.embedding, layered.embedding)
    assert plain.layers == ()
    widths = tuple(layer.shape[1] for layer in layered.layers)
    assert widths == student.feature_spec.layers
    assert {layer.shape[0] for layer in layered.layers} == {5}


@EVERY
def test_a_rounded_student_is_the_same_in_16_bits(name: str, tmp_path: Path):
    student, items = _student(name), SAMPLES[name].items[:5]
    student.register_buffer("large", torch.tensor([100_001]))  # such as a table of positions
    student.round()
    assert student.get_buffer("large").item() == 100_001
    del student.large
    student.save_pretrained(tmp_path, half=True)
    loaded = students.load(tmp_path)
    assert loaded.digest == student.digest
    np.testing.assert_array_equal(loaded.embed(items).values, student.embed(items).values)


@EVERY
def test_a_linear_map_becomes_part_of_the_student(name: str):
    student, items = _student(name), SAMPLES[name].items[:5]
    before = student.embed(items).values
    rng, width = np.random.default_rng(0), student.embedding_dim
    matrix, shift = rng.normal(size=(width, width)) / width, rng.normal(size=width)
    student.transform(matrix, shift)
    np.testing.assert_allclose(student.embed(items).values, before @ matrix + shift, atol=1e-4)


@EVERY
def test_selecting_and_joining_prepared_items(name: str):
    student, sample = _student(name), SAMPLES[name]
    items = [*sample.items[:4], None, *sample.items[4:6]]
    whole = student.featurize(items)
    parts = [student.featurize(items[:2]), student.featurize(items[2:])]
    joined = type(whole).concatenate(parts)
    assert len(joined) == len(whole) == 7
    assert dict(joined.failures) == dict(whole.failures)
    assert list(joined.failures) == [4]
    rows = np.array([5, 4, 0, 0])
    picked = joined.select(rows)
    assert list(picked.failures) == [1]
    assert list(picked.sizes) == list(whole.sizes[rows])
    expected = student.encode(whole).values[rows]
    np.testing.assert_allclose(student.encode(picked).values, expected, atol=1e-5)


@EVERY
def test_saved_and_loaded_it_gives_the_same_bits(name: str, tmp_path: Path):
    student, items = _student(name), SAMPLES[name].items
    student.save_pretrained(tmp_path / "s", card="# card")
    loaded = students.load(tmp_path / "s")
    assert type(loaded) is type(student)
    assert loaded.digest == student.digest
    assert not loaded.training
    np.testing.assert_array_equal(loaded.embed(items).values, student.embed(items).values)
    assert json.loads((tmp_path / "s" / "config.json").read_text())["kind"] == student.kind


@EVERY
def test_every_damaged_file_is_refused(name: str, tmp_path: Path):
    _student(name).save_pretrained(tmp_path)
    listed = json.loads((tmp_path / "config.json").read_text()).get("files", {})
    for file in ("model.safetensors", *listed):
        path = tmp_path / file
        data = path.read_bytes()
        path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        with pytest.raises(CorruptFileError, match=path.name):
            students.load(tmp_path)
        path.unlink()
        with pytest.raises(CorruptFileError, match=path.name):
            students.load(tmp_path)
        path.write_bytes(data)
    students.load(tmp_path)


@pytest.mark.parametrize("name", ["static", "text-encoder"])
def test_a_file_outside_the_folder_is_never_read(name: str, tmp_path: Path):
    _student(name).save_pretrained(tmp_path / "s")
    config = tmp_path / "s" / "config.json"
    (tmp_path / "other.json").write_text("{}")
    about = json.loads(config.read_text())
    about["files"]["../other.json"] = "0" * 64
    config.write_text(json.dumps(about))
    with pytest.raises(CorruptFileError, match=r"other\.json"):
        students.load(tmp_path / "s")


@EVERY
def test_a_cut_student_gives_the_first_dimensions(name: str):
    student, items = _student(name), SAMPLES[name].items[:20]
    short = student.truncate(3)
    whole = student.embed(items).values
    np.testing.assert_allclose(short.embed(items).values, whole[:, :3], atol=1e-6)
    count = [sum(p.numel() for p in one.parameters()) for one in (student, short)]
    assert count[1] < count[0]
    assert short.digest != student.digest
    for length in (0, student.embedding_dim, 99):
        with pytest.raises(ConfigError, match="cannot be truncated"):
            student.truncate(length)


@EVERY
def test_same_seed_same_bits_and_the_global_state_is_left_alone(name: str):
    state = torch.get_rng_state()
    one, two, other = _student(name), _student(name), _student(name, seed=1)
    assert torch.equal(state, torch.get_rng_state())
    assert one.digest == two.digest != other.digest


@EVERY
def test_a_fresh_one_has_the_shape_and_other_weights(name: str):
    student, items = _student(name), SAMPLES[name].items[:5]
    fresh = students.untrained_like(student, seed=9)
    assert fresh.config == student.config
    assert fresh.digest == students.untrained_like(student, seed=9).digest != student.digest
    assert not np.allclose(fresh.embed(items).values, student.embed(items).values)


@EVERY
def test_every_parameter_gets_a_gradient(name: str):
    student, items = _student(name), SAMPLES[name].items[:8]
    student.train()
    features = student(student.collate(student.featurize(items)))
    features.embedding.square().sum().backward()
    idle = [key for key, value in student.named_parameters() if value.grad is None]
    assert idle == []


def test_what_reads_items_reaches_a_process_without_torch(tmp_path: Path):
    work = [(_student(name).featurize, list(SAMPLES[name].items[:3])) for name in SAMPLES]
    (tmp_path / "work").write_bytes(pickle.dumps([pickle.dumps(one) for one in work]))
    program = (
        "import pickle, sys\n"
        f"for one in pickle.load(open({str(tmp_path / 'work')!r}, 'rb')):\n"
        "    featurize, items = pickle.loads(one)\n"
        "    print(len(featurize(items)), 'torch' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == ["3 False"] * len(SAMPLES)


def _option_changes() -> list[tuple[str, str, object]]:
    return [
        ("counts", "blocks", ["circular"]),
        ("counts", "width", 24),
        ("counts", "hidden", 24),
        ("counts", "embedding_dim", 9),
        ("hybrid", "hidden", 24),
        ("hybrid", "layers", 1),
        ("hybrid", "embedding_dim", 9),
        ("hybrid", "readout", "mean"),
        ("hybrid", "dropout", 0.5),
        ("hybrid", "blocks", ["circular"]),
        ("hybrid", "counts_width", 24),
        ("hybrid", "counts_hidden", 24),
        ("static", "width", 24),
        ("static", "hidden", 24),
        ("static", "embedding_dim", 9),
        ("static", "vocabulary", 60),
        ("text-encoder", "hidden", 24),
        ("text-encoder", "layers", 1),
        ("text-encoder", "heads", 4),
        ("text-encoder", "embedding_dim", 9),
        ("text-encoder", "vocabulary", 60),
        ("text-encoder", "max_length", 6),
        ("text-encoder", "dropout", 0.5),
        ("vit", "embedding_dim", 9),
        ("vit", "image_size", 48),
        ("vit", "patch_size", 8),
        ("vit", "dropout", 0.5),
        ("pvt", "embedding_dim", 9),
        ("pvt", "image_size", 48),
        ("pvt", "dropout", 0.5),
    ]


@pytest.mark.parametrize(("name", "option", "value"), _option_changes())
def test_every_option_changes_the_student(name: str, option: str, value: object):
    sample = SAMPLES[name]
    changed = Sample(sample.size, {**sample.options, option: value}, sample.items)
    other = students.make(_settings(changed), items=sample.items)
    assert other.digest != _student(name).digest
    batch = other.train().collate(other.featurize(sample.items[:6]))
    torch.manual_seed(0)
    found = other(batch).embedding
    mine = _student(name).train()
    torch.manual_seed(0)
    before = mine(mine.collate(mine.featurize(sample.items[:6]))).embedding
    assert found.shape != before.shape or not torch.allclose(found, before)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"size": "bert-mini", "readout": "mean"}, "unknown setting 'readout'"),
        ({"size": "tiny", "vocabulary": 8}, "unknown setting 'vocabulary'"),
        ({"size": "static-molecules", "blocks": ["rings"]}, "expected one of circular, pairs"),
        ({"size": "static-molecules", "blocks": []}, "at least one block"),
        ({"size": "hybrid-tiny", "blocks": ["pairs", "pairs"]}, "none twice"),
        ({"size": "hybrid-tiny", "counts_width": 0}, "counts_width must be at least 1"),
        ({"size": "bert-huge"}, "Did you mean"),
        ({"size": "bert-tiny", "init_layers": [0]}, "needs student.init_from"),
        ({"size": "bert-tiny", "hidden": 30, "heads": 4}, "do not divide"),
        ({"size": "static-small", "vocabulary": 7}, "too small"),
        ({"size": "pvt-tiny", "patch_size": 4}, "an option of a ViT"),
    ],
)
def test_wrong_settings(table: dict[str, object], message: str):
    with pytest.raises((ConfigError, LookupError), match=message):
        students.make(settings.from_table(StudentSettings, table), items=["a text"])


def test_a_text_student_needs_texts_or_a_tokenizer():
    wanted = settings.from_table(StudentSettings, {"size": "static-small"})
    with pytest.raises(ConfigError, match="learns its vocabulary from the corpus"):
        students.make(wanted)
