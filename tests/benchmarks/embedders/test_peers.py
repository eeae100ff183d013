"""Other libraries' embedders: one row per molecule, or the name of what is missing."""

from __future__ import annotations

import numpy as np
import pytest

from molkd.benchmarks import embedders
from molkd.benchmarks.embedders import peers
from molkd.errors import MissingExtraError, UnknownNameError

SMILES = ["CCO", "c1ccccc1O", "CC(=O)O"] * 12


@pytest.mark.parametrize("name", peers.PEERS)
def test_a_peer_embeds_or_is_named_as_missing(name: str) -> None:
    try:
        (source,) = embedders.make(f"peer:{name}").sources
    except MissingExtraError as error:
        assert f"peer {name} is not measured" in str(error)  # noqa: PT017
        return
    values = source.model.embed(SMILES).values
    assert values.shape == (len(SMILES), peers.PEERS[name].dim)
    np.testing.assert_allclose(values[:3], values[-3:], atol=1e-4)
    assert not np.allclose(values[0], values[1])


def test_a_peer_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = peers._Entry(lambda: list, "no-such-package", 3, "nothing")
    monkeypatch.setitem(peers.PEERS, "absent", entry)  # type: ignore[arg-type]
    with pytest.raises(MissingExtraError, match="no-such-package is not installed"):
        peers.make("absent")


def test_an_unknown_peer_is_answered_as_any_unknown_name() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'minimol'"):
        peers.make("minimoll")
