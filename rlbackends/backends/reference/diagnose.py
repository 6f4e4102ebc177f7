"""Why a point is no start: what is not finite there, at which subject and trial it begins, and what may help.

The reference plays the subjects again at the natural parameters of that point, whatever backend was to sample.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.backends.reference.engine import ReferenceEngine
from rlbackends.backends.reference.tape import Cell, Tape, evaluate
from rlbackends.errors import listed
from rlbackends.expressions.node import Node, walk
from rlbackends.expressions.printing import number, short_text
from rlbackends.population.priors import Normal

if TYPE_CHECKING:
    from rlbackends.population.layout import Latent, Layout

Arrays = Mapping[str, np.ndarray]

_ADVICE = {
    "log": "keep what it takes above 0, as in rl.log(rl.maximum(x, 1e-9))",
    "sqrt": "keep what it takes above 0, as in rl.sqrt(rl.maximum(x, 1e-9))",
    "log1p": "keep what it takes above -1",
    "pow": "keep what is raised above 0, as in rl.maximum(x, 1e-9) ** p",
    "div": "keep the divisor away from 0, or choose another value where it is 0: rl.where(x > 0, y / x, ...)",
    "exp": "exp overflows above 709: rescale the data, or narrow the priors",
}
_GROWS = (
    "values grow beyond all numbers: rescale the data (rewards in thousands to 1), or keep learning rates below 1 by "
    "rl.UnitInterval()"
)
_IMPOSSIBLE = (
    "the model says that this response can't happen: was an action chosen that was not available, or is a parameter at "
    "the edge of its support? A lapse rate makes every response possible (rl.components.with_lapse)"
)


def explain_no_start(engine: Any, z: Arrays) -> str:
    """Say why an engine's density is not finite; see `rlbackends.backends.diagnose.explain_no_start`."""
    layout = engine.layout
    with np.errstate(all="ignore"):
        z = {name: np.asarray(z[name], dtype=np.float64) for name in layout.names}
        values = layout.constrain(z)
        return _of_prior(layout, engine.data.subjects, values) or _of_play(engine, values) or _of_gradient(engine, z)


# The prior


def _of_prior(layout: Layout, subjects: tuple[Any, ...], values: Arrays) -> str:
    for latent in layout.latents:
        value = values[latent.name]
        density, prior = _log_prior(latent, values)
        bad = ~(np.isfinite(value) & np.isfinite(density))
        if bad.any():
            place = tuple(np.argwhere(bad)[0])
            whose = f" of subject {subjects[place[0]]}" if place else ""
            return (
                f"the prior itself is not finite: '{latent.name}'{whose} is {_shown(value[place])}, where the log "
                f"density of {prior} is {_shown(np.broadcast_to(density, value.shape)[place])}. Take a prior with "
                "lighter tails, or narrower."
            )
    return ""


def _log_prior(latent: Latent, values: Arrays) -> tuple[np.ndarray, str]:
    value = values[latent.name]
    if latent.prior is not None:
        return np.asarray(latent.prior.log_density(value)), str(latent.prior)
    if latent.parents is None:
        return np.zeros(value.shape), "its prior"
    location, sd = (float(values[name]) for name in latent.parents)
    name = f"Normal({latent.parents[0]} = {location:g}, {latent.parents[1]} = {sd:g})"
    if not (sd > 0 and math.isfinite(sd) and math.isfinite(location)):
        return np.full(value.shape, -math.inf), name
    return np.asarray(Normal(location, sd).log_density(value)), name


# The responses, played again


