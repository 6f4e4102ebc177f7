"""Missing values: what needs one, decided on the graph (DESIGN: semantics, 3)."""

import itertools

import numpy as np
import pytest

from rlbackends.backends.reference.tape import Cell, Tape
from rlbackends.backends.reference.tape import evaluate as follow
from rlbackends.expressions import REAL, integer, walk
from rlbackends.expressions import functions as f
from rlbackends.expressions.numpy_table import evaluate
from rlbackends.expressions.operations import FALSE, build
from rlbackends.expressions.passes import assume_complete, missing


@pytest.fixture
def choice(make):
    return make.event("choice", integer(0, 1))


@pytest.fixture
def reward(make):
    return make.event("reward")


@pytest.fixture
def rewards(make):
    return make.event("rewards", REAL, ("action", 2))


def flags(expression):
    """Return the events, or entries of events, that the missing graph asks about."""
    return [node.args[0] for node in walk(missing(expression.node)) if node.op == "is_missing"]


def flag(expression):
    return build("is_missing", expression.node)


def test_parameters_states_and_constants_are_never_missing(make):
    q = make.state("q", ("action", 2))
    assert missing((q * make.parameter("alpha") + 1.0).node) is FALSE


def test_a_value_inherits_from_its_arguments(choice, reward, make):
    q = make.state("q", ("action", 2))
    assert missing((reward - q[choice]).node) is build("or", flag(reward), flag(choice))
    assert missing(q.at[choice].add(reward).node) is build("or", flag(choice), flag(reward))
    assert missing((q[choice] > 0).node) is flag(choice)
    assert missing(f.one_hot(choice, q).node) is flag(choice)


def test_flags_are_said_once(choice, reward, make):
    q = make.state("q", ("action", 2))
    delta = reward - q[choice]
    graph = missing(q.at[choice].add(delta * delta + reward).node)
    assert graph is build("or", flag(choice), flag(reward))
    assert len(flags(q.at[choice].add(delta))) == 2


def test_is_missing_stops_it(reward):
    assert missing(f.is_missing(reward).node) is FALSE
    assert f.is_missing(reward + 1.0).node is flag(reward)


def test_a_choice_takes_it_from_the_condition_and_the_branch_chosen(choice, reward, make):
    alpha = make.parameter("alpha")
    filled = f.where(f.is_missing(reward), 0.0, reward)
    assert missing(filled.node) is FALSE
    assert missing(f.where(alpha > 0, reward, reward * 2).node) is flag(reward)
    graph = missing(f.where(alpha > 0, reward, 0.0).node)
    assert graph is build("and", (alpha > 0).node, flag(reward))
    assert missing(f.where(choice == 1, 1.0, 0.0).node) is flag(choice)


def test_a_choice_by_entry_needs_both_branches(reward, make):
    q = make.state("q", ("action", 2))
    assert missing(f.where(q > 0, reward, 0.0).node) is flag(reward)


def test_an_entry_of_an_event_needs_that_entry_alone(rewards, choice, make):
    assert missing(rewards[0].node) is flag(rewards[0])
    assert missing(rewards[choice].node) is build("or", flag(choice), flag(rewards[choice]))
    assert missing((rewards * 2.0).node) is flag(rewards)
    pairs = make.event("pairs", integer(0, 1), ("pair", 3))
    assert missing(rewards[pairs].node) is build("or", flag(pairs), flag(rewards[pairs]))


def test_known_to_be_complete(choice, reward, rewards, make):
    q = make.state("q", ("action", 2))
    graph = {"x": missing((reward - q[choice] + rewards[choice]).node)}
    assert assume_complete(graph, {"choice", "reward", "rewards"})["x"] is FALSE
    assert assume_complete(graph, {"choice", "rewards"})["x"] is flag(reward)
    assert assume_complete(graph, {"choice", "reward"})["x"] is flag(rewards[choice])
    held = {"x": f.where(f.is_missing(reward), q, q * 2.0).node}
    assert assume_complete(held, {"reward"})["x"] is (q * 2.0).node
    assert assume_complete(held, set()) == held


def test_the_graph_says_what_following_the_values_finds(choice, reward, rewards, make):
    """Every pattern of missing entries, against the reference's evaluation, which follows them as they arise."""
    alpha, q = make.parameter("alpha"), make.state("q", ("action", 2))
    expressions = [
        reward - q[choice],
        q.at[choice].add(alpha * (reward - q[choice])),
        f.where(f.is_missing(reward), q[choice], reward),
        f.where(choice == 1, reward, 0.0) + f.where(choice == 0, rewards[0], 1.0),
        f.where(f.where(f.is_missing(choice), 0.0, q[choice]) > 0, reward, rewards[choice]),
        f.where(q > reward, rewards, 0.0),
        f.where(f.is_missing(rewards[1 - choice]), rewards[choice], rewards[1 - choice]),
        f.where(f.is_missing(f.where(alpha > 0, reward, 0.0)), 1.0, 2.0),
        f.max(rewards) + 0.0 * alpha,
    ]
    for one, two, first, second, code in itertools.product(
        [False, True], [False, True], [False, True], [False, True], [0, 1]
    ):
        unknown = {"choice": np.bool_(one), "reward": np.bool_(two), "rewards": np.array([first, second])}
        values = {
            "choice": np.int64(0 if one else code), "reward": np.float64(0.0 if two else 0.7),
            "rewards": np.where([first, second], 0.0, [0.2, 0.4]), "alpha": np.float64(0.3), "q": np.array([0.5, -0.5]),
        }  # fmt: skip

        def leaf(node, values=values, unknown=unknown):
            cell = Cell(values[node.attr("name")])
            if node.op == "event":
                cell.entries = unknown[node.attr("name")]
                cell.missing = bool(np.any(cell.entries))
            return cell

        for expression in expressions:
            said = bool(evaluate(missing(expression.node), values, unknown))
            found = follow(expression.node, {}, leaf, Tape(record=False))
            assert said == found.missing, (expression, unknown)
            if not said:
                np.testing.assert_array_equal(evaluate(expression.node, values, unknown), found.value)
