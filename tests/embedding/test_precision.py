"""Students embed in bf16 where that is asked for; teachers never do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from molkd import students
from molkd.embedding import EmbedSettings, TeacherEncoder, embed_file
from molkd.errors import ConfigError, OutputError
from molkd.students import GineSettings
from tests.embedding.jobs import SMILES
from tests.fakes.fake_teachers import FakeTeacher


def test_a_student_embeds_in_bf16_where_asked(tmp_path: Path, source: Path) -> None:
    student = students.make(GineSettings(size="tiny")).eval()
    exact, fast = tmp_path / "exact.npy", tmp_path / "fast.npy"
    for output, precision in ((exact, "fp32"), (fast, "bf16")):
        options = EmbedSettings(precision=precision)
        assert not embed_file(student, source, output, options, name="s").already_done
        assert embed_file(student, source, output, options, name="s").already_done
    with pytest.raises(OutputError, match="other settings"):
        embed_file(student, source, fast, EmbedSettings(), name="s")
    one, other = np.load(exact), np.load(fast)
    assert 0 < np.abs(one - other).max() < 0.05 * np.abs(one).max()
    np.testing.assert_array_equal(one, student.embed(SMILES).values)


def test_a_teacher_is_not_asked_for_bf16(tmp_path: Path, source: Path) -> None:
    teacher = TeacherEncoder(FakeTeacher())
    with pytest.raises(ConfigError, match="precision is an option of students"):
        embed_file(
            teacher,
            source,
            tmp_path / "o.npy",
            EmbedSettings(precision="bf16"),
            name="t",
        )
