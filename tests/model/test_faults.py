"""Every fault of a model, with its place, and all of them at once."""

import re
from pathlib import Path

import numpy as np
import pytest

import rlbackends as rl
from rlbackends.errors import ModelError

SOURCE = Path(__file__).read_text(encoding="utf-8").splitlines()


def line_of(mark):
    (found,) = [number for number, line in enumerate(SOURCE, 1) if line.endswith(f"# {mark}")]
    return f"test_faults.py:{found}"


@pytest.fixture
def message(parts):
    def build(**changes):
        with pytest.raises(ModelError) as caught:
            rl.Model("m", **parts.good(**changes))
        return str(caught.value)

    return build


def test_the_good_model_is_good(parts):
    assert rl.Model("m", **parts.good()).name == "m"


# The update


def scalar_update(q, choice, reward, alpha):
    return {"q": alpha * (reward - q[choice]), "delta": reward}  # scalar


def test_a_wrong_shape_of_an_update(message):
    assert message(update=scalar_update) == (
        f"model 'm': {line_of('scalar')}: update of 'q' is one value, but state 'q' has one value per action (2). "
        "The expression is 'alpha * (reward - q[choice])'. Did you mean 'q.at[choice].add(...)'?"
    )


def test_a_bare_event_as_an_update_is_located_at_the_rule(message):
    def update(reward, alpha):  # bare
        return {"q": reward, "delta": alpha}

    assert message(update=update).startswith(f"model 'm': {line_of('bare')}: update of 'q' is one value")


def test_a_matrix_as_an_update_has_no_hint(message):
    text = message(update=lambda q, alpha, reward: {"q": q[:, None] * q * alpha, "delta": reward})
    assert "one value per action (2) × action (2), but state 'q' has one value per action (2)" in text
    assert "Did you mean" not in text


def test_a_vector_of_one_is_no_new_value(message):
    assert "is one value per entry (1), but" in message(update=lambda alpha: {"q": rl.stack(alpha), "delta": 0.0})


def test_an_update_without_axis_names_is_fine(parts):
    made = rl.Model("m", **parts.good(update=lambda alpha: {"q": rl.stack(alpha, 0.0), "delta": 0.0}))
    assert made.updates["q"].shape == (2,)


@pytest.mark.parametrize(
    ("update", "expected"),
    [
        (
            lambda q, alpha: {"Q": q, "delta": alpha},
            "update returns 'Q', which is neither a state nor declared in records. There are 'q' and 'delta'.",
        ),
        (lambda q, alpha: {"q": q, "detla": alpha}, "'detla'.*Did you mean 'delta'"),
        (lambda q, alpha: {"q": q * alpha}, "update does not return 'delta', which is declared in records"),
        (lambda q, alpha: q * alpha, "update returned <q.* expected a dict of new states and records"),
        (lambda q, alpha: None, "update returned None, expected a dict"),
        (lambda q, alpha: {"q": None, "delta": alpha}, "update of 'q' is None, expected a value of the rule"),
        (lambda q, alpha: {"q": "0.5", "delta": alpha}, "update of 'q' is '0.5', expected a value of the rule"),
        (
            lambda q, alpha: {"q": q > alpha, "delta": 0.0},
            r"update of 'q' is bool, expected a real value; write rl.where",
        ),
        (lambda q, alpha: {"q": q * alpha, "delta": q[5]}, r"an index in \[5, 5\] may be out of range"),
        (lambda q, aplha: {"q": q}, "update asks for 'aplha'.*Did you mean 'alpha'"),
        (lambda *q: {"q": q}, "takes '\\*q'"),
        (lambda q, action: {"q": q}, "asks for 'action'"),
        (None, "update is None, expected a function"),
        ({"q": 1}, "update is .*expected a function"),
        (type, "can't be read; write a function"),
    ],
)
def test_faults_of_an_update(update, expected, message):
    text = message(update=update)
    assert re.search(expected, text, re.DOTALL), text


