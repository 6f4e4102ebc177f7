"""What a backend lowers: holding, NaN records and settled arguments, written out (DESIGN: semantics, 3)."""

import itertools

import numpy as np
import pytest

import rlbackends as rl
from rlbackends.expressions import walk
from rlbackends.expressions.numpy_table import evaluate


@pytest.fixture(scope="module")
def model():
    def choice(q, cue, beta):
        return rl.Categorical(logits=beta * q * rl.log(cue))

    def update(q, seen, choice, reward, cue, alpha):
        delta = reward - q[choice]
        return {
            "q": (0.9 * q).at[choice].add(alpha * delta),
            "seen": seen + rl.where(rl.is_missing(reward), 0.0, 1.0),
            "delta": delta,
            "cued": rl.where(choice == 0, 1.0 / cue, 0.0),
        }

    return rl.Model(
        "m",
        parameters={"alpha": rl.Parameter(rl.UnitInterval()), "beta": rl.Parameter(rl.Positive())},
        states={"q": rl.State("action"), "seen": rl.State()},
        trial={"cue": rl.Real(), "choice": choice, "reward": rl.Real()},
        update=update,
        records=["delta", "cued"],
        sizes={"action": 2},
    )


@pytest.mark.parametrize(("cue", "choice", "reward"), list(itertools.product([False, True], repeat=3)))
def test_every_pattern_of_missing_values(cue, choice, reward, model):
    q = np.array([0.25, 0.5])
    # Missing cells hold 0, as the data arrays have it.
    leaves = {"alpha": 0.5, "beta": 2.0, "q": q, "seen": np.float64(3.0), "cue": 0.0 if cue else 4.0,
              "choice": np.int64(0), "reward": 0.0 if reward else 1.0}  # fmt: skip
    missing = {"cue": np.bool_(cue), "choice": np.bool_(choice), "reward": np.bool_(reward)}
    program = model.program(frozenset(name for name, gone in missing.items() if not gone))
    values = {
        name: evaluate(node, leaves, missing)  # no warning: what is missing meets no logarithm and no division
        for name, node in {**program.updates, **program.records, **program.arguments["choice"]}.items()
    }
    held = choice or reward
    np.testing.assert_allclose(values["q"], q if held else [0.9 * 0.25 + 0.5 * 0.75, 0.45])
    assert values["seen"] == (3.0 if reward else 4.0)
    np.testing.assert_equal(values["delta"], np.nan if held else 0.75)
    np.testing.assert_equal(values["cued"], np.nan if choice or cue else 0.25)
    assert np.all(np.isfinite(values["logits"]))
    if not cue:
        np.testing.assert_allclose(values["logits"], 2.0 * q * np.log(4.0))
    # A flag is read only for an event that may be missing.
    assert program.masked_events == {name for name, gone in missing.items() if gone}


def test_shapes_are_those_of_the_states(zoo):
    for model in zoo.values():
        for complete in (frozenset(), frozenset(model.events)):
            program = model.program(complete)
            for name, node in program.updates.items():
                assert node.shape == model.states[name].shape
            for name, node in program.records.items():
                assert node.shape == model.records[name].shape


def test_flags_are_said_once(zoo):
    program = zoo["catalogue rescorla_wagner"].program()
    flags = [node for node in walk(program.updates["q"]) if node.op == "is_missing"]
    ors = [node for node in walk(program.updates["q"]) if node.op == "or"]
    assert len(flags) == 2 and len(ors) == 1


def test_events_that_the_loop_reads(zoo):
    program = zoo["catalogue two_step"].program()
    assert program.used_events() == {"choice1", "state2", "choice2", "reward"}
    assert zoo["smallest"].program().used_events() == frozenset()
