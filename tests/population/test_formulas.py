"""Formulas: the columns that they make, what they do to parameters, and what they refuse."""

import json
import math

import numpy as np
import pytest
from scipy.stats import norm

import rlbackends as rl
from rlbackends.errors import ModelError
from rlbackends.population.layout import layout_from_description

MODEL = rl.catalogue.rescorla_wagner()
S, T = 6, 8
GROUP = ["patient", "control", "patient", "control", "patient", "control"]
AGE = np.array([20.0, 30.0, 25.0, 41.0, 33.0, 58.0])
# The fourth subject has the second session only, the sixth no second one and fewer trials.
SESSION = np.array([[1] * 4 + [2] * 4] * 3 + [[2] * 8] + [[2] * 4 + [1] * 4] + [[1] * 8], dtype=float)
LENGTHS = [8, 8, 8, 8, 8, 5]


def trials(**more):
    rng = np.random.default_rng(0)
    columns = {
        "choice": rng.integers(0, 2, (S, T)),
        "reward": rng.integers(0, 2, (S, T)).astype(float),
        "group": np.array([[label] * T for label in GROUP], dtype=object),
        "age": np.repeat(AGE[:, None], T, axis=1),
        "session": SESSION,
        "drug": np.where(SESSION == 1, "placebo", "verum").astype(object),
    }
    return rl.Trials.from_arrays(subjects=list("abcdef"), lengths=LENGTHS, **columns | more)


DATA = trials().bind(MODEL)


def layout(*args, data=DATA, **kwargs):
    return rl.Population(*args, **kwargs).layout(MODEL, data)


def values(made, seed=0):
    rng = np.random.default_rng(seed)
    return made.constrain({latent.name: rng.normal(size=made.shape(latent)) for latent in made.latents})


# What is computed


def test_between_subjects():
    made = layout(alpha="~ group * scale(age)")
    v = values(made)
    assert made.names[:5] == (
        "alpha_location",
        "alpha_coefficient[group=patient]",
        "alpha_coefficient[scale(age)]",
        "alpha_coefficient[group=patient:scale(age)]",
        "alpha_sd",
    )
    assert made.within == frozenset() and made.covariates == ("age", "group")
    z = (AGE - AGE.mean()) / AGE.std(ddof=1)
    for s, label in enumerate(GROUP):
        patient = float(label == "patient")
        line = v["alpha_location"] + v["alpha_coefficient[group=patient]"] * patient
        line += v["alpha_coefficient[scale(age)]"] * z[s]
        line += v["alpha_coefficient[group=patient:scale(age)]"] * patient * z[s]
        line += v["alpha_sd"] * v["alpha_offset"][s]
        assert made.parameters(v)["alpha"][s] == pytest.approx(norm.cdf(line), abs=1e-14)


def test_within_subjects():
    made = layout(beta=rl.Pooling(formula="~ drug", slopes="~ drug", sd_by="group"))
    v = values(made)
    assert made.within == {"beta"} and made.known.labels == ("placebo", "verum")
    found = made.parameters(v)
    assert found["alpha"].shape == (S,) and found["beta"].shape == (S, T)
    for s in range(S):
        for t in range(LENGTHS[s]):
            verum = float(SESSION[s, t] == 2)
            line = v["beta_location"] + v["beta_coefficient[drug=verum]"] * verum
            line += v[f"beta_sd[group={GROUP[s]}]"] * v["beta_offset"][s]
            line += v["beta_slope_sd[drug=verum]"] * v["beta_slope_offset[drug=verum]"][s] * verum
            assert found["beta"][s, t] == pytest.approx(math.exp(line), rel=1e-14)
    cells = made.by_condition(v)["beta"]
    assert cells.shape == (S, 2)
    assert cells[3, 0] > 0  # a condition that a subject did not have is predicted
    np.testing.assert_array_equal(made.by_trial({"beta": cells})["beta"], found["beta"])


