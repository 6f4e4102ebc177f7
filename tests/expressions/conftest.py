"""What the tests of the language share: stand-ins, and one example of every operation."""

from types import SimpleNamespace

import pytest

from rlbackends.expressions import REAL, Axis, Expression, build, constant, integer
from rlbackends.expressions import functions as f


def _state(name, *axes):
    return Expression(build("state", name=name, axes=tuple(Axis(*axis) for axis in axes)))


def _event(name, kind=REAL, *axes):
    return Expression(build("event", name=name, kind=kind, axes=tuple(Axis(*axis) for axis in axes)))


def _parameter(name):
    return Expression(build("parameter", name=name))


@pytest.fixture(scope="session")
def make():
    """Stand-ins: ``make.state("q", ("action", 2))``, ``make.event(name, kind, *axes)``, ``make.parameter(name)``."""
    return SimpleNamespace(state=_state, event=_event, parameter=_parameter)


@pytest.fixture(scope="session")
def examples():
    """One node of every operation, by its name, and in ``leaves`` values for what they read."""
    a, b = _parameter("a"), _parameter("b")
    q = _state("q", ("action", 3))
    table = _state("table", ("stimulus", 2), ("action", 3))
    choice, reward = _event("choice", integer(0, 2)), _event("reward")
    nodes = {
        "const": constant([0.5, 1.5]),
        "parameter": a.node,
        "state": q.node,
        "event": reward.node,
        "add": (a + b).node,
        "sub": (a - b).node,
        "mul": (a * b).node,
        "div": (a / b).node,
        "pow": (a**b).node,
        "neg": (-a).node,
        "abs": abs(a).node,
        "exp": f.exp(a).node,
        "log": f.log(a).node,
        "log1p": f.log1p(a).node,
        "sqrt": f.sqrt(a).node,
        "sigmoid": f.sigmoid(a).node,
        "softplus": f.softplus(a).node,
        "tanh": f.tanh(a).node,
        "maximum": f.maximum(a, b).node,
        "minimum": f.minimum(a, b).node,
        "ndtr": f.ndtr(a).node,
        "log_ndtr": f.log_ndtr(a).node,
        "ndtri": f.ndtri(a).node,
        "lt": (a < b).node,
        "le": (a <= b).node,
        "eq": (choice == 1).node,
        "and": ((a < b) & (b < 1)).node,
        "or": ((a < b) | (b < 1)).node,
        "not": (~(a < b)).node,
        "where": f.where(a < b, a, b).node,
        "is_missing": f.is_missing(reward).node,
        "to_real": f.to_float(choice).node,
        "sum": f.sum(q).node,
        "max": f.max(table).node,
        "argmax": f.argmax(q).node,
        "softmax": f.softmax(q).node,
        "log_softmax": f.log_softmax(q).node,
        "logsumexp": f.logsumexp(table, axis=0).node,
        "gather": q[choice].node,
        "at_add": q.at[choice].add(a).node,
        "at_set": table.at[1, choice].set(b).node,
        "one_hot": f.one_hot(choice, q).node,
        "stack": f.stack(a, b, axis="pair").node,
        "expand": q[None, :].node,
    }
    leaves = {
        "a": 0.3,
        "b": 0.7,
        "q": [0.1, 0.9, -0.4],
        "table": [[0.1, 0.2, 0.3], [0.6, 0.5, 0.4]],
        "choice": 1,
        "reward": 2.0,
    }
    return SimpleNamespace(nodes=nodes, leaves=leaves, missing={"reward": False})
