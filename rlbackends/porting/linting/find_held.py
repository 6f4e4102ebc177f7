"""Checks of what a program holds: a trace, a model, a random variable, used as they were."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rlbackends.porting.linting import today
from rlbackends.porting.linting.advice import MODEL, TRACE, VARIABLE
from rlbackends.porting.linting.find_calls import distribution_of
from rlbackends.porting.linting.program import Assignment, Program, dotted
from rlbackends.porting.linting.rules import Row

if TYPE_CHECKING:
    import libcst as cst

_SAMPLERS = {
    "pymc.sample",
    "pymc.sample_posterior_predictive",
    "pymc.sample_prior_predictive",
    "pymc.sample_smc",
    "pymc.sample_ppc",
    "pymc.fast_sample_posterior_predictive",
    "pymc.load_trace",
    "pymc.sampling_jax.sample_numpyro_nuts",
}
_GROUPS = {"posterior", "sample_stats", "log_likelihood", "posterior_predictive", "prior", "prior_predictive",
           "observed_data", "constant_data", "predictions", "log_prior", "warmup_posterior"}  # fmt: skip


def traces(program: Program) -> Iterator[Row]:
    """Find results of sampling that are used as a MultiTrace or an InferenceData."""
    import libcst as cst

    for node in program.nodes:
        if isinstance(node, cst.Subscript):
            made = _maker(program, node.value, node)
            if made is None:
                continue
            call, samples = made
            if call in ("pymc.sample", "pymc.load_trace", "pymc.sample_smc") or samples:
                yield from _subscript(program, node, samples)
            else:
                yield from _predictive(program, node)
    for attribute in _attributes(program):
        made = _maker(program, attribute.value, attribute)
        if made is None or (made[0] != "pymc.sample" and not made[1]):
            continue
        name = attribute.attr.value
        known = today.attributes("posterior") | _GROUPS
        if name in known and name != "groups":
            continue
        if name == "groups" and not _is_called(program, attribute):
            continue
        if name in TRACE or name not in known:
            what = f"'{program.text(attribute)}': a DataTree has no {name}." if name != "groups" else \
                f"'{program.text(attribute)}()': groups is no function."  # fmt: skip
            yield program.row("trace-access", attribute, what, fix=TRACE.get(name, ""))


# Methods of xarray's Dataset that a group of a DataTree lacks.
_OF_DATASETS = {"stack", "unstack", "to_dataframe", "to_array", "quantile", "rename", "thin", "groupby", "transpose",
                "where", "squeeze", "drop_vars", "assign_coords", "swap_dims", "expand_dims", "dropna"}  # fmt: skip


def groups(program: Program) -> Iterator[Row]:
    """Find methods of a Dataset that are called on a group: ``trace.posterior.stack(…)``."""
    import libcst as cst

    for call in program.calls:
        method = call.node.func
        if not (isinstance(method, cst.Attribute) and method.attr.value in _OF_DATASETS):
            continue
        group = method.value
        if not (isinstance(group, cst.Attribute) and group.attr.value in _GROUPS):
            continue
        made = _maker(program, group.value, group)
        if made is not None and (made[0] in _SAMPLERS or made[1]):
            name = method.attr.value
            fix = f"{program.text(group)}.to_dataset().{name}(…)"
            if name in ("stack", "to_dataframe"):
                fix = f"az.extract({program.text(group.value)}){'.to_dataframe()' * (name == 'to_dataframe')}, or {fix}"
            yield program.row("trace-access", call.node, f"'{program.text(method)}': a group has no {name}.",
                              why="It raises AttributeError.", fix=fix)  # fmt: skip


def _attributes(program: Program) -> list[cst.Attribute]:
    """Return the attributes that are no library's names, those inside a chain among them."""
    return [node for node, name in program.attributes if not name] + program.inner


def _is_called(program: Program, attribute: cst.Attribute) -> bool:
    return any(call.node.func is attribute for call in program.calls)


def _maker(program: Program, node: cst.CSTNode, use: cst.CSTNode) -> tuple[str, bool] | None:
    """Return the function that made what a name or a call gives, and whether it stands for an approximation's draws."""
    call = program.call_at(node)
    word = dotted(node)
    if call is None and word is not None:
        if not word.startswith("self.") and program.is_argument(word, use):
            return None
        found = program.value(word, program.line(node) + 1) or program.value(word)
        if found is None or found.unpacked or _is_multitrace(program, found):
            return None
        call = program.call_at(found.value)
    if call is None:
        return None
    if call.name in _SAMPLERS:
        return call.name, False
    word = dotted(call.node.func)
    if word is not None and word.endswith(".sample") and word.count(".") == 1:
        fitted = program.value(word.split(".")[0], call.line + 1)
        inner = program.call_at(fitted.value) if fitted else None
        if inner is not None and inner.name == "pymc.fit":
            return "pymc.fit", True
    return None


