"""The target ``numpy``: plain loops over subjects and trials, the model as one would explain it."""

from __future__ import annotations

import keyword
from collections.abc import Mapping

from rlbackends.expressions.node import walk
from rlbackends.population import priors as p
from rlbackends.population.layout import Latent
from rlbackends.porting.export.learning import Learning
from rlbackends.porting.export.lines import block, nested, quoted, statement
from rlbackends.porting.export.plain import plain_program
from rlbackends.porting.export.preamble import comment, docstring
from rlbackends.porting.export.python import parts
from rlbackends.porting.export.scalars import Arrays, is_bounded
from rlbackends.porting.export.source import CONDITION, LENGTHS, N_SUBJECTS, N_TRIALS, STARTS, Source

_RESERVED = {
    *keyword.kwlist, "abs", "constrain", "data", "file", "float", "group", "int", "json", "latents", "load",
    "log_density", "log_likelihood", "log_p", "main", "max", "min", "np", "open", "own", "parameters", "present",
    "print", "range", "shape", "special", "stats", "subject", "sum", "sys", "total", "trial", "values", "x", "z",
}  # fmt: skip

_PRIORS: Mapping[type[p.Prior], str] = {
    p.Normal: "norm.logpdf({x}, {mean}, {sd})",
    p.StudentT: "t.logpdf({x}, {df}, {mean}, {scale})",
    p.HalfNormal: "halfnorm.logpdf({x}, scale={sd})",
    p.HalfCauchy: "halfcauchy.logpdf({x}, scale={scale})",
    p.Exponential: "expon.logpdf({x}, scale=1 / {rate})",
    p.Gamma: "gamma.logpdf({x}, {shape}, scale=1 / {rate})",
    p.LogNormal: "lognorm.logpdf({x}, {sd}, scale=np.exp({mean}))",
    p.Beta: "beta.logpdf({x}, {a}, {b})",
    p.Uniform: "uniform.logpdf({x}, {lo}, {width})",
}


def write(source: Source) -> str:
    """Return the program's text."""
    return _Writer(source).text()