def test_two_covariates_within_subjects_are_conditions_together():
    half = np.tile([0.0, 1.0], (S, T // 2))
    made = layout(alpha="~ drug + half", data=trials(half=half).bind(MODEL))
    assert made.known.labels == (
        "drug=placebo, half=0",
        "drug=placebo, half=1",
        "drug=verum, half=0",
        "drug=verum, half=1",
    )
    v = values(made)
    line = v["alpha_location"] + v["alpha_coefficient[half]"] + v["alpha_sd"] * v["alpha_offset"][0]
    assert made.parameters(v)["alpha"][0, 1] == pytest.approx(norm.cdf(line), abs=1e-14)


def test_a_number_is_a_category_if_it_is_called_one():
    assert "alpha_coefficient[session]" in layout(alpha="~ session").names
    assert "alpha_coefficient[C(session)=2.0]" in layout(alpha="~ C(session)").names


def test_without_an_intercept_each_group_has_its_own_location():
    made = layout(alpha="~ 0 + group", beta="none")
    assert "alpha_location" not in made.names
    v = values(made)
    medians = made.medians("alpha", v)
    np.testing.assert_allclose(medians[0], norm.cdf(v["alpha_coefficient[group=patient]"]), rtol=1e-14)
    np.testing.assert_allclose(medians[1], norm.cdf(v["alpha_coefficient[group=control]"]), rtol=1e-14)


def test_levels_say_which_group_the_others_are_compared_with():
    data = rl.Trials.from_arrays(
        choice=np.zeros((4, 2), dtype=int), reward=np.zeros((4, 2)),
        levels={"group": ["sham", "drug"], "choice": [0, 1]},
        group=np.array([["drug"] * 2, ["sham"] * 2] * 2, dtype=object),
    )  # fmt: skip
    assert "alpha_coefficient[group=drug]" in layout(alpha="~ group", data=data.bind(MODEL)).names
    assert "alpha_coefficient[group=sham]" in layout(alpha="~ group", data=trials(
        group=np.array([["drug"] * T, ["sham"] * T] * 3, dtype=object)).bind(MODEL)).names  # fmt: skip


def test_complete_pooling_takes_a_formula_without_offsets():
    made = layout("complete", alpha=rl.Pooling("complete", formula="~ group"))
    assert made.names == ("alpha_location", "alpha_coefficient[group=patient]", "beta_location")
    found = made.parameters(values(made))["alpha"]
    assert found[0] == found[2] == found[4] != found[1] == found[3] == found[5]


def test_leading_axes_come_free():
    made = layout(alpha="~ group", beta=rl.Pooling(formula="~ drug", slopes="~ drug"), correlated=["alpha", "beta"])
    many = [values(made, seed) for seed in range(6)]
    stacked = {name: np.stack([v[name] for v in many]).reshape(2, 3, *np.shape(many[0][name])) for name in made.names}
    found, group = made.parameters(stacked, leading=2), made.group(stacked)
    assert found["alpha"].shape == (2, 3, S) and found["beta"].shape == (2, 3, S, T)
    for name, value in made.parameters(many[4]).items():
        np.testing.assert_allclose(found[name][1, 1], value, rtol=1e-15)
    for name, value in made.group(many[4]).items():
        np.testing.assert_allclose(group[name][1, 1], value, rtol=1e-15)


def test_the_group_is_the_average_of_the_design():
    made = layout(alpha="~ group", beta="~ drug")
    v = values(made)
    a = v["alpha_location"], v["alpha_coefficient[group=patient]"]
    assert made.group(v)["alpha_group"] == pytest.approx((norm.cdf(a[0]) + norm.cdf(a[0] + a[1])) / 2, rel=1e-14)
    b = v["beta_location"], v["beta_coefficient[drug=verum]"]
    assert made.group(v)["beta_group"] == pytest.approx((math.exp(b[0]) + math.exp(b[0] + b[1])) / 2, rel=1e-14)


def test_medians_where_a_covariate_is_given():
    made = layout(alpha="~ group * age")
    v = values(made)
    v = {**v, "alpha_coefficient[age]": np.array(0.01), "alpha_coefficient[group=patient:age]": np.array(-0.02)}
    found = made.medians("alpha", v, {"group": "patient"})
    line = v["alpha_location"] + v["alpha_coefficient[group=patient]"] - 0.01 * AGE
    np.testing.assert_allclose(found, norm.cdf(line), rtol=1e-14)


def test_centring_is_that_of_the_data_where_a_value_is_given():
    made = layout(alpha="~ center(age)")
    v = values(made)
    found = made.medians("alpha", v, {"age": 40.0})
    line = v["alpha_location"] + v["alpha_coefficient[center(age)]"] * (40.0 - AGE.mean())
    np.testing.assert_allclose(found, norm.cdf(line), rtol=1e-13)


# As data


def test_the_description_says_it_all():
    given = {
        "alpha": rl.Pooling(formula="~ group", coefficient=rl.priors.Normal(0, 0.5), sd_by="group"),
        "beta": rl.Pooling(formula="~ drug", slopes="~ drug"),
    }
    made = layout(correlated=["alpha", "beta"], lkj=3.0, **given)
    again = layout_from_description(MODEL, json.loads(json.dumps(made.description)), DATA)
    assert again.description == made.description
    assert again.latents == made.latents and again.natural == made.natural and again.digest == made.digest


def test_other_covariates_are_another_layout():
    made, other = (
        layout(alpha="~ age"),
        layout(alpha="~ age", data=trials(age=DATA.covariates["age"].values + [[1], [0]] * 3).bind(MODEL)),
    )
    assert made.names == other.names and made.digest != other.digest
    assert layout().digest == layout(beta="none").digest


def test_a_formula_without_covariates_needs_no_data():
    assert rl.Population(alpha="~ 1").layout(MODEL, ["a", "b"]).names[:2] == ("alpha_location", "alpha_sd")


def test_a_pooling_is_a_default_for_all():
    made = layout(rl.Pooling("partial", sd=rl.priors.Exponential(2)), beta="~ group")
    assert {latent.name: str(latent.prior) for latent in made.latents}["beta_sd"] == "Exponential(rate=2)"
    assert {latent.name: str(latent.prior) for latent in made.latents}["alpha_sd"] == "Exponential(rate=2)"


# What is refused


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ("~ grup", r"read 'grup', which is no column of the data\. Did you mean 'group'\? .*join"),
        ("~ block", r"read_trials\(\.\.\., block_='block'\) and 'block_' in the formula, or"),
        ("~ group + (", r"'alpha': the formula .* can't be read"),
        ("alpha ~ group", r"expected its right side only.*Write '~ group'"),
        ("~ group + I(1 * (group == 'patient'))", r"follows from 'group=patient': the design is collinear \(6 rows\)"),
        ("~ age + I(2 * age)", r"follows from 'age'"),
        ("~ np.log(age - 20)", r"not finite"),
        ("~ nonsense(age)", r"can't be computed: .*nonsense"),
    ],
)  # fmt: skip
def test_formulas_that_cannot_be(given, match):
    with pytest.raises(ModelError, match=match):
        layout(alpha=given)