# The trial


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (
            lambda q, reward: rl.Categorical(logits=q * reward),
            r"the rule of 'choice' asks for 'reward', a later event of the trial",
        ),
        (
            lambda q, choice: rl.Categorical(logits=q),
            "the rule of 'choice' asks for 'choice', which is the event itself",
        ),
        (
            lambda q, bate: rl.Categorical(logits=q),
            "the rule of 'choice' asks for 'bate'.*There are .*Did you mean 'beta'",
        ),
        (lambda q, beta: beta * q, "the rule of 'choice' returned <beta \\* q.*expected rl.Categorical"),
        (lambda q, beta: None, "the rule of 'choice' returned None, expected rl.Categorical"),
        (lambda beta: rl.Categorical(logits=beta), "Categorical's logits are one value"),
        (lambda q: rl.Categorical(logits=q, log_probs=q), "either logits or log_probs"),
        (lambda q: rl.Categorical(), "either logits or log_probs"),
        (lambda q: rl.Categorical(logits=q, available=q), "'available' is real, expected a bool per action"),
        (
            lambda q, beta: rl.Categorical(logits=q, available=q[:, None] > q),
            r"response 'choice': logits are one value per",
        ),
        (lambda q, beta: rl.Bernoulli(logits=q, where=q), "'where' is real, expected a bool"),
        (lambda q, beta: rl.Bernoulli(logits=q, where=rl.stack(1, 2, 3) > 1), "their sizes differ"),
        (lambda q, beta: rl.Normal(mean=q, sd=q > 0), "argument 'sd' is bool"),
        (
            lambda alpha, beta: rl.Categorical(logits=rl.stack(alpha, beta, axis="acton")),
            "has the axis acton.*Did you mean 'action'",
        ),
        (
            lambda alpha: rl.Categorical(logits=rl.stack(alpha, 0, 0, axis="action")),
            r"has the axis action \(3\); sizes has 'action'",
        ),
        (rl.Real, "event 'choice' is the class Real; write rl.Real"),
        (rl.Index, "event 'choice' is the class Index; write rl.Index"),
        ("choice", "event 'choice' is 'choice', expected a rule"),
        (None, "event 'choice' is None, expected a rule"),
        (type, "can't be read; write a function"),
    ],
)
def test_faults_of_a_response(rule, expected, message):
    text = message(trial={"choice": rule, "reward": rl.Real()})
    assert re.search(expected, text, re.DOTALL), text


def test_a_trial_without_a_response(message):
    text = message(trial={"choice": rl.Index("action"), "reward": rl.Real()})
    assert "no event of the trial is a response" in text
    assert "no event of the trial is a response" in message(trial={}, update=lambda q: {"q": q, "delta": 0.0})


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (rl.Index("acton"), "event 'reward' has the axis 'acton'; sizes has 'action'. Did you mean 'action'"),
        (rl.Real("stimulus"), r"has the axis 'stimulus'.*Add it: sizes=\{'stimulus': ...\}"),
        (rl.Real(3), "has the axis 3"),
        (rl.Index(["action"]), r"has the axis \['action'\]"),
    ],
)
def test_faults_of_a_given_event(event, expected, parts, message):
    text = message(trial={"choice": parts.choice, "reward": event})
    assert re.search(expected, text), text


