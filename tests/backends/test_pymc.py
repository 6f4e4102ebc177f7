"""The PyMC backend against the reference, and what is its own: the PyMC model, precision, settings."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pytest
import scipy.special

import rlbackends as rl
from rlbackends.errors import BackendError, SettingError
from rlbackends.expressions.kinds import REAL, Axis, integer
from rlbackends.expressions.numpy_table import evaluate
from rlbackends.expressions.operations import OPERATIONS, build, constant
from rlbackends.testing import assert_close

pytensor = pytest.importorskip("pytensor")
pm = pytest.importorskip("pymc")

from rlbackends.backends.pymc.lower import lower  # noqa: E402
from rlbackends.backends.pymc.operations import TABLES  # noqa: E402
from rlbackends.backends.pymc.priors import PRIORS, prior_variable  # noqa: E402
from rlbackends.backends.pymc.samplers.nutpie import sample  # noqa: E402
from rlbackends.population.priors import PRIORS as ALL_PRIORS  # noqa: E402
from rlbackends.population.transforms import constrain, log_jacobian  # noqa: E402

FAST = "FAST_COMPILE"


@pytest.fixture(autouse=True)
def _no_c_compiler() -> Iterator[None]:
    """FAST_COMPILE without C: many small functions, each called once or twice."""
    with pytensor.config.change_flags(cxx=""):
        yield


def assert_agrees(
    model: rl.Model, data: rl.Trials, params: Mapping[str, Any], *, gather: str = "auto", mode: str | None = FAST
) -> None:
    """Assert that log-likelihood, trajectories and gradient are the reference's."""
    reference = rl.compile(model, data)
    compiled = rl.compile(model, data, backend="pymc", gather=gather, mode=mode)
    value, gradient = compiled.value_and_gradient(params)
    expected_value, expected_gradient = reference.value_and_gradient(params)
    assert all(np.isfinite(slope).all() for slope in expected_gradient.values())
    assert_close(compiled.log_likelihood(params), reference.log_likelihood(params), "log_likelihood")
    assert_close(compiled.trajectories(params), reference.trajectories(params), "trajectories")
    assert_close(value, expected_value, "log_likelihood")
    assert_close(gradient, expected_gradient, "gradient")


def missing(array: np.ndarray, *cells: tuple[int, ...]) -> np.ndarray:
    """Return a float copy in which these cells are missing."""
    result = np.array(array, dtype=float)
    for cell in cells:
        result[cell] = np.nan
    return result


# Models


def two_states() -> rl.Model:
    """Two responses with a world event between, several states and axes, a rule for an initial value."""

    def choice1(q, kernel, beta, kappa):
        return rl.Categorical(logits=beta * rl.max(q, axis=-1) + kappa * kernel)

    def choice2(q, beta, state2):
        return rl.Categorical(logits=beta * q[state2])

    def learn(q, kernel, clock, choice1, state2, choice2, reward, alpha):
        error = reward - q[state2, choice2]
        return {
            "q": q.at[state2, choice2].add(alpha * error),
            "kernel": kernel + alpha * (rl.one_hot(choice1, kernel) - kernel),
            "clock": clock + 1.0,
            "error": error,
        }

    return rl.Model(
        "two_states",
        parameters={
            "alpha": rl.Parameter(rl.UnitInterval()),
            "beta": rl.Parameter(rl.Positive()),
            "kappa": rl.Parameter(rl.RealLine()),
        },
        states={
            "q": rl.State("second", "action", initial=lambda kappa: kappa / 2),
            "kernel": rl.State("second", initial="alpha", reset="never"),
            "clock": rl.State(),
            "still": rl.State("action", initial=[0.25, 0.75]),
        },
        trial={"choice1": choice1, "state2": rl.Index("second"), "choice2": choice2, "reward": rl.Real()},
        update=learn,
        records=["error"],
        sizes={"second": 2, "action": 2},
    )


def two_states_data(**given: Any) -> rl.Trials:
    rng = np.random.default_rng(3)
    shape = (3, 8)
    events = {name: rng.integers(0, 2, shape) for name in ("choice1", "state2", "choice2")}
    return rl.Trials.from_arrays(**{**events, "reward": rng.normal(size=shape), **given})


TWO_STATES = {"alpha": [0.1, 0.5, 0.9], "beta": 2.0, "kappa": [-0.5, 0.0, 0.7]}


@pytest.mark.parametrize("gather", ["gather", "one_hot"])
def test_rescorla_wagner(gather: str) -> None:
    rng = np.random.default_rng(0)
    choice = missing(rng.integers(0, 3, (3, 8)), (0, 2), (2, 0))
    reward = missing(rng.normal(size=(3, 8)), (1, 3), (0, 2))
    data = rl.Trials.from_arrays(
        choice=choice, reward=reward, lengths=[8, 5, 7], blocks=[0, 0, 0, 1, 1, 1, 1, 1], levels={"choice": range(3)}
    )
    model = rl.catalogue.rescorla_wagner(3, initial=0.5)
    assert_agrees(model, data, {"alpha": [0.2, 0.5, 0.9], "beta": 3.0}, gather=gather)
    by_trial = {"alpha": rng.uniform(size=(3, 8)), "beta": rng.uniform(1, 4, size=(3, 8))}
    assert_agrees(model, data, by_trial, gather=gather)