def test_a_constant_column():
    data = trials(site=np.full((S, T), "Leipzig", dtype=object)).bind(MODEL)
    with pytest.raises(ModelError, match="'site' is Leipzig everywhere: a covariate that does not vary"):
        layout(alpha="~ site", data=data)


def test_a_level_that_nobody_has():
    data = rl.Trials.from_arrays(
        choice=np.array([[0, 1]] * 4), reward=np.zeros((4, 2)), levels={"group": ["a", "b", "c"]},
        group=np.array([["a"] * 2, ["b"] * 2] * 2, dtype=object),
    )  # fmt: skip
    with pytest.raises(ModelError, match=r"column 'group=c' of the formula '~ group' is 0 everywhere"):
        layout(alpha="~ group", data=data.bind(MODEL))


def test_a_missing_covariate_names_the_subjects():
    age = np.repeat(AGE[:, None], T, axis=1)
    age[1] = np.nan
    with pytest.raises(ModelError, match="'age' is missing for subject 'b'; a covariate must be known everywhere"):
        layout(alpha="~ age", data=trials(age=age).bind(MODEL))


def test_too_many_conditions():
    data = rl.Trials.from_arrays(
        choice=np.array([[0, 1] * 50] * 2), reward=np.zeros((2, 100)),
        clock=np.random.default_rng(0).normal(size=(2, 100)),
    )  # fmt: skip
    with pytest.raises(ModelError, match="'clock' has 200 different values within subjects, expected at most 64"):
        layout(alpha="~ clock", data=data.bind(MODEL))


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({"kind": "none", "formula": "~ group"}, "formula has no meaning with 'none' pooling"),
        ({"kind": "complete", "sd_by": "group"}, "sd_by has no meaning with 'complete'"),
        ({"formula": "~ group", "centred": True}, "goes with offsets only"),
        ({"formula": 3}, "formula is 3, expected text such as '~ group'"),
        ({"coefficient": rl.priors.Normal(0, 1)}, "there is no formula"),
        ({"formula": "~ group", "coefficient": rl.priors.HalfNormal(1)}, "expected one of any sign"),
    ],
)  # fmt: skip
def test_poolings_that_cannot_be(given, match):
    with pytest.raises(ModelError, match=match):
        rl.Pooling(**given)


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({"sd_by": "drug"}, "changes within subjects; an sd is between subjects"),
        ({"sd_by": "age"}, "which is a number; expected a covariate in text"),
        ({"slopes": "~ group"}, "reads nothing that changes within subjects"),
        ({"slopes": "~ drug + group"}, "column 'group=patient' does not change within subjects"),
        ({"slopes": "~ session + drug"}, "follows from"),
    ],
)  # fmt: skip
def test_poolings_that_the_data_refuse(given, match):
    with pytest.raises(ModelError, match=match):
        layout(alpha=rl.Pooling(**given))


