"""Checks of names: packages, functions and settings that are gone, or about to move."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rlbackends.porting.linting import today
from rlbackends.porting.linting.advice import advice
from rlbackends.porting.linting.program import Program, dotted, today_name
from rlbackends.porting.linting.rules import Row

if TYPE_CHECKING:
    import libcst as cst

_OLD = ("pymc3", "pymc4", "theano", "aesara", "aeppl")
_SHORT = {"pymc": "pm", "pytensor.tensor": "pt", "arviz": "az"}


def imports(program: Program) -> Iterator[Row]:
    """Find imports of packages that have a new name."""
    for node, names in program.imports:
        old = [name for name in names if name.split(".")[0] in _OLD]
        if not old:
            continue
        first = old[0].split(".")[0]
        if first == "aeppl":
            fix = "pymc.logprob"
        else:
            fix = _import_today(program, node, old)
        yield program.row("old-import", node, f"'{first}' is imported.", fix=fix)


def _import_today(program: Program, node: cst.Import | cst.ImportFrom, old: list[str]) -> str:
    """Return the import as it reads today, as far as its names still exist."""
    lost = [name for name in old if not name.endswith("*") and _missing(today_name(name))]
    if lost:
        new = advice(today_name(lost[0]))
        return f"{new}" if new else f"'{lost[0]}' has gone."
    text = program.text(node)
    for before, after in (("pymc3", "pymc"), ("theano", "pytensor"), ("aesara", "pytensor")):
        text = " ".join(_renamed(word, before, after) for word in text.split())
    return text


def _renamed(word: str, before: str, after: str) -> str:
    """Return a dotted word with its first part renamed."""
    head, dot, rest = word.partition(".")
    tail = "," if head.endswith(",") else ""
    return f"{after}{tail}{dot}{rest}" if head.removesuffix(",") == before else word


def _missing(name: str) -> str | None:
    return None if _is_module(name) else today.missing(name)


def _is_module(name: str) -> bool:
    """Say whether a name is a module, or in one, that can be imported though its package does not show it."""
    parts = name.split(".")
    modules = today.importable()
    return any(".".join(parts[:i]) in modules for i in range(2, len(parts) + 1))


def gone(program: Program) -> Iterator[Row]:
    """Find names that today's packages lack, and those about to move."""
    imported = {today_name(name) for _, names in program.imports for name in names}
    for node, names in program.imports:
        for name in names:
            yield from _judge(program, node, name, program.text(node), imported)
    from_import = {name for _, names in program.imports for name in names}
    for attribute, origin in program.attributes:
        if today_name(origin).startswith("pymc.stats.") and attribute.attr.value in _STATS:
            name = f"pymc.{attribute.attr.value}"
            yield program.row("gone", attribute, f"'{dotted(attribute)}' is gone: {today.spoken('pymc')} has no "
                              f"pm.stats.{attribute.attr.value}.", fix=advice(name))  # fmt: skip
        elif origin and dotted(attribute) is not None:
            yield from _judge(program, attribute, origin, dotted(attribute) or "", imported)
    for word, origin in program.names:
        # A name that its import lists is told there, once; one that a star brought has no other place.
        if origin in from_import or "." not in origin:
            continue
        home = today.moved(today_name(origin))
        if home is not None and origin.rpartition(".")[0] in program.stars:
            yield program.row(
                "gone", word, f"'{word.value}' does not come with * any more.", why="It raises NameError.", fix=home
            )
        else:
            yield from _judge(program, word, origin, word.value, imported)


def _judge(program: Program, node: cst.CSTNode, origin: str, written: str, imported: set[str]) -> Iterator[Row]:
    """Yield a row if a name is gone or about to move."""
    name = today_name(origin)
    package = name.split(".")[0]
    if package not in ("pymc", "pytensor", "arviz") or origin.endswith("*"):
        return
    home = today.moved(name)
    if home is not None:
        short = "" if program.uses("arviz") else "import arviz as az; "
        stats = home.startswith(("pymc.stats", "pymc.plots"))
        fix = f"{short}az.{home.rpartition('.')[2]}" if stats else home
        yield program.row("moved", node, f"'{written}' moves to {home}.", fix=fix)
        return
    special = _SPECIAL.get(name)
    if special is not None:
        yield program.row("gone", node, special[0], why=special[1], fix=special[2])
        return
    lost = today.missing(name)
    if lost is None or lost.rpartition(".")[2].startswith("_"):
        return  # private names are not listed
    if lost in today.importable() and any(known == lost or known.startswith(f"{lost}.") for known in imported):
        return  # the program imports that module itself
    fix = advice(name) or "Look for it in today's reference; nothing of that name is left."
    yield program.row(
        "gone", node, f"'{written}' is gone: {today.spoken(package)} has no {_spoken_name(lost)}.", fix=fix
    )


def _spoken_name(name: str) -> str:
    """Return a name the short way: ``pt.nnet`` for ``pytensor.tensor.nnet``."""
    for long, short in _SHORT.items():
        if name.startswith(f"{long}."):
            return f"{short}.{name.removeprefix(f'{long}.')}"
    return name


# Functions of pymc3.stats that no module has today.
_STATS = {"hpd", "waic", "quantiles", "mc_error", "df_summary"}

_SPECIAL = {
    "arviz.InferenceData": (
        "'InferenceData' is only another word for xarray's DataTree.",
        "Its methods (extend, stack, map, add_groups, to_dataframe) are gone: they raise AttributeError.",
        "xarray.DataTree, and its methods.",
    ),
}

_VARIABLES = {"THEANO_FLAGS", "AESARA_FLAGS", "THEANORC"}


def flags(program: Program) -> Iterator[Row]:
    """Find settings of Theano that nothing reads today, and one of ArviZ that has another name."""
    import libcst as cst

    origins = {id(node): origin for node, origin in program.attributes}
    for node in program.nodes:
        if isinstance(node, cst.Subscript) and origins.get(id(node.value)) == "arviz.rcParams":
            if program.text(node.slice[0]).strip("'\"") == "stats.hdi_prob":
                yield program.row("gone", node, "ArviZ has no setting stats.hdi_prob.", why="It raises KeyError.",
                                  fix="az.rcParams['stats.ci_prob']")  # fmt: skip
        if isinstance(node, cst.SimpleString | cst.ConcatenatedString):
            value = node.evaluated_value
            if isinstance(value, str) and value in _VARIABLES:
                yield program.row("flags-ignored", node, f"{value} is set or read.")
        if isinstance(node, cst.Assign):
            for target in node.targets:
                yield from _config(program, target.target)


_SETTINGS_GONE = (
    "compute_test_value",
    "device",
    "force_device",
    "gcc",
    "dnn",
    "lib",
    "nvcc",
    "gpuarray",
    "init_gpu_device",
    "allow_gc_",
    "openmp_elemwise_minsize_",
    "contexts",
    "reoptimize_unpickled_function",
)


def _config(program: Program, target: cst.CSTNode) -> Iterator[Row]:
    name = dotted(target) or ""
    origin = next((found for node, found in program.attributes if node is target), "")
    today_origin = today_name(origin) if origin else ""
    if not today_origin.startswith("pytensor.config."):
        return
    setting, _, below = today_origin.removeprefix("pytensor.config.").partition(".")
    if below:
        why = "pytensor.config has no nested settings: it raises AttributeError."
        yield program.row("gone", target, f"'{name}' is gone.", why=why, fix=f"pytensor.config.{setting}__{below}")
    elif setting in _SETTINGS_GONE:
        yield program.row("flags-ignored", target, f"'{name}' is set; PyTensor has no such setting.")


CHECKS = (imports, gone, flags)
