"""The NumPyro backend against the reference: every operation, the semantics, both ways to subscript."""

import functools
import importlib.util
import threading
from dataclasses import dataclass

import numpy as np
import pytest

import rlbackends as rl
from rlbackends.backends.reference.derivatives import pull_back
from rlbackends.errors import BackendError, SettingError
from rlbackends.expressions import numpy_table
from rlbackends.expressions.kinds import Axis, integer
from rlbackends.expressions.operations import OPERATIONS, build, constant
from rlbackends.population.priors import PRIORS
from rlbackends.testing import assert_close

pytestmark = pytest.mark.skipif(not importlib.util.find_spec("numpyro"), reason="needs numpyro")

NAN = np.nan
UNIT, POSITIVE, LINE = (rl.Parameter(s) for s in (rl.UnitInterval(), rl.Positive(), rl.RealLine()))
LEAVES = {"const", "parameter", "state", "event"}


# Every operation, its value and its derivative


def state(name, *sizes):
    return build("state", name=name, axes=tuple(Axis(None, size) for size in sizes))


def index(name, hi, *sizes):
    return build("event", name=name, kind=integer(0, hi), axes=tuple(Axis(None, size) for size in sizes))


X = np.array([[-1.5, 0.0, 2.0, 2.0], [0.3, 0.3, -0.7, 0.1], [5.0, -5.0, 0.0, 0.0]])
Y = np.array([[-1.5, 1.0, 0.5, 2.0], [-0.3, 0.3, 2.0, 0.1], [1.0, -1.0, 0.0, 4.0]])
FAR = np.array([-1e3, -750.0, -40.0, -20.5, -19.5, -5.0, -1e-3, 0.0, 1e-3, 5.0, 9.0, 40.0, 800.0])
ABOVE = np.array([1e-3, 0.5, 1.0, 2.0, 30.0])


def op_cases():
    """Yield (name, node, values of its leaves): each operation at ordinary values, ties and extremes."""
    x, y = state("x", 3, 4), state("y", 3, 4)
    for op in ("add", "sub", "mul", "maximum", "minimum"):
        yield op, build(op, x, y), {"x": X, "y": Y}
        yield f"{op}, broadcast", build(op, x, state("y", 4)), {"x": X, "y": X[0]}
    yield "div", build("div", x, state("y", 3, 1)), {"x": X, "y": np.array([[0.5], [-2.0], [1e-3]])}
    yield "pow", build("pow", state("x", 5), state("y", 5)), {"x": ABOVE, "y": ABOVE[::-1] / 10}
    yield "pow, whole", build("pow", x, constant(3.0)), {"x": X}
    yield (
        "pow, negative base",
        build("pow", x, state("y")),
        {"x": np.where(X == 0, 1.0, X), "y": np.float64(2.0)},
    )
    far = state("x", len(FAR))
    for op in ("neg", "abs", "sigmoid", "softplus", "tanh", "ndtr", "log_ndtr"):
        yield op, build(op, far), {"x": FAR}
    yield "exp", build("exp", far), {"x": np.minimum(FAR, 40.0)}
    for op in ("log", "log1p", "sqrt"):
        yield op, build(op, state("x", 5)), {"x": ABOVE}
    yield "ndtri", build("ndtri", state("x", 5)), {"x": np.array([1e-9, 0.1, 0.5, 0.9, 1 - 1e-9])}
    for op in ("lt", "le", "eq"):
        yield op, build(op, x, y), {"x": X, "y": Y}
    less, equal = build("lt", x, y), build("eq", x, y)
    yield "and", build("and", less, build("not", equal)), {"x": X, "y": Y}
    yield "or", build("or", less, equal), {"x": X, "y": Y}
    yield "not", build("not", less), {"x": X, "y": Y}
    yield "where", build("where", less, x, y), {"x": X, "y": Y}
    yield "to_real", build("to_real", index("i", 4, 3)), {"i": np.array([0, 4, 2])}
    for op in ("sum", "max", "argmax", "softmax", "log_softmax", "logsumexp"):
        for axis in (-1, -2):
            yield f"{op} along {axis}", build(op, x, axis=axis), {"x": X}
    closed = np.array([[0.0, -np.inf, 2.0, 1e3], [-np.inf, 0.3, 0.3, -np.inf]])
    for op in ("softmax", "log_softmax", "logsumexp"):
        yield f"{op}, closed", build(op, state("x", 2, 4), axis=-1), {"x": closed}
    i, j, v = index("i", 2), index("j", 3), index("v", 3, 2)
    at = {"x": X, "i": np.int64(2), "j": np.int64(1), "v": np.array([3, 0])}
    subscripts = [("ii", (i, j), ()), ("i:", (i,), (4,)), (":i", (j,), (3,)), ("iv", (i, v), (2,)),
                  (":v", (v,), (3, 2)), ("1i", (constant(1), j), ())]  # fmt: skip
    for pattern, indices, shape in subscripts:
        letters = pattern.replace("v", "i").replace("1", "i")
        yield f"gather {pattern}", build("gather", x, *indices, pattern=letters), at
        value = {"value": np.full(shape, 0.7) + np.arange(np.prod(shape, dtype=int)).reshape(shape)}
        for op in ("at_add", "at_set"):
            node = build(op, x, *indices, state("value", *shape), pattern=letters)
            yield f"{op} {pattern}", node, at | value
            scalar = build(op, x, *indices, state("value"), pattern=letters)
            yield f"{op} {pattern}, one value", scalar, at | {"value": np.float64(0.7)}
    infinite = np.where(np.eye(3, 4) > 0, np.inf, X)
    yield "gather beside infinity", build("gather", x, i, j, pattern="ii"), at | {"x": infinite}
    yield "one_hot", build("one_hot", v, axis=Axis(None, 4)), at
    yield "stack", build("stack", state("x", 4), state("y"), axis=None), {"x": X[0], "y": np.float64(3.0)}
    yield "expand", build("expand", x, pattern="n:n:"), {"x": X}


