"""The target ``numpyro``: a subject's trials by ``lax.scan``, subjects by ``vmap``, an observed site a response."""

from __future__ import annotations

import keyword
from collections.abc import Mapping
from typing import ClassVar

from rlbackends.expressions.node import Node, walk
from rlbackends.expressions.operations import build
from rlbackends.expressions.printing import ATOM
from rlbackends.population import priors as p
from rlbackends.population.layout import Latent
from rlbackends.porting.export.learning import held
from rlbackends.porting.export.lines import WIDTH, block, quoted, statement
from rlbackends.porting.export.plain import is_guarded
from rlbackends.porting.export.preamble import comment, docstring
from rlbackends.porting.export.python import Printer, parts
from rlbackends.porting.export.source import CONDITION, LENGTHS, N_SUBJECTS, N_TRIALS, STARTS, Source

_IS_PLAYED = "is_played"
_LONG = min(88, WIDTH)
_RESERVED = {
    *keyword.kwlist, "MCMC", "NUTS", "data", "dist", "file", "float", "group", "int", "is_played", "jax", "jnp", "json",
    "lax", "load", "main", "mcmc", "model", "name", "names", "new", "new_states", "np", "num_chains", "num_samples",
    "num_warmup", "numpyro", "old", "one_subject", "one_trial", "open", "path", "present", "repeated", "special",
    "states", "subjects", "sys", "trial", "trial_numbers", "trials",
}  # fmt: skip

_PRIORS: Mapping[type[p.Prior], str] = {
    p.Normal: "Normal({mean}, {sd})",
    p.StudentT: "StudentT({df}, {mean}, {scale})",
    p.HalfNormal: "HalfNormal({sd})",
    p.HalfCauchy: "HalfCauchy({scale})",
    p.Exponential: "Exponential({rate})",
    p.Gamma: "Gamma({shape}, {rate})",
    p.LogNormal: "LogNormal({mean}, {sd})",
    p.Beta: "Beta({a}, {b})",
    p.Uniform: "Uniform({lo}, {hi})",
}


class JAX(Printer):
    """JAX's words."""

    library: ClassVar[str] = "jnp"
    functions: ClassVar[Mapping[str, str]] = {
        "sigmoid": "jax.nn.sigmoid", "softplus": "jax.nn.softplus", "softmax": "jax.nn.softmax",
        "log_softmax": "jax.nn.log_softmax", "logsumexp": "jax.nn.logsumexp", "ndtr": "special.ndtr",
        "log_ndtr": "special.log_ndtr", "ndtri": "special.ndtri",
    }  # fmt: skip
    default_axis: ClassVar[frozenset[str]] = frozenset({"softmax", "log_softmax"})

    def op_one_hot(self, node: Node) -> tuple[str, int]:
        """Return an array that is 1 at an index and 0 elsewhere."""
        return f"jax.nn.one_hot({self.write(node.args[0])[0]}, {node.attr('axis').size})", ATOM


def write(source: Source) -> str:
    """Return the program's text."""
    return _Writer(source).text()


