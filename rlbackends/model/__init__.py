"""What a model is: parameters, states, the events of a trial and the rules that tie them."""

from rlbackends.model.gradients import GradientGap
from rlbackends.model.model import Model
from rlbackends.model.parts import Binary, Event, Index, Parameter, Real, State
from rlbackends.model.responses import Bernoulli, Categorical, Normal
from rlbackends.model.supports import Interval, Positive, RealLine, Support, UnitInterval

__all__ = [
    "Bernoulli", "Binary", "Categorical", "Event", "GradientGap", "Index", "Interval", "Model", "Normal", "Parameter",
    "Positive", "Real", "RealLine", "State", "Support", "UnitInterval",
]  # fmt: skip
