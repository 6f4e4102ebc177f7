"""What a comparison of samplers found: a table, whether they agree, and a recommendation."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

import rlbackends
from rlbackends.errors import SettingError
from rlbackends.studies.fits import Fits
from rlbackends.studies.samplers.agreement import Comparison, Draws, compare_draws, quantities
from rlbackends.studies.samplers.measure import is_of_density
from rlbackends.studies.samplers.recommend import agreement_words, recommend
from rlbackends.studies.samplers.show import as_markdown, as_text, people_table

if TYPE_CHECKING:
    import pandas as pd

    from rlbackends.studies.folder import Failure

HIGHEST_R_HAT = 1.01
LEAST_PER_CHAIN = 100  # effective draws

COLUMNS = (
    "kind", "agrees", "converged", "compile_seconds", "sample_seconds", "process_seconds", "gradients",
    "gradients_per_ess", "ess_bulk", "ess_tail", "ess_bulk_group", "ess_tail_group", "ess_bulk_per_second",
    "ess_tail_per_second", "ess_bulk_per_total_second", "r_hat", "divergences", "e_bfmi", "saturated", "memory_before",
    "memory_peak", "memory_added", "share_of_draws", "failure",
)  # fmt: skip
AGREEMENT_COLUMNS = (
    "agrees", "mean_z", "mean_threshold", "mean_expected", "mean_where", "share_z", "share_threshold", "share_expected",
    "share_where", "mean_sds", "mean_sds_where", "sd_low", "sd_high", "sd_where", "density", "slope_z", "width",
    "width_se",
)  # fmt: skip


@dataclass(frozen=True)
class About:
    """What was compared, and how.

    Attributes
    ----------
    model : str
    data : str
    kinds : mapping of str to str
        Of the samplers, by name, in the order in which they were asked for.
    draws, tune, chains : int
    cache : {"warm", "cold"}
    rate : float
        How often a comparison tells a right sampler from the reference by chance.
    """

    model: str
    data: str
    kinds: Mapping[str, str]
    draws: int
    tune: int
    chains: int
    cache: str
    rate: float


class SamplerComparison:
    """Samplers side by side: made by :func:`rlbackends.compare_samplers`. It prints as tables and a recommendation.

    Attributes
    ----------
    about : About
        What was compared, and how.
    fits : mapping of str to Fit
        By sampler; each is read from its file when it is asked for.
    """

    def __init__(self, about: About, fits: Fits) -> None:
        self.about = about
        self.fits = fits

    @property
    def failed(self) -> Mapping[str, Failure]:
        """The samplers that have no fit, and why."""
        return self.fits.failed

    @cached_property
    def _read(self) -> tuple[dict[str, Mapping[str, Any]], dict[str, Draws]]:
        notes, draws = {}, {}
        for name, fit in self.fits.items():
            notes[name] = json.loads(fit.tree.attrs["study"])
            latents = {latent.name: latent.per_subject for latent in fit.layout.latents}
            draws[name] = quantities(fit.tree["posterior"].to_dataset(), latents, fit.model.parameters)
        return notes, draws

    @property
    def notes(self) -> Mapping[str, Mapping[str, Any]]:
        """What each sampler's process noted: all that was measured, and on which machine."""
        return self._read[0]

    def _chains(self) -> list[str]:
        return [name for name in self.notes if self.about.kinds[name] == "chains"]

    @cached_property
    def _converged(self) -> dict[str, bool]:
        least = LEAST_PER_CHAIN * self.about.chains
        return {
            name: bool(note["r_hat_max"] <= HIGHEST_R_HAT and note["ess_bulk_min"] >= least)
            for name, note in self.notes.items()
            if self.about.kinds[name] == "chains"
        }

    @cached_property
    def _of_density(self) -> dict[str, bool | None]:
        names = self._chains()
        return {name: is_of_density(self.notes[name].get("density"), self.about.rate / len(names)) for name in names}

    @cached_property
    def reference(self) -> str | None:
        """The sampler that the others are compared with; None if no sampler of Markov chains has a fit.

        Of those that converged and that the density's slope does not speak against (if there are none, of all), the one
        with the largest effective sample size.
        """

        def worth(name: str) -> tuple[bool, bool, float]:
            size = self.notes[name]["ess_bulk_min"]
            return self._of_density[name] is not False, self._converged[name], size if np.isfinite(size) else 0.0

        return max(self._chains(), key=worth, default=None)

    @cached_property
    def _compared(self) -> dict[str, Comparison]:
        _, draws = self._read
        if self.reference is None:
            return {}
        others = [name for name in self.notes if name != self.reference]
        # However many there are: the rate is that of the whole comparison.
        many = max(1, sum(self.about.kinds[name] == "chains" for name in others))
        found = {}
        for name in others:
            one, reference = _common(draws[name], draws[self.reference])
            if one.names:
                found[name] = compare_draws(one, reference, self.about.rate / many)
        return found

    def _agrees(self, name: str) -> bool | None:
        if self.about.kinds[name] != "chains":
            return None
        return True if name == self.reference else self._compared[name].agrees if name in self._compared else None

    @cached_property
    def table(self) -> pd.DataFrame:
        """A row a sampler.

        ``kind``; ``agrees`` with the reference and ``converged`` (R-hat at most 1.01, 100 effective draws a chain);
        seconds: ``compile_seconds`` and ``sample_seconds`` of the sampler, ``process_seconds`` from the start of its
        process until the fit was there; ``gradients`` (how often it was computed, all chains, tuning included) and
        ``gradients_per_ess``; effective sample sizes, the smallest of all variables (``ess_bulk``, ``ess_tail``) and of
        the group's (``…_group``); the former by second of sampling, and by second of the process; largest ``r_hat``,
        ``divergences``, smallest ``e_bfmi`` of a chain, ``saturated`` (the share of draws whose tree was cut off at
        ``max_tree_depth``); MB: ``memory_peak`` of the process, ``memory_before`` the fit, ``memory_added`` by it;
        ``share_of_draws`` (of the time of sampling, the rest is tuning); ``failure``: why there is no fit.
        """
        import pandas as pd

        rows = {}
        for name in self.about.kinds:
            if name in self.failed:
                why = self.failed[name]
                rows[name] = {"kind": self.about.kinds[name], "failure": why.message or why.error}
            else:
                rows[name] = {**self._row(name), "failure": ""}
        result = pd.DataFrame.from_dict(rows, orient="index").reindex(columns=list(COLUMNS))
        result.index.name = "sampler"
        for name in ("agrees", "converged"):
            result[name] = result[name].astype(object).where(result[name].notna(), None)
        return result

    def _row(self, name: str) -> dict[str, Any]:
        note, about = self.notes[name], self.about
        compiled, sampled, total = (note[f"{part}_seconds"] for part in ("compile", "sample", "process"))
        row = {
            "kind": about.kinds[name], "agrees": self._agrees(name), "converged": self._converged.get(name),
            "compile_seconds": compiled, "sample_seconds": sampled, "process_seconds": total,
            "gradients": note["gradients"], "memory_before": note["memory_before"],
            "memory_peak": note["memory_peak"],
            "memory_added": None if note["memory_peak"] is None else note["memory_peak"] - note["memory_before"],
        }  # fmt: skip
        if about.kinds[name] != "chains":
            return row
        bulk, tail = note["ess_bulk_min"], note["ess_tail_min"]
        return row | {
            "ess_bulk": bulk, "ess_tail": tail, "ess_bulk_group": note.get("ess_bulk_group"),
            "ess_tail_group": note.get("ess_tail_group"), "ess_bulk_per_second": _ratio(bulk, sampled),
            "ess_tail_per_second": _ratio(tail, sampled), "ess_bulk_per_total_second": _ratio(bulk, total),
            "gradients_per_ess": _ratio(note["gradients"], bulk), "r_hat": note["r_hat_max"],
            "divergences": note["divergences"], "e_bfmi": note["e_bfmi"], "saturated": note.get("saturated"),
            "share_of_draws": note.get("gradients_of_draws") or about.draws / (about.draws + about.tune),
        }  # fmt: skip

    @cached_property
    def agreement(self) -> pd.DataFrame:
        """Each sampler beside the reference, a row a sampler.

        ``mean_z``: the largest difference of means over all quantities, in Monte Carlo standard errors, with what
        chance exceeds at the rate (``mean_threshold``) and in half of all cases (``mean_expected``), and the quantity;
        ``share_z`` likewise, of the shares of draws below seven points of the distribution; ``mean_sds``: the largest
        difference of means in standard deviations; ``sd_low`` and ``sd_high``: the ratios of standard deviations.
        Against the density itself: ``slope_z``, the largest mean slope in Monte Carlo standard errors; ``width``, 1 for
        draws as wide as they should be (0.81 for normal ones that are 10 % too narrow), and its standard error;
        ``density``: whether chance explains both.
        """
        import pandas as pd

        rows = {}
        for name, note in self.notes.items():
            row: dict[str, Any] = {"agrees": self._agrees(name)}
            if name in self._compared:
                one = self._compared[name]
                for label, part in (("mean", one.means), ("share", one.shares)):
                    row |= {
                        f"{label}_z": part.z, f"{label}_threshold": part.threshold, f"{label}_expected": part.expected,
                        f"{label}_where": part.where,
                    }  # fmt: skip
                row |= {
                    "mean_sds": one.mean_sds, "mean_sds_where": one.mean_where, "sd_low": one.sd_low,
                    "sd_high": one.sd_high, "sd_where": one.sd_where,
                }  # fmt: skip
            density = note.get("density") or {}
            row |= {key: density.get(key) for key in ("slope_z", "width", "width_se")}
            rows[name] = row | {"density": self._of_density.get(name)}
        result = pd.DataFrame.from_dict(rows, orient="index").reindex(columns=list(AGREEMENT_COLUMNS))
        result.index.name = "sampler"
        for name in ("agrees", "density"):
            result[name] = result[name].astype(object).where(result[name].notna(), None)
        result.attrs = {"reference": self.reference, "rate": self.about.rate}
        return result

    @cached_property
    def recommendation(self) -> str:
        """Which to take, in words, from the tables' numbers alone."""
        words = recommend(self.table, self.agreement, draws=self.about.draws, chains=self.about.chains)
        hosts = sorted({str(note["machine"]["host"]) for note in self.notes.values()})
        if len(hosts) > 1:
            words += f" The fits were made on several machines ({', '.join(hosts)}): their times can't be compared."
        return words

    @property
    def cache_words(self) -> str:
        """Whether compiling was cold, in a sentence."""
        if self.about.cache == "cold":
            return "Compiled cold: each process had empty compile caches of its own."
        return "Compiled warm: each process found the compile caches as earlier work on this machine had left them."

    def heading(self) -> str:
        """Return what was compared, in a line."""
        about = self.about
        length = f"{about.chains} chains × ({about.tune} tuning + {about.draws} kept) draws"
        return f"{about.model} on {about.data}: {length}"

    def agreement_words(self) -> str:
        """Return in words who agrees with whom."""
        return agreement_words(self.table, self.agreement)

    def people_table(self) -> tuple[list[str], list[list[str]]]:
        """Return the most important columns as text, with their header."""
        return people_table(self.table)

    def __str__(self) -> str:
        header, rows = self.people_table()
        parts = [self.heading(), as_text(header, rows), self.agreement_words(), self.cache_words, self.recommendation]
        return "\n\n".join(part for part in parts if part)

    __repr__ = __str__

    def to_markdown(self) -> str:
        """Return the table, and all that is said in words, as Markdown."""
        header, rows = self.people_table()
        parts = [f"**{self.heading()}**", as_markdown(header, rows), self.agreement_words(), self.cache_words,
                 self.recommendation]  # fmt: skip
        return "\n\n".join(part for part in parts if part) + "\n"

    def plot(self, *, figure: Any = None) -> Any:
        """Draw it (:func:`rlbackends.plots.plot_samplers`)."""
        return rlbackends.plots.plot_samplers(self, figure=figure)


def _ratio(one: Any, other: Any) -> float | None:
    if one is None or other is None or not np.isfinite(one) or not other > 0:
        return None
    return float(one) / float(other)


def _common(one: Draws, other: Draws) -> tuple[Draws, Draws]:
    """Return both samplers' draws of the quantities that both have, in one order."""
    names: Sequence[str] = [name for name in one.names if name in set(other.names)]

    def chosen(draws: Draws) -> Draws:
        place = {name: i for i, name in enumerate(draws.names)}
        return Draws(tuple(names), draws.values[..., [place[name] for name in names]])

    return chosen(one), chosen(other)


def check_rate(rate: Any) -> None:
    """Raise ``SettingError`` unless it is a probability that a test can have."""
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 < rate <= 0.5:
        raise SettingError(
            f"compare_samplers: rate is {rate!r}, expected how often right samplers may be told apart by chance: a "
            "number above 0, at most 0.5."
        )
