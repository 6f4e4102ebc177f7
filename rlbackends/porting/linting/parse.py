"""Parse a program, and collect what the checks ask for."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from rlbackends.errors import BackendMissingError, DataError
from rlbackends.porting.linting.advice import GONE
from rlbackends.porting.linting.program import Assignment, Call, Program, children, dotted, nodes, today_name
from rlbackends.porting.linting.source import Source
from rlbackends.porting.linting.today import HOMES, distribution, moved, names

if TYPE_CHECKING:
    import libcst as cst

_LIBRARIES = {*HOMES, "numpy", "pandas", "jax", "numpyro", "scipy", "aeppl", "matplotlib", "pymc_extras"}


def parse(source: Source) -> Program:
    """Parse a program.

    Raises
    ------
    BackendMissingError
        If libcst is not installed.
    DataError
        If the text is not Python.
    """
    try:
        import libcst as cst
        from libcst.metadata import MetadataWrapper, PositionProvider
    except ImportError:
        raise BackendMissingError(
            "Reading programs needs libcst, which is not installed here: pip install 'rlbackends[port]'"
        ) from None
    too_deep = DataError(f"{source.path}: its expressions are nested too deeply to be read.")
    if _is_too_deep(source.text):
        raise too_deep
    try:
        module = cst.parse_module(source.text)
        wrapper = MetadataWrapper(module, unsafe_skip_copy=True)
        program = Program(source, module, _positions=wrapper.resolve(PositionProvider))
        _collect(program)
    except cst.ParserSyntaxError as error:
        raise DataError(_syntax(source, error)) from None
    except RecursionError:
        raise too_deep from None
    return program


def _is_too_deep(text: str) -> bool:
    """Say whether Python's own parser finds a text too deep: libcst's ends the process on such a one."""
    try:
        ast.parse(text)
    except SyntaxError as error:
        return "too many nested" in str(error) or "too many levels" in str(error)
    except (MemoryError, RecursionError):
        return True
    except ValueError:
        return False
    return False


def _syntax(source: Source, error: Any) -> str:
    """Return what is wrong in Python's own words, which are plainer than libcst's; in its if Python takes the text."""
    line, words = error.raw_line, " ".join(str(error.message).split())
    try:
        ast.parse(source.text)
    except SyntaxError as plain:
        line, words = plain.lineno or line, plain.msg
    line = max(1, min(line, len(source.lines) or 1))
    code = source.lines[line - 1].strip() if source.lines else ""
    hint = ""
    if code.startswith(("print ", "exec ", "raise ")) and not code.startswith("print ("):
        hint = " It looks like Python 2: convert it first, by hand or with 2to3."
    return f"{source.where(line)}: it does not parse as Python: {words.rstrip('.')}. The line is '{code}'.{hint}"


def _collect(program: Program) -> None:
    """Fill a program's lists by one walk in the order of the text."""
    import libcst as cst

    aliases: dict[str, str] = {}
    stars: list[str] = []
    program.nodes = list(nodes(program.module))
    for node in program.nodes:
        if isinstance(node, cst.Import | cst.ImportFrom):
            program.imports.append((node, _imported(node, aliases, stars)))
    program.stars = tuple(dict.fromkeys(stars))
    _walk(program, program.module, "", aliases, frozenset())
    program.assignments.sort(key=lambda item: item.line)  # fields don't stand in the order of the text
    program.calls.sort(key=lambda call: program.start(call.node))
    program.imports.sort(key=lambda item: program.start(item[0]))
    for item in program.assignments:
        for name in item.targets:
            program._assigned.setdefault(name, []).append(item)
    for node in program.nodes:
        if isinstance(node, cst.If | cst.For | cst.While | cst.Try) and not _is_main(program, node):
            program.counted.update(word for inner in nodes(node) if isinstance(inner, cst.Assign)
                                   for target in inner.targets for word in _targets(target.target)[0]
                                   if len(program._assigned.get(word, ())) > 1)  # fmt: skip


def _is_main(program: Program, node: cst.CSTNode) -> bool:
    """Say whether a branch is ``if __name__ == "__main__"``: it is the program."""
    import libcst as cst

    return isinstance(node, cst.If) and "__name__" in program.text(node.test)


def _imported(node: cst.Import | cst.ImportFrom, aliases: dict[str, str], stars: list[str]) -> tuple[str, ...]:
    """Return the dotted names that a statement imports, and note what they are called here."""
    import libcst as cst

    found = []
    if isinstance(node, cst.Import):
        for item in node.names:
            name = dotted(item.name) or ""
            found.append(name)
            if item.asname is not None:
                aliases[dotted(item.asname.name) or ""] = name
            else:
                aliases[name.split(".")[0]] = name.split(".")[0]
        return tuple(found)
    base = "." * len(node.relative) + (dotted(node.module) or "" if node.module is not None else "")
    if isinstance(node.names, cst.ImportStar):
        stars.append(base)
        return (f"{base}.*",)
    for item in node.names:
        name = dotted(item.name) or ""
        found.append(f"{base}.{name}")
        aliases[(dotted(item.asname.name) or "") if item.asname is not None else name] = f"{base}.{name}"
    return tuple(found)