class _Writer:
    def __init__(self, source: Source) -> None:
        self.source = source
        self.model = source.model
        self.layout = source.layout
        self.words = source.identifiers(_RESERVED)
        self.taken = {*self.words.values(), *_RESERVED, N_SUBJECTS, N_TRIALS, LENGTHS, STARTS, CONDITION}
        self.constants: dict[str, str] = {}
        self.program = plain_program(source)

    def text(self) -> str:
        usage = "python PROGRAM.py DATA.json"
        note = (
            "Subjects and trials are gone through one by one, so that each line can be checked. log_density takes "
            "unconstrained latent variables: the logarithm of what is positive, the logit of what lies between bounds."
        )
        head = docstring(self.source, "NumPy and SciPy", usage, [note])
        body = [
            self.load(), self.constrain(), self.parameters(), self.log_likelihood(), self.log_density(), self.main()
        ]  # fmt: skip
        top = ["import json", "import sys", "", "import numpy as np", "from scipy import special, stats"]
        if self.constants:
            top.append("")
            for text, name in self.constants.items():
                top += statement(f"{name} = ", text)
        lines = [*head, "", *top]
        for function in body:
            lines += ["", "", *function]
        lines += ["", "", 'if __name__ == "__main__":', "    main()", ""]
        return "\n".join(lines)

    # The data

    def load(self) -> list[str]:
        source, keys = self.source, self.source.keys
        rows = [(N_SUBJECTS, ""), (N_TRIALS, "")]
        if source.is_ragged:
            rows.append((LENGTHS, "int"))
        if source.has_blocks:
            rows.append((STARTS, "bool"))
        if self.layout.within:
            rows.append((CONDITION, "int"))
        for event in source.events:
            rows.append((keys[event], "int" if self.model.events[event].kind.name == "int" else "float"))
            if self.has_gaps(event):
                rows.append((keys[source.missing_name(event)], "bool"))
        rows += [(keys[name], "float") for name in source.by_subject]
        lines = [
            "def load(path):",
            '    """Return the data of a JSON file."""',
            "    with open(path) as file:",
            "        data = json.load(file)",
            "    return {",
        ]
        lines += [line for key, kind in rows for line in statement(f'"{key}": ', _read(key, kind), 8, ",")]
        return [*lines, "    }"]

    def has_gaps(self, event: str) -> bool:
        """Say whether the loop reads an event's flags; that trials behind the last are missing is no gap."""
        asked = event in self.program.masked_events
        return asked or (event in self.model.responses and event not in self.source.complete)

    # The population

    def constrain(self) -> list[str]:
        lines = ["def constrain(z):", '    """Return the latent variables from unconstrained ones."""']
        rows: list[str] = []
        for latent in self.layout.latents:
            if latent.bounds[0] != -float("inf"):
                rows += statement(f'{quoted(latent.name)}: ', _constrained(latent), 8, ",")
        return [*lines, "    return {", "        **z,", *rows, "    }"] if rows else [*lines, "    return z"]

    def parameters(self) -> list[str]:
        source, layout = self.source, self.layout
        words = {latent.name: f'x[{quoted(latent.name)}]' for latent in layout.latents}
        words |= {name: f'data["{source.keys[name]}"]' for name in source.by_subject}
        by_subject = {latent.name for latent in layout.latents if latent.per_subject} | set(layout.columns)
        lines = [
            "def parameters(x, data):",
            '    """Return each parameter of each subject from the latent variables x."""',
        ]
        rows: dict[str, list[str]] = {}
        taken = set(self.taken)
        for within in (False, True):
            roots = {name: node for name, node in layout.natural.items() if (name in layout.within) == within}
            here = words
            if within:
                flat = {name for name in by_subject if name not in layout.columns or layout.columns[name].ndim == 1}
                here = {**words, **{name: f"{words[name]}[:, None]" for name in flat}}
            named = parts(roots, {}, {}, taken)
            taken |= set(named.values())
            printer = Arrays(here, named, self.constants)
            for node, name in named.items():
                lines += statement(f"{name} = ", printer.definition(node), 4)
            for name, node in roots.items():
                text = printer.text(node)
                leaves = {n.attr("name") for n in walk(node) if n.op == "parameter"}
                if within:
                    text = f"np.take_along_axis({text}, data[\"{CONDITION}\"], axis=1)"
                elif not leaves & by_subject:
                    text = f'np.full(data["{N_SUBJECTS}"], {text})'
                rows[name] = [*self.described(name, 8), *statement(f'{quoted(name)}: ', text, 8, ",")]
        for name in layout.fixed:
            value = source.constant(name)
            text = words[name] if value is None else f'np.full(data["{N_SUBJECTS}"], {_number(value)})'
            rows[name] = [*self.described(name, 8), *statement(f'{quoted(name)}: ', text, 8, ",")]
        in_order = [line for name in self.model.parameters for line in rows[name]]
        return [*lines, "    return {", *in_order, "    }"]

    def described(self, parameter: str, indent: int) -> list[str]:
        described = self.model.parameters[parameter].description
        return comment(described, indent) if described else []

    # The model

    def log_likelihood(self) -> list[str]:
        program, model = self.program, self.model
        states = self.source.states
        responses = model.responses
        arguments = {
            f"{name}.{argument}": node
            for name, group in program.arguments.items()
            for argument, node in group.items()
        }
        shapes = {name: model.states[name].shape for name in states}
        learning = Learning.of(
            program.updates, arguments, shapes, program.records, self.words, self.taken, self.constants
        )
        lines = [
            "def log_likelihood(parameters, data):",
            '    """Return the log-probability of each response, (subject, trial); 0 where it was not observed.',
            "",
            *self.argument_notes(),
            '    """',
        ]
        shape = f'data["{N_SUBJECTS}"], data["{N_TRIALS}"]'
        if len(responses) == 1:
            lines.append(f'    log_p = {{{quoted(responses[0])}: np.zeros(({shape}))}}')
        else:
            zeros = ", ".join(f'{quoted(name)}: np.zeros(shape)' for name in responses)
            lines += [f"    shape = {shape}", *statement("log_p = ", f"{{{zeros}}}", 4)]
        used = self.used_parameters()
        between = [name for name in used if name not in self.layout.within]
        within = [name for name in used if name in self.layout.within]
        lines.append(f'    for subject in range(data["{N_SUBJECTS}"]):')
        for name in between:
            lines += statement(f"{self.words[name]} = ", f'parameters[{quoted(name)}][subject]', 8)
        before, at_start = self.initial(learning)
        lines += block(before, 8)
        count = f'data["{LENGTHS}"][subject]' if self.source.is_ragged else f'data["{N_TRIALS}"]'
        lines += ["", f"        for trial in range({count}):"]
        for name in within:
            lines += statement(f"{self.words[name]} = ", f'parameters[{quoted(name)}][subject, trial]', 12)
        lines += block(at_start, 12)
        lines += block(self.events(), 12)
        lines += ["", *block(self.responses(learning), 12)]
        learnt = learning.lines()
        if learnt:
            what = "What the subject learns: all states change together, from their old values."
            notes = [what if len(program.updates) > 1 else "What the subject learns."]
            if program.masked_events:
                notes.append("A missing value is 0 in the data; a state that needs it stays as it was.")
            lines += ["", *comment(" ".join(notes), 12), *block(learnt, 12)]
        lines.append("    return log_p")
        if is_bounded(*arguments.values(), *program.updates.values()):
            return lines
        why = "some logarithms and powers are undefined where they are not used"
        return [f'@np.errstate(all="ignore")  # {why}', *lines]

    def argument_notes(self) -> list[str]:
        found = "    `parameters` has an array of each parameter, one value per subject"
        return [f"{found}{' (and trial)' if self.layout.within else ''}."]

    def used_parameters(self) -> list[str]:
        program = self.program
        graphs = [*program.updates.values(), *(program.initial[name] for name in self.source.states)]
        graphs += [node for group in program.arguments.values() for node in group.values()]
        used = {node.attr("name") for node in walk(*graphs) if node.op == "parameter"}
        return [name for name in self.model.parameters if name in used]

    def initial(self, learning: Learning) -> tuple[list[str], list[str]]:
        """Return lines before the first trial, and lines within a trial."""
        before, blocks, first = [], [], []
        for name in self.source.states:
            node = self.program.initial[name]
            lines = learning.start(name, node)
            late = any(n.op == "parameter" and n.attr("name") in self.layout.within for n in walk(node))
            if self.source.has_blocks and self.model.states[name].reset == "block":
                blocks += lines
            elif late:
                first += lines
            else:
                before += lines
        at_start = []
        if blocks:
            at_start += [f'if data["{STARTS}"][subject, trial]:  # a block starts', *block(blocks, 4)]
        if first:
            at_start += ["if trial == 0:", *block(first, 4)]
        if at_start:
            at_start.append("")
        return (["", *before] if before else []), at_start

    def events(self) -> list[str]:
        source, keys = self.source, self.source.keys
        lines: list[str] = []
        for event in source.events:
            lines += statement(f"{self.words[event]} = ", f'data["{keys[event]}"][subject, trial]')
            if self.has_gaps(event):
                flags = source.missing_name(event)
                lines += statement(f"{self.words[flags]} = ", f'data["{keys[flags]}"][subject, trial]')
        return lines

    def responses(self, learning: Learning) -> list[str]:
        several = len(self.model.responses) > 1
        lines = [f"# How likely the response{'s are' if several else ' is'}.", *learning.first_lines()]
        for name in self.model.responses:
            group = {}
            for argument, node in self.program.arguments[name].items():
                text = learning.printer.text(node)
                if not text.isidentifier():
                    word = "present" if argument == "where" else argument
                    word = f"{self.words[name]}_{word}" if several else word
                    while word in self.words.values() or word in learning.printer.names.values():
                        word += "_"
                    lines += nested(f"{word} = ", text)
                    text = word
                group[argument] = text
            lines += self.scored(name, group)
        return lines

    def scored(self, name: str, group: Mapping[str, str]) -> list[str]:
        """Return lines that write a response's log-probability down."""
        event, word = self.model.events[name], self.words[name]
        family = self.model.response_rules[name].family
        missing = self.words[self.source.missing_name(name)] if self.has_gaps(name) else ""
        if family == "categorical":
            value = f"special.log_softmax({group.get('logits') or group['log_probs']})[{word}]"
        elif family == "normal":
            value = f"stats.norm.logpdf({word}, {group['mean']}, {group['sd']})"
        elif event.axes:
            logits = group["logits"]
            value = f"np.where({word} == 1, special.log_expit({logits}), special.log_expit(-{logits}))"
        else:
            value = f"special.log_expit({group['logits']} if {word} == 1 else -{group['logits']})"
        target = f'log_p[{quoted(name)}][subject, trial] = '
        counted = [text for text in (group.get("where"), f"~{missing}" if event.axes and missing else "") if text]
        if event.axes:
            where = f", where={' & '.join(counted)}" if counted else ""
            return nested(target, f"np.sum({value}{where})")
        conditions = [text for text in (group.get("where"), f"not {missing}" if missing else "") if text]
        if conditions:
            return [f"if {' and '.join(conditions)}:", *block(nested(target, value), 4)]
        return nested(target, value)

    # The joint density

    def log_density(self) -> list[str]:
        lines = [
            "def log_density(z, data):",
            '    """Return the log-density of unconstrained latents: priors, Jacobians and likelihood."""',
            "    x = constrain(z)",
            "    total = 0.0",
        ]
        priors, jacobians = [], []
        for latent in self.layout.latents:
            value = f'x[{quoted(latent.name)}]'
            if latent.prior is not None:
                fields = {name: Arrays({}).number(number)[0] for name, number in vars(latent.prior).items()}
                width = _number(latent.bounds[1] - latent.bounds[0])  # of the uniform
                text = f"stats.{_PRIORS[type(latent.prior)].format(x=value, width=width, **fields)}"
            else:
                assert latent.parents is not None
                mean, sd = (f'x[{quoted(parent)}]' for parent in latent.parents)
                text = f"stats.norm.logpdf({value}, {mean}, {sd})"
            priors += statement("total += ", f"np.sum({text})" if latent.per_subject else text, 4)
            log_jacobian = _log_jacobian(latent)
            if log_jacobian:
                text = f"np.sum({log_jacobian})" if latent.per_subject else log_jacobian
                jacobians += statement("total += ", text, 4)
        lines += ["", "    # Priors.", *priors] if priors else []
        lines += ["", "    # Jacobians of what is constrained.", *jacobians] if jacobians else []
        lines += ["", "    # Likelihood.", "    log_p = log_likelihood(parameters(x, data), data)"]
        return [*lines, "    return total + sum(np.sum(values) for values in log_p.values())"]

    def main(self) -> list[str]:
        group = [latent.name for latent in self.layout.latents if not latent.per_subject]
        own = [latent.name for latent in self.layout.latents if latent.per_subject]
        lines = ["def main():", "    data = load(sys.argv[1])"]
        kinds = {"group": (group, "0.0"), "own": (own, f'np.zeros(data["{N_SUBJECTS}"])')}
        found = []
        for word, (names, zero) in kinds.items():
            if names:
                lines += statement(f"{word} = ", _list(names), 4)
                found.append(f"{{name: {zero} for name in {word}}}")
        lines += statement("z = ", " | ".join(found) or "{}", 4)
        return [
            *lines,
            "    log_p = log_likelihood(parameters(constrain(z), data), data)",
            '    print("With all unconstrained latent variables at 0:")',
            f'    for subject in range(data["{N_SUBJECTS}"]):',
            "        total = sum(np.sum(values[subject]) for values in log_p.values())",
            '        print(f"  log-likelihood of subject {subject}: {total:.6f}")',
            '    print(f"  log-density of the whole: {log_density(z, data):.6f}")',
        ]


def _list(names: list[str]) -> str:
    return f"[{', '.join(map(quoted, names))}]"


def _read(key: str, kind: str) -> str:
    return f'np.array(data["{key}"], dtype={kind})' if kind else f'data["{key}"]'


def _constrained(latent: Latent) -> str:
    lo, hi = latent.bounds
    z = f'z[{quoted(latent.name)}]'
    if lo == -float("inf"):
        return z
    if hi == float("inf"):
        return f"np.exp({z})" if lo == 0.0 else f"{_number(lo)} + np.exp({z})"
    if (lo, hi) == (0.0, 1.0):
        return f"special.expit({z})"
    return f"{_number(lo)} + {_number(hi - lo)} * special.expit({z})"


def _log_jacobian(latent: Latent) -> str:
    lo, hi = latent.bounds
    z = f'z[{quoted(latent.name)}]'
    if lo == -float("inf"):
        return ""
    if hi == float("inf"):
        return z
    scale = "" if hi - lo == 1.0 else f"np.log({_number(hi - lo)}) + "
    return f"{scale}special.log_expit({z}) + special.log_expit(-{z})"


def _number(value: float) -> str:
    return Arrays({}).number(value)[0]