OP_CASES = list(op_cases())
MASKED = ("gather", "at_add", "at_set")  # what the setting `gather` lowers in two ways
assert len({name for name, _, _ in OP_CASES}) == len(OP_CASES)


def test_the_table_has_every_operation():
    from rlbackends.backends.numpyro.operations import TABLE

    assert set(TABLE) == set(OPERATIONS) - LEAVES
    assert {node.op for _, node, _ in OP_CASES} == set(OPERATIONS) - LEAVES - {"is_missing"}


def seed_of(expected):
    """Return a gradient for a result, nothing where the result is not finite."""
    seed = np.linspace(-1.0, 2.0, expected.size).reshape(expected.shape)
    return np.where(np.isfinite(expected), seed, 0.0)


def by_numpy(node, leaves):
    """Return the values of a node's arguments, and its own."""
    args = tuple(
        leaves[arg.attr("name")] if arg.op in LEAVES - {"const"} else numpy_table.evaluate(arg, leaves)
        for arg in node.args
    )
    with np.errstate(all="ignore"):
        return args, np.asarray(numpy_table.apply(node, args))


@functools.cache
def op_results(gather):
    """Return every case's value and gradient by real leaf, from one compiled program."""
    import jax

    from rlbackends.backends.numpyro.operations import Lowering
    from rlbackends.backends.numpyro.precision import float64

    lowering = Lowering(1, gather)
    cases = {
        name: (node, leaves) for name, node, leaves in OP_CASES if gather == "gather" or node.op in MASKED
    }
    seeds = {name: seed_of(by_numpy(*case)[1]) for name, case in cases.items()}

    def run(all_leaves):
        results = {}
        for name, leaves in all_leaves.items():
            moving = {name: value for name, value in leaves.items() if value.dtype == float}
            fixed = {name: value for name, value in leaves.items() if value.dtype != float}

            def value(moving, node=cases[name][0], fixed=fixed):
                return lowering.evaluate([node], {**fixed, **moving})[node]

            found, back = jax.vjp(value, moving)
            results[name] = found, back(jax.numpy.asarray(seeds[name]))[0] if found.dtype == float else {}
        return results

    with float64():
        given = jax.tree.map(jax.numpy.asarray, {name: leaves for name, (_, leaves) in cases.items()})
        return jax.tree.map(np.asarray, jax.jit(run)(given))