def _of_play(engine: Any, values: Arrays) -> str:
    model, data, layout = engine.model, engine.data, engine.layout
    params = layout.parameters(values)
    reference = ReferenceEngine(model, data, layout)
    log_p, played = reference.log_likelihood(params), reference.trajectories(params)
    counted = {name: data.observed(name) & data.counts for name in model.responses}
    bad = np.zeros(data.valid.shape, dtype=bool)
    for name, there in counted.items():
        bad |= there & ~np.isfinite(log_p[name])
    if not bad.any():
        return ""
    subject = int(np.argwhere(bad.any(axis=1))[0, 0])
    trial = int(np.argwhere(bad[subject])[0, 0])
    fault = _begins(model, data, params, played, subject, trial)
    made = _Parameters(engine, values, params, subject, fault.trial)
    response = next(name for name in counted if counted[name][subject, trial] and _is_bad(log_p[name][subject, trial]))
    others = int(bad.any(axis=1).sum()) - 1
    return (
        f"subject {data.subjects[subject]}, trial {data.trial_numbers[subject, fault.trial]}: {fault.text}. There "
        f"{'; '.join(word for word in (fault.leaves, made.words(fault.parameters)) if word)}. So the log-likelihood of "
        f"'{response}' on trial {data.trial_numbers[subject, trial]} is {_shown(log_p[response][subject, trial])}"
        + (f", and {others} more subject{'s have' if others > 1 else ' has'} such trials" if others else "")
        + f". Likely remedy: {made.advice(fault.parameters) or fault.advice}."
    )


def _is_bad(value: float) -> bool:
    return not math.isfinite(value)


def _at(array: np.ndarray, subject: int, trial: int) -> float:
    return float(array[subject] if array.ndim == 1 else array[subject, trial])


class _Parameters:
    """The parameters of a subject on a trial, and the latents that they are made of."""

    def __init__(self, engine: Any, values: Arrays, params: Arrays, subject: int, trial: int) -> None:
        self.model, self.layout, self.values, self.subject = engine.model, engine.layout, values, subject
        self.here = {name: _at(array, subject, trial) for name, array in params.items()}

    def words(self, names: Iterable[str]) -> str:
        """Return ``alpha = 0.3 (alpha_location = ..., ...)`` for each."""
        chosen = [name for name in self.here if name in set(names)]
        return "; ".join(map(self.word, chosen)) if chosen else "no parameter is in it"

    def word(self, name: str) -> str:
        at_edge = f", the edge of its support {self.model.parameters[name].support}" if self.is_edge(name) else ""
        latents = [
            f"{latent} = {_shown(value if np.ndim(value) == 0 else value[self.subject])}"
            for latent in self.latents(name)
            for value in (self.values[latent],)
        ]
        made = f" ({', '.join(latents)})" if latents else ""
        return f"{name} = {_shown(self.here[name])}{at_edge}{made}"

    def is_edge(self, name: str) -> bool:
        support = self.model.parameters[name].support
        return self.here[name] in (support.lo, support.hi)

    def latents(self, name: str) -> list[str]:
        node = self.layout.natural.get(name)
        read = [] if node is None else [n.attr("name") for n in walk(node) if n.op == "parameter"]
        return [latent for latent in read if latent in self.values and latent != name]

    def advice(self, names: Iterable[str]) -> str:
        """Return what to do about parameters at the edges of their supports, if there are any."""
        edges = [name for name in self.here if name in set(names) and self.is_edge(name)]
        if not edges:
            return ""
        priors = listed([latent for name in edges for latent in self.latents(name) or [name]])
        whose = "its support" if len(edges) == 1 else "their supports"
        return f"the prior puts {listed(edges)} at the edge of {whose}: narrow or move the priors of {priors}"


@dataclass(frozen=True)
class _Fault:
    """Where a value stops being finite: in words, with what it was made of."""

    trial: int
    text: str
    leaves: str
    parameters: frozenset[str]
    advice: str