def test_extreme_logits_have_finite_gradients() -> None:
    # Differences of logits beyond 745: the probabilities of the other actions underflow.
    data = rl.Trials.from_arrays(choice=[[0, 1, 1, 0, 0]], reward=[[1.0, 2.0, -3.0, 4.0, 0.0]])
    assert_agrees(rl.catalogue.rescorla_wagner(), data, {"alpha": 0.7, "beta": 1e3})


@pytest.mark.parametrize("gather", ["gather", "one_hot"])
def test_two_responses_states_and_blocks(gather: str) -> None:
    data = two_states_data(blocks=[0, 0, 0, 1, 1, 1, 2, 2], lengths=[8, 4, 7])
    assert_agrees(two_states(), data, TWO_STATES, gather=gather)


def test_initial_values_follow_the_trial_of_the_reset() -> None:
    rng = np.random.default_rng(4)
    kappa, alpha = rng.normal(size=(3, 8)), rng.uniform(size=(3, 8))
    data = two_states_data(blocks=[0, 0, 0, 1, 1, 1, 2, 2], lengths=[8, 4, 7])
    assert_agrees(two_states(), data, {"alpha": alpha, "beta": 2.0, "kappa": kappa})
    assert_agrees(two_states(), two_states_data(), {"alpha": 0.3, "beta": 2.0, "kappa": kappa})


def test_one_subject_and_one_trial() -> None:
    one = {name: [[1]] for name in ("choice1", "state2", "choice2", "reward")}
    assert_agrees(two_states(), rl.Trials.from_arrays(levels={n: (0, 1) for n in list(one)[:3]}, **one),
          {"alpha": 0.3, "beta": 2.0, "kappa": 0.5})  # fmt: skip


def test_missing_events_hold_states() -> None:
    rng = np.random.default_rng(5)
    data = two_states_data(
        choice1=missing(rng.integers(0, 2, (3, 8)), (0, 0), (1, 7)),
        state2=missing(rng.integers(0, 2, (3, 8)), (2, 3)),
        choice2=missing(rng.integers(0, 2, (3, 8)), (2, 3), (0, 4)),
        reward=missing(rng.normal(size=(3, 8)), (1, 1), (2, 7)),
    )
    assert_agrees(two_states(), data, TWO_STATES)


def bandit(update: Callable[..., Any], *, states: Mapping[str, rl.State] | None = None, **trial: Any) -> rl.Model:
    """Return a three-armed model around an update rule; its choice is softmax(beta q)."""

    def choice(q, beta):
        return rl.Categorical(logits=beta * q)

    return rl.Model(
        "bandit",
        parameters={"alpha": rl.Parameter(rl.UnitInterval()), "beta": rl.Parameter(rl.Positive())},
        states={"q": rl.State("action", initial="alpha"), **(states or {})},
        trial={"choice": choice, **(trial or {"reward": rl.Real()})},
        update=update,
        sizes={"action": 3, "stimulus": 4, "pair": 2},
    )


def bandit_data(**given: Any) -> rl.Trials:
    rng = np.random.default_rng(6)
    choice, reward = rng.integers(0, 3, (2, 7)), rng.normal(size=(2, 7)).round(1)
    return rl.Trials.from_arrays(
        **{"choice": choice, "reward": reward, "levels": {"choice": range(3)}, "lengths": [7, 5], **given}
    )


BANDIT = {"alpha": [0.3, 0.6], "beta": 1.5}


def _ties(q, choice, reward, alpha):
    # Every state starts from one parameter, so all of these tie on the first trial.
    best, other = rl.max(q), rl.maximum(q[0], q[1])
    new = q.at[choice].add(alpha * (reward + best - q[choice]))
    return {"q": new + 0.1 * other - 0.2 * rl.minimum(q[1], q[2]) * rl.abs(q[0] - q[2])}


def _functions(q, choice, reward, alpha):
    x = q[choice] + reward
    smooth = rl.sigmoid(x) + rl.softplus(x) + rl.tanh(x) + rl.ndtr(x) + rl.log_ndtr(x) + rl.log_ndtr(20 * x)
    partial = rl.log1p(x * x) + rl.sqrt(1 + x * x) + rl.exp(-x * x) + rl.log(2 + rl.sigmoid(x))
    partial = partial + rl.ndtri(rl.sigmoid(x))
    along = rl.logsumexp(q) + rl.sum(rl.softmax(q) * q) + rl.sum(rl.log_softmax(q)) + q[rl.argmax(q)]
    return {"q": q.at[choice].set(alpha * (smooth + partial) / (1 + x * x) + 0.1 * along + (1 + x * x) ** alpha)}


def _guards(q, choice, reward, alpha):
    gain = rl.where(reward > 0, rl.log(reward) + rl.sqrt(reward) + reward**alpha + 1 / reward, -1.0)
    loss = rl.where(reward < 0, (-reward) ** alpha, 0.0)
    return {"q": q.at[choice].add(alpha * (gain - loss - q[choice]))}


