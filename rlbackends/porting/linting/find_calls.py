"""Checks of calls: arguments that are dropped, refused or missing, and defaults that have changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from rlbackends.errors import did_you_mean
from rlbackends.porting.linting import today
from rlbackends.porting.linting.advice import ARGUMENTS, DISTRIBUTION_KEYWORDS
from rlbackends.porting.linting.program import Call, Program, dotted
from rlbackends.porting.linting.rules import Row
from rlbackends.porting.linting.today import DistributionRow, Signature

if TYPE_CHECKING:
    import libcst as cst

_OLD = ("pymc3", "pymc4")
# pm.sample hands these on, though its signature does not show them.
_SAMPLE_TAKES = {"target_accept", "nuts"}
_FREE_ARGUMENTS = {"pymc.find_MAP": {"method", "maxeval", "tol", "options", "bounds"}, "pymc.fit": None,
                   "pymc.sample_smc": None}  # fmt: skip


def distribution_of(call: Call) -> tuple[str, bool] | None:
    """Return the distribution that a call builds, and whether it does so without a name (``.dist``)."""
    parts = call.name.split(".")
    if parts[0] != "pymc" or len(parts) < 2:
        return None
    without_name = parts[-1] == "dist" and len(parts) > 2
    *path, word = parts[1:-1] if without_name else parts[1:]
    if path and path[0] != "distributions":
        return None  # another thing of the same name, such as a family of pm.glm
    return (word, without_name) if today.distribution(word) is not None else None


def distributions(program: Program) -> Iterator[Row]:
    """Find keywords that distributions drop or refuse, and arguments that they need."""
    for call in program.calls:
        found = distribution_of(call)
        inside = None if found else bounded(program, call)
        if found is None and inside is None:
            continue
        word, without_name = found or (inside or "", False)
        known = today.distribution(word)
        assert known is not None
        yield from _keywords(program, call, word, known)
        if found is not None:
            yield from _needed(program, call, word, known, without_name)


def bounded(program: Program, call: Call) -> str | None:
    """Return the distribution inside ``pm.Bound(pm.Normal, …)(…)``, written at once or through a variable."""
    inner = program.call_at(call.node.func)
    if inner is None:
        word = dotted(call.node.func)
        found = program.value(word, call.line + 1) if word else None
        inner = program.call_at(found.value) if found else None
    if inner is None or inner.name != "pymc.Bound" or not inner.positional():
        return None
    word = (dotted(inner.positional()[0]) or "").rpartition(".")[2]
    return word if today.distribution(word) is not None else None


def _keywords(program: Program, call: Call, word: str, known: DistributionRow) -> Iterator[Row]:
    """Find keywords that a distribution does not know."""
    given = call.keywords()
    for keyword, arg in given.items():
        if keyword in known.own or keyword in known.common or keyword in ("model", "name"):
            continue
        if keyword == "dtype" and known.other == "ignored":
            continue  # the one keyword that those which take any other do heed
        new = DISTRIBUTION_KEYWORDS.get(keyword) or ""
        if new and new.split()[0].rstrip(",") not in (*known.own, *known.common):
            new = ""
        hint = f"{new}={program.text(arg.value)}" if new in (*known.own, *known.common) else new
        hint = hint or did_you_mean(keyword, [*known.own, *known.common]).strip() or "Leave it out."
        fate = known.sd if keyword == "sd" and known.sd else known.other
        if keyword == "lam" and "lam" not in known.own:
            hint = ""
        if fate == "ignored":
            yield program.row(
                "ignored-keyword", arg, f"pm.{word} drops {keyword}={program.text(arg.value)}.",
                why=_effect(keyword, known, given, program.text(arg.value)), fix=hint or "Leave it out.",
            )  # fmt: skip
        elif not (keyword in ("theta",) and "mu" in known.needed and "mu" not in given):
            yield program.row(
                "argument", arg, f"pm.{word} has no argument {keyword}.", why=f"It raises {fate}.", fix=hint
            )


def _effect(keyword: str, known: DistributionRow, given: Mapping[str, object], value: str) -> str:
    """Return what becomes of a model whose keyword is dropped."""
    if keyword == "sd" and "sigma" in known.own and "tau" not in given:
        if value in ("1", "1.", "1.0"):
            return "Its sigma is then the default, which is 1 as well: here nothing changes, by luck."
        return "Its sigma is then the default, 1, without a word: another prior."
    if keyword in ("testval", "test_value"):
        return "Sampling then starts somewhere else, without a word."
    return ""


def _needed(program: Program, call: Call, word: str, known: DistributionRow, without_name: bool) -> Iterator[Row]:
    """Find arguments that are missing: the old name stands in their place, or nothing."""
    if call.has_stars():
        return
    given = call.keywords()
    plain = call.positional() if without_name or "name" in given else call.positional()[1:]
    lacking = [name for i, name in enumerate(known.needed) if name not in given]
    positional = [name for name in known.own[: known.positional]]
    lacking = [name for name in lacking if name not in positional[: len(plain)]]
    for name in lacking:
        old = next((k for k in given if DISTRIBUTION_KEYWORDS.get(k) == name), None)
        what = f"pm.{word} needs {name}" + (f"; {old} is its old name." if old else ".")
        yield program.row("argument", call.node, what, why="It raises TypeError.", fix=f"{name}=…")
    if len(plain) > known.positional and known.own and word not in today._HANDED_ON:
        yield program.row(
            "argument",
            call.node,
            f"pm.{word} takes {known.positional} arguments without a name, {len(plain)} are given.",
            why="It raises TypeError.",
            fix=f"Name them: {', '.join(f'{name}=…' for name in known.own)}.",
        )


def arguments(program: Program) -> Iterator[Row]:
    """Find arguments that functions of the libraries don't take."""
    for call in program.calls:
        name = _called(program, call)
        if name is None or name == "pymc.DensityDist":
            continue
        found = today.signature(name)
        if found is None:
            continue
        yield from _unknown(program, call, name, found)
        yield from _too_many(program, call, name, found)