def test_a_group_of_one_has_no_sd():
    data = trials(clinic=np.array([["x"] * T] * 5 + [["y"] * T], dtype=object)).bind(MODEL)
    with pytest.raises(ModelError, match="sd_by is 'clinic', and 'y' has 1 subject, too few for an sd"):
        layout(alpha=rl.Pooling(sd_by="clinic"), data=data)


def by_subject(*labels):
    return np.array([[label] * T for label in labels], dtype=object)


def test_a_label_that_is_none_of_the_levels_is_refused():
    data = trials(arm=by_subject(*"uuvvww"), levels={"arm": ["u", "v"]}).bind(MODEL)
    for pooling in (rl.Pooling(formula="~ arm"), rl.Pooling(sd_by="arm")):
        with pytest.raises(ModelError, match="'arm' is 'w' somewhere, which is none of its levels 'u' and 'v'"):
            layout(alpha=pooling, data=data)
    cells = np.array([["u", "v", "w", "w"] * 2] * S, dtype=object)
    with pytest.raises(ModelError, match="none of its levels"):
        layout(alpha="~ cell", data=trials(cell=cells, levels={"cell": ["u", "v"]}).bind(MODEL))


def test_labels_may_hold_brackets_and_colons():
    made = layout(alpha="~ arm", data=trials(arm=by_subject("0", "a", "a]", "0", "a", "a]")).bind(MODEL))
    assert made.names[1:3] == ("alpha_coefficient[arm=a]", "alpha_coefficient[arm=a]]")
    data = trials(arm=by_subject(*["b[2]", "y:z"] * 3)).bind(MODEL)
    made = layout(alpha="~ C(arm, levels=['y:z', 'b[2]'])", data=data)
    assert made.names[1] == "alpha_coefficient[C(arm, levels=['y:z', 'b[2]'])=b[2]]"
    made = layout(alpha="~ 0 + arm:drug", data=trials(arm=by_subject(*["b:c", "²"] * 3)).bind(MODEL))
    assert made.names[0] == "alpha_coefficient[arm=b:c:drug=placebo]"


def test_names_that_would_be_the_same_are_refused():
    with pytest.raises(ModelError, match=r"two columns called 'arm=x\|y'"):
        layout(alpha="~ 0 + arm", data=trials(arm=by_subject(*["x/y", "x|y"] * 3)).bind(MODEL))


def test_conditions_that_nobody_had_tell_nothing_apart():
    group = by_subject(*"pppccc")
    nested = np.array([[1] * 4 + [2] * 4] * 3 + [[3] * 4 + [4] * 4] * 3, dtype=float)
    with pytest.raises(ModelError, match=r"'C\(session\)=4.0' of the formula .* follows from .* collinear"):
        layout(alpha="~ group + C(session)", data=trials(group=group, session=nested).bind(MODEL))
    once = np.array([[1] * 4 + [2] * 4] * 3 + [[1] * 8] * 3, dtype=float)
    data = trials(group=group, session=once).bind(MODEL)
    with pytest.raises(ModelError, match=r"'group=p:C\(session\)=2.0' .* follows from"):
        layout(alpha="~ group * C(session)", data=data)
    seen = layout(alpha="~ group + C(session)", data=data).known.seen
    assert seen.tolist() == [[True, True]] * 3 + [[True, False]] * 3


def test_a_parameter_does_not_depend_on_what_it_explains():
    with pytest.raises(ModelError, match="formulas read 'choice', a response of model 'rescorla_wagner'"):
        layout(alpha="~ choice")
    assert layout(alpha="~ reward").within == {"alpha"}


def test_formulas_of_several_parts_and_methods():
    with pytest.raises(ModelError, match="can't be read: it has several parts"):
        layout(alpha="~ group | age")
    assert "alpha_coefficient[age.clip(0, 40)]" in layout(alpha="~ age.clip(0, 40)").names
    assert rl.Population(alpha="~ np.log(age) + age.clip(0, 40)").covariates(MODEL) == ("age",)


def test_where_only_labels_are_known_formulas_say_so():
    with pytest.raises(ModelError, match="formulas read 'group', and nothing but the subjects' labels is known"):
        rl.prior_predictive(MODEL, rl.tasks.bandit(n_trials=4), population=rl.Population(alpha="~ group"), subjects=3)


def test_the_text_of_a_population_says_all_of_it():
    said = repr(rl.Population(alpha=rl.Pooling(formula="~ group", sd_by="group", slopes="~ drug"), lkj=np.int64(3)))
    assert said == "Population('partial', alpha=Pooling(partial, ~ group, sd_by='group', slopes='~ drug'))"