def _is_multitrace(program: Program, found: Assignment) -> bool:
    call = program.call_at(found.value)
    asked = call.argument("return_inferencedata") if call is not None else None
    return asked is not None and program.text(asked) == "False"


def _subscript(program: Program, node: cst.Subscript, samples: bool) -> Iterator[Row]:
    import libcst as cst

    index = node.slice[0].slice if len(node.slice) else None
    text = program.text(node)
    if isinstance(index, cst.Slice):
        yield program.row("trace-access", node, f"'{text}': a DataTree can't be sliced.", why="It raises ValueError.",
                          fix="trace.isel(draw=slice(100, None)); draws of tuning are left out already.")  # fmt: skip
        return
    value = index.value if isinstance(index, cst.Index) else None
    if isinstance(value, cst.SimpleString):
        word = value.evaluated_value
        if isinstance(word, str) and word.strip("/").split("/")[0] not in _GROUPS:
            yield program.row("trace-access", node, f"'{text}': there is no group '{word}'.", why="It raises KeyError.",
                              fix=f"trace.posterior['{word}'] (dims chain, draw, …); one long axis: "
                              f"az.extract(trace)['{word}'].")  # fmt: skip
    elif isinstance(value, cst.Name | cst.Integer | cst.UnaryOperation):
        yield program.row(
            "trace-access",
            node,
            f"'{text}': a DataTree is indexed by groups.",
            why="It raises an error.",
            fix="trace.posterior[name], or trace.posterior.isel(draw=i).",
        )


def _predictive(program: Program, node: cst.Subscript) -> Iterator[Row]:
    import libcst as cst

    index = node.slice[0].slice
    value = index.value if isinstance(index, cst.Index) else None
    if isinstance(value, cst.SimpleString) and value.evaluated_value not in _GROUPS:
        word = str(value.evaluated_value)
        yield program.row(
            "trace-access",
            node,
            f"'{program.text(node)}': a predictive is a DataTree, too.",
            why="It raises KeyError.",
            fix=f"ppc.posterior_predictive['{word}'], or ppc.prior['{word}'].",
        )


def models(program: Program) -> Iterator[Row]:
    """Find attributes of models and of random variables that are gone."""
    import libcst as cst

    held = _held(program)
    lost_model = set(MODEL) - today.attributes("model")
    lost_variable = {name for name in VARIABLE if name.partition(".")[0] not in today.attributes("variable")} | {
        "tag.test_value"
    }
    for attribute in _attributes(program):
        name, owner = attribute.attr.value, attribute.value
        word = dotted(owner)
        if word is not None and not word.startswith("self.") and program.is_argument(word, attribute):
            continue
        if word is not None and held.get(word) == "model" and name in lost_model:
            yield program.row("model-attribute", attribute, f"'{program.text(attribute)}' is gone.", fix=MODEL[name])
        elif _is_variable(program, owner, held):
            if name in lost_variable:
                yield program.row("variable-attribute", attribute, f"'{program.text(attribute)}' is gone.",
                                  fix=VARIABLE[name])  # fmt: skip
        elif name == "test_value" and isinstance(owner, cst.Attribute) and owner.attr.value == "tag":
            yield program.row("variable-attribute", attribute, f"'{program.text(attribute)}' is gone.",
                              fix=VARIABLE["tag.test_value"])  # fmt: skip
    for call in program.calls:
        func = call.node.func
        if (
            isinstance(func, cst.Attribute)
            and isinstance(func.value, cst.Name)
            and held.get(func.value.value) == "model"
        ):
            if func.attr.value in ("logp", "dlogp", "d2logp") and call.positional():
                yield program.row(
                    "model-attribute",
                    call.node,
                    f"'{program.text(call.node)}': it gives a graph now, and takes no point.",
                    why="It raises TypeError.",
                    fix=f"model.compile_{func.attr.value}()(point)",
                )


def _held(program: Program) -> dict[str, str]:
    """Return the names that hold a model or a random variable."""
    import libcst as cst

    found: dict[str, str] = {}
    for item in program.assignments:
        call = program.call_at(item.value)
        if call is None or item.unpacked:
            continue
        if call.name == "pymc.Model":
            found[item.targets[0]] = "model"
        elif distribution_of(call) is not None or call.name == "pymc.Deterministic":
            found[item.targets[0]] = "variable"
        elif isinstance(call.node.func, cst.Call):
            inner = program.call_at(call.node.func)
            if inner is not None and inner.name == "pymc.Bound":
                found[item.targets[0]] = "variable"
    return found


def _is_variable(program: Program, node: cst.CSTNode, held: dict[str, str]) -> bool:

    word = dotted(node)
    if word is not None:
        return held.get(word) == "variable"
    call = program.call_at(node)
    return call is not None and distribution_of(call) is not None


CHECKS = (traces, groups, models)