def _called(program: Program, call: Call) -> str | None:
    """Return the name of what is called; a method's by the class of the variable that it is called on."""
    if call.name:
        if call.name in ("pytensor.scan.scan", "pytensor.scan.basic.scan"):
            return "pytensor.scan"
        home = today.moved(call.name) or call.name
        if home.startswith(("pymc.stats.", "pymc.plots.")):
            return f"arviz.{home.rpartition('.')[2]}"  # PyMC hands ArviZ's on
        return call.name
    word = dotted(call.node.func)
    if word is None or word.count(".") != 1:
        return None
    owner, method = word.split(".")
    made = program.value(owner, call.line + 1)
    maker = program.call_at(made.value) if made else None
    return f"{maker.name}.{method}" if maker is not None and maker.name else None


def _advice(name: str, keyword: str) -> str:
    for key in (name, name.rpartition(".")[0], ".".join(name.split(".")[:2])):
        found = ARGUMENTS.get(key, {}).get(keyword)
        if found:
            return found
    return ""


def _unknown(program: Program, call: Call, name: str, known: Signature) -> Iterator[Row]:
    """Find keywords that a function refuses, and arguments that it needs and does not get."""
    spoken = _spoken(name)
    given = call.keywords()
    free = _FREE_ARGUMENTS.get(name, set())
    unknown = []
    for keyword, arg in given.items():
        if keyword in known.positional or keyword in known.named:
            if name == "pymc.sample" and keyword == "trace":
                yield _refused(program, arg, spoken, keyword, _advice(name, keyword))
            continue
        if name == "pymc.sample" and keyword in _SAMPLE_TAKES:
            continue
        advised = _advice(name, keyword)
        if known.open and not advised and (name != "pymc.sample") and (free is None or name not in _FREE_ARGUMENTS):
            continue
        if free and keyword in free:
            continue
        unknown.append(keyword)
        hint = advised or did_you_mean(keyword, [*known.positional, *known.named]).strip() or "Leave it out."
        yield _refused(program, arg, spoken, keyword, hint)
    if call.has_stars() or unknown:
        return  # the row of the old keyword says it
    n_plain = len(call.positional())
    for needed in known.needed:
        if needed in given or (needed in known.positional and known.positional.index(needed) < n_plain):
            continue
        yield program.row("argument", call.node, f"{spoken} needs {needed}.", why="It raises TypeError.",
                          fix=f"{needed}=…")  # fmt: skip


