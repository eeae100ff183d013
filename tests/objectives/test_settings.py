"""Settings of objectives: by name, checked, and what they say about targets."""

from __future__ import annotations

import pytest

from molkd import objectives
from molkd.errors import ConfigError, UnknownNameError
from molkd.objectives import OBJECTIVES, MutualInformationSettings, ObjectiveSettings
from molkd.objectives.diverse.objective import Diverse
from molkd.objectives.settings import UnicSettings
from molkd.runtime import settings
from molkd.types import TeacherCard
from tests.objectives import samples

each = pytest.mark.parametrize("name", OBJECTIVES)


def test_settings_are_those_of_the_named_objective():
    made = settings.from_table(ObjectiveSettings, {"name": "unic", "cosine_weight": 0.3})
    assert made == UnicSettings(cosine_weight=0.3)
    assert objectives.configured("mi") == MutualInformationSettings()
    with pytest.raises(ConfigError, match=r"unknown setting 'densities'.*cosine"):
        objectives.configured("unic", {"densities": {}})
    with pytest.raises(ConfigError, match="unknown setting 'query_layer'"):
        objectives.configured("mse", {"query_layer": 1})
    with pytest.raises(ConfigError, match="is set by UnicSettings, not MutualInformationSettings"):
        MutualInformationSettings(name="unic").build(samples.FEATURES, samples.specs())


def test_settings_that_contradict_are_refused():
    card = TeacherCard(name="a", kind="", dim=3, support="bits", source="", license="", limits="")
    with pytest.raises(UnknownNameError, match="Did you mean 'cosine'"):
        objectives.configured("cosin")
    with pytest.raises(UnknownNameError, match="Did you mean 'gaussian'"):
        MutualInformationSettings(densities={"a": "gausian"}).form(card)
    with pytest.raises(ConfigError, match="real targets, which density 'poisson'"):
        samples.objective("mi", samples.specs("real"), densities={"real": "poisson"})
    with pytest.raises(ConfigError, match="at least one teacher"):
        MutualInformationSettings().build(samples.FEATURES, {})
    with pytest.raises(ConfigError, match="scaling"):
        objectives.configured("mse", {"scaling": "wide"})


@pytest.mark.parametrize(
    ("name", "option", "value"),
    [
        ("mi", "head_hidden", 0),
        ("mi", "ladder", -1),
        ("mi", "teacher_drop_prob", 1.5),
        ("mi", "relational_weight", -1.0),
        ("unic", "cosine_weight", 1.1),
        ("diverse", "skip_fraction", 1.0),
        ("diverse", "temperature", 0.0),
        ("diverse", "direct_weight", -0.5),
    ],
)
def test_values_out_of_range_are_refused_by_name(name: str, option: str, value: float):
    with pytest.raises(ConfigError, match=option):
        objectives.configured(name, {option: value})


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("no_such_module:Thing", "cannot be imported: No module named 'no_such_module'"),
        ("molkd.objectives.unic:Nothing", "cannot be imported: .*Nothing"),
        ("molkd.objectives.unic:UnicSettings", "not a subclass of molkd.objectives.Objective"),
    ],
)
def test_an_own_objective_that_cannot_be_used_is_refused(name: str, said: str):
    with pytest.raises((UnknownNameError, ConfigError), match=said):
        objectives.configured(name)


def test_an_own_objective_needs_no_registration():
    assert OBJECTIVES.resolve("molkd.objectives.diverse.objective:Diverse") is Diverse


def test_the_form_of_targets_follows_card_density_and_objective():
    def form(support, name="mi", **options) -> str:
        card = TeacherCard(
            name="a", kind="", dim=3, support=support, source="", license="", limits=""
        )
        return objectives.configured(name, options).form(card)

    assert form("real") == "standardized"
    assert form("bits") == form("counts") == "as-is"
    assert form("bits", densities={"a": "gaussian"}) == "standardized"
    assert form("bits", "mse") == form("counts", "cosine") == "standardized"
    assert form("real", "mse", scaling="phi-s") == "phi-s"
    assert form("bits", scaling="phi-s") == "as-is"
    assert form("real", "unic", scaling="ema") == form("real", "mse", scaling="batch") == "raw"