def _begins(model: Any, data: Any, params: Arrays, played: Arrays, subject: int, trial: int) -> _Fault:
    """Return what first is not finite for a subject, at the latest on the trial of a bad log-likelihood."""
    for t in range(trial + 1):
        place = _Place(model, data, params, played, subject, t)
        starts = [n for n, s in model.states.items() if t == 0 or (s.reset == "block" and data.starts[subject, t])]
        roots: list[tuple[str, Node]] = [(f"the initial value of '{n}'", model.states[n].initial) for n in starts]
        if t < trial:
            later = [n for n in model.updates if not np.isfinite(played[n][subject, t + 1]).all()]
            roots += [(f"update of '{n}'", model.updates[n]) for n in later]
        else:
            roots += place.responses()
        for what, root in roots:
            found = place.first_bad(root)
            if found is not None:
                return place.fault(what, *found)
    return place.impossible()


class _Place:
    """A trial of a subject, computed as the reference does, with the value of every expression."""

    def __init__(self, model: Any, data: Any, params: Arrays, played: Arrays, subject: int, trial: int) -> None:
        self.model, self.data, self.where, self.trial = model, data, (subject, trial), trial
        self.tape = Tape(record=False)
        self.memo: dict[Node, Cell] = {}
        self.cells = {name: Cell(np.float64(_at(array, subject, trial))) for name, array in params.items()}
        self.cells |= {name: Cell(played[name][subject, trial]) for name in model.states}
        for name in model.events:
            cell = self.cells[name] = Cell(data.values[name][subject, trial])
            cell.entries = data.missing[name][subject, trial]
            cell.missing = bool(np.any(cell.entries))

    def value(self, node: Node) -> Cell:
        return evaluate(node, self.memo, lambda leaf: self.cells[leaf.attr("name")], self.tape)

    def responses(self) -> Iterator[tuple[str, Node]]:
        for name, response in self.model.response_rules.items():
            if self.data.observed(name)[self.where]:
                for argument, node in response.arguments.items():
                    yield f"'{argument}' of response '{name}'", node

    def first_bad(self, root: Node) -> tuple[Node, np.ndarray] | None:
        """Return the innermost expression under ``root`` whose value is not finite though its arguments are."""
        self.value(root)
        for node in walk(root):
            cell = self.memo.get(node)
            if cell is None or cell.missing or node.op == "const" or node.kind.name != "real":
                continue
            made_of = [self.memo[arg] for arg in node.args if arg in self.memo and arg.op != "const"]
            value = np.asarray(cell.value)
            masked = any(arg.op == "const" and np.isinf(arg.attr("value")).any() for arg in node.args)
            whole = all(np.isfinite(np.asarray(c.value, dtype=float)).all() for c in made_of if not c.missing)
            if whole and not np.isfinite(value).all() and not (masked and not np.isnan(value).any()):
                return node, value
        return None

    def fault(self, what: str, node: Node, value: np.ndarray) -> _Fault:
        line = self.model.locations.get(node, "")
        grows = node.op not in _ADVICE
        text = f"'{short_text(node)}' in {what}{f' ({line})' if line else ''} is {_shown(value)}"
        leaves = [n for n in walk(node) if n.op in ("state", "event")]
        words = [f"{n.attr('name')} is {self.shown(n)}" for n in leaves]
        arguments = [a for a in node.args if a.op not in ("const", "parameter", "state", "event") and a in self.memo]
        words += [f"'{short_text(a)}' is {_shown(self.memo[a].value)}" for a in arguments if not self.memo[a].missing]
        return _Fault(self.trial, text, "; ".join(words), self.behind(node), _GROWS if grows else _ADVICE[node.op])

    def impossible(self) -> _Fault:
        """Return the fault of a response whose arguments are as they should be, and whose value they exclude."""
        for name, response in self.model.response_rules.items():
            if not self.data.observed(name)[self.where]:
                continue
            arguments = {argument: self.value(node) for argument, node in response.arguments.items()}
            given = Cell(self.data.values[name][self.where])
            cells = {name: given, **arguments}
            log_p = evaluate(response.log_probability(), {}, lambda n, c=cells: c[n.attr("name")], self.tape).value
            if not np.isfinite(log_p).all():
                words = ", ".join(f"{argument} is {_shown(cell.value)}" for argument, cell in arguments.items())
                event = f"'{name}' is {self.shown(name)}, whose log-probability is {_shown(log_p)}"
                behind = frozenset().union(*(self.behind(node) for node in response.arguments.values()))
                spread = arguments.get("sd")
                flat = spread is not None and not np.all(np.asarray(spread.value) > 0)
                advice = "keep the standard deviation above 0" if flat else _IMPOSSIBLE
                return _Fault(self.trial, event, words, behind, advice)
        return _Fault(self.trial, "the log-likelihood is not finite", "all values are", frozenset(), _GROWS)

    def behind(self, node: Node) -> frozenset[str]:
        """Return the parameters on which a value depends, over states and earlier trials too."""
        found: set[Node] = set()
        waiting, states = [node], set()
        while waiting:
            for item in walk(waiting.pop(), known=found):
                found.add(item)
                if item.op == "state" and (name := item.attr("name")) not in states:
                    states.add(name)
                    waiting.append(self.model.states[name].initial)
                    waiting += [self.model.updates[name]] if name in self.model.updates else []
        return frozenset(item.attr("name") for item in found if item.op == "parameter")

    def shown(self, leaf: Node | str) -> str:
        """Return a state's or an event's value, an event's by its label."""
        name = leaf if isinstance(leaf, str) else leaf.attr("name")
        cell = self.cells[name]
        if cell.missing:
            return "missing"
        labels = self.data.levels.get(name)
        if labels is not None and np.ndim(cell.value) == 0:
            return str(labels[int(cell.value)])
        return _shown(cell.value)


