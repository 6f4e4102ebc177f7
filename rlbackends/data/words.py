"""Small pieces of English that messages share."""

from __future__ import annotations

from collections.abc import Iterable


def and_list(words: Iterable[object]) -> str:
    """Return unquoted words as an English list: ``a, b and c``."""
    texts = [str(word) for word in words]
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}"


def shorten(words: list[str], shown: int, *, more: str = "more") -> list[str]:
    """Return the first ``shown`` words, and one that counts the others (never a lone "1 more")."""
    if len(words) <= shown + 1:
        return words
    return [*words[:shown], f"{len(words) - shown} {more}"]


def plural(count: int, noun: str) -> str:
    """Return a count with its noun: ``1 row``, ``2 rows``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
