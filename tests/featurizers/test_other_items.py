"""A student of texts or images as a scikit-learn transformer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from molkd import students
from molkd.errors import ItemError
from molkd.featurizers import MolKDTransformer
from molkd.runtime import settings
from molkd.students import StudentSettings
from tests.fakes.kinds import SAMPLES


@pytest.fixture(params=["static", "text-encoder", "vit"])
def trained(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Path]:
    sample = SAMPLES[request.param]
    wanted = settings.from_table(StudentSettings, {"size": sample.size, **sample.options})
    students.make(wanted, items=sample.items).save_pretrained(tmp_path)
    return request.param, tmp_path


def test_it_embeds_what_the_student_reads(trained: tuple[str, Path]):
    name, folder = trained
    items = list(SAMPLES[name].items)
    transformer = MolKDTransformer(folder)
    assert transformer.card.modality == SAMPLES[name].kind.name
    expected = students.load(folder).embed(items).values
    np.testing.assert_allclose(transformer.transform(items), expected, atol=1e-6)
    with pytest.raises(ItemError, match="row 1: no"):
        transformer.transform([items[0], None])
    assert np.isnan(MolKDTransformer(folder, on_invalid="null").transform([None])).all()


def test_it_is_a_step_of_a_pipeline(trained: tuple[str, Path]):
    name, folder = trained
    items, labels = list(SAMPLES[name].items), np.arange(60) % 2
    model = make_pipeline(MolKDTransformer(folder), LogisticRegression(C=1e6, max_iter=2000))
    assert model.fit(items[:8], labels[:8]).score(items[:8], labels[:8]) == 1