@pytest.mark.parametrize("gather", ["gather", "one_hot"])
@pytest.mark.parametrize("update", [_ties, _functions, _guards])
def test_derivatives(update: Callable[..., Any], gather: str) -> None:
    rng = np.random.default_rng(7)
    reward = missing(rng.normal(size=(2, 7)).round(1), (0, 3))
    reward[1, 1] = 0.0
    assert_agrees(bandit(update), bandit_data(reward=reward), BANDIT, gather=gather)


def test_padding_and_missing_cells_leak_nothing() -> None:
    # Zeros stand where nothing is: their logarithm and reciprocal must not reach values or gradients.
    def choice(q, beta, intensity):
        return rl.Categorical(logits=beta * q * rl.log(intensity) / intensity)

    def learn(q, choice, intensity, alpha):
        return {"q": q.at[choice].add(alpha * (rl.log(intensity) + 1 / intensity - q[choice]))}

    model = rl.Model(
        "intensity",
        parameters={"alpha": rl.Parameter(rl.UnitInterval()), "beta": rl.Parameter(rl.Positive())},
        states={"q": rl.State("action", initial="alpha")},
        trial={"intensity": rl.Real(), "choice": choice},
        update=learn,
        sizes={"action": 3},
    )
    rng = np.random.default_rng(8)
    intensity = missing(rng.uniform(0.5, 2, (2, 7)), (0, 3))
    data = rl.Trials.from_arrays(
        intensity=intensity, choice=missing(rng.integers(0, 3, (2, 7)), (0, 3), (0, 5)), lengths=[7, 4],
        levels={"choice": range(3)},
    )  # fmt: skip
    assert_agrees(model, data, BANDIT)


def test_is_missing_and_events_with_axes() -> None:
    def learn(q, choice, outcome, reward, alpha):
        seen = rl.where(rl.is_missing(outcome[choice]), 0.5, outcome[choice])
        paid = rl.where(rl.is_missing(reward), -q[choice], reward)
        spread = rl.where(rl.is_missing(outcome), 0.0, rl.sum(outcome))
        return {"q": q.at[choice].add(alpha * (seen + paid + 0.1 * spread - q[choice]))}

    rng = np.random.default_rng(9)
    outcome = missing(rng.normal(size=(2, 7, 3)), (0, 1, 0), (0, 1, 1), (1, 2, 2), (0, 4, 0))
    data = bandit_data(outcome=outcome, reward=missing(rng.normal(size=(2, 7)), (0, 0), (1, 3)))
    assert_agrees(bandit(learn, outcome=rl.Real("action"), reward=rl.Real()), data, BANDIT)


@pytest.mark.parametrize("gather", ["gather", "one_hot"])
def test_tables_vectors_and_shapes(gather: str) -> None:
    def learn(q, table, cube, choice, pair, reward, alpha):
        rows = table[pair]  # (pair, action)
        cells = table[pair, choice]  # (pair,)
        column = table[:, choice]  # (stimulus,)
        best = rl.max(table, axis=0)  # (action,)
        chosen = cube[:, pair[0], choice]  # (pair,): the index comes after a whole axis
        moved = table.at[pair, choice].add(alpha * (reward - cells))
        moved = moved.at[pair[0]].add(0.1 * best)
        moved = moved.at[:, 2].add(0.01 * column)
        moved = moved.at[0, choice].set(alpha * rl.sum(rows))
        cube = cube.at[:, pair, choice].add(0.1 * cells[None, :] * chosen[:, None])
        cube = cube.at[1, :, 0].set(rl.sum(cube, axis=0)[:, 1])
        both = rl.stack(q[choice], reward, alpha)
        outer = q[:, None] * both[None, :]
        mixed = rl.sum(outer, axis=-1) + 0.1 * rl.one_hot(choice, q) * rl.sum(cells * chosen)
        return {"q": rl.tanh(mixed + best), "table": moved, "cube": 0.5 * cube + 0.1 * alpha}

    states = {
        "table": rl.State("stimulus", "action", initial=np.arange(12.0).reshape(4, 3) / 10),
        "cube": rl.State("pair", "stimulus", "action", initial="beta", reset="never"),
    }
    rng = np.random.default_rng(10)
    pair = np.stack([rng.permuted(np.tile(np.arange(4), (7, 1)), axis=1)[:, :2] for _ in range(2)])
    data = bandit_data(pair=pair, blocks=[0, 0, 0, 1, 1, 1, 1])
    model = bandit(learn, states=states, pair=rl.Index("stimulus", "pair"), reward=rl.Real())
    assert_agrees(model, data, BANDIT, gather=gather)
    one = rl.Trials.from_arrays(
        choice=[[0, 1, 2]], pair=pair[:1, :3], reward=[[1.0, 0.0, 1.0]], levels={"choice": range(3), "pair": range(4)}
    )
    assert_agrees(model, one, {"alpha": 0.3, "beta": 1.5}, gather=gather)