def _walk(program: Program, node: cst.CSTNode, function: str, aliases: dict[str, str], hidden: frozenset[str]) -> None:
    """Collect what stands below a node. ``hidden`` are arguments of functions, which no import's name means there."""
    import libcst as cst

    if isinstance(node, cst.Import | cst.ImportFrom):
        return
    if isinstance(node, cst.FunctionDef):
        program.functions[node.name.value] = node
        program.defined.setdefault(node.name.value, []).append(node)
        taken = {p.name.value for p in nodes(node.params) if isinstance(p, cst.Param)}
        for child in (*node.decorators, node.params):
            _walk(program, child, function, aliases, hidden)
        _walk(program, node.body, node.name.value, aliases, hidden | taken)
        return
    if hidden and isinstance(node, cst.Subscript | cst.Attribute):
        program._arguments[id(node)] = hidden
    if isinstance(node, cst.Call):
        origin = resolve(program, node.func, aliases, hidden)
        call = Call(node, origin, today_name(origin) if origin else "", program.line(node), function)
        program.calls.append(call)
        program._by_node[id(node)] = call
    elif isinstance(node, cst.Attribute):
        origin = resolve(program, node, aliases, hidden)
        program.attributes.append((node, origin))
        if dotted(node) is not None:
            # The parts of a chain of names are no library's names of their own, but may be a trace's.
            part = node.value
            while isinstance(part, cst.Attribute) and not origin:
                program.inner.append(part)
                program._arguments[id(part)] = hidden
                part = part.value
            return
        _walk(program, node.value, function, aliases, hidden)
        return
    elif isinstance(node, cst.Name):
        origin = resolve(program, node, aliases, hidden)
        if origin:
            program.names.append((node, origin))
    elif isinstance(node, cst.Assign | cst.AnnAssign) and node.value is not None:
        targets = [t.target for t in node.targets] if isinstance(node, cst.Assign) else [node.target]
        for target in targets:
            words, unpacked = _targets(target)
            if words:
                program.assignments.append(Assignment(words, node.value, program.line(node), function, unpacked))
            elif isinstance(target, cst.Subscript):
                program.counted.update(_targets(target.value)[0])
    elif isinstance(node, cst.AugAssign | cst.For):
        changed = node.target.value if isinstance(node.target, cst.Subscript) else node.target
        program.counted.update(_targets(changed)[0])
    elif isinstance(node, cst.WithItem) and node.asname is not None:
        words, unpacked = _targets(node.asname.name)
        if words:
            program.assignments.append(Assignment(words, node.item, program.line(node), function, unpacked))
    for child in children(node):
        if (isinstance(node, cst.Arg) and child is node.keyword) or (
            isinstance(node, cst.Param) and child is node.name
        ):
            continue  # the name of an argument means nothing here
        _walk(program, child, function, aliases, hidden)


def _targets(target: Any) -> tuple[tuple[str, ...], bool]:
    """Return the names of an assignment's left side, and whether it unpacks. Holes are empty strings."""
    import libcst as cst

    if isinstance(target, cst.Name | cst.Attribute):
        word = dotted(target)  # self.trace is a name like any other
        return ((word,), False) if word is not None else ((), False)
    if isinstance(target, cst.Tuple | cst.List):
        words: list[str] = []
        for element in target.elements:
            inner, _ = _targets(element.value)
            words += inner or ("",)
        return tuple(words), True
    return (), False


def resolve(program: Program, node: Any, aliases: dict[str, str], hidden: frozenset[str]) -> str:
    """Return the library's name that a chain of names stands for, as it was imported; empty: none."""
    word = dotted(node)
    if word is None:
        return ""
    first, _, rest = word.partition(".")
    if first in hidden:
        return ""
    home = aliases.get(first)
    if home is None:
        home = _of_star(program, first)
        if not home:
            return ""
    if home.split(".")[0].lstrip(".") not in _LIBRARIES:
        return ""
    return f"{home}.{rest}" if rest else home


def _of_star(program: Program, word: str) -> str:
    """Return where a bare name comes from if ``from pymc3 import *`` brought it."""
    for star in program.stars:
        home = today_name(star)
        known = names(home) or frozenset()
        name = f"{home}.{word}"
        if (home == "pymc" and distribution(word) is not None) or word in known or name in GONE or moved(name):
            return f"{star}.{word}"
    return ""