def _shown(value: Any) -> str:
    array = np.asarray(value)
    if array.size > 12:
        array = array.ravel()[:12]
        return f"{number(np.round(array.astype(float), 6).tolist())} ..."
    return number(_rounded(array.tolist()))


def _rounded(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_rounded(item) for item in value)
    return float(f"{value:.6g}") if isinstance(value, float) else value


# The gradient


def _of_gradient(engine: Any, z: Arrays) -> str:
    """Say whose gradient is not finite, through which subject, where all values are finite."""
    model, data, layout = engine.model, engine.data, engine.layout
    value, gradient = engine.log_density_and_gradient(z)
    bad = [name for name in layout.names if not np.isfinite(gradient[name]).all()]
    if not bad and math.isfinite(value):
        return "there the density and its gradient are finite."
    if not bad:
        return f"the reference finds all values finite there, but the log density of '{engine.name}' is {value:g}."
    natural = layout.parameters(layout.constrain(z))
    by_trial = {
        name: np.broadcast_to(v if v.ndim == 2 else v[:, None], data.valid.shape) for name, v in natural.items()
    }
    _, slopes = ReferenceEngine(model, data, layout).value_and_gradient(by_trial)
    for subject in range(data.n_subjects):
        # It is carried back in time, so the last trial with such a gradient is the nearest to where it arises.
        found = {name: np.flatnonzero(~np.isfinite(slope[subject])) for name, slope in slopes.items()}
        found = {name: trials for name, trials in found.items() if trials.size}
        if found:
            name = max(found, key=lambda key: found[key][-1])
            trial = int(found[name][-1])
            made = _Parameters(engine, layout.constrain(z), natural, subject, trial)
            return (
                f"the density is finite, but its gradient in {listed(bad)} is not. It comes from subject "
                f"{data.subjects[subject]}, trial {data.trial_numbers[subject, trial]}, through "
                f"{made.words([name])}. Likely remedy: keep rl.sqrt, rl.log, ** and division away from where their "
                "slopes are infinite."
            )
    return (
        f"the density is finite, but its gradient in {listed(bad)} is not, at "
        + ", ".join(f"'{name}' = {_shown(layout.constrain(z)[name])}" for name in bad)
        + ". The data play no part in it: look at the priors."
    )