def _refused(program: Program, arg: cst.CSTNode, spoken: str, keyword: str, hint: str) -> Row:
    what = f"{spoken} has no argument {keyword}."
    return program.row("argument", arg, what, why="It raises an error.", fix=hint)


def _too_many(program: Program, call: Call, name: str, known: Signature) -> Iterator[Row]:
    """Find more arguments without a name than a function takes."""
    plain = call.positional()
    if known.many or len(plain) <= len(known.positional):
        return
    names = {"pymc.sample": "pm.sample(draws, step=…, initvals=…, tune=…)"}
    named = ", ".join(f"{word}=…" for word in known.named[:4]) or "see its reference"
    fix = names.get(name) or f"Name them: {named}."
    yield program.row(
        "argument", call.node,
        f"{_spoken(name)} takes {len(known.positional)} argument{'s' * (len(known.positional) != 1)} without a name, "
        f"{len(plain)} are given.", why="It raises TypeError.", fix=fix,
    )  # fmt: skip


def _spoken(name: str) -> str:
    for long, short in (("pymc.", "pm."), ("pytensor.tensor.", "pt."), ("arviz.", "az.")):
        if name.startswith(long):
            return short + name.removeprefix(long)
    return name


def special(program: Program) -> Iterator[Row]:
    """Find calls whose meaning has changed as a whole."""
    import libcst as cst

    for call in program.calls:
        if call.name in ("pymc.DensityDist", "pymc.CustomDist"):
            yield from _density(program, call)
        elif call.name == "pymc.LKJCholeskyCov" and "compute_corr" not in call.keywords():
            owner = next((a for a in program.assignments if a.value is call.node), None)
            if owner is not None and not owner.unpacked:
                yield program.row(
                    "argument", call.node, "pm.LKJCholeskyCov returns three things: the factor, correlations and sds.",
                    why="What expects one packed vector raises an error.",
                    fix="chol, corr, sds = pm.LKJCholeskyCov(…), or compute_corr=False for the packed vector.",
                )  # fmt: skip
        elif call.name == "pymc.fit":
            method = call.argument("method", 1)
            if isinstance(method, cst.SimpleString) and method.evaluated_value in ("nfvi", "nf"):
                yield program.row("argument", method, "pm.fit has no method 'nfvi'.", why="It raises KeyError.",
                                  fix="method='fullrank_advi'")  # fmt: skip
        elif call.name == "pymc.Mixture":
            yield from _mixture(program, call)
        elif call.name == "pymc.sample":
            yield from _sample(program, call)
        elif call.name in ("pymc.summary", "pymc.df_summary", "pymc.stats.summary", "arviz.summary"):
            if program.uses(*_OLD) and "ci_prob" not in call.keywords():
                yield program.row("summary-interval", call.node, "The interval is not said.")
        transform = call.argument("transform")
        if transform is not None and distribution_of(call) and "initval" not in call.keywords():
            word = (dotted(transform) or program.text(transform).partition("(")[0]).rpartition(".")[2]
            if word in ("ordered", "Ordered"):
                yield program.row("ordered-start", call.node, "transform=ordered without initval.")


def _density(program: Program, call: Call) -> Iterator[Row]:
    import libcst as cst

    plain = call.positional()
    observed = call.argument("observed")
    second = plain[1] if len(plain) > 1 else None
    is_function = isinstance(second, cst.Lambda) or (
        isinstance(second, cst.Name) and second.value in program.functions and call.argument("logp") is None
    )
    if is_function or (isinstance(second, cst.Attribute) and second.attr.value in ("logp", "logp_")):
        yield program.row("densitydist", call.node, "The log-density is given without its name, logp=.",
                          why="It raises TypeError: the first argument after the name is a parameter now.")  # fmt: skip
    if isinstance(observed, cst.Dict) or (
        (inner := program.call_at(observed)) is not None and isinstance(inner.node.func, cst.Name)
        and inner.node.func.value == "dict"
    ):  # fmt: skip
        yield program.row("densitydist", call.node, "observed is a dictionary.", why="It raises TypeError.",
                          fix="Give parameters before logp=, and one array as observed.")  # fmt: skip