# States, parameters, sizes


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (rl.State("acton"), "state 'q' has the axis 'acton'.*Did you mean 'action'"),
        (
            rl.State("action", initial="alhpa"),
            "the initial value of state 'q' is 'alhpa', which is no parameter.*Did you mean 'alpha'",
        ),
        (
            rl.State("action", initial=[1, 2, 3]),
            r"is one value per entry \(3\), but the state has one value per action \(2\)",
        ),
        (rl.State("action", initial=None), "is None, expected a number, an array, a parameter's name or a rule"),
        (rl.State("action", initial=["a"]), r"is \['a'\], expected a number"),
        (rl.State("action", initial=lambda gamma: gamma), "the initial value of state 'q' asks for 'gamma'"),
        (rl.State("action", initial=lambda alpha: None), "is None, expected a number or an array"),
        (rl.State("action", initial=lambda alpha: alpha > 0), "the initial value of state 'q' is bool, expected real"),
        (rl.State("action", initial=np.nan), "the initial value of state 'q' is nan, expected finite numbers"),
        (rl.State("action", initial=["0.5", "1"]), "expected a number"),
        (rl.State("action", initial=True), "is bool, expected real values"),
        (rl.State("action", initial=lambda alpha: rl.stack(alpha, 0, 0)), "is one value per entry"),
        (rl.State("action", reset="trial"), "reset is 'trial', expected 'block' or 'never'"),
        (rl.State, "state 'q' is <class .*expected rl.State"),
        (0.0, "state 'q' is 0.0, expected rl.State"),
    ],
)
def test_faults_of_a_state(state, expected, message):
    text = message(states={"q": state})
    assert re.search(expected, text), text


def test_a_broken_state_is_reported_once(message):
    assert message(states={"q": rl.State("acton")}).count("\n") == 0


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (rl.UnitInterval(), r"parameter 'alpha' is UnitInterval\(.*expected rl.Parameter\(rl.UnitInterval\(\)\)"),
        (rl.UnitInterval, r"expected rl.Parameter\(rl.UnitInterval\(\)\)"),
        (0.5, r"parameter 'alpha' is 0.5, expected rl.Parameter\(support\)"),
    ],
)
def test_faults_of_a_parameter(given, expected, message):
    text = message(parameters={"alpha": given, "beta": rl.Parameter(rl.Positive())})
    assert re.search(expected, text), text


@pytest.mark.parametrize(
    ("support", "expected"),
    [
        (rl.UnitInterval, r"the class UnitInterval; write rl.UnitInterval\(\)"),
        ((0, 1), "expected UnitInterval"),
        (None, "expected"),
    ],
)
def test_a_support_is_checked_at_once(support, expected):
    with pytest.raises(ModelError, match=expected):
        rl.Parameter(support)


def test_a_description_is_text():
    with pytest.raises(ModelError, match="description is 3"):
        rl.Parameter(rl.UnitInterval(), 3)


def test_an_unused_parameter(message):
    unused = {name: rl.Parameter(rl.UnitInterval()) for name in ("alpha", "beta", "gamma")}
    assert "parameter 'gamma' is used by no rule and no initial value" in message(parameters=unused)


def test_a_parameter_may_be_used_by_an_initial_value_alone(parts):
    three = {name: rl.Parameter(rl.UnitInterval()) for name in ("alpha", "beta", "q0")}
    model = rl.Model("m", **parts.good(parameters=three, states={"q": rl.State("action", initial="q0")}))
    assert list(model.parameters) == ["alpha", "beta", "q0"]


@pytest.mark.parametrize("size", [0, -1, 2.0, True, "2", None, 10**9])
def test_faults_of_a_size(size, message):
    assert f"axis 'action' has size {size!r}, expected a whole number" in message(sizes={"action": size})


def test_a_state_that_is_too_large(message):
    text = message(
        sizes={"action": 2, "a": 9999, "b": 9999}, states={"q": rl.State("action"), "big": rl.State("a", "b")}
    )
    assert "state 'big'" in text and "entries" in text


# Names


@pytest.mark.parametrize("name", ["subject", "trial", "block", "chain", "draw", "observation"])
def test_reserved_names(name, message):
    assert f"state '{name}' has a reserved name" in message(states={"q": rl.State("action"), name: rl.State()})


@pytest.mark.parametrize("name", ["2nd", "a b", "", "for", "a-b", 3, None])
def test_names_are_identifiers(name, message):
    assert f"record {name!r} is not a Python name" in message(records=["delta", name])


