"""Molecular students that read counts of substructures."""

from __future__ import annotations

import pytest
import torch

from molkd import students
from molkd.errors import ConfigError
from molkd.students.config_counts import CountsConfig
from molkd.students.settings_counts import CountsSettings, HybridSettings

SMILES = ["CCO", "c1ccccc1O", "CC(=O)Nc1ccc(O)cc1"]


@pytest.mark.parametrize(
    "settings",
    [
        CountsSettings(size="static-molecules", dropout=0.5),
        HybridSettings(size="hybrid-tiny", counts_dropout=0.5),
    ],
)
def test_substructures_are_left_out_in_training_alone(settings: students.StudentSettings) -> None:
    student = students.make(settings)
    batch = student.collate(student.featurize(SMILES))
    with torch.no_grad():
        drawn = [student.train()(batch).embedding for _ in range(2)]
        fixed = [student.eval()(batch).embedding for _ in range(2)]
    assert not torch.equal(*drawn)
    assert torch.equal(*fixed)


def test_what_is_left_counts_for_what_is_not() -> None:
    settings = CountsSettings(size="static-molecules", width=4, dropout=0.5)
    network = students.make(settings).network.train()
    student = students.make(CountsSettings(size="static-molecules"))
    batch = student.collate(student.featurize(["CCO"] * 4000))
    with torch.no_grad():
        _, (total, _) = network(batch)
        _, (expected, _) = network.eval()(batch)
    torch.testing.assert_close(total.mean(dim=0), expected[0], atol=0.1, rtol=0)


def test_a_share_out_of_range_is_refused() -> None:
    with pytest.raises(ConfigError, match="dropout must lie in"):
        CountsConfig(dropout=1.0)


def test_a_configuration_of_before_still_builds() -> None:
    student = students.make(CountsSettings(size="static-molecules", width=8, hidden=8))
    config = {name: value for name, value in student.config.items() if name != "dropout"}
    assert type(student).build(config).config == student.config
