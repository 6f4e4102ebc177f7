"""Stan's own words, its numbers, and lines that are not too long."""

from __future__ import annotations

import keyword
import math
import textwrap
from typing import NamedTuple

from rlbackends.expressions.printing import number as plain_number

KEYWORDS = frozenset(
    """
    for in while repeat until if then else true false target int real complex vector simplex unit_vector
    sum_to_zero_vector sum_to_zero_matrix ordered positive_ordered row_vector matrix cholesky_factor_corr
    cholesky_factor_cov corr_matrix cov_matrix column_stochastic_matrix row_stochastic_matrix complex_vector
    complex_row_vector complex_matrix array tuple functions model data parameters quantities transformed generated
    profile return void break continue print reject fatal_error offset multiplier lower upper jacobian auto struct
    typedef var export extern static lp__
    """.split()
)
FUNCTIONS = frozenset(
    """
    abs argmax bernoulli_logit_lpmf beta_lpdf categorical_logit_lpmf cauchy_lpdf dot_product exp exponential_lpdf fmax
    fmin gamma_lpdf inv_Phi inv_logit log log1m_inv_logit log1p log1p_exp log_inv_logit log_softmax log_sum_exp
    lognormal_lpdf max min negative_infinity normal_lpdf not_a_number one_hot_vector Phi positive_infinity rep_array
    rep_vector size softmax sqrt std_normal_lcdf std_normal_lpdf student_t_lpdf sum tanh to_array_1d to_vector
    trial_log_lik uniform_lpdf
    """.split()
)
"""What programs call; a variable of the same name would hide it."""
LOCALS = frozenset({"t", "s", "i", "j", "k", "log_lik", "length"})
"""What programs call their own counters and results."""
OUTSIDE = frozenset(
    """
    s log_lik trial_log_lik Phi exp inv_logit log log1p_exp rep_vector sqrt sum beta_lpdf cauchy_lpdf exponential_lpdf
    gamma_lpdf lognormal_lpdf normal_lpdf std_normal_lpdf student_t_lpdf uniform_lpdf
    """.split()
)
"""What programs call outside of their function, where data have the names of their file."""
RESERVED = KEYWORDS | FUNCTIONS | LOCALS | frozenset(keyword.kwlist)
"""What no variable is called. Python's words are among them, as one file of data serves all programs."""

WIDTH = 96
_LARGEST_INT = 2**31 - 1

# How tightly an operation binds.
CHOICE, OR, AND, EQUAL, LESS, SUM, PRODUCT, PREFIX, POWER, ATOM = range(10)


class Written(NamedTuple):
    """An expression's text, how tightly it binds, and whether Stan takes it for an integer."""

    text: str
    binds: int = ATOM
    whole: bool = False

    def inside(self, tightness: int) -> str:
        """Return the text, in parentheses if it binds more loosely than what is around it."""
        return self.text if self.binds >= tightness else f"({self.text})"


def number(value: float | int | bool) -> Written:
    """Return a number as Stan reads it."""
    if isinstance(value, bool):
        return Written(str(int(value)), ATOM, True)
    if math.isnan(value):
        return Written("not_a_number()")
    if math.isinf(value):
        return Written("positive_infinity()") if value > 0 else Written("negative_infinity()")
    text = plain_number(value)
    whole = text.removeprefix("-").isdigit()
    if whole and abs(value) > _LARGEST_INT:
        text, whole = repr(float(value)), False
    return Written(text, PREFIX if text.startswith("-") else ATOM, whole)


def wrapped(line: str) -> list[str]:
    """Return a statement as lines that are not too long, broken at its outermost spaces; its comment goes above."""
    if len(line) <= WIDTH:
        return [line]
    indent = " " * (len(line) - len(line.lstrip()))
    code, _, note = line.partition("// ")
    if note:
        above = textwrap.wrap(note, WIDTH - len(indent) - 3)
        return [*(f"{indent}// {row}" for row in above), *(wrapped(code.rstrip()) if code.strip() else [])]
    lines = []
    while len(line) > WIDTH and (at := _break(line)) is not None:
        lines.append(line[:at].rstrip())
        line = f"{indent}    {line[at:].lstrip()}"
    return [*lines, line]


def _break(line: str) -> int | None:
    """Return where a line is broken: at its outermost, then loosest operator, as far to the right as it fits."""
    depth = 0
    best: tuple[int, int, int] | None = None
    least = max(len(line) - len(line.lstrip()) + 8, WIDTH // 3)
    for at, letter in enumerate(line[: WIDTH + 1]):
        depth += (letter in "([{") - (letter in ")]}")
        # A type stays with its name: 'array[] int choice'.
        if letter == " " and at > least and line[at - 1] in _LOOSE:
            found = (-depth, -_LOOSE[line[at - 1]], at)
            best = found if best is None else max(best, found)
    return None if best is None else best[2]


_LOOSE = {",": 0, "=": 0, "?": 1, ":": 1, "|": 2, "&": 3, "<": 4, ">": 4, "+": 5, "-": 5, "*": 6, "/": 6}
"""After what a line may be broken, and how tightly it binds."""