def test_axes_of_one_entry() -> None:
    def choice(q, beta):
        return rl.Categorical(logits=beta * q[:, 0])

    def learn(q, cue, choice, reward, alpha):
        moved = q.at[choice, cue].add(alpha * (reward - q[choice, cue]))
        return {"q": moved + 0.1 * rl.max(q, axis=0) * q[:, cue][:, None]}

    model = rl.Model(
        "one_entry",
        parameters={"alpha": rl.Parameter(rl.UnitInterval()), "beta": rl.Parameter(rl.Positive())},
        states={"q": rl.State("action", "kind", initial=0.2)},
        trial={"cue": rl.Index("kind"), "choice": choice, "reward": rl.Real()},
        update=learn,
        sizes={"action": 3, "kind": 1},
    )
    assert_agrees(model, bandit_data(cue=np.zeros((2, 7)), levels={"choice": range(3), "cue": [0]}), BANDIT)


def availability(shape: tuple[int, int] = (2, 6)) -> tuple[rl.Model, rl.Trials]:
    """Some actions can't be chosen on some trials; an action's availability is an event with an axis."""

    def choice(q, beta, offered):
        return rl.Categorical(logits=beta * q, available=offered == 1)

    def learn(q, choice, reward, offered, alpha):
        return {"q": q.at[choice].add(alpha * (reward + rl.max(rl.where(offered == 1, q, -5.0)) - q[choice]))}

    model = rl.Model(
        "availability",
        parameters={"alpha": rl.Parameter(rl.UnitInterval()), "beta": rl.Parameter(rl.Positive())},
        states={"q": rl.State("action", initial="alpha")},
        trial={"offered": rl.Binary("action"), "choice": choice, "reward": rl.Real()},
        update=learn,
        sizes={"action": 3},
    )
    rng = np.random.default_rng(11)
    choices = rng.integers(0, 3, shape)
    offered = rng.integers(0, 2, (*shape, 3))
    np.put_along_axis(offered, choices[..., None], 1, axis=2)
    data = rl.Trials.from_arrays(
        offered=offered, choice=missing(choices, (0, 1)), reward=rng.normal(size=shape), lengths=[6, 4],
        levels={"choice": range(3)},
    )  # fmt: skip
    return model, data


def test_unavailable_actions() -> None:
    assert_agrees(*availability(), BANDIT)


def other_responses() -> tuple[rl.Model, rl.Trials]:
    """Sub-choices with a mask from an event, one with a mask from a state, and a continuous response."""

    def picks(w, cue, beta):
        return rl.Bernoulli(logits=beta * w * cue, where=cue != 0)

    def bold(w, beta):
        return rl.Bernoulli(logits=beta + w, where=w > 0)

    def rating(w, cue, sigma):
        return rl.Normal(mean=rl.dot(w, cue), sd=sigma)

    def learn(w, cue, picks, outcome, alpha):
        return {"w": w + alpha * cue * (outcome - rl.dot(w, cue)) + 0.1 * picks}

    model = rl.Model(
        "other_responses",
        parameters={
            "alpha": rl.Parameter(rl.UnitInterval()),
            "beta": rl.Parameter(rl.RealLine()),
            "sigma": rl.Parameter(rl.Positive()),
        },
        states={"w": rl.State("feature", initial=[0.1, -0.1, 0.0])},
        trial={"cue": rl.Real("feature"), "picks": picks, "bold": bold, "rating": rating, "outcome": rl.Real()},
        update=learn,
        sizes={"feature": 3},
    )
    rng = np.random.default_rng(12)
    cue = rng.integers(-1, 2, (2, 6, 3)).astype(float)
    cue[1, 2] = 0.0
    data = rl.Trials.from_arrays(
        cue=cue,
        picks=missing(rng.integers(0, 2, (2, 6, 3)), (0, 1, 2), (0, 3, 0), (0, 3, 1), (0, 3, 2)),
        bold=missing(rng.integers(0, 2, (2, 6, 3)), (1, 1, 0)),
        rating=missing(rng.normal(size=(2, 6)), (1, 2)),
        outcome=rng.normal(size=(2, 6)),
        lengths=[6, 5],
    )
    return model, data


OTHER = {"alpha": [0.2, 0.7], "beta": [0.5, -0.3], "sigma": [0.8, 1.7]}


def test_bernoulli_and_normal_responses() -> None:
    model, data = other_responses()
    assert_agrees(model, data, OTHER)
    rng = np.random.default_rng(13)
    assert_agrees(model, data, {**OTHER, "sigma": rng.uniform(0.5, 2, (2, 6)), "beta": rng.normal(size=(2, 6))})


