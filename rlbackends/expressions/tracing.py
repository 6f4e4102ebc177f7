"""From an ordinary function to graphs: its arguments are looked up by name, and it is called once."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rlbackends.errors import ModelError, did_you_mean, listed


def where_defined(rule: Callable[..., Any]) -> str:
    """Return ``file.py:line`` of a rule's definition, or its name if it has no file."""
    function = inspect.unwrap(getattr(rule, "func", rule))
    code = getattr(function, "__code__", None)
    if code is None:
        return getattr(function, "__name__", repr(function))
    return f"{Path(code.co_filename).name}:{code.co_firstlineno}"


def first_line(rule: Callable[..., Any]) -> str:
    """Return the first line of a rule's docstring, without its full stop; nothing if there is none."""
    function = inspect.unwrap(getattr(rule, "func", rule))
    text = inspect.getdoc(function) if hasattr(function, "__code__") else None
    return (text or "").partition("\n")[0].strip().removesuffix(".")


def argument_names(rule: Callable[..., Any]) -> tuple[str, ...]:
    """Return the names that a rule asks for."""
    return tuple(_parameters(rule))


def _parameters(rule: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    try:
        return inspect.signature(rule).parameters
    except (TypeError, ValueError):
        raise ModelError(f"the arguments of {rule!r} can't be read; write a function.") from None


def trace(
    rule: Callable[..., Any],
    available: Mapping[str, Any],
    *,
    what: str,
    later: Mapping[str, str] | None = None,
) -> Any:
    """Call ``rule`` with the values that it asks for by argument name.

    Parameters
    ----------
    rule
        An ordinary function.
    available
        Name → value (stand-ins, or plain numbers for sizes).
    what
        What the rule is for, as the error shall name it: ``the rule of 'choice'``.
    later
        Name → reason, for names that exist but that this rule can't see yet.

    Raises
    ------
    ModelError
        If it asks for a name that is not available, or for ``*args``.
    """
    values = {}
    place = f"{where_defined(rule)}: {what}"
    asked = _parameters(rule)
    for name, parameter in asked.items():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise ModelError(f"{place} takes '{parameter}'; a rule asks for what it needs by argument name.")
        if name in available:
            values[name] = available[name]
        elif later and name in later:
            raise ModelError(f"{place} asks for '{name}', {later[name]}.")
        elif parameter.default is parameter.empty:
            raise ModelError(
                f"{place} asks for '{name}'. There are {listed(available)}.{did_you_mean(name, available)}"
            )
    positional = [values.pop(name) for name, p in asked.items() if p.kind is p.POSITIONAL_ONLY and name in values]
    return rule(*positional, **values)