@pytest.mark.parametrize(
    ("gather", "name", "node", "leaves"),
    [
        (gather, *case)
        for gather in ("gather", "one_hot")
        for case in OP_CASES
        if gather == "gather" or case[1].op in MASKED
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_operation_and_its_derivative(gather, name, node, leaves):
    args, expected = by_numpy(node, leaves)
    actual, slopes = op_results(gather)[name]
    assert actual.shape == expected.shape
    assert actual.dtype == expected.dtype
    if expected.dtype != float:
        np.testing.assert_array_equal(actual, expected)
        return
    assert_close(actual, expected, "trajectories")
    for arg, slope in zip(node.args, pull_back(node, seed_of(expected), expected, args), strict=True):
        if arg.op == "state":
            assert_close(slopes[arg.attr("name")], slope, "gradient")


def test_a_missing_row_is_told_by_name(monkeypatch):
    from rlbackends.backends.numpyro import operations

    left = {name: row for name, row in operations.TABLE.items() if name != "tanh"}
    monkeypatch.setattr(operations, "TABLE", left)
    with pytest.raises(BackendError, match="backend 'numpyro' has no operation 'tanh'"):
        operations.Lowering(1).evaluate([build("tanh", state("x"))], {"x": 1.0})


# Models


@dataclass(frozen=True)
class Case:
    """A model, its trials, and parameters for two subjects or more."""

    model: rl.Model
    trials: rl.Trials
    params: dict


def rescorla_wagner():
    return rl.catalogue.rescorla_wagner(n_actions=3)


def bandit(**more):
    rng = np.random.default_rng(1)
    return {
        "choice": rng.integers(0, 3, (3, 9)),
        "reward": rng.integers(0, 2, (3, 9)),
        "levels": {"choice": [0, 1, 2]},
        **more,
    }


def holes(array, *cells):
    result = np.array(array, dtype=float)
    for cell in cells:
        result[cell] = NAN
    return result


def plain():
    return Case(
        rescorla_wagner(),
        rl.Trials.from_arrays(**bandit()),
        {"alpha": [0.2, 0.9, 0.5], "beta": [1.0, 3.0, 0.0]},
    )


def ragged_with_blocks():
    data = bandit(lengths=[9, 4, 1], blocks=[1, 1, 1, 2, 2, 2, 3, 3, 3])
    data["choice"] = holes(data["choice"], (0, 0), (0, 8), (1, 3))
    data["reward"] = holes(data["reward"], (0, 4), (1, 1), (2, 0))
    return Case(
        rescorla_wagner(), rl.Trials.from_arrays(**data), {"alpha": [0.2, 0.9, 0.5], "beta": [1.0, 3.0, 2.0]}
    )


def steep():
    return Case(rescorla_wagner(), rl.Trials.from_arrays(**bandit()), {"alpha": 0.4, "beta": 1e3})


def varying():
    case = ragged_with_blocks()
    rng = np.random.default_rng(2)
    return Case(case.model, case.trials, {"alpha": rng.uniform(size=(3, 9)), "beta": [1.0, 3.0, 2.0]})


def two_step():
    """Two responses with a world event between; ties at trial 1; the initial value is a parameter."""

    def choice1(q1, q2, beta, w):
        best = rl.max(q2, axis=-1)
        return rl.Categorical(logits=beta * ((1 - w) * q1 + w * rl.stack(best[0], best[1])))

    def choice2(q2, state2, beta):
        return rl.Categorical(logits=beta * q2[state2])

    def update(q1, q2, choice1, state2, choice2, reward, alpha, lam):
        error1 = q2[state2, choice2] - q1[choice1]
        error2 = reward - q2[state2, choice2]
        return {
            "q1": q1.at[choice1].add(alpha * (error1 + lam * error2)),
            "q2": q2.at[state2, choice2].set(q2[state2, choice2] + alpha * error2),
            "error": error1 + lam * error2,
        }

    model = rl.Model(
        "two_step",
        parameters={"alpha": UNIT, "beta": POSITIVE, "w": UNIT, "lam": UNIT, "start": LINE},
        states={"q1": rl.State("first", initial="start"), "q2": rl.State("place", "action", initial="start")},
        trial={"choice1": choice1, "state2": rl.Index("place"), "choice2": choice2, "reward": rl.Real()},
        update=update,
        records=["error"],
        sizes={"first": 2, "place": 2, "action": 2},
    )
    rng = np.random.default_rng(3)
    codes = {name: rng.integers(0, 2, (3, 8)) for name in ("choice1", "state2", "choice2")}
    codes["choice2"] = holes(codes["choice2"], (1, 2))
    codes["choice1"] = holes(codes["choice1"], (2, 5))
    trials = rl.Trials.from_arrays(
        **codes,
        reward=holes(rng.integers(0, 2, (3, 8)), (0, 3)),
        lengths=[8, 8, 6],
        levels={n: [0, 1] for n in codes},
    )
    return Case(
        model,
        trials,
        {"alpha": 0.4, "beta": [1.0, 2.5, 4.0], "w": [0.0, 0.5, 1.0], "lam": 0.7, "start": 0.25},
    )


def many_states():
    """Five states, two never reset, one that starts by a rule; is_missing; no stimulus; availability."""

    def choice(q, kernel, mood, last, stimulus, offered, beta, kappa):
        logits = beta * q[stimulus] + kappa * kernel + mood * last
        return rl.Categorical(logits=logits, available=offered == 1)

    def update(q, kernel, mood, last, seen, stimulus, choice, reward, alpha, kappa):
        felt = rl.where(rl.is_missing(reward), 0.0, reward)
        error = felt - q[stimulus, choice]
        return {
            "q": (0.95 * q).at[stimulus, choice].add(alpha * error / (1.0 + seen[stimulus])),
            "kernel": kernel + alpha * (rl.one_hot(choice, kernel) - kernel),
            "mood": 0.9 * mood + 0.1 * rl.tanh(error),
            "last": rl.one_hot(choice, last),
            "seen": seen.at[stimulus].add(1.0),
            "error": error,
        }

    model = rl.Model(
        "many_states",
        parameters={"alpha": UNIT, "beta": POSITIVE, "kappa": LINE},
        states={
            "q": rl.State("picture", "action", initial=lambda kappa, action: kappa / action),
            "kernel": rl.State("action", initial=[0.1, 0.2, 0.3]),
            "mood": rl.State(initial="kappa", reset="never"),
            "last": rl.State("action"),
            "seen": rl.State("picture", reset="never"),
        },
        trial={
            "stimulus": rl.Index("picture"),
            "offered": rl.Binary("action"),
            "choice": choice,
            "reward": rl.Real(),
        },
        update=update,
        records=["error"],
        sizes={"picture": 4, "action": 3},
    )
    rng = np.random.default_rng(4)
    choice_codes = rng.integers(0, 3, (3, 10))
    offered = rng.integers(0, 2, (3, 10, 3))
    np.put_along_axis(offered, choice_codes[..., None], 1, axis=-1)
    trials = rl.Trials.from_arrays(
        stimulus=holes(rng.integers(0, 4, (3, 10)), (0, 2), (1, 9)), offered=offered,
        choice=holes(choice_codes, (0, 2), (1, 9), (2, 1)),
        reward=holes(rng.normal(size=(3, 10)), (0, 5), (1, 0)),
        lengths=[10, 10, 7], blocks=np.repeat([1, 2], 5), levels={"stimulus": range(4), "choice": range(3)},
    )  # fmt: skip
    return Case(model, trials, {"alpha": 0.3, "beta": [0.5, 2.0, 8.0], "kappa": [0.6, -0.4, 0.0]})


def sub_choices():
    """Bernoulli sub-choices of items on offer, some absent and some missing; vectors of indices."""

    def bought(value, item, shown, beta):
        return rl.Bernoulli(logits=beta * rl.log(value[item]), where=shown == 1)

    def update(value, item, shown, bought, alpha):
        moved = rl.where(shown == 1, alpha * (rl.to_float(bought) - value[item]), 0.0)
        return {"value": value.at[item].add(moved), "taken": rl.to_float(bought[0])}

    model = rl.Model(
        "sub_choices",
        parameters={"alpha": UNIT, "beta": POSITIVE},
        states={"value": rl.State("good", initial=[0.0, 0.4, 0.5, 0.6, 0.7])},
        trial={"item": rl.Index("good", "slot"), "shown": rl.Binary("slot"), "bought": bought},
        update=update,
        records=["taken"],
        sizes={"good": 5, "slot": 2},
    )
    rng = np.random.default_rng(5)
    item = np.stack([rng.permutation(5)[:2] for _ in range(18)]).reshape(2, 9, 2)
    # Item 0 starts at value 0, whose logarithm is -inf, and is never really shown.
    shown = np.where(item == 0, 0, rng.integers(0, 2, (2, 9, 2)))
    trials = rl.Trials.from_arrays(
        item=item, shown=shown, bought=holes(rng.integers(0, 2, (2, 9, 2)), (0, 3, 1), (1, 4), (0, 0)),
        lengths=[9, 8], levels={"item": range(5)},
    )  # fmt: skip
    return Case(model, trials, {"alpha": [0.3, 0.8], "beta": 1.7})


def ratings():
    """Normal responses, several a trial; guarded branches; delays missing where nothing was rated."""

    def rating(mean, width, delay, cue, noise):
        near = rl.where(delay > 0.5, rl.log(delay) + 1 / delay, 0.0)
        return rl.Normal(mean=mean * cue[None] + near, sd=noise * rl.sqrt(1.0 + width))

    def update(mean, width, rating, outcome, delay, cue, rate):
        gain = width / (width + rl.exp(-cue))
        kept = rl.where(outcome > 0, rl.sqrt(outcome) ** 0.5, rl.minimum(outcome, 0.0))
        spread = rl.abs(kept - rl.sum(mean)) + rl.maximum(rl.max(mean), rl.logsumexp(mean))
        return {
            "mean": mean + rate * gain * (kept - mean) * rl.softmax(mean),
            "width": rl.clip((1 - gain) * width + 0.01 * rl.softplus(spread) * rl.sigmoid(rate), 0.05, 2.0),
            "gain": gain,
            "best": rl.to_float(rl.argmax(mean)) + rl.log_ndtr(rl.ndtri(rate)),
        }

    model = rl.Model(
        "ratings",
        parameters={"rate": UNIT, "noise": POSITIVE},
        states={"mean": rl.State("scale", initial=0.5), "width": rl.State(initial=1.0)},
        trial={"delay": rl.Real(), "cue": rl.Real(), "rating": rating, "outcome": rl.Real()},
        update=update,
        records=["gain", "best"],
        sizes={"scale": 3},
    )
    rng = np.random.default_rng(6)
    rated = holes(rng.normal(size=(3, 8, 3)), (0, 2), (1, 0), (0, 4, 1), (2, 1, 0))
    trials = rl.Trials.from_arrays(
        delay=holes(rng.integers(0, 4, (3, 8)), (0, 2), (1, 0)), cue=rng.normal(size=(3, 8)), rating=rated,
        outcome=holes(rng.integers(-1, 2, (3, 8)), (2, 4)), lengths=[8, 5, 8],
    )  # fmt: skip
    return Case(model, trials, {"rate": [0.2, 0.5, 0.9], "noise": [0.5, 1.0, 2.0]})


def singular():
    """Infinite slopes where nobody reads the value: on a last trial, and in an entry not used again."""

    def choice(q, reach, beta):
        return rl.Categorical(logits=beta * q + rl.stack(reach[0], 0.0))

    def update(q, reach, choice, reward, alpha):
        error = reward - q[choice]
        return {"q": q.at[choice].add(alpha * error), "reach": rl.sqrt(alpha * (1 - rl.stack(reward, 1.0)))}

    model = rl.Model(
        "singular",
        parameters={"alpha": UNIT, "beta": POSITIVE},
        states={"q": rl.State("action"), "reach": rl.State("side")},
        trial={"choice": choice, "reward": rl.Real()},
        update=update,
        sizes={"action": 2, "side": 2},
    )
    trials = rl.Trials.from_arrays(
        choice=[[0, 1, 0], [1, 1, 0]], reward=[[0.0, 0.5, 1.0], [-2.0, 1.0, 1.0]], lengths=[3, 2]
    )
    return Case(model, trials, {"alpha": [0.3, 0.4], "beta": 2.0})


def explosive():
    """A state that would overflow, were it played on behind a subject's last trial."""

    def choice(level, beta):
        return rl.Categorical(logits=beta * rl.stack(level, 0.0))

    def update(level, choice):
        return {"level": 10.0 * level * level}

    model = rl.Model(
        "explosive",
        parameters={"start": POSITIVE, "beta": POSITIVE},
        states={"level": rl.State(initial="start")},
        trial={"choice": choice},
        update=update,
    )
    trials = rl.Trials.from_arrays(choice=np.tile([0, 1], (2, 6)), lengths=[12, 2])
    return Case(model, trials, {"start": [0.05, 3.0], "beta": 0.1})


def log_probs():
    """Probabilities with a lapse, given as log_probs; nothing is reset; one response is never observed."""

    def choice(bias, lapse):
        return rl.Categorical(log_probs=rl.log((1 - lapse) * rl.softmax(rl.stack(bias, 0.0)) + lapse / 2))

    def confidence(bias, noise):
        return rl.Normal(mean=bias, sd=noise)

    def update(bias, choice, drift):
        return {"bias": bias + rl.where(choice == 0, drift, -drift)}

    model = rl.Model(
        "log_probs",
        parameters={"lapse": UNIT, "drift": LINE, "noise": POSITIVE},
        states={"bias": rl.State(initial="drift", reset="never")},
        trial={"choice": choice, "confidence": confidence},
        update=update,
    )
    trials = rl.Trials.from_arrays(
        choice=holes(np.random.default_rng(7).integers(0, 2, (2, 6)), (1, 2)),
        confidence=np.full((2, 6), NAN), blocks=[1, 1, 1, 2, 2, 2], levels={"choice": [0, 1]},
    )  # fmt: skip
    return Case(model, trials, {"lapse": [0.0, 0.1], "drift": [0.5, -0.3], "noise": 1.0})


CASES = [
    plain,
    ragged_with_blocks,
    steep,
    varying,
    two_step,
    many_states,
    sub_choices,
    ratings,
    singular,
    explosive,
    log_probs,
]
BOTH = (two_step, many_states, sub_choices, varying)  # their subscripts differ most between the lowerings
quiet = pytest.mark.filterwarnings("ignore::rlbackends.data.faults.DataWarning")


def compiled(case, population=None, **settings):
    return (
        rl.compile(case.model, case.trials, population=population),
        rl.compile(case.model, case.trials, "numpyro", population=population, **settings),
    )


@quiet
@pytest.mark.parametrize(
    ("make", "gather"),
    [
        *((make, "auto") for make in CASES if make not in BOTH),
        *((make, g) for make in BOTH for g in ("gather", "one_hot")),
    ],
)
def test_agrees_with_the_reference(make, gather):
    case = make()
    reference, numpyro = compiled(case, gather=gather)
    assert_close(numpyro.log_likelihood(case.params), reference.log_likelihood(case.params), "log_likelihood")
    assert_close(numpyro.trajectories(case.params), reference.trajectories(case.params), "trajectories")
    value, gradient = numpyro.value_and_gradient(case.params)
    expected, slopes = reference.value_and_gradient(case.params)
    assert np.isfinite(expected)
    assert all(np.isfinite(slope).all() for slope in slopes.values())
    assert_close(value, expected, "log_likelihood")
    assert_close(gradient, slopes, "gradient")


def test_auto_masks_small_arrays_only():
    from rlbackends.backends.numpyro.operations import Lowering

    small = build("gather", state("x", 5), index("i", 4), pattern="i")
    vector = build("gather", state("x", 5), index("v", 4, 2), pattern="i")
    assert [Lowering(n).masks(small) for n in (1, 200, 201)] == [True, True, False]
    assert not Lowering(1).masks(vector)
    assert not Lowering(1, "gather").masks(small)
    assert not Lowering(1, "one_hot").masks(vector)


def test_settings_are_checked():
    case = plain()
    with pytest.raises(SettingError, match=r"no setting 'gahter'.*Did you mean 'gather'"):
        compiled(case, gahter="auto")
    with pytest.raises(SettingError, match=r"gather is 'onehot', expected .*Did you mean 'one_hot'"):
        compiled(case, gather="onehot")


def test_what_lies_behind_the_last_trial_is_invisible():
    case = ragged_with_blocks()
    numpyro = compiled(case)[1]
    rng = np.random.default_rng(0)
    params = {"alpha": rng.uniform(size=(3, 9)), "beta": rng.uniform(size=(3, 9))}
    clean = numpyro.engine.value_and_gradient(params)
    behind = ~numpyro.data.valid
    dirty = numpyro.engine.value_and_gradient({n: np.where(behind, NAN, v) for n, v in params.items()})
    assert clean[0] == dirty[0]
    for name in params:
        np.testing.assert_array_equal(clean[1][name], dirty[1][name])
        assert not clean[1][name][behind].any()


@pytest.mark.parametrize("make", [ragged_with_blocks, sub_choices])
def test_draws_are_the_same_one_by_one(make, monkeypatch):
    from rlbackends.backends.numpyro import engine

    case = make()
    numpyro = compiled(case)[1].engine
    rng = np.random.default_rng(0)
    params = {name: rng.uniform(size=(5, numpyro.data.n_subjects)) for name in case.model.parameters}
    singles = [{name: value[i] for name, value in params.items()} for i in range(5)]
    monkeypatch.setattr(
        engine, "_CHUNK", 2 * numpyro._width() * numpyro.data.n_subjects * numpyro.data.n_steps
    )
    for kind, what in (("log_likelihood", "log_likelihood"), ("trajectories", "trajectories")):
        draws = getattr(numpyro, f"{kind}_draws")(params)
        one_by_one = [getattr(numpyro, kind)(single) for single in singles]
        assert_close(draws, {name: np.stack([one[name] for one in one_by_one]) for name in draws}, what)


# The NumPyro model

SUPPORTS = {
    "unit": rl.Parameter(rl.UnitInterval()),
    "wide": rl.Parameter(rl.Interval(-1.0, 3.0)),
    "above": POSITIVE,
    "line": LINE,
}


def four_parameters():
    def choice(q, above, wide, line):
        return rl.Categorical(logits=above * q + wide * rl.stack(line, 0.0))

    def update(q, choice, reward, unit):
        return {"q": q.at[choice].add(unit * (reward - q[choice]))}

    model = rl.Model(
        "four_parameters",
        parameters=SUPPORTS,
        states={"q": rl.State("action")},
        trial={"choice": choice, "reward": rl.Real()},
        update=update,
        sizes={"action": 2},
    )
    rng = np.random.default_rng(8)
    trials = rl.Trials.from_arrays(
        choice=holes(rng.integers(0, 2, (3, 6)), (1, 2)), reward=rng.normal(size=(3, 6)), lengths=[6, 6, 4]
    )
    return Case(model, trials, {})


P = rl.priors
POPULATIONS = {
    "partial": rl.Population(),
    "none": rl.Population("none"),
    "complete": rl.Population("complete"),
    "centred": rl.Population(**{name: rl.Pooling(centred=True) for name in SUPPORTS}),
    "links": rl.Population(
        unit=rl.Pooling(link="logit", location=P.StudentT(4, 0.3, 1.2), sd=P.Exponential(2)),
        wide=rl.Pooling("complete", link="logit"),
        above=rl.Pooling(link="softplus", sd=P.Gamma(2, 3)),
        line=rl.Pooling(sd=P.LogNormal(-1, 0.5)),
    ),
    "natural": rl.Population(
        unit=rl.Pooling("none", prior=P.Beta(2, 3)),
        wide=rl.Pooling("none", prior=P.Uniform(-1, 3)),
        above=rl.Pooling("none", prior=P.HalfCauchy(2)),
        line=rl.Pooling("none", prior=P.Normal(0.5, 2)),
    ),
    "fixed": rl.Population(unit=[0.1, 0.5, 0.9], wide=0.5),
    "all fixed": rl.Population(unit=0.1, wide=0.5, above=1.0, line=0.0),
}


@pytest.mark.parametrize("population", POPULATIONS.values(), ids=POPULATIONS)
def test_log_density_is_that_of_the_reference(population):
    reference, numpyro = compiled(four_parameters(), population)
    layout = reference.layout
    z = layout.unconstrain(layout.draw(np.random.default_rng(9)))
    value, gradient = numpyro.log_density_and_gradient(z)
    expected, slopes = reference.log_density_and_gradient(z)
    assert_close(value, expected, "log_density")
    assert_close(gradient, slopes, "gradient")


@quiet
@pytest.mark.parametrize("make", [two_step, sub_choices, ratings, singular])
def test_log_density_of_every_family(make):
    reference, numpyro = compiled(make(), rl.Population("none"))
    z = reference.layout.unconstrain(reference.layout.draw(np.random.default_rng(10)))
    value, gradient = numpyro.log_density_and_gradient(z)
    expected, slopes = reference.log_density_and_gradient(z)
    assert_close(value, expected, "log_density")
    assert_close(gradient, slopes, "gradient")


def test_curvature_passes_through_every_derivative_of_ours():
    numpyro = compiled(sub_choices(), rl.Population("none"))[1]
    layout, engine = numpyro.layout, numpyro.engine
    z = layout.unconstrain(layout.draw(np.random.default_rng(11)))
    metric = engine.inverse_metric(z)
    step = 1e-5
    for name in z:
        slopes = [engine.log_density_and_gradient({**z, name: z[name] + h})[1][name] for h in (step, -step)]
        expected = 1 / np.maximum(np.abs(slopes[0] - slopes[1]) / (2 * step), 1.0)
        np.testing.assert_allclose(metric[name], expected, rtol=1e-7)


def test_the_table_of_priors_has_every_prior():
    from numpyro.distributions import biject_to

    from rlbackends.backends.numpyro.precision import float64
    from rlbackends.backends.numpyro.priors import TABLE, distribution

    assert set(TABLE) == set(PRIORS.values())
    given = {
        "Normal": (0.3, 2), "StudentT": (4, 0.3, 2), "HalfNormal": (2,), "HalfCauchy": (2,), "Beta": (2, 3),
        "Exponential": (3,), "Gamma": (2, 3), "LogNormal": (0.3, 2), "Uniform": (-1, 3),
    }  # fmt: skip
    z = np.linspace(-3.0, 3.0, 7)
    with float64():
        for name, values in given.items():
            prior = PRIORS[name](*values)
            theirs = distribution(prior)
            x = np.asarray(biject_to(theirs.support)(z))
            lo, hi = prior.bounds
            assert ((x > lo) & (x < hi)).all()
            assert_close(np.asarray(theirs.log_prob(x)), prior.log_density(x), "log_density")


@pytest.fixture
def host_in_64_bits():
    import jax

    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", before)


@quiet
@pytest.mark.parametrize("make", [sub_choices, log_probs])
def test_the_model_is_numpyros_own(make, host_in_64_bits):
    import jax
    import numpyro.infer

    case = make()
    compiled_model = compiled(case, rl.Population("none"))[1]
    engine, data = compiled_model.engine, compiled_model.data
    prior = numpyro.infer.Predictive(engine.model_function, num_samples=2)(jax.random.key(0))
    seen = {name: (~data.missing[name]).sum() for name in case.model.responses if (~data.missing[name]).any()}
    assert set(prior) == {*engine.layout.names, *case.model.parameters, *seen}
    assert {name: prior[name].shape for name in seen} == {name: (2, n) for name, n in seen.items()}
    params = {name: np.asarray(prior[name]) for name in case.model.parameters}
    latents = {name: prior[name] for name in engine.layout.names}
    theirs = numpyro.infer.log_likelihood(engine.model_function, latents)
    ours = engine.log_likelihood_draws(params)
    assert set(theirs) == set(seen)
    for name in seen:
        assert_close(
            np.asarray(theirs[name]).sum(axis=1), np.nansum(ours[name], axis=(1, 2)), "log_likelihood"
        )
    drawn = numpyro.infer.Predictive(engine.model_function, latents)(jax.random.key(1))
    assert {name: drawn[name].shape for name in seen} == {name: (2, n) for name, n in seen.items()}


def test_deterministic_sites_only_when_asked():
    import jax
    from numpyro import handlers

    from rlbackends.backends.numpyro.model import sample_parameters
    from rlbackends.backends.numpyro.operations import Lowering

    layout = compiled(four_parameters(), rl.Population(unit="none", wide=0.5))[1].layout
    for deterministic in (True, False):
        declare = handlers.seed(sample_parameters, jax.random.key(0))
        trace = handlers.trace(declare).get_trace(layout, Lowering(3), deterministic=deterministic)
        found = {name for name, site in trace.items() if site["type"] == "deterministic"}
        assert found == (set(SUPPORTS) if deterministic else set())


def test_samples_what_log_density_says():
    from rlbackends.backends.numpyro.samplers.nuts import sample

    reference, numpyro = compiled(
        four_parameters(), rl.Population("complete", unit=rl.Pooling("none", prior=P.Beta(2, 2)))
    )
    result = sample(numpyro.engine, seed=1, chains=2, tune=30, draws=10, cores=1)
    assert set(result.unconstrained) == set(reference.layout.names)
    for chain, draw in [(0, 0), (1, 9)]:
        z = {name: values[chain, draw] for name, values in result.unconstrained.items()}
        assert_close(result.stats["lp"][chain, draw], reference.log_density(z), "log_density")


# Precision


def test_another_thread_computes_in_float64_too():
    case = ragged_with_blocks()
    reference, numpyro = compiled(case)
    found = []
    thread = threading.Thread(target=lambda: found.append(numpyro.value_and_gradient(case.params)))
    thread.start()
    thread.join()
    assert_close(found[0][0], reference.value_and_gradient(case.params)[0], "log_likelihood")
    assert_close(found[0][1], reference.value_and_gradient(case.params)[1], "gradient")


IN_32_BITS = """
import threading
import jax, numpy as np
import rlbackends as rl
from rlbackends.errors import BackendError
from rlbackends.testing import assert_close

data = rl.Trials.from_arrays(choice=[[0, 1, 0], [1, 1, 0]], reward=[[0.1, 0.0, 1.0], [0.7, 1.0, 0.2]])
params = {"alpha": [0.3, 0.7], "beta": 2.0}
reference = rl.compile(rl.catalogue.rescorla_wagner(), data)
numpyro = rl.compile(rl.catalogue.rescorla_wagner(), data, "numpyro")
z = {latent.name: np.full(latent.per_subject * (2,), 0.1) for latent in reference.layout.latents}

def compare():
    given = reference.read_params(params)
    found = numpyro.engine.log_likelihood(given)["choice"]
    assert found.dtype == np.float64
    assert_close(found, reference.engine.log_likelihood(given)["choice"], "log_likelihood")
    assert_close(numpyro.log_density(z), reference.log_density(z), "log_density")
    assert_close(numpyro.log_density_and_gradient(z)[1], reference.log_density_and_gradient(z)[1], "gradient")
    try:
        numpyro.engine.model_function()
    except BackendError as error:
        assert 'jax.config.update("jax_enable_x64", True)' in str(error)
    else:
        raise AssertionError("the model was run in 32 bits")
    assert not jax.config.jax_enable_x64
    assert jax.numpy.zeros(()).dtype == np.float32
    done.append(True)

done = []
compare()
thread = threading.Thread(target=compare)
thread.start()
thread.join()
print(len(done))
"""


def test_a_process_in_32_bits_gets_float64_and_keeps_its_setting(run_python):
    assert run_python(IN_32_BITS, env={"JAX_ENABLE_X64": None}, timeout=120).split() == ["2"]


def test_an_engine_for_checking_compiles_once_and_gives_the_same_values():
    model = rl.catalogue.rescorla_wagner()
    data = rl.Trials.from_arrays(
        choice=[[0, 1, NAN], [1, 1, 0]], reward=[[1.0, NAN, 0.0], [0.5, 1.0, 0.0]], lengths=[3, 2]
    )
    compiled = rl.compile(model, data, "numpyro")
    checking = compiled.for_checking()
    assert checking.for_checking() is checking
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
    assert checking.engine._compiled["everything"]._cache_size() == 1
    assert checking.engine._compiled["log_likelihoods"]._cache_size() == 0
