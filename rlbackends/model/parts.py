"""The parts of a model that a user declares: parameters, states and the events that the world gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from rlbackends.errors import ModelError
from rlbackends.expressions.kinds import REAL, Axes, Axis, Kind, integer
from rlbackends.expressions.node import Node
from rlbackends.model.supports import Support

Reset = Literal["block", "never"]


def _check_description(what: str, description: object) -> None:
    if not isinstance(description, str):
        raise ModelError(f"{what}: the description is {description!r}, expected text.")


@dataclass(frozen=True)
class Parameter:
    """A free quantity of a subject, one number.

    Parameters
    ----------
    support : UnitInterval, Positive, Interval or RealLine
        Where its values lie; the default link and prior follow from it.
    description : str, optional
        What it is, in a few words.
    """

    support: Support
    description: str = ""

    def __post_init__(self) -> None:
        if isinstance(self.support, type) and issubclass(self.support, Support):
            name = self.support.__name__
            raise ModelError(f"Parameter: the support is the class {name}; write rl.{name}().")
        _check_description("Parameter", self.description)
        if not isinstance(self.support, Support):
            raise ModelError(
                f"Parameter: the support is {self.support!r}, expected UnitInterval(), Positive(), "
                "Interval(lo, hi) or RealLine()."
            )


class State:
    """What a subject carries from trial to trial: a real number, or an array with named axes.

    Parameters
    ----------
    *axes : str
        Names of its axes, as in ``sizes``. None: one number.
    initial : float, array, str or callable, default 0.0
        The value at the start of each block: a number for every entry, an array, the name of a parameter, or
        a rule of parameters and axis sizes.
    reset : {"block", "never"}, default "block"
        Whether it starts again at ``initial`` at each block's first trial, or carries over.
    """

    def __init__(self, *axes: str, initial: Any = 0.0, reset: Reset = "block") -> None:
        self.axes = axes
        self.initial = initial
        self.reset = reset

    def __repr__(self) -> str:
        return f"State({', '.join(map(repr, self.axes))}, initial={self.initial!r}, reset={self.reset!r})"


@dataclass(frozen=True, init=False)
class Given:
    """A kind of event that the world gives; use ``Real``, ``Index`` or ``Binary``."""

    axes: tuple[str, ...]
    description: str

    def __init__(self, *axes: str, description: str = "") -> None:
        _check_description(type(self).__name__, description)
        object.__setattr__(self, "axes", axes)
        object.__setattr__(self, "description", description)

    def kind(self, sizes: dict[str, int]) -> Kind:
        """Return the kind of the event's value."""
        raise NotImplementedError

    @property
    def of(self) -> str | None:
        """The axis that an index counts along."""
        return None


@dataclass(frozen=True, init=False)
class Real(Given):
    """A real number given by the world; with axes, one column an entry: ``Real("action")``.

    Parameters
    ----------
    *axes : str
        Axes of the event.
    description : str, optional
        What it is, in a few words: printed, and told to who gives data without it.
    """

    def kind(self, sizes: dict[str, int]) -> Kind:
        return REAL


@dataclass(frozen=True, init=False)
class Binary(Given):
    """0 or 1, given by the world.

    Parameters
    ----------
    *axes : str
        Axes of the event.
    description : str, optional
        What it is, in a few words.
    """

    def kind(self, sizes: dict[str, int]) -> Kind:
        return integer(0, 1)


@dataclass(frozen=True, init=False)
class Index(Given):
    """Which entry of an axis, given by the world: ``Index("stimulus")``.

    Parameters
    ----------
    of : str
        The axis that it counts along.
    *axes : str
        Axes of the event itself: ``Index("stimulus", "pair")`` is two stimuli on one trial.
    description : str, optional
        What it is, in a few words.
    """

    target: str

    def __init__(self, of: str, *axes: str, description: str = "") -> None:
        super().__init__(*axes, description=description)
        object.__setattr__(self, "target", of)

    def kind(self, sizes: dict[str, int]) -> Kind:
        return integer(0, sizes[self.target] - 1)

    @property
    def of(self) -> str | None:
        return self.target


# What they become once the model is traced


@dataclass(frozen=True)
class Event:
    """One thing that happens on a trial."""

    name: str
    kind: Kind
    axes: Axes = ()
    is_response: bool = False
    of: str | None = None
    description: str = ""

    @property
    def holds(self) -> str:
        """What its column holds, in words."""
        if self.kind.name == "real":
            what = "a real number"
        elif self.of is not None:
            what = f"one of {self.kind.hi + 1} labels of axis '{self.of}'"
        else:
            what = "0 or 1"
        if self.axes:
            what += " per " + " × ".join(f"{axis.name} ({axis.size})" for axis in self.axes)
        return f"{what}, {'the response' if self.is_response else 'given by the world'}"

    @property
    def meaning(self) -> str:
        """What it is, as far as the model says so, and what its column holds."""
        return f"{self.description}: {self.holds}" if self.description else self.holds


@dataclass(frozen=True)
class TracedState:
    """A state with its axes resolved and its initial value as a graph of parameters."""

    name: str
    axes: Axes
    initial: Node
    reset: Reset = "block"

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes of the axes."""
        return tuple(axis.size for axis in self.axes)


Rule = Callable[..., Any]


def resolve_axes(names: tuple[str, ...], sizes: dict[str, int]) -> Axes:
    """Return axes of the declared sizes."""
    return tuple(Axis(name, sizes[name]) for name in names)