def test_a_name_stands_for_one_thing(message):
    assert "'alpha' is both a parameter and a state" in message(states={"q": rl.State("action"), "alpha": rl.State()})
    assert "'q' is both a state and an event" in message(trial={"q": lambda beta: rl.Bernoulli(logits=beta)})
    assert "'delta' is both a record and a record" in message(records=["delta", "delta"])
    assert "'q' is both a state and an axis" in message(sizes={"action": 2, "q": 3})


def test_an_event_may_be_called_as_its_axis(parts):
    def choice(q, season, beta):
        return rl.Categorical(logits=beta * q[season])

    model = rl.Model(
        "m",
        parameters={"beta": rl.Parameter(rl.Positive())},
        states={"q": rl.State("season", "action")},
        trial={"season": rl.Index("season"), "choice": choice},
        update=lambda: {},
        sizes={"season": 3, "action": 2},
    )
    assert model.events["season"].of == "season"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"records": "delta"}, "records is 'delta', expected a list of names"),
        ({"parameters": ["alpha"]}, r"parameters is \['alpha'\], expected a dict"),
        ({"trial": [("choice", 1)]}, "trial is .*, expected a dict"),
        ({"sizes": 2}, "sizes is 2, expected a dict"),
        ({"description": 2}, "description is 2, expected text"),
        ({"reference": None}, "reference is None, expected text"),
    ],
)
def test_forms(changes, expected, message):
    assert re.search(expected, message(**changes))


@pytest.mark.parametrize("name", ["", None, 3])
def test_a_model_has_a_name(name, parts):
    with pytest.raises(ModelError, match="name is text"):
        rl.Model(name, **parts.good())


# All at once


def test_all_faults_are_reported_at_once(message):
    text = message(
        parameters={"alpha": rl.Parameter(rl.UnitInterval()), "beta": 0.5},
        states={"q": rl.State("action"), "block": rl.State(), "v": rl.State("acton"), "k": rl.State(initial="alhpa")},
        trial={"choice": lambda q, reward: q, "go": lambda q: q, "reward": rl.Index("stimulus"), "cue": rl.Real},
        update=lambda q, alpha: {"q": alpha, "w": q, "delta": q > 0},
        records=["delta", "surprise"],
    )
    lines = text.splitlines()
    assert re.fullmatch(r"model 'm' has (\d+) faults:", lines[0])
    assert len(lines) - 1 == int(re.search(r"\d+", lines[0])[0])
    for number, line in enumerate(lines[1:], 1):
        assert line.startswith(f"  {number}. ")
    for expected in (
        "parameter 'beta'",
        "'block' has a reserved name",
        "'acton'",
        "'alhpa'",
        "'choice' asks for 'reward'",
        "'go' returned",
        "event 'reward' has the axis 'stimulus'",
        "class Real",
        "update of 'q' is one value",
        "returns 'w'",
        "'delta' is bool",
        "does not return 'surprise'",
    ):
        assert expected in text, expected


def test_a_rule_that_returns_nothing_is_reported_beside_other_faults(message):
    text = message(states={"q": rl.State("acton")}, trial={"choice": lambda beta: None, "reward": rl.Real()})
    assert "acton" in text and "returned None" in text


def test_an_error_of_the_users_own_code_is_not_disguised(parts):
    def update(q):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        rl.Model("m", **parts.good(update=update))


def test_numpy_numbers_are_fine_everywhere(parts):
    model = rl.Model(
        "m",
        **parts.good(
            states={"q": rl.State("action", initial=np.float32(0.5))},
            sizes={"action": np.int32(2)},
            parameters={
                "alpha": rl.Parameter(rl.Interval(np.float64(0), np.int64(1))),
                "beta": rl.Parameter(rl.Positive()),
            },
        ),
    )
    assert type(model.sizes["action"]) is int and model.parameters["alpha"].support == rl.UnitInterval()
