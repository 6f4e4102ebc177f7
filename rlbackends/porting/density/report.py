"""What a comparison of two joint densities found."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.errors import listed
from rlbackends.porting.density.search import Explanation

if TYPE_CHECKING:
    import pandas as pd

_SHOWN = 4
_WIDTH = 110
_NOISE = 2e-6  # of scale: what is below may be the rounding of 32 bits within a program that returns 64


@dataclass(frozen=True, eq=False)
class DensityReport:
    """What :func:`rlbackends.compare_density` found. It prints as text.

    Attributes
    ----------
    model, data : str
        What was compared.
    scale : str
        ``"unconstrained"`` or ``"natural"``: of which values both are densities.
    tolerance : float
        The largest difference allowed, of scale: the sum of the sizes of our terms, at least 1.
    same : bool
        Whether both are the same at every point.
    constant : float or None
        The other minus ours, if that is the same at every point; 0 if they are the same.
    difference : float
        The largest difference of scale.
    explanations : tuple of Explanation
        The usual mistakes that explain it at every point; more than one if they can't be told apart here.
    terms : dict of str to array
        Each term of ours at each point.
    ours, other : array (point,)
        Both densities.
    points : tuple of dict
        The latents' values at each point, on the natural scale.
    moved : dict of str to tuple
        Where nothing explains it: latent → the change of ours, that of the other, and how far these are apart, of
        scale, when it alone is moved.
    rounding : float
        If the other returned numbers of 32 bits, within how much of scale a mistake is looked for; otherwise 0.
    """

    model: str
    data: str
    scale: str
    tolerance: float
    same: bool
    constant: float | None
    difference: float
    explanations: tuple[Explanation, ...]
    terms: Mapping[str, np.ndarray]
    ours: np.ndarray
    other: np.ndarray
    points: tuple[Mapping[str, np.ndarray], ...]
    moved: Mapping[str, tuple[float, float, float]] = field(default_factory=dict)
    rounding: float = 0.0

    @property
    def parting(self) -> tuple[str, ...]:
        """The latents through which both part, where no usual mistake explains it."""
        return tuple(name for name, (_, _, apart) in self.moved.items() if apart > max(self.tolerance, self.rounding))

    def __str__(self) -> str:
        lines = [
            f"The joint density of {self.model} on {self.data}, and another program's, at {len(self.ours)} points "
            f"({self.scale} scale)"
        ]
        lines += self._verdict()
        lines.append("")
        lines += _table(
            ["point", "ours", "other", *(() if self.same else ("other − ours",))],
            [
                [str(i + 1), f"{a:.6f}", f"{b:.6f}", *(() if self.same else (_number(b - a),))]
                for i, (a, b) in enumerate(zip(self.ours, self.other, strict=True))
            ],
        )
        if self.moved:
            lines += ["", "One latent moved alone, between two points:"]
            lines += _table(
                ["latent", "ours changes by", "other changes by", "apart, of scale"],
                [
                    [name, f"{a:.6f}", f"{b:.6f}", f"{apart:.1e}" + (" !" if name in self.parting else "")]
                    for name, (a, b, apart) in self.moved.items()
                ],
            )
            lines += ["", "Our terms at point 1:"]
            lines += _table(
                ["term", "value"], [[name, f"{values[0]:.6f}"] for name, values in self.terms.items()]
            )
        return "\n".join(textwrap.fill(line, _WIDTH, subsequent_indent=_indent(line)) for line in lines)

    __repr__ = __str__

    def _verdict(self) -> list[str]:
        within = f"within {self.tolerance:.0e} of scale"
        if self.same:
            return [f"The same, {within} (largest difference {self.difference:.1e})."]
        lines = []
        if self.constant is not None:
            lines.append(
                f"The same up to a constant: other − ours is {self.constant:.9g} at every point, {within}. Draws and "
                "modes do not depend on it; marginal likelihoods and Bayes factors do."
            )
        else:
            lines.append(f"They differ, by {self.difference:.1e} of scale.")
        lines += self._explained() if self.explanations else self._unexplained()
        if self.rounding and (self.explanations or self.constant is not None):
            lines.append(f"The other returns numbers of 32 bits, so this is within {self.rounding:.0e} of scale.")
        return lines

    def _explained(self) -> list[str]:
        first = self.explanations[0]
        pair = len(first.words) > 1
        rest = f", up to a constant of {first.constant:.9g}" if first.constant else ""
        what = "the constant" if self.constant is not None else "the difference at every point"
        lines = [f"{'Two usual mistakes together explain' if pair else 'A usual mistake explains'} {what}{rest}:"]
        alike = [e for e in self.explanations if bool(e.constant) == bool(first.constant)]
        for number, found in enumerate(alike[:_SHOWN]):
            if number == 1:
                lines.append("These explain it as well; here they can't be told apart:")
            for word, sentence in zip(found.words, found.sentences, strict=True):
                lines.append(f"  {word}: {sentence}")
            lines += [f"    → {fix}" for fix in found.fixes]
        if len(alike) > _SHOWN:
            lines.append(f"  … and {len(alike) - _SHOWN} more in .explanations")
        return lines

    def _unexplained(self) -> list[str]:
        if self.constant is not None:
            return ["No usual mistake makes this constant; look for constants of priors that are left out or added."]
        if self.difference <= self.rounding:
            return [_ROUNDING]
        lines = [_ROUNDING] if self.difference < _NOISE else []
        lines.append("No usual mistake explains it, alone or with another.")
        if self.parting and len(self.parting) < len(self.moved):
            lines.append(
                f"They part only through {listed(self.parting)}: moving any other latent alone changes both alike."
            )
        elif self.parting:
            lines.append("They part through every latent, so look at the likelihood first.")
        else:
            lines.append("Moving any latent alone changes both alike, so they part in how two latents work together.")
        lines.append(
            "Compare likelihoods by trial with rl.compare_likelihood, which tells mistakes of the model apart; then "
            "come back for the priors."
        )
        return lines

    def frame(self) -> pd.DataFrame:
        """Return a row a point: each term of ours, both densities, and their difference.

        Returns
        -------
        pandas.DataFrame
        """
        import pandas as pd

        columns = {"point": np.arange(1, len(self.ours) + 1), **self.terms}
        return pd.DataFrame({**columns, "ours": self.ours, "other": self.other, "difference": self.other - self.ours})

    def to_data(self) -> dict[str, Any]:
        """Return it all as plain data, for JSON."""
        return {
            "model": self.model,
            "data": self.data,
            "scale": self.scale,
            "tolerance": self.tolerance,
            "rounding": self.rounding,
            "same": self.same,
            "constant": self.constant,
            "difference": self.difference,
            "explanations": [e.to_data() for e in self.explanations],
            "terms": {name: values.tolist() for name, values in self.terms.items()},
            "ours": self.ours.tolist(),
            "other": self.other.tolist(),
            "points": [{name: np.asarray(v).tolist() for name, v in point.items()} for point in self.points],
            "parting": list(self.parting),
        }


_ROUNDING = (
    "A difference this small may be the rounding of 32 bits: compute the other in float64 (in JAX "
    "jax.config.update('jax_enable_x64', True)), or pass tolerance=1e-5."
)


def _indent(line: str) -> str:
    """Return where a line goes on that is broken: as far in as it begins, and a little farther in a list."""
    inner = len(line) - len(line.lstrip())
    return " " * (inner + 2 if inner else 0)


def _number(value: float) -> str:
    return f"{value:.9f}" if abs(value) >= 1e-6 else f"{value:.1e}"


def _table(header: list[str], rows: list[list[str]]) -> list[str]:
    """Return lines, the first column to the left and the others to the right."""
    cells = [header, *rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    return [
        "  " + "  ".join([row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))])
        for row in cells
    ]
