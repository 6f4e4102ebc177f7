"""Where a gradient can't pass, read off the graphs; and the numbers that say the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import rlbackends as rl
from rlbackends.model import GradientGap

SUPPORTS = {"alpha": rl.UnitInterval(), "beta": rl.Positive(), "criterion": rl.Positive(), "kappa": rl.RealLine()}


def model(choice, update=None, parameters=("alpha", "beta"), states=None, **more):
    """Return a learner of two actions with these rules."""

    def learn(q, choice, reward, alpha):
        return {"q": q.at[choice].add(alpha * (reward - q[choice]))}

    return rl.Model(
        "tried",
        parameters={name: rl.Parameter(SUPPORTS.get(name, rl.UnitInterval())) for name in parameters},
        states=states or {"q": rl.State("action")},
        trial={"cue": rl.Index("action"), "choice": choice, "reward": rl.Real()},
        update=update or learn,
        sizes={"action": 2},
        **more,
    )


def softmax(q, beta):
    return rl.Categorical(logits=beta * q)


def only_gap(found) -> GradientGap:
    gaps = [gap for gap in found.gradient_gaps() if gap.kind != "switch"]
    assert len(gaps) == 1
    return gaps[0]


def kinds(found):
    return [gap.kind for gap in found.gradient_gaps()]


# What is harmless


def test_a_model_without_choices_has_none():
    assert model(softmax).gradient_gaps() == ()


def test_what_the_data_choose_stops_nothing():
    def update(q, cue, choice, reward, alpha):
        best = rl.where((reward > 0.5) & (choice == cue), 1.0, rl.to_float(rl.argmax(rl.one_hot(choice, q))))
        return {"q": q.at[choice].add(alpha * (best - q[choice]))}

    assert model(softmax, update).gradient_gaps() == ()


def test_a_learning_rate_by_the_sign_of_the_error_is_a_switch():
    def update(q, choice, reward, alpha, low):
        error = reward - q[choice]
        return {"q": q.at[choice].add(rl.where(error > 0, alpha, low) * error)}

    (gap,) = model(softmax, update, ("alpha", "beta", "low")).gradient_gaps()
    assert (gap.kind, gap.parameters, gap.flat, gap.states) == ("switch", ("alpha", "low"), (), ("q",))
    assert (gap.rule, gap.expression, gap.instead) == ("update", "reward - q[choice] > 0", "")


@pytest.mark.parametrize(
    "written",
    [
        lambda error, alpha, low: (rl.where(error > 0, 1, 0) * (alpha - low) + low) * error,
        lambda error, alpha, low: rl.sign(error) * abs(error) * alpha + 0 * low,
        lambda error, alpha, low: alpha * (rl.where(error > 0, 1, -1) * error) ** 2 + low * error,
        lambda error, alpha, low: alpha * rl.stack(error, 0.0)[rl.where(error > 0, 0, 1)] + low * error,
    ],
)
def test_constants_that_do_not_jump_are_a_switch(written):
    def update(q, choice, reward, alpha, low):
        return {"q": q.at[choice].add(written(reward - q[choice], alpha, low))}

    found = model(softmax, update, ("alpha", "beta", "low"))
    assert set(kinds(found)) == {"switch"}
    assert all("nothing jumps" in gap.what for gap in found.gradient_gaps())


def test_the_value_of_the_best_is_the_maximum():
    def update(q, choice, reward, alpha):
        return {"q": q.at[choice].add(alpha * (reward + 0.9 * q[rl.argmax(q)] - q[choice]))}

    assert kinds(model(softmax, update)) == ["switch"]


def test_what_leads_to_no_response_is_not_asked_about():
    def update(q, choice, reward, alpha):
        new = q.at[choice].add(alpha * (reward - q[choice]))
        return {"q": new, "greedy": rl.to_float(rl.argmax(q)), "counted": rl.where(q[0] > q[1], 1.0, 0.0)}

    states = {"q": rl.State("action"), "counted": rl.State()}
    assert model(softmax, update, states=states, records=["greedy"]).gradient_gaps() == ()


# What is not


def test_an_argmax_is_a_gap_in_what_has_no_other_way():
    def update(q, wide, cue, choice, reward, alpha, slow):
        used = rl.argmax(wide)
        new = q.at[used].add(alpha * (reward - q[used]))
        return {"q": new, "wide": wide.at[choice].add(slow * (reward - wide[choice]))}

    states = {"q": rl.State("action"), "wide": rl.State("action")}
    found = model(softmax, update, ("alpha", "beta", "slow"), states)
    gap = only_gap(found)
    assert (gap.kind, gap.parameters, gap.flat, gap.states) == ("argmax", ("slow",), ("slow",), ("wide",))
    assert (gap.file, gap.rule, gap.expression) == ("test_gradients.py", "update", "argmax(wide)")
    line = Path(__file__).read_text().splitlines()[gap.line - 1]
    assert line.strip() == "used = rl.argmax(wide)"
    assert "the likelihood is flat in it, with jumps" in gap.what
    assert "rl.softmax(beta * wide)" in gap.instead
    assert str(gap).startswith(f"test_gradients.py:{gap.line}, update: 'argmax(wide)'. It stops the gradient of 'slow'")
    assert found.gradient_gaps(fixed=["slow"]) == ()


def test_an_argmax_of_what_has_another_way_makes_the_density_jump():
    def choice(q, beta, kappa):
        return rl.Categorical(logits=beta * q + kappa * rl.one_hot(rl.argmax(q), q))

    gap = only_gap(model(choice, parameters=("alpha", "beta", "kappa")))
    assert (gap.kind, gap.parameters, gap.flat) == ("argmax", ("alpha",), ())
    assert gap.rule == "the rule of 'choice'"
    assert "The density jumps in 'alpha'" in gap.what and "flat" not in gap.what


def test_a_criterion_is_flat_though_what_it_switches_is_not():
    def update(q, choice, reward, alpha, low, criterion):
        return {"q": q.at[choice].add(rl.where(reward > criterion, alpha, low) * (reward - q[choice]))}

    gap = only_gap(model(softmax, update, ("alpha", "beta", "low", "criterion")))
    assert (gap.kind, gap.parameters, gap.flat) == ("comparison", ("criterion",), ("criterion",))
    assert gap.instead.startswith("Instead of one side or the other, take both with a weight: ")
    assert "rl.sigmoid(slope * (reward - criterion))" in gap.instead


@pytest.mark.parametrize("bonus", [lambda kappa: kappa, lambda kappa: 1.0])
def test_a_constant_or_another_parameter_chosen_by_a_comparison_jumps(bonus):
    def choice(q, beta, kappa):
        extra = rl.where(q[0] > q[1], bonus(kappa), 0.0)
        return rl.Categorical(logits=beta * q + rl.stack(extra, kappa, axis="action"))

    gap = only_gap(model(choice, parameters=("alpha", "beta", "kappa")))
    assert (gap.kind, gap.parameters, gap.flat) == ("comparison", ("alpha",), ())


def test_an_index_that_a_comparison_chooses():
    def update(q, choice, reward, alpha, criterion):
        target = rl.where(reward < criterion, 0, 1)
        return {"q": q.at[target].add(alpha * (reward - q[target]))}

    gap = only_gap(model(softmax, update, ("alpha", "beta", "criterion")))
    assert (gap.kind, gap.flat) == ("index", ("criterion",))
    assert "weight * values[i] + (1 - weight) * values[j]" in gap.instead


def test_conditions_are_followed_through_logic_and_masks():
    def choice(q, cue, beta, criterion):
        certain = ~((q[0] + 0.1 > criterion) & (cue == 0)) | (q[1] > 5)
        return rl.Bernoulli(logits=beta * (q[0] - q[1]), where=certain)

    gap = only_gap(model(choice, parameters=("alpha", "beta", "criterion")))
    assert gap.flat == ("criterion",) and gap.kind == "comparison"
    assert gap.rule == "the rule of 'choice'"


def test_a_state_carries_what_its_initial_value_depends_on():
    def update(q, level, choice, reward, alpha):
        return {"q": q.at[choice].add(rl.where(level > 0.5, alpha, 0.0) * (reward - q[choice])), "level": level * 0.9}

    states = {"q": rl.State("action"), "level": rl.State(initial="first")}
    gap = only_gap(model(softmax, update, ("alpha", "beta", "first"), states))
    assert (gap.flat, gap.states, gap.expression) == (("first",), ("level",), "level > 0.5")


def test_the_first_stop_on_a_way_is_the_one_that_is_named():
    def update(q, wide, choice, reward, alpha, slow):
        used = rl.argmax(wide)
        repeats = rl.where(used == choice, 1.0, 0.5)
        return {"q": q.at[choice].add(alpha * repeats * (reward - q[choice])),
                "wide": wide.at[choice].add(slow * (reward - wide[choice]))}  # fmt: skip

    states = {"q": rl.State("action"), "wide": rl.State("action")}
    assert only_gap(model(softmax, update, ("alpha", "beta", "slow"), states)).expression == "argmax(wide)"


def test_a_model_read_from_json_knows_no_lines():
    found = rl.Model.from_json(rl.catalogue.aliens_task_sets_argmax().to_json())
    (gap,) = found.gradient_gaps()
    assert (gap.place, gap.file, gap.line) == ("", "", 0)
    assert str(gap).startswith("the rule of 'choice' and update: 'argmax(")


# The catalogue


SWITCHES = {
    "rescorla_wagner_two_rates": 1,
    "fictitious_update_two_rates": 1,
    "probabilistic_selection": 1,
    "card_sorting": 2,
    "balloon_four_parameters": 2,
}


@pytest.mark.parametrize("name", rl.catalogue.MODELS)
def test_one_model_of_the_catalogue_has_a_gap(name):
    found = rl.catalogue.MODELS[name]().gradient_gaps()
    gaps = [gap for gap in found if gap.kind != "switch"]
    assert len(found) - len(gaps) == SWITCHES.get(name, 0)
    assert [gap.flat for gap in gaps] == ([("alpha_high", "forgetting_high")] if name.endswith("argmax") else [])


# The numbers say the same


PARAMS = {"alpha": 0.3, "beta": 1.5, "forgetting": 0.1, "alpha_high": 0.2, "forgetting_high": 0.05}


@pytest.fixture(scope="module")
def aliens():
    learner = rl.catalogue.aliens_task_sets_argmax(initial=1.2)
    return rl.simulate(learner, rl.tasks.aliens(season_length=10), PARAMS, subjects=2, trials=40, seed=1).data


@pytest.mark.parametrize("backend", ["reference", "numpyro"])
def test_flat_parameters_have_no_slope_and_others_have(aliens, backend):
    compiled = rl.compile(rl.catalogue.aliens_task_sets_argmax(initial=1.2), aliens, backend)
    _, gradient = compiled.value_and_gradient(PARAMS)
    value = float(compiled.log_likelihood(PARAMS)["choice"].sum())
    for name in PARAMS:
        nearby = float(compiled.log_likelihood(PARAMS | {name: PARAMS[name] + 1e-7})["choice"].sum())
        if name.endswith("_high"):
            assert gradient[name] == 0.0 and nearby == value
        else:
            assert gradient[name] == pytest.approx((nearby - value) / 1e-7, rel=1e-4)


def test_flat_is_not_constant(aliens):
    # Between jumps nothing moves; over the whole range the likelihood takes several values.
    compiled = rl.compile(rl.catalogue.aliens_task_sets_argmax(initial=1.2), aliens)
    grid = np.linspace(0.01, 0.99, 30)
    found = {float(compiled.log_likelihood(PARAMS | {"alpha_high": a})["choice"].sum()) for a in grid}
    assert 1 < len(found) < 30


def test_weights_bring_the_gradient_back(aliens):
    compiled = rl.compile(rl.catalogue.aliens_task_sets(), aliens)
    _, gradient = compiled.value_and_gradient(PARAMS | {"beta_high": 2.0})
    assert all(abs(slope) > 1e-3 for slope in gradient.values())