def _mixture(program: Program, call: Call) -> Iterator[Row]:
    """Find components that are variables of the model."""
    components = call.argument("comp_dists", 2)
    if components is None:
        return
    import libcst as cst

    listed = [e.value for e in components.elements] if isinstance(components, cst.List | cst.Tuple) else [components]
    for item in listed:
        named = program.value(item.value, call.line) if isinstance(item, cst.Name) else None
        inner = program.call_at(named.value if named is not None else item)
        found = distribution_of(inner) if inner is not None else None
        if (
            inner is not None
            and found is not None
            and not found[1]
            and inner.positional()
            and _is_text(inner.positional()[0])
        ):
            yield program.row("random-components", call.node, f"A component is the model's {program.text(inner.node)}.")
            return


def _is_text(node: object) -> bool:
    return type(node).__name__ in ("SimpleString", "FormattedString", "ConcatenatedString")


def _sample(program: Program, call: Call) -> Iterator[Row]:
    """Find defaults of ``pm.sample`` that have changed, and what picks its sampler."""
    import libcst as cst

    given = call.keywords()
    old = call.origin.split(".")[0] in _OLD
    if not call.has_stars() and old:
        stepped = "step" in given or len(call.positional()) > 1
        lacking = [name for name in (("tune",) if stepped else ("tune", "nuts_sampler")) if name not in given]
        if "draws" not in given and not call.positional():
            lacking.insert(0, "draws")
        if lacking:
            yield program.row("sample-defaults", call.node, f"{_words(lacking)} not said.",
                              fix=f"Say them: pm.sample({', '.join(f'{name}=…' for name in lacking)}).")  # fmt: skip
    init = call.argument("init")
    if isinstance(init, cst.SimpleString) and init.evaluated_value != "auto" and "nuts_sampler" not in given:
        yield program.row("init-picks-sampler", given["init"], f"init={program.text(init)}.")
    sampler = call.argument("nuts_sampler")
    if isinstance(sampler, cst.SimpleString) and sampler.evaluated_value == "blackjax":
        yield program.row("argument", given["nuts_sampler"], "nuts_sampler='blackjax' does not run.",
                          why="PyMC 6.4 hands blackjax 1.6 and later an argument that it lacks: TypeError.",
                          fix="nuts_sampler='nutpie', or 'numpyro'.")  # fmt: skip
    if isinstance(sampler, cst.SimpleString) and sampler.evaluated_value == "numpyro":
        yield program.row("numpyro-sampler", given["nuts_sampler"], "NumPyro samples the model of PyMC.")
    if "idata_kwargs" in given:
        yield program.row("idata-kwargs", given["idata_kwargs"], f"'{program.text(given['idata_kwargs'])}'.")
    seeds = [c for c in program.calls if c.name == "numpy.random.seed" and c.line < call.line]
    if old and seeds and "random_seed" not in given and not call.has_stars():
        yield program.row("seed-ignored", call.node, "np.random.seed is called in line "
                          f"{program.source.place(seeds[-1].line)[1]}, random_seed is not given.")  # fmt: skip
    asked = call.argument("return_inferencedata")
    if isinstance(asked, cst.Name) and asked.value == "False":
        if isinstance(sampler, cst.SimpleString) and sampler.evaluated_value != "pymc":
            yield program.row("argument", given["return_inferencedata"],
                              f"return_inferencedata=False does not go with {program.text(given['nuts_sampler'])}.",
                              why="It raises ValueError.", fix="Leave it out, and use trace.posterior.")  # fmt: skip
        else:
            yield program.row("multitrace-asked", given["return_inferencedata"], "A MultiTrace is asked for.")


def _words(names: list[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]} are" if len(names) > 1 else f"{names[0]} is"


CHECKS = (distributions, arguments, special)
