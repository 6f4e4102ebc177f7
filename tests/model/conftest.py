"""Models that together use every operation of the language."""

from types import SimpleNamespace

import numpy as np
import pytest

import rlbackends as rl
from rlbackends.expressions import OPERATIONS, walk


def _every_operation():
    def choice(q, table, stimulus, beta, w):
        values = w * q + (1 - w) * table[stimulus]
        free = rl.stack(1, 0, 1, axis="action") > rl.stack(0, 0, 0)
        return rl.Categorical(logits=beta * values, available=free | (values > 100))

    def go(choice, q, seen, beta, bias):
        return rl.Bernoulli(logits=bias + beta * q[choice] * rl.tanh(seen), where=seen < 1e6)

    def confidence(q, choice, go, width):
        return rl.Normal(mean=rl.softmax(q)[choice] + rl.to_float(go[0]), sd=width)

    def update(q, table, seen, stimulus, choice, go, confidence, reward, rewards, pair, alpha, w, width, bias):
        delta = rl.where(rl.is_missing(rewards[choice]), reward, rewards[choice]) - q[choice]
        rate = rl.clip(alpha * rl.exp(-abs(delta)), 0.01, 0.99)
        odd = rl.ndtr(delta) * rl.sigmoid(bias) + rl.log_ndtr(delta) + rl.softplus(-bias) + rl.log1p(width)
        odd = odd + rl.sqrt(width) ** 1.5 / (1 + width) + rl.ndtri(0.5 * w + 0.25) + rl.logsumexp(q) - rl.log(width)
        best = rl.argmax(rl.log_softmax(q))
        learns = (choice == best) & ~(reward < 0) | (go[0] <= 0)
        faded = (1 - rate) * table + rate * rl.one_hot(choice, q)[None, :] * rl.max(table)[:, None]
        return {
            "q": rl.where(learns, q.at[choice].add(rate * delta), q),
            "table": faded.at[stimulus, choice].set(reward).at[pair].add(0.001 * rl.sum(q) * np.ones(3)),
            "seen": rl.minimum(seen + rl.dot(rl.to_float(go), [1.0, 0.5]), 1e6) + 0.0 * confidence,
            "delta": delta,
            "odd": odd,
        }

    return rl.Model(
        "every_operation",
        parameters={
            "alpha": rl.Parameter(rl.UnitInterval(), "learning rate"), "beta": rl.Parameter(rl.Positive()),
            "w": rl.Parameter(rl.Interval(0.1, 0.9)), "bias": rl.Parameter(rl.RealLine()),
            "width": rl.Parameter(rl.Interval(0.5, 2)),
        },
        states={
            "q": rl.State("action", initial=lambda alpha, action: rl.stack(alpha, 0.0, 1 / action)),
            "table": rl.State("stimulus", "action", initial=np.linspace(0, 1, 6).reshape(2, 3)),
            "seen": rl.State("side", initial="w", reset="never"),
        },
        trial={
            "stimulus": rl.Index("stimulus"), "choice": choice, "go": go, "confidence": confidence, "reward": rl.Real(),
            "rewards": rl.Real("action"), "pair": rl.Index("stimulus", "side"),
        },
        update=update,
        records=["delta", "odd"],
        sizes={"action": 3, "stimulus": 2, "side": 2},
        description="Says nothing about anybody; uses everything.",
        reference="Nobody (2026)",
    )  # fmt: skip


def _smallest():
    return rl.Model(
        "smallest",
        parameters={"bias": rl.Parameter(rl.RealLine())},
        states={},
        trial={"go": lambda bias: rl.Bernoulli(logits=bias)},
        update=lambda: {},
    )


def _log_probs():
    def choice(q, beta, lapse):
        return rl.Categorical(log_probs=rl.log((1 - lapse) * rl.softmax(beta * q) + lapse / 4))

    def update(q, choice, chosen, reward, beta):
        return {"q": rl.where(chosen == 1, q.at[choice].set(reward), q), "x": rl.where(q > 0, -np.inf, np.nan)}

    return rl.Model(
        "log_probs",
        parameters={"beta": rl.Parameter(rl.Positive()), "lapse": rl.Parameter(rl.Interval(-0.0, 1.0))},
        states={"q": rl.State("action", initial=-0.0)},
        trial={"choice": choice, "chosen": rl.Binary(), "reward": rl.Real()},
        update=update,
        records=("x",),
        sizes={"action": np.int64(4)},
    )


def _two_responses():
    def first(q, beta):
        return rl.Categorical(logits=beta * rl.max(q))

    def second(q, state, beta):
        return rl.Categorical(logits=beta * q[state])

    def update(q, first, state, second, reward, alpha):
        new = q.at[state, second].add(alpha * (reward - q[state, second]))
        return {"q": new, "after": new[state, second]}

    return rl.Model(
        "two_responses",
        parameters={"alpha": rl.Parameter(rl.UnitInterval()), "beta": rl.Parameter(rl.Positive())},
        states={"q": rl.State("state", "action")},
        trial={"first": first, "state": rl.Index("state"), "second": second, "reward": rl.Real()},
        update=update,
        records=["after"],
        sizes={"state": 2, "action": 2},
    )


MAKERS = {
    "every_operation": _every_operation, "smallest": _smallest, "log_probs": _log_probs,
    "two_responses": _two_responses,
    **{f"catalogue {name}": make for name, make in rl.catalogue.MODELS.items()},
}  # fmt: skip


@pytest.fixture(scope="session")
def zoo():
    """Name → model."""
    models = {name: make() for name, make in MAKERS.items()}
    graphs = [node for m in models.values() for node in [*m.updates.values(), *m.records.values()]]
    graphs += [s.initial for m in models.values() for s in m.states.values()]
    graphs += [n for m in models.values() for r in m.response_rules.values() for n in r.arguments.values()]
    assert {node.op for node in walk(*graphs)} == set(OPERATIONS), "the zoo shall use every operation"
    return models


@pytest.fixture(params=list(MAKERS))
def model(request, zoo):
    """Each model of the zoo in turn."""
    return zoo[request.param]


@pytest.fixture(scope="session")
def parts():
    """The arguments of a good model, for tests that spoil one: ``rl.Model("m", **{**parts.good(), …})``."""

    def choice(q, beta):
        return rl.Categorical(logits=beta * q)

    def update(q, choice, reward, alpha):
        delta = reward - q[choice]
        return {"q": q.at[choice].add(alpha * delta), "delta": delta}

    def good(**changes):
        return {
            "parameters": {"alpha": rl.Parameter(rl.UnitInterval()), "beta": rl.Parameter(rl.Positive())},
            "states": {"q": rl.State("action")},
            "trial": {"choice": choice, "reward": rl.Real()},
            "update": update,
            "records": ["delta"],
            "sizes": {"action": 2},
            **changes,
        }

    return SimpleNamespace(good=good, choice=choice, update=update)
