"""A model: named parameters, states, the events of a trial, and pure rules traced into graphs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from rlbackends.expressions.node import Node
from rlbackends.expressions.passes import assume_complete, guard, missing
from rlbackends.model.build import Parts, trace_parts
from rlbackends.model.parts import Event, Parameter, Rule, State, TracedState
from rlbackends.model.program import Program
from rlbackends.model.responses import Response

if TYPE_CHECKING:
    from rlbackends.model.gradients import GradientGap


class Model:
    """A reinforcement-learning model, written once.

    Parameters
    ----------
    name : str
        A Python-like name.
    parameters : mapping of str to Parameter
        The free quantities of a subject.
    states : mapping of str to State
        What a subject carries from trial to trial.
    trial : mapping of str to a rule or a kind
        The events of a trial in order: a rule (a function that returns ``Categorical``, ``Bernoulli`` or
        ``Normal``) is a response of the subject; ``Real``, ``Index`` or ``Binary`` is given by the world. A
        rule asks for parameters, states and earlier events by argument name; its docstring's first line, if
        it has one, says what the response is.
    update : callable
        The rule of learning. It asks for parameters, states and events and returns a dict of new states and
        records.
    records : sequence of str, optional
        Quantities that ``update`` returns to be looked at, such as a prediction error.
    sizes : mapping of str to int, optional
        The size of each named axis.
    description : str, optional
        What the model says, in a sentence.
    reference : str, optional
        The paper.

    Raises
    ------
    ModelError
        With every fault of the model at once, each with the line of the rule.

    Examples
    --------
    >>> import rlbackends as rl
    >>> def choice(q, beta):
    ...     return rl.Categorical(logits=beta * q)
    >>> def learn(q, choice, reward, alpha):
    ...     return {"q": q.at[choice].add(alpha * (reward - q[choice]))}
    >>> model = rl.Model(
    ...     "rescorla_wagner",
    ...     parameters={"alpha": rl.Parameter(rl.UnitInterval()), "beta": rl.Parameter(rl.Positive())},
    ...     states={"q": rl.State("action")},
    ...     trial={"choice": choice, "reward": rl.Real()},
    ...     update=learn,
    ...     sizes={"action": 2},
    ... )
    >>> model.responses
    ('choice',)
    """

    __slots__ = ("_locations", "_parts", "_programs")
    _locations: Mapping[Node, str]
    _parts: Parts
    _programs: dict[frozenset[str], Program]

    def __init__(
        self,
        name: str,
        *,
        parameters: Mapping[str, Parameter],
        states: Mapping[str, State],
        trial: Mapping[str, Any],
        update: Rule,
        records: tuple[str, ...] | list[str] = (),
        sizes: Mapping[str, int] | None = None,
        description: str = "",
        reference: str = "",
    ) -> None:
        parts, locations = trace_parts(
            name,
            parameters=parameters,
            states=states,
            trial=trial,
            update=update,
            records=records,
            sizes=sizes or {},
            description=description,
            reference=reference,
        )
        self._fill(parts, locations)

    def _fill(self, parts: Parts, locations: Mapping[Node, str]) -> None:
        object.__setattr__(self, "_parts", parts)
        object.__setattr__(self, "_locations", MappingProxyType(dict(locations)))
        object.__setattr__(self, "_programs", {})

    @classmethod
    def _from_parts(cls, parts: Parts) -> Model:
        model = cls.__new__(cls)
        model._fill(parts, {})
        return model

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a model can't be changed; write another one.")

    def __reduce__(self) -> tuple[Any, ...]:
        return Model._from_parts, (self._parts,)

    def __eq__(self, other: object) -> bool:
        # Dicts of the same entries are equal in any order, but what comes first on a trial matters.
        return isinstance(other, Model) and self._parts == other._parts and list(self.events) == list(other.events)

    def __hash__(self) -> int:
        return hash((self.name, frozenset(self.parameters), *self.events))

    def __repr__(self) -> str:
        parameters, states, events = (", ".join(names) for names in (self.parameters, self.states, self.events))
        return f"Model({self.name!r}: parameters {parameters}; states {states}; {events})"

    # What it is made of

    @property
    def name(self) -> str:
        """The model's name."""
        return self._parts.name

    @property
    def description(self) -> str:
        """What the model says, in a sentence."""
        return self._parts.description

    @property
    def reference(self) -> str:
        """The paper."""
        return self._parts.reference

    @property
    def sizes(self) -> Mapping[str, int]:
        """Axis name → size."""
        return MappingProxyType(self._parts.sizes)

    @property
    def parameters(self) -> Mapping[str, Parameter]:
        """Parameter name → parameter."""
        return MappingProxyType(self._parts.parameters)

    @property
    def states(self) -> Mapping[str, TracedState]:
        """State name → state, with the graph of its initial value."""
        return MappingProxyType(self._parts.states)

    @property
    def events(self) -> Mapping[str, Event]:
        """The events of a trial, in order."""
        return MappingProxyType(self._parts.events)

    @property
    def responses(self) -> tuple[str, ...]:
        """The names of the subject's responses, in order."""
        return tuple(self._parts.responses)

    @property
    def response_rules(self) -> Mapping[str, Response]:
        """Response name → its family and the graphs of the family's arguments, as traced."""
        return MappingProxyType(self._parts.responses)

    @property
    def updates(self) -> Mapping[str, Node]:
        """State name → the graph of its new value, as traced. A state that is not here stays as it is."""
        return MappingProxyType(self._parts.updates)

    @property
    def records(self) -> Mapping[str, Node]:
        """Record name → its graph, as traced."""
        return MappingProxyType(self._parts.records)

    @property
    def locations(self) -> Mapping[Node, str]:
        """Node → ``file.py:line`` where a rule wrote it; empty for a model that was read from JSON."""
        return self._locations

    # What follows from it

    def needs(self, response: str) -> Node:
        """Return the boolean graph that says whether a response's rule needs a missing value."""
        from rlbackends.expressions.operations import FALSE, either

        result = FALSE
        for node in self._parts.responses[response].arguments.values():
            result = either(result, missing(node))
        return result

    def program(self, complete: frozenset[str] = frozenset()) -> Program:
        """Return what a backend lowers: the rules, guarded, with what missing values do written out.

        Parameters
        ----------
        complete : frozenset of str
            Events that have no missing value in the data; what is written out for them is left away.
        """
        if complete not in self._programs:
            self._programs[complete] = Program.of(self._parts, complete, assume_complete, guard)
        program: Program = self._programs[complete]
        return program

    def gradient_gaps(self, fixed: Collection[str] = ()) -> tuple[GradientGap, ...]:
        """Return the places where a parameter's gradient stops on its way to a response.

        A sampler that follows gradients learns nothing there. An ``argmax``, a comparison or an index chosen by one
        stops a gradient; whether the parameter has another way, over states and trials too, is read off the graphs.

        Parameters
        ----------
        fixed : collection of str, optional
            Parameters that are not sampled, so that their gradients are not asked for.

        Returns
        -------
        tuple of GradientGap
            Last come those of kind ``"switch"``, which are harmless: a learning rate chosen by the sign of a prediction
            error, say, through which the gradient passes.

        Examples
        --------
        >>> import rlbackends as rl
        >>> gap = rl.catalogue.aliens_task_sets_argmax().gradient_gaps()[0]
        >>> gap.kind, gap.expression, gap.flat
        ('argmax', 'argmax((0.12 + above_start)[season])', ('alpha_high', 'forgetting_high'))
        """
        from rlbackends.model.gradients import gradient_gaps

        return gradient_gaps(self, fixed)

    def equations(self, *, latex: bool = False) -> str:
        """Return the model's equations as text, or as LaTeX."""
        from rlbackends.model.equations import equations_latex, equations_text

        return equations_latex(self) if latex else equations_text(self)

    def to_json(self) -> str:
        """Return the model as JSON text: plain data, from which :meth:`from_json` makes an equal model."""
        from rlbackends.model.json_form import model_to_json

        return model_to_json(self._parts)

    @classmethod
    def from_json(cls, text: str) -> Model:
        """Read a model from JSON text.

        Raises
        ------
        ModelError
            If the text is not such JSON, or says a model that the language refuses.
        """
        from rlbackends.model.json_form import parts_from_json

        return cls._from_parts(parts_from_json(text))
