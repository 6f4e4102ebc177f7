"""Parts of learning rules that models share."""

import numpy as np
import pytest

import rlbackends as rl
from rlbackends.errors import ModelError


def model(rule, **parameters):
    """Return a model that learns nothing and responds as ``rule`` says."""
    return rl.Model(
        "response",
        parameters={name: rl.Parameter(support) for name, support in parameters.items()},
        states={"q": rl.State("action", initial=[0.0, 1.0, 2.0])},
        trial={"choice": rule},
        update=lambda q: {"q": q},
        sizes={"action": 3},
    )


def categorical(q, beta):
    """The action taken."""
    return rl.Categorical(logits=beta * q)


def test_with_lapse_mixes_a_softmax_with_guessing():
    # β = ln 2: weights 1, 2, 4 of 7; with a lapse of 1/5 action 1 has 4/5 · 2/7 + 1/15 = 31/105.
    spec = model(rl.components.with_lapse(categorical), beta=rl.Positive(), lapse=rl.UnitInterval())
    found = rl.compile(spec, rl.Trials.from_arrays(choice=[[1]], levels={"choice": range(3)}))
    assert found.log_likelihood({"beta": np.log(2), "lapse": 0.2})["choice"].item() == pytest.approx(
        np.log(31 / 105), rel=1e-14
    )
    assert spec.events["choice"].description == "The action taken"


def test_with_lapse_mixes_yes_and_no_with_guessing():
    # The odds are 3 to 1: yes has 4/5 · 3/4 + 1/10 = 7/10, no 3/10.
    spec = model(
        rl.components.with_lapse(lambda beta: rl.Bernoulli(logits=beta)), beta=rl.RealLine(), lapse=rl.UnitInterval()
    )
    found = rl.compile(spec, rl.Trials.from_arrays(choice=[[1, 0]], levels={"choice": range(2)}))
    log_p = found.log_likelihood({"beta": np.log(3), "lapse": 0.2})["choice"].values[0]
    assert np.exp(log_p) == pytest.approx([0.7, 0.3], rel=1e-14)


def test_with_lapse_refuses_what_it_can_not_mix():
    def asks(lapse):
        return rl.Bernoulli(logits=lapse)

    def normal(beta):
        return rl.Normal(mean=beta, sd=1.0)

    with pytest.raises(ModelError, match="'asks' asks for 'lapse' itself"):
        rl.components.with_lapse(asks)
    with pytest.raises(ModelError, match="'normal' returned a response of 'mean' and 'sd', expected"):
        model(rl.components.with_lapse(normal), beta=rl.RealLine(), lapse=rl.UnitInterval())


def test_along_gives_numbers_a_named_axis():
    numbers = rl.components.along("pump", range(1, 4))
    assert [(axis.name, axis.size) for axis in numbers.node.axes] == [("pump", 3)]
    assert numbers.node.kind.name == "real"
    assert repr(numbers) == "<[1, 2, 3]: real, one value per pump (3)>"
