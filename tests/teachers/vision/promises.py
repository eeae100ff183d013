"""What every image teacher promises, as checks that each family's tests call."""

from __future__ import annotations

import io
import math
import pickle
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from sklearn.base import clone

from molkd import teachers
from molkd.types import Teacher

BAD: list[Any] = [
    None,
    math.nan,
    b"",
    b"no image",
    3,
    Path("/nowhere/a.png"),
    np.zeros((4, 4, 2), dtype=np.uint8),
]
"""No images, for different reasons."""


def png(picture: Any) -> bytes:
    """Returns a picture as an encoded file."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, format="PNG")
    return buffer.getvalue()


def check_fits_the_protocol(teacher: Any) -> None:
    assert isinstance(teachers.as_teacher(teacher), Teacher)
    card = teacher.card
    assert card.modality == "images"
    assert all((card.name, card.kind, card.source, card.license, card.limits, card.versions))
    assert teacher.embed([]).values.shape == (0, card.dim)


def check_rows_line_up(teacher: Any, pictures: list[Any]) -> None:
    items: list[Any] = []
    for index, bad in enumerate(BAD):
        items += [pictures[index % len(pictures)], bad]
    embedded = teacher.embed(items)
    assert embedded.values.shape == (len(items), teacher.card.dim)
    assert embedded.values.dtype == np.float32
    assert list(embedded.failures) == list(range(1, len(items), 2))
    assert all(len(reason) > 5 for reason in embedded.failures.values())
    assert np.isnan(embedded.values[1::2]).all()
    assert np.isfinite(embedded.values[::2]).all()
    alone = teacher.embed(items[::2]).values
    np.testing.assert_allclose(embedded.values[::2], alone, rtol=1e-5, atol=1e-5)
    assert len(np.unique(alone.round(4), axis=0)) == len(pictures)


def check_forms_do_not_matter(teacher: Any, pictures: list[Any], folder: Path) -> None:
    path = folder / "one.png"
    path.write_bytes(png(pictures[3]))
    forms = [pictures[3], png(pictures[3]), path, str(path), Image.fromarray(pictures[3])]
    values = teacher.embed(forms).values
    np.testing.assert_allclose(values, values[:1].repeat(len(forms), axis=0), atol=1e-5)


def check_batches_do_not_matter(teacher: Any, pictures: list[Any]) -> None:
    many = [*pictures, *pictures[::-1]]
    together = clone(teacher).set_params(batch_size=64).embed(many).values
    threes = clone(teacher).set_params(batch_size=3).embed(many).values
    backwards = teacher.embed(many[::-1]).values[::-1]
    alone = np.concatenate([teacher.embed([one]).values for one in many])
    scale = max(1.0, float(np.abs(together).max()))
    for other in (threes, backwards, alone):
        np.testing.assert_allclose(other / scale, together / scale, atol=1e-5)


def check_travels(teacher: Any, pictures: list[Any]) -> None:
    """Cloning and pickling, before and after use, keep parameters and numbers, not the network."""
    fresh = _pickled(clone(teacher))
    expected = teacher.embed(pictures).values
    for other in (fresh, _pickled(teacher), clone(teacher)):
        assert other.get_params() == teacher.get_params()
        assert other._loaded is None
        assert other.card.digest == teacher.card.digest
        np.testing.assert_array_equal(other.embed(pictures).values, expected)
    assert len(pickle.dumps(teacher)) < 4000


def check_digest_ignores(teacher: Any, **values: object) -> None:
    """What changes no number changes no digest."""
    assert clone(teacher).set_params(**values).card.digest == teacher.card.digest


def check_digest_tells(teacher: Any, **values: object) -> None:
    """What changes the numbers changes the digest."""
    assert clone(teacher).set_params(**values).card.digest != teacher.card.digest


def _pickled(teacher: Any) -> Any:
    return pickle.loads(pickle.dumps(teacher))  # noqa: S301 - written here
