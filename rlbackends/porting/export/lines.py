"""Lines of a Python program: assignments that are folded where they are too long."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

WIDTH = 95
_LITTLE, _NESTED = 24, 16
_OPENING, _CLOSING = "([{", ")]}"
# What a long expression is folded at, the loosest first.
_FOLDS: tuple[tuple[str, ...], ...] = (
    (" if ", " else "), (" or ",), (" and ",), (" == ", " != ", " < ", " <= ", " > ", " >= "), (" | ",), (" & ",),
    (" + ", " - "), (" * ", " / ", " @ "), (" ** ",),
)  # fmt: skip


def statement(left: str, right: str = "", indent: int = 0, end: str = "") -> list[str]:
    """Return ``left + right + end`` as lines, folded in brackets if it is too long for one.

    Parameters
    ----------
    left : str
        What stands before the expression, such as ``"q = "`` or ``"return "``.
    right : str
        An expression in one line.
    indent : int, default 0
        Spaces before each line.
    end : str, default ""
        What stands behind the expression, such as a comma.
    """
    space = " " * indent
    whole = f"{space}{left}{right}{end}"
    if len(whole) <= WIDTH:
        return [whole]
    if right.startswith("(") and right.endswith(")") and _last_opening(right) == 0:
        right = right[1:-1]
    elif not _folded_at(right) or _is_call_with_little_before(right):
        return _at_brackets(left, right, indent, end)
    return [f"{space}{left}(", *_at_operators(right, indent + 4), f"{space}){end}"]


def nested(left: str, right: str = "", end: str = "") -> list[str]:
    """Return what `statement` does as lines that will be moved to the right by some levels."""
    return [line[_NESTED:] for line in statement(left, right, _NESTED, end)]


def block(lines: Iterable[str], indent: int) -> list[str]:
    """Return lines moved to the right; empty ones stay empty."""
    return [f"{' ' * indent}{line}" if line else "" for line in lines]


def quoted(name: str) -> str:
    """Return a name as a string of a program."""
    return json.dumps(name, ensure_ascii=False)


def _at_operators(text: str, indent: int) -> list[str]:
    """Return an expression within brackets, folded before its loosest operators."""
    space = " " * indent
    if len(space + text) <= WIDTH:
        return [space + text]
    found: list[str] = []
    for part in _parts(text, _folded_at(text)):
        if len(space + part) <= WIDTH:
            found.append(space + part)
        elif (tighter := _folded_at(_without_operator(part))) and (
            not part.endswith(")") or _last_opening(part) + indent >= WIDTH
        ):
            found += [line for piece in _parts(part, tighter) for line in _at_operators(piece, indent)]
        else:
            found += _at_brackets("", part, indent, "")
    return found


def _at_brackets(left: str, right: str, indent: int, end: str) -> list[str]:
    """Return an expression folded within brackets, the last that fit: its items one a line, or all in one."""
    space = " " * indent
    pairs = _pairs(right)
    if not pairs:
        return [f"{space}{left}{right}{end}"]
    fitting = [pair for pair in pairs if len(f"{space}{left}") + pair[0] < WIDTH and pair[1] - pair[0] > 1]
    opening, closing = fitting[-1] if fitting else pairs[0]
    head, inner, tail = right[: opening + 1], right[opening + 1 : closing], right[closing:]
    follows_name = opening > 0 and (right[opening - 1].isalnum() or right[opening - 1] in "_])")
    is_subscript = tail[0] == "]" and follows_name
    is_group = tail[0] == ")" and not follows_name
    lines = [f"{space}{left}{head}"]
    items = _items(inner)
    if len(items) == 1 and not is_subscript and (is_group or not _is_keyword(items[0])):
        lines += _at_operators(inner, indent + 4)
    elif len(inner) + indent + 4 <= WIDTH:
        lines.append(f"{space}    {inner}")
    else:
        for i, item in enumerate(items):
            comma = "," if i < len(items) - 1 or not is_subscript else ""
            name, value = item.split("=", 1) if _is_keyword(item) else ("", item)
            lines += statement(f"{name}=" if name else "", value, indent + 4, comma)
    return [*lines, f"{space}{tail}{end}"]


def _pairs(text: str) -> list[tuple[int, int]]:
    """Return where the brackets outside of all others open and close."""
    depths = _depths(text)
    opens = [i for i, letter in enumerate(text) if letter in _OPENING and depths[i] == 0]
    closes = [i for i, letter in enumerate(text) if letter in _CLOSING and depths[i] == 0]
    return list(zip(opens, closes, strict=True))


def _without_operator(text: str) -> str:
    """Return an expression without the operator before it, which is there where a longer one was folded."""
    return re.sub(r"^(\+|-|\*\*?|/|@|\||&|[=!<>]=|<|>|and|or|if|else) ", "", text)


def _is_call_with_little_before(text: str) -> bool:
    """Say whether an expression ends in brackets before which there is little, such as ``-beta * (…)``."""
    if not text.endswith(")"):
        return False
    return _last_opening(text) < _LITTLE and _folded_at(text) in _FOLDS[-2:]


def _is_keyword(item: str) -> bool:
    """Say whether an argument is given by name."""
    return re.match(r"\w+=[^=]", item) is not None


def _depths(text: str) -> list[int]:
    """Return at each letter how many brackets are open before it; within quotes, one more."""
    found, depth, quote, escaped = [], 0, "", False
    for letter in text:
        if quote:
            found.append(depth + 1)
            quote = "" if letter == quote and not escaped else quote
            escaped = letter == "\\" and not escaped
            continue
        if letter in "'\"":
            quote = letter
        if letter in _CLOSING:
            depth -= 1
        found.append(depth)
        if letter in _OPENING:
            depth += 1
    return found


def _last_opening(text: str) -> int:
    """Return where the bracket opens that the last letter closes."""
    depths = _depths(text)
    return max(i for i in range(len(text) - 1) if depths[i] == 0 and text[i] in _OPENING)


def _items(text: str) -> list[str]:
    """Return what stands between commas."""
    depths, start, found = _depths(text), 0, []
    for i, letter in enumerate(text):
        if letter == "," and depths[i] == 0:
            found.append(text[start:i].strip())
            start = i + 1
    last = text[start:].strip()
    return [*found, last] if last else found


def _folded_at(text: str) -> tuple[str, ...]:
    """Return the loosest operators that stand outside of all brackets."""
    depths = _depths(text)
    for group in _FOLDS:
        if any(depths[i] == 0 and text.startswith(group, i) for i in range(len(text))):
            return group
    return ()


def _parts(text: str, operators: tuple[str, ...]) -> list[str]:
    """Return an expression cut before its operators."""
    if not operators:
        return [text]
    depths, start, found = _depths(text), 0, []
    for i in range(1, len(text)):
        if depths[i] == 0 and text.startswith(operators, i):
            found.append(text[start:i].strip())
            start = i + 1
    return [*found, text[start:].strip()]