@pytest.mark.parametrize("full", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_the_default_mode(full: bool) -> None:
    """PyTensor's own default is Numba; of the small model only the log-likelihood, because compiling is slow."""
    data = two_states_data(blocks=[0, 0, 0, 1, 1, 1, 2, 2], lengths=[8, 4, 7])
    if full:
        assert_agrees(two_states(), data, TWO_STATES, mode=None)
        return
    model, small = rl.catalogue.rescorla_wagner(), small_data()
    params = {"alpha": 0.3, "beta": 1e3}
    compiled = rl.compile(model, small, backend="pymc")
    expected = rl.compile(model, small).log_likelihood(params)
    assert_close(compiled.log_likelihood(params), expected, "log_likelihood")


# Operations


def test_tables_cover_the_language() -> None:
    operations = {name for name, operation in OPERATIONS.items() if operation.group != "leaf"}
    for table in TABLES.values():
        assert set(table) == operations


def test_an_operation_without_a_row_is_named() -> None:
    node = build("tanh", build("parameter", name="x"))
    with pytest.raises(BackendError, match="'tanh'"):
        lower({"y": node}, lambda leaf: None, 1, {})


def value_of(op: str, *values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return an elementwise operation on numbers, and its raw derivative by the first argument."""
    import pytensor.tensor as pt

    names = [f"x{i}" for i in range(len(values))]
    node = build(op, *(build("parameter", name=name) for name in names))
    tensors = {name: pt.vector(name, dtype="float64") for name in names}
    result = lower({"y": node}, lambda leaf: tensors[leaf.attr("name")], len(values[0]), TABLES["gather"])["y"]
    slope = pt.grad(pt.sum(result), tensors["x0"])
    found = pytensor.function([*tensors.values()], [result, slope], mode=FAST)(*values)
    return found[0], found[1]


def test_normal_distribution_far_into_the_tails() -> None:
    x = np.array([-300.0, -37.0, -8.3, -1.0, -0.5, 0.0, 1.0, 8.5, 40.0, 300.0])
    value, slope = value_of("log_ndtr", x)
    np.testing.assert_allclose(value, scipy.special.log_ndtr(x), rtol=1e-12, atol=1e-300)
    expected = np.exp(-0.5 * x**2 - scipy.special.log_ndtr(x)) / math.sqrt(2 * math.pi)
    np.testing.assert_allclose(slope, expected, rtol=1e-11, atol=1e-300)
    value, slope = value_of("ndtr", x)
    np.testing.assert_allclose(value, scipy.special.ndtr(x), rtol=1e-12, atol=1e-300)
    p = np.array([1e-200, 1e-12, 0.02, 0.5, 0.7, 1 - 1e-12])
    np.testing.assert_allclose(value_of("ndtri", p)[0], scipy.special.ndtri(p), rtol=1e-12, atol=1e-16)


def test_powers_at_and_below_zero() -> None:
    base, exponent = np.array([0.0, 0.0, 0.0, -2.0, 4.0]), np.array([0.0, 1.0, 2.5, 3.0, 0.5])
    value, slope = value_of("pow", base, exponent)
    assert_close(value, [1.0, 0.0, 0.0, -8.0, 2.0], "log_likelihood")
    assert_close(slope, [0.0, 1.0, 0.0, 12.0, 0.25], "gradient")


@pytest.mark.parametrize("gather", ["gather", "one_hot"])
def test_entries_in_every_arrangement(gather: str) -> None:
    """Subscripts with indices of one subject, of all, constant, scalar and vector, against NumPy."""
    import pytensor.tensor as pt

    rng = np.random.default_rng(14)
    size = 3
    x = build("state", name="x", axes=(Axis("a", 2), Axis("b", 3), Axis("c", 2)))
    leaves = {
        "x": rng.normal(size=(size, 2, 3, 2)),
        "i": rng.integers(0, 2, size),
        "v": np.stack([rng.permutation(2) for _ in range(size)]),
    }
    scalar = build("event", name="i", kind=integer(0, 1), axes=())
    vector = build("event", name="v", kind=integer(0, 1), axes=(Axis("k", 2),))
    one, both = constant(1), constant([1, 0])
    cases = [
        ("i::", scalar), ("::i", scalar), (":i:", scalar), ("i:i", scalar, scalar), ("i:i", one, scalar),
        ("iii", scalar, one, scalar), ("i::", vector), ("::i", vector), (":i:", vector), (":ii", vector, scalar),
        (":ii", scalar, vector), ("ii:", one, vector), ("::i", both),
        (":ii", both, scalar), (":ii", one, one), ("i::", one),
    ]  # fmt: skip

    def found(node: Any) -> np.ndarray:
        tensors = {name: pt.constant(value) for name, value in leaves.items()}
        result = lower({"y": node}, lambda leaf: tensors[leaf.attr("name")], size, TABLES[gather])["y"]
        return np.broadcast_to(result.eval(mode=FAST), (size, *node.shape))

    def expected(node: Any) -> np.ndarray:
        return np.stack([evaluate(node, {name: value[s] for name, value in leaves.items()}) for s in range(size)])

    for pattern, *indices in cases:
        taken = build("gather", x, *indices, pattern=pattern)
        nodes = [taken, build("gather", build("lt", x, constant(0.0)), *indices, pattern=pattern)]
        for op in ("at_add", "at_set"):
            for value in (constant(2.5), build("mul", taken, constant(0.5))):
                nodes.append(build(op, x, *indices, value, pattern=pattern))
        for node in nodes:
            assert node.kind == REAL or node.op == "gather"
            assert_close(found(node), expected(node), "trajectories")


# The PyMC model


def test_priors_cover_the_population_and_mean_the_same() -> None:
    assert set(PRIORS) == set(ALL_PRIORS.values())
    examples = [
        rl.priors.Normal(0.3, 1.7), rl.priors.StudentT(4.0, 0.5, 2.0), rl.priors.HalfNormal(0.7),
        rl.priors.HalfCauchy(1.5), rl.priors.Exponential(2.5), rl.priors.Gamma(2.0, 3.0),
        rl.priors.LogNormal(0.4, 0.6), rl.priors.Beta(2.0, 5.0), rl.priors.Uniform(-1.0, 3.0),
    ]  # fmt: skip
    assert {type(example) for example in examples} == set(PRIORS)
    z = np.array([-1.5, 0.1, 2.0])
    for prior in examples:
        # In PyTensor's own policy PyMC's half-Cauchy takes log(2) in float32.
        with pytensor.config.change_flags(floatX="float64", cast_policy="numpy+floatX"):
            with pm.Model(coords={"subject": [1, 2, 3]}) as model:
                prior_variable("x", prior, ("subject",))
            value = model.rvs_to_values[model["x"]]
            found = pytensor.function([value], model.logp(sum=False)[0], mode=FAST)(z)
        expected = prior.log_density(constrain(z, prior.bounds)) + log_jacobian(z, prior.bounds)
        assert_close(found, expected, "log_density")


POPULATIONS = {
    "partial": rl.Population(),
    "none": rl.Population("none"),
    "complete": rl.Population("complete"),
    "centred, logit": rl.Population(
        alpha=rl.Pooling("partial", link="logit", centred=True, sd=rl.priors.Exponential(2.0)), beta="partial"
    ),
    "natural priors": rl.Population(
        alpha=rl.Pooling("none", prior=rl.priors.Beta(2, 3)), beta=rl.Pooling("none", prior=rl.priors.Gamma(2, 1))
    ),
    "softplus, uniform": rl.Population(
        alpha=rl.Pooling("none", prior=rl.priors.Uniform(0, 1)), beta=rl.Pooling("partial", link="softplus")
    ),
    "one fixed": rl.Population(alpha="partial", beta=2.0),
    "fixed by subject": rl.Population(alpha=[0.2, 0.4, 0.6], beta="complete"),
}


def small_data() -> rl.Trials:
    rng = np.random.default_rng(15)
    return rl.Trials.from_arrays(
        subjects=["ann", "bob", "cem"], choice=missing(rng.integers(0, 2, (3, 6)), (1, 2)),
        reward=missing(rng.normal(size=(3, 6)), (0, 1)), lengths=[6, 4, 5],
    )  # fmt: skip


@pytest.mark.parametrize("name", POPULATIONS)
def test_log_density(name: str) -> None:
    model, data, population = rl.catalogue.rescorla_wagner(), small_data(), POPULATIONS[name]
    reference = rl.compile(model, data, population=population)
    compiled = rl.compile(model, data, backend="pymc", mode=FAST, population=population)
    z = compiled.layout.unconstrain(compiled.layout.draw(np.random.default_rng(16)))
    value, gradient = compiled.log_density_and_gradient(z)
    expected_value, expected_gradient = reference.log_density_and_gradient(z)
    assert_close(value, expected_value, "log_density")
    assert_close(gradient, expected_gradient, "gradient")
    assert_close(compiled.log_density(z), expected_value, "log_density")
    variables = {variable.name for variable in compiled.engine.pymc_model.free_RVs}
    assert variables == set(compiled.layout.names)


@pytest.mark.parametrize("make", [availability, other_responses])
def test_log_density_of_other_responses(make: Callable[[], tuple[rl.Model, rl.Trials]]) -> None:
    model, data = make()
    reference, compiled = rl.compile(model, data), rl.compile(model, data, backend="pymc", mode=FAST)
    z = compiled.layout.unconstrain(compiled.layout.draw(np.random.default_rng(17)))
    value, gradient = compiled.log_density_and_gradient(z)
    expected_value, expected_gradient = reference.log_density_and_gradient(z)
    assert_close(value, expected_value, "log_density")
    assert_close(gradient, expected_gradient, "gradient")


def test_log_density_where_probabilities_underflow() -> None:
    model, population = rl.catalogue.rescorla_wagner(), rl.Population(alpha="none", beta=1e3)
    data = rl.Trials.from_arrays(choice=[[0, 1, 1, 0, 0]], reward=[[1.0, 2.0, -3.0, 4.0, 0.0]])
    reference = rl.compile(model, data, population=population)
    compiled = rl.compile(model, data, backend="pymc", mode=FAST, population=population)
    z = {"alpha_offset": [0.3]}
    assert_close(compiled.log_density(z), reference.log_density(z), "log_density")
    assert_close(
        compiled.log_density_and_gradient(z)[1], reference.log_density_and_gradient(z)[1], "gradient"
    )


def test_the_model_to_take_away() -> None:
    az = pytest.importorskip("arviz")
    model, data = rl.catalogue.rescorla_wagner(), small_data()
    compiled = rl.compile(model, data, backend="pymc", mode=FAST)
    taken = compiled.engine.pymc_model
    assert isinstance(taken, pm.Model)
    assert list(taken.coords["subject"]) == ["ann", "bob", "cem"]
    assert {v.name for v in taken.deterministics} == {"alpha", "beta"}
    assert taken.named_vars_to_dims["alpha"] == ("subject",)
    assert taken.named_vars_to_dims["choice"] == ("choice_observation",)
    assert compiled.engine.sampling_model.deterministics == []
    rng = np.random.default_rng(18)
    draws = [compiled.layout.draw(rng) for _ in range(3)]
    posterior = {name: np.stack([draw[name] for draw in draws])[None] for name in draws[0]}
    dims = {name: ["subject"] for name, value in posterior.items() if value.ndim == 3}
    tree = az.from_dict({"posterior": posterior}, dims=dims, coords={"subject": list(compiled.subjects)})
    options = {"progressbar": False, "compile_kwargs": {"mode": FAST}}
    with taken:
        pm.compute_log_likelihood(tree, **options)
        predictive = pm.sample_posterior_predictive(tree, random_seed=1, **options)
    found = tree["log_likelihood"]["choice"].values[0]
    params = compiled.layout.parameters({name: value[0] for name, value in posterior.items()}, leading=1)
    expected = compiled.engine.log_likelihood_draws(params)["choice"]
    assert expected.shape == (3, 3, 6)
    subject, trial = (predictive["constant_data"][f"choice_{name}"].values for name in ("subject", "trial"))
    assert len(subject) == 14
    assert_close(found, expected[:, subject, trial], "log_likelihood")
    assert np.isnan(expected).sum() == 3 * (18 - 14)
    assert set(np.unique(predictive["posterior_predictive"]["choice"].values)) <= {0, 1}
    trajectories = compiled.engine.trajectories_draws(params)
    one = compiled.engine.trajectories({name: value[1] for name, value in params.items()})
    assert_close(trajectories["q"][1], one["q"], "trajectories")


def test_a_response_that_nobody_gave_is_left_out() -> None:
    levels = {name: [0, 1] for name in ("choice1", "state2", "choice2")}
    data = two_states_data(choice1=np.full((3, 8), np.nan), levels=levels)
    assert_agrees(two_states(), data, TWO_STATES)
    model = rl.compile(two_states(), data, backend="pymc", mode=FAST).engine.pymc_model
    assert [variable.name for variable in model.observed_RVs] == ["choice2"]


# Settings and precision


def test_settings_are_checked() -> None:
    model, data = rl.catalogue.rescorla_wagner(), small_data()
    with pytest.raises(SettingError, match=r"'gather'.*Did you mean 'gather'"):
        rl.compile(model, data, backend="pymc", gathr="one_hot")
    with pytest.raises(SettingError, match="expected 'auto', 'gather' and 'one_hot'"):
        rl.compile(model, data, backend="pymc", gather="onehot")
    with pytest.raises(SettingError, match="Did you mean 'NUMBA'"):
        rl.compile(model, data, backend="pymc", mode="NUMBER")


def test_float64_whatever_the_process_says(run_python: Callable[..., str]) -> None:
    code = """
import json, numpy as np, rlbackends as rl
data = rl.Trials.from_arrays(choice=[[0, 1, 0]], reward=[[1.0, 0.3, 1.0]])
population = rl.Population("complete")
model = rl.catalogue.rescorla_wagner(initial=0.5)
compiled = rl.compile(model, data, "pymc", population=population, mode="FAST_COMPILE")
params = {"alpha": 0.3, "beta": 2.1}
z = {"alpha_location": 0.2, "beta_location": 0.4}
value, gradient = compiled.value_and_gradient(params)
trajectories = compiled.trajectories(params)["q"].values
model = compiled.engine.pymc_model
density = compiled.log_density(z)
import pytensor
print(json.dumps({
    "value": value, "gradient": {k: float(v) for k, v in gradient.items()}, "q": trajectories.tolist(),
    "density": density, "floatX": pytensor.config.floatX, "policy": pytensor.config.cast_policy,
    "dtypes": sorted({v.dtype for v in model.value_vars if "int" not in v.dtype}),
}))
"""
    found = json.loads(run_python(code, env={"PYTENSOR_FLAGS": "floatX=float32,cxx="}))
    data = rl.Trials.from_arrays(choice=[[0, 1, 0]], reward=[[1.0, 0.3, 1.0]])
    reference = rl.compile(rl.catalogue.rescorla_wagner(initial=0.5), data, population=rl.Population("complete"))
    value, gradient = reference.value_and_gradient({"alpha": 0.3, "beta": 2.1})
    assert_close(found["value"], value, "log_likelihood")
    assert_close(found["gradient"], {name: float(slope) for name, slope in gradient.items()}, "gradient")
    assert_close(found["q"], reference.trajectories({"alpha": 0.3, "beta": 2.1})["q"].values, "trajectories")
    assert_close(found["density"], reference.log_density({"alpha_location": 0.2, "beta_location": 0.4}), "log_density")
    assert (found["floatX"], found["policy"]) == ("float32", "custom")
    assert found["dtypes"] == ["float64"]


@pytest.mark.slow
def test_sampling_gives_draws_of_the_latents() -> None:
    rng = np.random.default_rng(19)
    data = rl.Trials.from_arrays(choice=rng.integers(0, 2, (4, 30)), reward=rng.integers(0, 2, (4, 30)).astype(float))
    compiled = rl.compile(rl.catalogue.rescorla_wagner(), data, backend="pymc")
    result = sample(compiled.engine, seed=1, chains=2, tune=200, draws=100, cores=2)
    assert set(result.constrained) == set(compiled.layout.names)
    assert result.constrained["alpha_offset"].shape == (2, 100, 4)


def test_arithmetic_is_exact_within_and_the_host_s_outside():
    from rlbackends.backends.pymc.precision import exact

    names = ("floatX", "cast_policy", "numba__fastmath")
    before = {name: getattr(pytensor.config, name) for name in names}
    with exact():
        assert {name: getattr(pytensor.config, name) for name in names} == {
            "floatX": "float64", "cast_policy": "numpy+floatX", "numba__fastmath": False,
        }  # fmt: skip
    assert {name: getattr(pytensor.config, name) for name in names} == before


def test_an_engine_for_checking_is_cheap_unless_a_mode_was_chosen():
    model = rl.catalogue.rescorla_wagner()
    data = rl.Trials.from_arrays(subjects=[1], choice=[[0, 1]], reward=[[1.0, 0.0]])
    compiled = rl.compile(model, data, "pymc")
    assert compiled.for_checking().engine.mode == "FAST_COMPILE"
    chosen = rl.compile(model, data, "pymc", mode="NUMBA").for_checking()
    assert chosen.engine.mode == "NUMBA"
    assert chosen.for_checking() is chosen


def test_an_engine_for_checking_compiles_once_and_gives_the_same_values():
    model = rl.catalogue.rescorla_wagner()
    nan = np.nan
    data = rl.Trials.from_arrays(
        choice=[[0, 1, nan], [1, 1, 0]], reward=[[1.0, nan, 0.0], [0.5, 1.0, 0.0]], lengths=[3, 2]
    )
    compiled = rl.compile(model, data, "pymc", mode=FAST)
    checking = compiled.for_checking()
    for alpha in (0.3, 0.6):
        params = {"alpha": alpha, "beta": 2.0}
        value, gradient = checking.value_and_gradient(params)
        expected, slopes = compiled.value_and_gradient(params)
        assert_close(value, expected, "log_likelihood")
        assert_close(gradient, slopes, "gradient")
        for found, right in (
            (checking.log_likelihood(params), compiled.log_likelihood(params)),
            (checking.trajectories(params), compiled.trajectories(params)),
        ):
            for name in right.data_vars:
                np.testing.assert_allclose(found[name].values, right[name].values, rtol=1e-14, atol=1e-14)
    assert len(checking.engine._graphs.functions) == 1


STEEP = {
    "log": lambda x: rl.log(x),
    "square root": lambda x: rl.sqrt(x),
    "division": lambda x: 1.0 / x,
    "power": lambda x: x**-0.5,
    "power of a parameter": lambda x: x**-rl.sqrt(x),
}


@pytest.mark.parametrize("steep", STEEP)
def test_nothing_comes_back_from_an_entry_that_nobody_reads(steep):
    # Semantics 8.2: the entry of the other action is 0, where each of these has an infinite slope; it is not read.
    def update(q, n, choice, reward, alpha):
        n = ((1 - alpha) * n).at[choice].add(1.0)
        rate = 0.3 * rl.tanh(STEEP[steep](n)[choice])
        return {"n": n, "q": q.at[choice].add(rate * (reward - q[choice]))}

    model = rl.Model(
        "counts",
        parameters={"alpha": rl.Parameter(rl.UnitInterval()), "beta": rl.Parameter(rl.Positive())},
        states={"q": rl.State("action"), "n": rl.State("action")},
        trial={"choice": lambda q, beta: rl.Categorical(logits=beta * q), "reward": rl.Real()},
        update=update,
        sizes={"action": 2},
    )
    data = rl.Trials.from_arrays(choice=[[0, 0, 0, 1]], reward=[[1.0, 0.0, 1.0, 1.0]], levels={"choice": [0, 1]})
    params = {"alpha": 0.3, "beta": 2.0}
    _, expected = rl.compile(model, data).value_and_gradient(params)
    _, found = rl.compile(model, data, "pymc", mode=FAST).value_and_gradient(params)
    assert np.isfinite(expected["alpha"])
    assert_close(found, expected, "gradient")


def test_a_model_without_parameters_or_observations_has_the_density_one():
    model = rl.Model(
        "nothing",
        parameters={},
        states={},
        trial={"shown": rl.Real(), "go": lambda shown: rl.Bernoulli(logits=shown, where=shown > 1.0)},
        update=lambda: {},
    )
    data = rl.Trials.from_arrays(shown=[[0.5, -1.0]], go=[[0, 1]], levels={"go": range(2)})
    value, slopes = rl.compile(model, data, "pymc", mode="FAST_COMPILE").log_density_and_gradient({})
    assert (float(value), slopes) == (0.0, {})
