"""Operations that pass back exactly nothing where exactly nothing arrives.

PyTensor's own multiply: an infinite slope on a value that nobody reads (the probability 0 of an action that was not
chosen, a last trial's update) turns that nothing into NaN. Each of these is PyTensor's operation with that one
difference, so that every linker knows it.
"""

from __future__ import annotations

from typing import Any

from pytensor import scalar
from pytensor.scalar.math import Erfcinv
from pytensor.tensor.elemwise import Elemwise


class _Quiet:
    """Multiplies its gradient by nothing where nothing arrives."""

    def pullback(self, inputs: Any, outputs: Any, gradients: Any) -> list[Any]:
        (gradient,) = gradients
        slopes = super().pullback(inputs, outputs, gradients)  # type: ignore[misc]
        return [scalar.switch(scalar.eq(gradient, 0), slope.zeros_like(), slope) for slope in slopes]


class QuietExp(_Quiet, scalar.Exp):
    """``exp``."""


class QuietLog(_Quiet, scalar.Log):
    """``log``."""


class QuietLog1p(_Quiet, scalar.Log1p):
    """``log1p``."""


class QuietSqrt(_Quiet, scalar.Sqrt):
    """``sqrt``."""


class QuietErfcinv(_Quiet, Erfcinv):
    """``erfcinv``."""


class QuietDiv(_Quiet, scalar.TrueDiv):
    """``a / b``."""


class QuietPow(_Quiet, scalar.Pow):
    """``a ** b``."""


def _tensor(operation: Any, like: Any, name: str) -> Any:
    return Elemwise(operation(like.output_types_preference, name=name))


exp = _tensor(QuietExp, scalar.exp, "quiet_exp")
log = _tensor(QuietLog, scalar.log, "quiet_log")
log1p = _tensor(QuietLog1p, scalar.log1p, "quiet_log1p")
sqrt = _tensor(QuietSqrt, scalar.sqrt, "quiet_sqrt")
erfcinv = _tensor(QuietErfcinv, scalar.erfcinv, "quiet_erfcinv")
div = _tensor(QuietDiv, scalar.true_div, "quiet_div")
power = _tensor(QuietPow, scalar.pow, "quiet_pow")
