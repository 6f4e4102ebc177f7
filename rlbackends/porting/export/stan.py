"""A model as a Stan program."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping

from rlbackends.errors import ModelError, listed
from rlbackends.expressions.kinds import REAL, Axis
from rlbackends.expressions.node import Node, walk
from rlbackends.expressions.operations import build
from rlbackends.expressions.passes import rebuild
from rlbackends.population import priors as p
from rlbackends.population.layout import Latent
from rlbackends.porting.export.source import (
    CONDITION,
    LENGTHS,
    N_SUBJECTS,
    N_TRIALS,
    STARTS,
    Source,
    named_parts,
    refuse,
)
from rlbackends.porting.export.stan_expressions import Index, Writer, subscripted
from rlbackends.porting.export.stan_statements import Lines, indented
from rlbackends.porting.export.stan_trial import NAME, Trial
from rlbackends.porting.export.stan_words import KEYWORDS, OUTSIDE, RESERVED, number, wrapped

_MANY = 1_000_003  # stands for the number of subjects, which a program reads from its data


def write(source: Source) -> str:
    """Return a model as the text of a Stan program.

    Its parameters are the population's latent variables under our names, with the same bounds, so Stan's unconstrained
    values and Jacobians are ours. Log-densities keep their constants.

    Raises
    ------
    ModelError
        If an event has a name that Stan does not allow.
    """
    return _Program(source).text()


class _Program:
    def __init__(self, source: Source) -> None:
        self.source = source
        # Within the function events may have other names; outside, data are called what they are in the file.
        self.words = source.identifiers(RESERVED)
        in_file = [*source.events, *map(source.missing_name, source.flagged), *source.by_subject]
        taken = [source.keys[name] for name in in_file if source.keys[name] in KEYWORDS | OUTSIDE]
        if taken:
            raise ModelError(
                f"export: {listed(taken)} {'is a name' if len(taken) == 1 else 'are names'} of Stan's own, so its data "
                "can't be called so. Rename the event."
            )
        self.outside = {**self.words, **{name: source.keys[name] for name in source.by_subject}}
        self.trial = Trial(source, self.words)

    def text(self) -> str:
        blocks = [
            ("functions", ["// One subject: the log-likelihood of each trial, 0 where nothing was observed.",
                           *self.helpers(), *self.trial.lines()]),
            ("data", self.data()),
            ("transformed data", self.transformed_data()),
            ("parameters", self.parameters()),
            ("transformed parameters", self.transformed_parameters()),
            ("model", self.model()),
            ("generated quantities", self.generated_quantities()),
        ]  # fmt: skip
        lines = self.head()
        for name, inside in blocks:
            if inside:
                lines += [f"{name} {{", *indented(inside), "}"]
        return "\n".join(row for line in lines for row in wrapped(line)) + "\n"

    def head(self) -> Lines:
        from rlbackends import __version__

        model = self.source.model
        about = [model.description, model.reference and f"Reference: {model.reference}"]
        about += ["Codes in the data count from 0."]
        rows = [f"Written by rlbackends {__version__} from the model '{model.name}'."]
        for paragraph in filter(None, about):
            rows += ["", *textwrap.wrap(paragraph, 90)]
        return [f"// {row}".rstrip() for row in rows]

    def helpers(self) -> Lines:
        written = "\n".join(self.trial.lines())
        if "argmax(" not in written:
            return []
        return [
            "int argmax(vector x) {  // the first of the largest",
            "  int best = 1;",
            "  for (i in 2:size(x)) {",
            "    if (x[i] > x[best]) best = i;",
            "  }",
            "  return best;",
            "}",
        ]

    # Data

    def data(self) -> Lines:
        source = self.source
        trials = f"array[{N_SUBJECTS}, {N_TRIALS}"
        flag = "int<lower=0, upper=1>"
        lines = [f"int<lower=1> {N_SUBJECTS};", f"int<lower=1> {N_TRIALS};"]
        if source.is_ragged:
            lines[-1] += "  // of the longest sequence"
            lines.append(f"array[{N_SUBJECTS}] int<lower=0, upper={N_TRIALS}> {LENGTHS};  // trials of each subject")
        for name in source.events:
            event = source.model.events[name]
            sizes = [str(axis.size) for axis in event.axes]
            kind = "real"
            if event.kind.name == "int":
                kind = f"int<lower={event.kind.lo}, upper={event.kind.hi}>"
            elif sizes:
                kind = f"vector[{sizes.pop()}]"
            note = f"  // {event.description}" if event.description else ""
            lines.append(f"{', '.join([trials, *sizes])}] {kind} {source.keys[name]};{note}")
        for name in self.trial.flagged:
            key = source.keys[source.missing_name(name)]
            sizes = [str(axis.size) for axis in source.model.events[name].axes]
            lines.append(f"{', '.join([trials, *sizes])}] {flag} {key};")
        if source.has_blocks:
            lines.append(f"{trials}] {flag} {STARTS};  // 1 where a block starts")
        if source.layout.within:
            kind = f"int<lower=0, upper={source.layout.known.n_conditions - 1}>"
            lines.append(f"{trials}] {kind} {CONDITION};  // which of a subject's values holds")
        for name, values in source.by_subject.items():
            kind = f"vector[{N_SUBJECTS}]" if values.ndim == 1 else f"array[{N_SUBJECTS}] vector[{values.shape[1]}]"
            lines.append(f"{kind} {source.keys[name]};")
        return lines

    def transformed_data(self) -> Lines:
        fixed = {name: self.source.constant(name) for name in self.source.layout.fixed}
        return [
            f"real {self.words[name]} = {number(value).text};" for name, value in fixed.items() if value is not None
        ]

    # How subjects differ

    def parameters(self) -> Lines:
        return [
            f"{'vector' if latent.per_subject else 'real'}{_bounds(latent)}"
            f"{f'[{N_SUBJECTS}]' if latent.per_subject else ''} {self.words[latent.name]};"
            for latent in self.source.layout.latents
        ]

    def transformed_parameters(self) -> Lines:
        layout, words = self.source.layout, self.outside
        natural = {name: node for name, node in layout.natural.items() if name not in layout.names}
        between = {name: self.by_subject(node) for name, node in natural.items() if name not in layout.within}
        taken = {*words.values(), *RESERVED}
        writer = Writer(lambda node, index: subscripted(words[node.attr("name")], index))
        lines = []
        for node, word in named_parts(between, self.correlations(between), taken).items():
            value = writer.row(node) if node.axes else writer.entry(node)
            lines.append(f"{f'vector[{N_SUBJECTS}]' if node.axes else 'real'} {word} = {value.text};")
            writer.names[node] = word
        for name, node in between.items():
            text = writer.row(node).text if node.axes else f"rep_vector({writer.entry(node).text}, {N_SUBJECTS})"
            lines.append(f"vector{_range(self.source, name)}[{N_SUBJECTS}] {words[name]} = {text};")
        within = {name: self.by_condition(node) for name, node in natural.items() if name in layout.within}
        if within:
            count = layout.known.n_conditions
            lines += [f"array[{N_SUBJECTS}] vector{_range(self.source, n)}[{count}] {words[n]};" for n in within]
            inside = []
            local = Writer(self.leaf_by_condition)
            known = {*taken, *writer.names.values()}
            for node, word in named_parts(within, self.correlations(within), known).items():
                value = local.row(node) if node.axes else local.entry(node)
                inside.append(f"{f'vector[{count}]' if node.axes else 'real'} {word} = {value.text};")
                local.names[node] = word
            inside += [f"{words[name]}[s] = {local.row(node).text};" for name, node in within.items()]
            lines += [f"for (s in 1:{N_SUBJECTS}) {{", *indented(inside), "}"]
        return lines

    def correlations(self, graphs: Mapping[str, Node]) -> dict[str, Node]:
        """Return names for partial correlations, which latents give between 0 and 1."""
        found = {}
        for node in walk(*graphs.values()):
            if node.op == "sub" and node.args[0].op == "mul" and node.args[0].args[1].op == "parameter":
                name = node.args[0].args[1].attr("name")
                if name.startswith("correlation_unit["):
                    found[self.words[name].replace("_unit", "")] = node
        return {word: node for word, node in found.items() if word not in self.words.values()}

    def by_subject(self, node: Node) -> Node:
        """Return a graph whose leaves by subject have an axis."""
        layout = self.source.layout
        one_each = {latent.name for latent in layout.latents if latent.per_subject} | set(layout.columns)
        return _with_axis(node, one_each, _MANY)

    def by_condition(self, node: Node) -> Node:
        """Return a graph whose leaves by condition have an axis."""
        layout = self.source.layout
        each = {name for name, values in layout.columns.items() if values.ndim == 2}
        return _with_axis(node, each, layout.known.n_conditions)

    def leaf_by_condition(self, node: Node, index: Index) -> str:
        layout, name = self.source.layout, node.attr("name")
        shared = {latent.name for latent in layout.latents if not latent.per_subject}
        return self.outside[name] if name in shared else subscripted(self.outside[name], ("s", *index))

    # Densities

    def model(self) -> Lines:
        lines = ["// priors"]
        lines += [f"target += {self.prior(latent)};" for latent in self.source.layout.latents]
        lines += ["", "// likelihood"]
        lines += [f"for (s in 1:{N_SUBJECTS}) {{", f"  target += sum({self.call()});", "}"]
        return lines

    def prior(self, latent: Latent) -> str:
        word = self.words[latent.name]
        count = f"{N_SUBJECTS} * " if latent.per_subject else ""
        if latent.parents is not None:
            location, sd = (self.words[parent] for parent in latent.parents)
            return f"normal_lpdf({word} | {location}, {sd})"
        prior = latent.prior
        if prior == p.Normal(0.0, 1.0):
            return f"std_normal_lpdf({word})"
        for kind, (function, arguments) in _PRIORS.items():
            if type(prior) is kind:
                values = ", ".join(
                    number(item if isinstance(item, float) else getattr(prior, item)).text for item in arguments
                )
                half = f" + {count}log(2)" if kind in (p.HalfNormal, p.HalfCauchy) else ""
                return f"{function}({word} | {values}){half}"
        refuse("Stan", [f"the prior {prior} of '{latent.name}'"])
        raise AssertionError

    def call(self) -> str:
        return f"{NAME}({', '.join(argument.passed for argument in self.trial.signature())})"

    def generated_quantities(self) -> Lines:
        return [
            f"array[{N_SUBJECTS}] vector[{N_TRIALS}] log_lik;",
            f"for (s in 1:{N_SUBJECTS}) {{",
            f"  log_lik[s] = {self.call()};",
            "}",
        ]


_PRIORS: Mapping[type[p.Prior], tuple[str, tuple[str | float, ...]]] = {
    p.Normal: ("normal_lpdf", ("mean", "sd")),
    p.StudentT: ("student_t_lpdf", ("df", "mean", "scale")),
    p.HalfNormal: ("normal_lpdf", (0.0, "sd")),
    p.HalfCauchy: ("cauchy_lpdf", (0.0, "scale")),
    p.Exponential: ("exponential_lpdf", ("rate",)),
    p.Gamma: ("gamma_lpdf", ("shape", "rate")),
    p.LogNormal: ("lognormal_lpdf", ("mean", "sd")),
    p.Beta: ("beta_lpdf", ("a", "b")),
    p.Uniform: ("uniform_lpdf", ("lo", "hi")),
}


def _bounds(latent: Latent) -> str:
    lo, hi = latent.bounds
    limits = [f"{word}={number(value).text}" for word, value in (("lower", lo), ("upper", hi)) if math.isfinite(value)]
    return f"<{', '.join(limits)}>" if limits else ""


def _range(source: Source, parameter: str) -> str:
    """Return the bounds of a parameter on its own scale, where rounding can't leave them."""
    support = source.model.parameters[parameter].support
    return {(0.0, 1.0): "<lower=0, upper=1>", (0.0, math.inf): "<lower=0>"}.get((support.lo, support.hi), "")


def _with_axis(node: Node, names: set[str], size: int) -> Node:
    """Return a graph in which some leaves have an axis, without zeros that are only added to."""
    axis = Axis("subject", size)
    done: dict[Node, Node] = {}
    for part in walk(node):
        if part.op == "parameter" and part.attr("name") in names:
            done[part] = build("event", name=part.attr("name"), kind=REAL, axes=(axis,))
        elif part.op == "add" and part.args[0].op == "const" and part.args[0].attr("value") == 0.0:
            done[part] = done[part.args[1]]
        else:
            done[part] = rebuild(part, tuple(done[arg] for arg in part.args))
    return done[node]

