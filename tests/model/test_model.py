"""A model: what it is made of, frozen, equal to itself after any journey."""

import copy
import pickle

import numpy as np
import pytest

import rlbackends as rl
from rlbackends.expressions import Axis, integer
from rlbackends.expressions.passes import assume_complete


def test_what_it_is_made_of(zoo):
    model = zoo["two_responses"]
    assert model.name == "two_responses"
    assert list(model.parameters) == ["alpha", "beta"]
    assert list(model.events) == ["first", "state", "second", "reward"]
    assert model.responses == ("first", "second")
    assert model.sizes == {"state": 2, "action": 2}
    assert list(model.records) == ["after"] and list(model.updates) == ["q"]
    first, state, reward = (model.events[name] for name in ("first", "state", "reward"))
    # max over the last axis leaves the states: the first choice counts along that axis.
    assert (first.is_response, first.of, first.kind) == (True, "state", integer(0, 1))
    assert (state.is_response, state.of) == (False, "state")
    assert reward.kind.name == "real" and reward.axes == ()
    assert model.states["q"].shape == (2, 2)
    assert repr(model) == "Model('two_responses': parameters alpha, beta; states q; first, state, second, reward)"


def test_events_in_words(zoo):
    events = zoo["every_operation"].events
    assert events["choice"].holds == "one of 3 labels of axis 'action', the response"
    assert events["rewards"].holds == "a real number per action (3), given by the world"
    assert events["pair"].holds == "one of 2 labels of axis 'stimulus' per side (2), given by the world"
    assert events["go"].axes == (Axis("side", 2),) and events["go"].holds.startswith("0 or 1 per side (2)")


def test_it_is_frozen(zoo):
    model = zoo["two_responses"]
    with pytest.raises(AttributeError, match="can't be changed"):
        model.name = "other"
    with pytest.raises(AttributeError):
        model.extra = 1
    for mapping in (model.parameters, model.states, model.events, model.updates, model.records, model.sizes):
        with pytest.raises(TypeError):
            mapping["new"] = 1
    with pytest.raises(AttributeError):
        model.parameters["alpha"].support = rl.RealLine()


def test_the_same_rules_make_an_equal_model(parts):
    one, other = rl.Model("m", **parts.good()), rl.Model("m", **parts.good())
    assert one == other and hash(one) == hash(other)
    assert one != rl.Model("n", **parts.good())
    assert one != rl.Model("m", **parts.good(sizes={"action": 3}))
    assert one != rl.Model("m", **parts.good(states={"q": rl.State("action", reset="never")}))
    assert one != rl.Model("m", **parts.good(states={"q": rl.State("action", initial=0.5)}))
    assert one != "m"


def test_the_order_of_events_matters_and_of_parameters_does_not(parts):
    good = parts.good()
    one = rl.Model("m", **good)
    swapped = rl.Model("m", **{**good, "trial": dict(reversed(good["trial"].items()))})
    assert one != swapped
    again = rl.Model("m", **{**good, "parameters": dict(reversed(good["parameters"].items()))})
    assert one == again and hash(one) == hash(again)


def test_pickles_and_copies_are_equal(model):
    for other in (pickle.loads(pickle.dumps(model)), copy.copy(model), copy.deepcopy(model)):
        assert other == model and hash(other) == hash(model)
        assert all(other.updates[name] is node for name, node in model.updates.items())


def test_where_its_nodes_were_written(zoo):
    model = zoo["two_responses"]
    assert model.locations[model.updates["q"]].startswith("conftest.py:")
    assert pickle.loads(pickle.dumps(model)).locations == {}


def test_a_declared_array_is_taken_as_it_was(parts):
    start = np.array([0.25, 0.75])
    model = rl.Model("m", **parts.good(states={"q": rl.State("action", initial=start)}))
    start[:] = 9.0
    assert model.states["q"].initial.attr("value") == (0.25, 0.75)


def test_initial_values(parts):
    def made(initial):
        return rl.Model("m", **parts.good(states={"q": rl.State("action", initial=initial)})).states["q"].initial

    assert made("alpha").op == "parameter"
    assert made(0).attr("value") == 0.0
    assert made(lambda alpha: alpha / 2).op == "div"
    assert made(lambda action: 1 / action).attr("value") == 0.5
    assert made([0, 1]).attr("value") == (0.0, 1.0)


def test_programs_are_remembered_by_what_is_complete(zoo):
    model = zoo["two_responses"]
    everything = frozenset(model.events)
    assert model.program(everything) is model.program(everything)
    assert model.program(everything).masked_events == frozenset()
    assert model.program().masked_events == {"state", "second", "reward"}
    assert model.program(everything).updates["q"] is model.updates["q"]
    assert model.program().used_events() == {"state", "second", "reward"}


def test_a_program_of_complete_data_is_the_model(model):
    program = model.program(frozenset(model.events))
    assert program.masked_events == frozenset()
    for name, node in {**program.updates, **program.records}.items():
        assert node.shape == {**model.updates, **model.records}[name].shape
    assert assume_complete(dict(program.updates), set(model.events)) == program.updates


def test_what_a_response_needs(zoo):
    model = zoo["two_responses"]
    assert model.needs("second").op == "is_missing"
    assert model.needs("first").attr("value") is False
