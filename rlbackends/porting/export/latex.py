r"""A model as a LaTeX document: what it is made of, its equations, and how its parameters vary over subjects.

Needs only what every TeX has (``amsmath``, ``graphicx``); an equation that is wider than the page is made smaller.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING

from rlbackends.expressions.latex import Writer, symbol
from rlbackends.expressions.latex import number as latex_number
from rlbackends.expressions.node import Node, walk
from rlbackends.model.equations import Line, latex_sections
from rlbackends.population.priors import Prior
from rlbackends.porting.export.source import Source, identifiers

if TYPE_CHECKING:
    from rlbackends.model.supports import Support
    from rlbackends.population.layout import Latent

_PREAMBLE = r"""\documentclass[11pt,a4paper]{article}
\usepackage[utf8]{inputenc}
\usepackage{amsmath,amssymb,graphicx}
\usepackage[margin=2.5cm]{geometry}
\setlength{\parindent}{0pt}
% An equation as it is, or smaller if it is wider than the page.
\newsavebox{\equationbox}
\newcommand{\fitted}[1]{\sbox{\equationbox}{$\displaystyle #1$}%
  \ifdim\wd\equationbox>\linewidth\resizebox{\linewidth}{!}{\usebox{\equationbox}}%
  \else\usebox{\equationbox}\fi}
\newcommand{\equationline}[1]{\par\smallskip\fitted{#1}\par\smallskip}
% The same with a note beside it, or below it if there is no room.
\newcommand{\notedline}[2]{\sbox{\equationbox}{$\displaystyle #1 \qquad #2$}%
  \ifdim\wd\equationbox>\linewidth\equationline{#1}\equationline{\quad #2}%
  \else\equationline{#1 \qquad #2}\fi}
"""
_CHARACTERS = {
    "−": "-", "×": r"\times", "·": r"\cdot", "≤": r"\leq", "≥": r"\geq", "≠": r"\neq", "≈": r"\approx", "∞": r"\infty",
    "±": r"\pm", "→": r"\rightarrow", "←": r"\leftarrow", "∈": r"\in", "√": r"\surd", "∑": r"\sum", "²": "{}^{2}",
    "³": "{}^{3}", "¹": "{}^{1}", "⁻": "{}^{-}", "½": r"\tfrac{1}{2}", "°": r"{}^{\circ}",
    **{letter: rf"\{name}" for letter, name in zip(
        "αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΦΨΩ",
        "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi chi psi "
        "omega Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega".split(), strict=True)},
}  # fmt: skip
"""Characters that a pdfLaTeX without more packages does not know, in math mode."""
_SPECIAL = {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    **{character: rf"\{character}" for character in "_&%#${}"},
}  # fmt: skip


def write(source: Source) -> str:
    """Return a model as the text of a LaTeX document that compiles by itself."""
    from rlbackends import __version__

    model = source.model
    head = [rf"\section*{{{words(model.name)}}}"]
    head += [words(model.description)] if model.description else []
    head += ["", f"Reference: {words(model.reference)}"] if model.reference else []
    labels = dict(latex_sections(model))
    body = [*head, "", *_parameters(source), *_events(source)]
    for label, title in (("states", "States"), ("a trial", "A trial"), ("update", "Learning")):
        lines = [_equation(line) for line in labels[label] if line.relation != ":" or label != "a trial"]
        body += ["", rf"\subsection*{{{title}}}", *lines] if lines else []
    body += ["", *_population(source)]
    text = "\n".join(body)
    known = sorted({character for character in text if character in _CHARACTERS})
    declared = [
        rf"  \DeclareUnicodeCharacter{{{ord(character):04X}}}{{\ensuremath{{{_CHARACTERS[character]}}}}}"
        for character in known
    ]
    extra = [r"\ifdefined\DeclareUnicodeCharacter", *declared, r"\fi", ""] if declared else []
    first = f"% Written by rlbackends {__version__} from the model '{model.name}'."
    return f"{first}\n{_PREAMBLE}{chr(10).join(extra)}\\begin{{document}}\n{text}\n\\end{{document}}\n"


def words(plain: str) -> str:
    """Return plain text as LaTeX's text."""
    plain = re.sub(r"(?<!\w)'(?=\w)", "`", plain)  # an opening quotation mark
    return "".join(_SPECIAL.get(character, character) for character in plain)


def _equation(line: Line) -> str:
    if not line.relation:
        return rf"\par\smallskip {words(line.left[:1].upper() + line.left[1:])}"
    written = _COUNTED.sub(_dotted, f"{line.left} {line.relation} {line.right}")
    return rf"\notedline{{{written}}}{{{line.note}}}" if line.note else rf"\equationline{{{written}}}"


_COUNTED = re.compile(r"\\left\((\d+(?:,\\ \d+){5,})\\right\)")


def _dotted(found: re.Match[str]) -> str:
    """Return numbers that count up with dots in their middle."""
    numbers = [int(word) for word in found[1].split(r",\ ")]
    if numbers != list(range(numbers[0], numbers[0] + len(numbers))):
        return found[0]
    return rf"\left({numbers[0]},\ {numbers[1]},\ \dots,\ {numbers[-1]}\right)"


def _table(head: tuple[str, ...], widths: str, rows: Sequence[tuple[str, ...]]) -> list[str]:
    lines = [" & ".join(row) + r" \\" for row in (head, *rows)]
    lines.insert(1, r"\hline")
    return [r"\begin{center}", rf"\begin{{tabular}}{{{widths}}}", *lines, r"\end{tabular}", r"\end{center}"]


def _parameters(source: Source) -> list[str]:
    rows = [
        (f"${symbol(name)}$", words(parameter.description), f"${_support(parameter.support)}$", _link(source, name))
        for name, parameter in source.model.parameters.items()
    ]
    if not rows:
        return []
    table = _table(("Parameter", "Meaning", "Values", "Link"), r"@{}lp{0.48\linewidth}ll@{}", rows)
    return [r"\subsection*{Parameters}", *table]


def _events(source: Source) -> list[str]:
    rows = [
        (f"${symbol(name)}$", words(event.meaning)) for name, event in source.model.events.items()
    ]
    table = _table(("Event", "Meaning, in the order of a trial"), r"@{}lp{0.72\linewidth}@{}", rows)
    return ["", r"\subsection*{Events}", *table]


def _support(support: Support) -> str:
    if math.isinf(support.lo):
        return r"\mathbb{R}"
    hi = r"\infty" if math.isinf(support.hi) else latex_number(float(support.hi))
    return f"({latex_number(float(support.lo))}, {hi})"


def _link(source: Source, name: str) -> str:
    described = source.layout.description[name]
    return "fixed" if "fixed" in described or name in source.layout.names else words(str(described["link"]))


# How subjects differ


class _Symbols(Writer):
    """Writes graphs whose leaves have symbols of their own."""

    def write(self, node: Node) -> tuple[str, int]:
        return (self.names[node], 9) if node in self.names else self.memo[node]


def _population(source: Source) -> list[str]:
    layout = source.layout
    plain = identifiers([*layout.names, *layout.columns], ())
    each = {latent.name: "s" for latent in layout.latents if latent.per_subject}
    each |= {name: "s" if values.ndim == 1 else "s, c" for name, values in layout.columns.items()}

    def mark(name: str) -> str:
        if pair := _pair(name):
            return f"u_{{{pair}}}"
        return f"{symbol(plain[name])}^{{({each[name]})}}" if name in each else symbol(plain[name])

    who = "subject $s$" + (", in condition $c$ where they differ between conditions" if layout.within else "")
    lines = [r"\subsection*{Subjects}", f"The parameters of {who}:"]
    natural = {name: node for name, node in layout.natural.items() if name not in layout.names}
    leaves = {leaf: mark(leaf.attr("name")) for leaf in walk(*natural.values()) if leaf.op == "parameter"}
    partial = {
        node: rf"\rho_{{{pair}}}" for node in walk(*natural.values())
        if node.op == "sub" and node.args[0].op == "mul" and node.args[0].args[1].op == "parameter"
        and (pair := _pair(node.args[0].args[1].attr("name")))
    }  # fmt: skip
    for name, node in natural.items():
        writer = _Symbols({**leaves, **partial})
        writer.prepare(node)
        where = "s, c" if name in layout.within else "s"
        lines.append(rf"\equationline{{{symbol(name)}^{{({where})}} = {writer.write(node)[0]}}}")
    for node, word in partial.items():
        lines.append(rf"\equationline{{{word} = 2 \, {leaves[node.args[0].args[1]]} - 1}}")
    for name in layout.fixed:
        constant = source.constant(name)
        shown = latex_number(constant) if constant is not None else r"\text{a fixed value of each subject}"
        lines.append(rf"\equationline{{{symbol(name)}^{{(s)}} = {shown}}}")
    lines += ["", r"\subsection*{Priors}"] if layout.latents else []
    for latent in layout.latents:
        lines.append(rf"\equationline{{{mark(latent.name)} \sim {_prior(latent, mark)}}}")
    return lines if len(lines) > 2 else []


def _pair(latent: str) -> str | None:
    """Return the symbols of the two parameters whose partial correlation a latent gives, if it does."""
    found = re.fullmatch(r"correlation_unit\[(.+),(.+)\]", latent)
    return rf"{symbol(found[1])},\,{symbol(found[2])}" if found else None


def _prior(latent: Latent, mark: Callable[[str], str]) -> str:
    if latent.parents is not None:
        mean, sd = (mark(parent) for parent in latent.parents)
        return rf"\operatorname{{Normal}}\left(\text{{mean }} {mean},\ \text{{sd }} {sd}\right)"
    prior = latent.prior
    assert isinstance(prior, Prior)
    arguments = r",\ ".join(
        rf"\text{{{item.name}}} = {latex_number(getattr(prior, item.name))}" for item in fields(prior)
    )
    return rf"\operatorname{{{type(prior).__name__}}}\left({arguments}\right)"