class _Writer:
    def __init__(self, source: Source) -> None:
        self.source = source
        self.model = source.model
        self.layout = source.layout
        self.program = source.program
        self.words = source.identifiers(_RESERVED)
        self.taken = {*self.words.values(), *_RESERVED, N_SUBJECTS, N_TRIALS, LENGTHS, STARTS, CONDITION}
        self.constants: dict[str, str] = {}
        self.used = [name for name in source.events if name in self.program.used_events()]
        self.asked = [name for name in source.events if name in self.program.masked_events]
        graphs = [*self.program.updates.values(), *(self.program.initial[name] for name in source.states)]
        graphs += [node for group in self.program.arguments.values() for node in group.values()]
        read = {node.attr("name") for node in walk(*graphs) if node.op == "parameter"}
        self.read = [name for name in self.model.parameters if name in read]
        self.outputs = self.name_outputs()

    @property
    def has_trials(self) -> bool:
        """Whether anything changes from trial to trial."""
        return bool(self.source.states or self.used or set(self.read) & self.layout.within)

    @property
    def resets(self) -> bool:
        """Whether some state starts again within a subject's trials."""
        blocks = (self.model.states[name].reset == "block" for name in self.source.states)
        return self.source.has_blocks and any(blocks)

    def name_outputs(self) -> dict[tuple[str, str], str]:
        """Return a word for each argument of each response's distribution."""
        found: dict[tuple[str, str], str] = {}
        several = len(self.model.responses) > 1
        for response in self.model.responses:
            for argument in self.program.arguments[response]:
                word = "present" if argument == "where" else argument
                word = f"{self.words[response]}_{word}" if several else word
                while word in self.words.values():
                    word += "_"
                found[response, argument] = word
        self.taken |= set(found.values())
        return found

    def text(self) -> str:
        note = (
            "A subject's trials are gone through by lax.scan, one after another; jax.vmap does that for all subjects "
            "at once."
        )
        notes = [note]
        if is_guarded(self.source):
            notes.append(
                "Where jnp.where chooses, both branches are computed. Further ones within logarithms, powers and "
                "divisions keep the gradient of the branch that is not taken finite."
            )
        head = docstring(self.source, "JAX and NumPyro", "python PROGRAM.py DATA.json", notes)
        functions = [self.load(), self.one_subject(), self.density(), self.main()]
        body = [line for function in functions for line in ["", "", *function]]
        constants = [line for text, name in self.constants.items() for line in statement(f"{name} = ", text)]
        written = "\n".join([*body, *constants])
        top = ["import json", "import sys", "", "import jax", "import jax.numpy as jnp", "import numpy as np"]
        top += ["import numpyro", "import numpyro.distributions as dist"]
        top += ["from jax import lax"] if "lax." in written else []
        top += ["from jax.scipy import special"] if "special." in written else []
        top += ["from numpyro.infer import MCMC, NUTS", ""]
        top += ["numpyro.enable_x64()", "numpyro.set_host_device_count(4)  # chains run side by side"]
        lines = [*head, "", *top, *(["", *constants] if constants else []), *body]
        return "\n".join([*lines, "", "", 'if __name__ == "__main__":', "    main(sys.argv[1])", ""])

    # The data

    def load(self) -> list[str]:
        source, keys = self.source, self.source.keys
        rows = [(LENGTHS, "int")] if source.is_ragged else []
        rows += [(STARTS, "bool")] if self.resets else []
        rows += [(CONDITION, "int")] if self.layout.within else []
        for event in source.events:
            rows.append((keys[event], "int" if self.model.events[event].kind.name == "int" else "float"))
            if self.has_flags(event):
                rows.append((keys[source.missing_name(event)], "bool"))
        rows += [(keys[name], "float") for name in source.by_subject]
        return [
            "def load(path):",
            '    """Return the data of a JSON file."""',
            "    with open(path) as file:",
            "        data = json.load(file)",
            "    return {",
            f'        "{N_SUBJECTS}": data["{N_SUBJECTS}"],',
            f'        "{N_TRIALS}": data["{N_TRIALS}"],',
            *(
                line
                for key, kind in rows
                for line in statement(f'"{key}": ', f'np.array(data["{key}"], dtype={kind})', 8, ",")
            ),
            "    }",
        ]

    def has_flags(self, event: str) -> bool:
        """Say whether the program reads which entries of an event are missing."""
        return event in self.asked or (event in self.model.responses and event in self.source.flagged)

    # One subject

    def one_subject(self) -> list[str]:
        words, states, model = self.words, self.source.states, self.model
        arguments = {
            f"{name}.{argument}": node
            for name, group in self.program.arguments.items()
            for argument, node in group.items()
        }
        updates = self.program.updates
        roots = {**arguments, **{f"new {name}": node for name, node in updates.items()}}
        named = parts(roots, self.program.records, words, self.taken, updates)
        first = {node for node in walk(*arguments.values()) if node in named}
        printer = JAX(words, named, self.constants)
        between = [name for name in self.read if name not in self.layout.within]
        plain = JAX(words, constants=self.constants)  # before the first trial no part has a name
        trial: list[str] = []
        for name in states:
            trial += self.state_now(name, plain)
        rows = [(words[name], words[name]) for name in self.read if name in self.layout.within]
        for event in self.used:
            rows.append((words[event], self.source.keys[event]))
            if event in self.asked:
                flags = self.source.missing_name(event)
                rows.append((words[flags], self.source.keys[flags]))
        for event in self.asked:
            if event not in self.used:
                flags = self.source.missing_name(event)
                rows.append((words[flags], self.source.keys[flags]))
        trial += [f'{word} = trial["{key}"]' for word, key in rows]
        trial += [""] if trial else []
        several = len(model.responses) > 1
        asked = {n.attr("name") for n in walk(*arguments.values()) if n.op == "event"} & set(self.asked)
        note = " What a missing value would be needed for is 1, and is not counted." if asked else ""
        trial += comment(f"How likely the response{'s are' if several else ' is'}.{note}")
        for node, name in named.items():
            if node in first:
                trial += _shifted(f"{name} = ", printer.definition(node))
        for (response, argument), word in self.outputs.items():
            node = self.program.arguments[response][argument]
            wanted = tuple(axis.size for axis in model.events[response].axes)
            text = printer.text(node)
            if model.response_rules[response].family != "categorical" and node.shape != wanted:
                text = printer.spread(text, node.shape, wanted)
            trial += _shifted(f"{word} = ", text)
        outputs = ", ".join(self.outputs.values())
        outputs = outputs if len(self.outputs) == 1 else f"({outputs})"
        args = ", ".join([*(words[name] for name in between), *(["trials"] if self.has_trials else [])])
        lines = statement("def one_subject", f"({args})", 0, ":")
        lines += ['    """Return what the distribution of each trial\'s response depends on, for one subject."""']
        if len(model.responses) > 1:
            lines[-1] = '    """Return what the distributions of each trial\'s responses depend on, for one subject."""'
        if not self.has_trials:
            return [*lines, *block(trial, 4), f"    return {outputs}"]
        learnt = self.learning(named, first, printer)
        lines += ["", "    def one_trial(states, trial):", *block([*trial, *learnt], 8)]
        lines += [f"        return {'new_states' if states else 'states'}, {outputs}", ""]
        lines += self.first_states(plain)
        return [*lines, "    return lax.scan(one_trial, states, trials)[1]"]

    @property
    def reads_trials(self) -> bool:
        """Whether anything is given that changes from trial to trial."""
        within = set(self.read) & self.layout.within
        return bool(self.used or self.asked or self.resets or self.source.is_ragged or within)

    def state_now(self, name: str, printer: JAX) -> list[str]:
        """Return lines that take a state out of what is carried along; at a block's start it is the first again."""
        word = self.words[name]
        if not self.resets or self.model.states[name].reset != "block":
            return [f'{word} = states[{quoted(name)}]']
        start = printer.definition(self.program.initial[name])
        within = {n.attr("name") for n in walk(self.program.initial[name]) if n.op == "parameter"} & self.layout.within
        lines = [f'{self.words[n]} = trial["{self.words[n]}"]' for n in sorted(within)]
        return [*lines, *_shifted(f"{word} = ", f'jnp.where(trial["{STARTS}"], {start}, states[{quoted(name)}])')]

    def learning(self, named: Mapping[Node, str], first: set[Node], printer: JAX) -> list[str]:
        states, updates = self.source.states, self.program.updates
        if not states:
            return []
        lines = ["# What the subject learns."]
        if self.asked:
            lines = comment("What the subject learns. A state that needs a missing value stays as it was.", 0)
        for node, name in named.items():
            if node not in first:
                lines += _shifted(f"{name} = ", printer.definition(node))
        rows: list[str] = []
        for name in states:
            text = self.words[name]
            if name in updates:
                kept, node = held(name, updates[name], self.words, named)
                shape = self.model.states[name].shape
                if kept is not None:
                    node = build("where", kept, build("state", name=name, axes=self.model.states[name].axes), node)
                text = printer.text(node)
                if node.shape != shape:
                    text = printer.spread(text, node.shape, shape)
            rows += _shifted(f'{quoted(name)}: ', text, ",", 4)
        one = f"new_states = {{{', '.join(row.strip().rstrip(',') for row in rows)}}}"
        lines += [one] if len(rows) == len(states) and len(one) < 80 else ["new_states = {", *rows, "}"]
        if self.source.is_ragged:
            lines += [f'is_played = trial["{_IS_PLAYED}"]']
            lines += _shifted(
                "new_states = ",
                "jax.tree.map(lambda new, old: jnp.where(is_played, new, old), new_states, states)",
            )
        return ["", *lines]

    def first_states(self, printer: JAX) -> list[str]:
        """Return lines that give the states before the first trial."""
        rows: list[str] = []
        late: set[str] = set()
        for name in self.source.states:
            node, shape = self.program.initial[name], self.model.states[name].shape
            late |= {n.attr("name") for n in walk(node) if n.op == "parameter"} & self.layout.within
            text = printer.definition(node)
            if node.shape != shape:
                zeros = f"jnp.zeros({shape[0] if len(shape) == 1 else shape})"
                text = zeros if text == "0.0" else printer.spread(text, node.shape, shape)
            rows += statement(f'{quoted(name)}: ', text, 8, ",")
        lines = [f'    {self.words[name]} = trials["{self.words[name]}"][0]' for name in sorted(late)]
        one = f"    states = {{{', '.join(row.strip().rstrip(',') for row in rows)}}}"
        if len(rows) == len(self.source.states) and len(one) < 80:
            return [*lines, one]
        return [*lines, "    states = {", *rows, "    }"]

    # The joint density

    def density(self) -> list[str]:
        layout = self.layout
        group = [latent for latent in layout.latents if not latent.per_subject]
        own = [latent for latent in layout.latents if latent.per_subject]
        lines = ["def model(data):"]
        lines += ['    """Declare priors, parameters and responses."""']
        if group:
            lines += ["    # Priors of the group."]
            lines += [line for latent in group for line in self.sampled(latent, 4)]
        if own:
            lines += ["", "    # Priors of each subject."] if group else ["    # Priors of each subject."]
            lines += [f'    with numpyro.plate("subject", data["{N_SUBJECTS}"]):']
            lines += [line for latent in own for line in self.sampled(latent, 8)]
        lines += ["", "    # Each subject's parameters.", *self.naturals()]
        note = "All subjects' trials."
        if self.source.is_ragged:
            note += (
                " A subject with fewer trials than others repeats its last one; in these repetitions states stay as "
                "they are and no response is counted."
            )
        lines += ["", *comment(note, 4)]
        arguments = [self.words[name] for name in self.read if name not in layout.within]
        if self.has_trials:
            lines += self.trials()
            arguments.append("trials")
        found = ", ".join(self.outputs.values())
        lines += statement(f"{found} = ", f"jax.vmap(one_subject)({', '.join(arguments)})", 4)
        lines += ["", "    # Likelihood."]
        for response in self.model.responses:
            lines += self.observed(response)
        return lines

    def sampled(self, latent: Latent, indent: int) -> list[str]:
        if latent.prior is not None:
            fields = {name: JAX({}).number(number)[0] for name, number in vars(latent.prior).items()}
            prior = _PRIORS[type(latent.prior)].format(**fields)
        else:
            assert latent.parents is not None
            mean, sd = (self.words[parent] for parent in latent.parents)
            prior = f"Normal({mean}, {sd})"
        word = self.words[latent.name]
        return statement(f"{word} = ", f'numpyro.sample({quoted(latent.name)}, dist.{prior})', indent)

    def naturals(self) -> list[str]:
        """Return lines that give the parameters from the latents."""
        source, layout, words = self.source, self.layout, self.words
        columns = {name: f'data["{source.keys[name]}"]' for name in source.by_subject}
        by_subject = {latent.name for latent in layout.latents if latent.per_subject} | set(layout.columns)
        lines: list[str] = []
        taken = set(self.taken)
        for within in (False, True):
            roots = {name: node for name, node in layout.natural.items() if (name in layout.within) == within}
            here = {**words, **columns}
            if within:
                flat = {name for name in by_subject if name not in layout.columns or layout.columns[name].ndim == 1}
                here |= {name: f"{here[name]}[:, None]" for name in flat}
            named = parts(roots, {}, {}, taken)
            taken |= set(named.values())
            printer = JAX(here, named, self.constants)
            for node, name in named.items():
                lines += statement(f"{name} = ", printer.definition(node), 4)
            for name, node in roots.items():
                if name in layout.names:
                    continue  # it is sampled itself
                text = printer.text(node)
                leaves = {n.attr("name") for n in walk(node) if n.op == "parameter"}
                if not within and not leaves & by_subject:
                    text = f'jnp.full(data["{N_SUBJECTS}"], {text})'
                lines += self.described(name)
                lines += statement(f"{words[name]} = ", f'numpyro.deterministic({quoted(name)}, {text})', 4)
        for name in layout.fixed:
            value = source.constant(name)
            text = columns[name] if value is None else f'jnp.full(data["{N_SUBJECTS}"], {JAX({}).number(value)[0]})'
            lines += [*self.described(name), *statement(f"{words[name]} = ", text, 4)]
        return lines

    def described(self, parameter: str) -> list[str]:
        described = self.model.parameters[parameter].description
        return comment(described, 4) if described else []

    def trials(self) -> list[str]:
        """Return lines that gather what changes from trial to trial."""
        keys = [self.source.keys[event] for event in self.used]
        keys += [self.source.keys[self.source.missing_name(event)] for event in self.asked]
        keys += [STARTS] if self.resets else []
        if not self.reads_trials:
            return [f'    trials = {{"number": np.tile(np.arange(data["{N_TRIALS}"]), (data["{N_SUBJECTS}"], 1))}}']
        names = f"[{', '.join(map(quoted, keys))}]"
        lines: list[str] = []
        place = "data[name]"
        if self.source.is_ragged:
            lines += [f'    subjects, trial_numbers = np.arange(data["{N_SUBJECTS}"]), np.arange(data["{N_TRIALS}"])']
            lines += [f'    lengths = data["{LENGTHS}"][:, None]']
            lines += ["    repeated = subjects[:, None], np.minimum(trial_numbers, lengths - 1)"]
            place = "data[name][repeated]"
        made = f"    trials = {{name: {place} for name in {names}}}"
        plain = ", ".join(f"{quoted(key)}: data[{quoted(key)}]" for key in keys)
        if place == "data[name]" and len(plain) < _LONG - 20:
            made = f"    trials = {{{plain}}}"
        if len(made) > _LONG:
            lines += statement("names = ", names, 4)
            made = f"    trials = {{name: {place} for name in names}}"
        lines += [made] if keys else ["    trials = {}"]
        lines += [f'    trials["{_IS_PLAYED}"] = trial_numbers < lengths'] if self.source.is_ragged else []
        for name in self.read:
            if name in self.layout.within:
                word = self.words[name]
                by_trial = f'jnp.take_along_axis({word}, data["{CONDITION}"], axis=1)'
                lines += statement(f'trials["{word}"] = ', by_trial, 4)
        return lines

    def observed(self, response: str) -> list[str]:
        """Return lines that declare a response's observed site."""
        family = self.model.response_rules[response].family
        # What is the same on all trials has no axis for them.
        words = {
            argument: self.outputs[response, argument] + ("" if self.has_trials else "[:, None]")
            for argument in self.program.arguments[response]
        }
        if family == "categorical":
            made = f"dist.Categorical(logits={words.get('logits') or words['log_probs']})"
        elif family == "bernoulli":
            made = f"dist.Bernoulli(logits={words['logits']})"
        else:
            made = f"dist.Normal({words['mean']}, {words['sd']})"
        counted = [words["where"]] if "where" in words else []
        if self.has_flags(response):
            counted.append(f'~data["{self.source.keys[self.source.missing_name(response)]}"]')
        lines: list[str] = []
        if len(counted) == 1:
            made += f".mask({counted[0]})"
        elif counted:
            name = f"{self.words[response]}_is_counted"
            lines += statement(f"{name} = ", " & ".join(counted), 4)
            made += f".mask({name})"
        observed = f'data["{self.source.keys[response]}"]'
        return [*lines, *statement("", f'numpyro.sample({quoted(response)}, {made}, obs={observed})', 4)]

    def main(self) -> list[str]:
        return [
            "def main(path, num_warmup=1000, num_samples=1000, num_chains=4):",
            "    mcmc = MCMC(",
            "        NUTS(model), num_warmup=num_warmup, num_samples=num_samples, num_chains=num_chains",
            "    )",
            "    mcmc.run(jax.random.key(0), load(path))",
            "    mcmc.print_summary(exclude_deterministic=False)",
        ]


def _shifted(left: str, right: str, end: str = "", inner: int = 0) -> list[str]:
    """Return a statement of a function within a function, not yet moved to the right."""
    return [line[8:] for line in statement(left, right, 8 + inner, end)]
