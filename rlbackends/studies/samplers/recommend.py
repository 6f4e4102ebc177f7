"""Which sampler to take, said in words, from a comparison's numbers and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rlbackends.errors import listed
from rlbackends.studies.samplers.show import is_lacking, number, whole

if TYPE_CHECKING:
    import pandas as pd

NOISE = 0.2  # of a speed or of memory: what one run each can't tell
_LONG = 100_000  # effective draws that nobody asks for
_FEW = 20  # effective draws that nobody is content with


def recommend(table: pd.DataFrame, agreement: pd.DataFrame, *, draws: int, chains: int) -> str:
    """Return the recommendation.

    Parameters
    ----------
    table, agreement : pandas.DataFrame
        Those of a comparison.
    draws, chains : int
        How many each sampler drew.
    """
    drawn = table[(table["kind"] == "chains") & (table["failure"] == "")]
    if not len(drawn):
        lacking = "No sampler of Markov chains has a fit, so there is nothing to recommend."
        return " ".join([lacking, *_left_out(table, drawn, drawn)])
    agree = drawn[_is_true(drawn["agrees"])]
    sound = agree[_is_true(agree["converged"])]
    lines = []
    if not len(sound):
        lines.append(
            "None of the samplers converged: draw or tune longer (or look at the model) before you choose one. What "
            "follows is of draws that can't be trusted yet."
        )
        sound = agree
    sound = sound[sound["ess_bulk_per_second"].notna()].sort_values("ess_bulk_per_second", ascending=False)
    if len(sound):
        lines += [*_speed(sound), *_start(sound, draws), *_memory(sound), *_cautions(sound.iloc[0], sound.index[0])]
    else:
        lines.append("No sampler's speed is known, so there is nothing to recommend.")
    lines += _left_out(table, drawn, sound)
    lines += _approximations(table, agreement)
    return " ".join(lines)


def _is_true(column: pd.Series) -> pd.Series:
    return column.map(lambda value: value is True).astype(bool)  # there may be None


def _speed(sound: pd.DataFrame) -> list[str]:
    """Say who draws most effective draws a second, and who is as good within noise."""
    speed = sound["ess_bulk_per_second"]
    best, first = sound.index[0], float(speed.iloc[0])
    if len(sound) == 1:
        return [f"Take {best}, the only one that is left: {number(first)} effective draws a second of sampling."]
    close = [str(name) for name in sound.index[1:] if float(speed[name]) > (1 - NOISE) * first]
    slower = [name for name in sound.index[1:] if str(name) not in close]
    ahead = ""
    if slower:
        ratio = first / float(speed[slower[0]])
        ahead = f", {number(ratio)} times as many as {slower[0]} ({number(float(speed[slower[0]]))})"
    if close:
        shown = listed([f"{name} ({number(float(speed[name]))})" for name in close]).replace("'", "")
        return [
            f"{best} draws {number(first)} effective draws a second of sampling{ahead}. That is no more than {shown} "
            f"within the noise of one run each ({100 * NOISE:.0f} %): choose among them by what follows."
        ]
    return [f"{best} is the fastest sampler: {number(first)} effective draws a second of sampling{ahead}."]


# ------------------------------------------------------------------------------------------------- short and long runs


def costs(row: pd.Series) -> tuple[float, float] | None:
    """Return the seconds before the first kept draw, and those of an effective draw; None if they aren't known."""
    given = [row[name] for name in ("process_seconds", "sample_seconds", "ess_bulk", "share_of_draws")]
    if any(is_lacking(value) for value in given) or not row["ess_bulk"] > 0:
        return None
    total, sampled, size, share = (float(value) for value in given)
    return max(0.0, total - share * sampled), share * sampled / size


def stages(sound: pd.DataFrame) -> list[tuple[str, float, float]]:
    """Return who is done first, by how many effective draws are wanted: names, each from how many on and up to."""
    lines = {str(name): cost for name, row in sound.iterrows() if (cost := costs(row)) is not None}
    if not lines:
        return []
    name = min(lines, key=lambda one: lines[one])
    found, start = [], 0.0
    while True:
        fixed, slope = lines[name]
        # Who has a lower slope overtakes it where the lines cross; the first to do so is the next.
        crossings = {
            other: (more - fixed) / (slope - less) for other, (more, less) in lines.items() if less < slope
        }
        if not crossings:
            return [*found, (name, start, float("inf"))]
        following = min(crossings, key=lambda one: (crossings[one], lines[one][1]))
        if crossings[following] > start:
            found.append((name, start, crossings[following]))
            start = crossings[following]
        name = following


def _start(sound: pd.DataFrame, draws: int) -> list[str]:
    """Say whether compiling and tuning change the choice, and for how many draws."""
    if len(sound) < 2:
        return []
    found = [stage for stage in stages(sound) if stage[2] > _FEW and stage[1] < _LONG]
    if not found:
        return []
    fixed = {str(name): cost[0] for name, row in sound.iterrows() if (cost := costs(row)) is not None}
    best = str(sound.index[0])
    if best in fixed and (1 - NOISE) * fixed[best] <= min(fixed.values()):
        ready = number(fixed[best])
        return [
            f"No other is ready to draw much earlier (it takes {ready} s for start, compiling and tuning), so short "
            "runs and long ones call for the same."
        ]
    if len(found) == 1:
        name = found[0][0]
        ready, later = number(fixed[name]), number(fixed[best])
        return [
            f"But {name} is ready to draw after {ready} s instead of {later} s (start, compiling, tuning), and so is "
            "done first for any number of draws that one asks for."
        ]
    words = []
    for name, _, until in found[:-1]:
        a_chain = until / float(sound.loc[name, "ess_bulk"]) * draws
        words.append(
            f"up to about {_round(until)} effective draws (about {_round(a_chain)} kept draws a chain) take {name}, "
            f"which is ready to draw after {number(fixed[name])} s"
        )
    last = found[-1][0]
    beyond = f"beyond, {last} (ready after {number(fixed[last])} s)"
    return [f"Start, compiling and tuning count, too: {', then '.join(words)}; {beyond}."]


def _round(value: float) -> str:
    """Return a number with two digits."""
    if value < 100:
        return f"{value:.0f}"
    size = 10 ** (len(str(int(value))) - 2)
    return f"{round(value / size) * size:,.0f}"


# ----------------------------------------------------------------------------------------------------------- the rest


def _memory(sound: pd.DataFrame) -> list[str]:
    peak = sound["memory_peak"].dropna().astype(float)
    best = sound.index[0]
    if best not in peak.index:
        return []
    words = f"{best} took {whole(peak[best])} MB at most"
    added = sound.loc[best, "memory_added"]
    if not is_lacking(added):
        words += f" ({whole(added)} of them for the fit)"
    least = peak.idxmin()
    if peak[least] < (1 - NOISE) * peak[best]:
        words += f"; {least} took the least, {whole(peak[least])} MB"
    return [f"{words}."]


def _cautions(row: pd.Series, name: Any) -> list[str]:
    found = []
    if not is_lacking(row["divergences"]) and row["divergences"] > 0:
        found.append(f"{whole(row['divergences'])} divergences (raise target_accept)")
    if not is_lacking(row["e_bfmi"]) and row["e_bfmi"] < 0.3:
        found.append(f"an E-BFMI of {row['e_bfmi']:.2f} (below 0.3: reparametrise, or tune longer)")
    if not is_lacking(row["saturated"]) and row["saturated"] > 0.01:
        found.append(f"{100 * row['saturated']:.0f} % of its trees cut off (raise max_tree_depth)")
    return [f"But {name} had {listed(found)}.".replace("'", "")] if found else []


def _left_out(table: pd.DataFrame, drawn: pd.DataFrame, sound: pd.DataFrame) -> list[str]:
    found = []
    for name, row in drawn.iterrows():
        if row["agrees"] is False:
            found.append(f"{name} draws from something else")
        elif row["converged"] is not True and name not in sound.index:
            found.append(f"{name} did not converge (R-hat {_r_hat(row['r_hat'])}, ESS {whole(row['ess_bulk'])})")
    for name, row in table[table["failure"] != ""].iterrows():
        first = str(row["failure"]).strip().splitlines()[0].rstrip(".")
        found.append(f"{name} failed: {first}")
    return [f"Left out: {'; '.join(found)}."] if found else []


def _r_hat(value: Any) -> str:
    return "–" if is_lacking(value) else f"{float(value):.3f}"


def _approximations(table: pd.DataFrame, agreement: pd.DataFrame) -> list[str]:
    found = []
    for name, row in table[(table["kind"] != "chains") & (table["failure"] == "")].iterrows():
        seconds = row["process_seconds"]
        if name not in agreement.index or is_lacking(agreement.loc[name, "mean_sds"]):
            continue
        beside = agreement.loc[name]
        words = f"{name} ({number(seconds)} s) is off by up to {beside['mean_sds']:.2f} posterior sds"
        if row["kind"] == "approximation":
            words += f", and its sds are {beside['sd_low']:.2f} to {beside['sd_high']:.2f} of the chains'"
        found.append(words)
    return [f"Approximations: {'; '.join(found)}."] if found else []


# ----------------------------------------------------------------------------------------------------- who agrees


def agreement_words(table: pd.DataFrame, agreement: pd.DataFrame) -> str:
    """Return in words which samplers draw from the same distribution, and how that is known."""
    reference, rate = agreement.attrs.get("reference"), agreement.attrs.get("rate", 0.01)
    names = [name for name in agreement.index if table.loc[name, "kind"] == "chains" and name != reference]
    if reference is None or not names:
        return "There are no two samplers of Markov chains to compare."
    apart = [name for name in names if agreement.loc[name, "agrees"] is False]
    right = [name for name in names if agreement.loc[name, "agrees"] is True]
    lines = []
    if right:
        z, share = (agreement.loc[right, f"{kind}_z"].max() for kind in ("mean", "share"))
        bound, share_bound = (agreement.loc[right, f"{kind}_threshold"].min() for kind in ("mean", "share"))
        lines.append(
            f"{_and(right)} {'agrees' if len(right) == 1 else 'agree'} with {reference}: means differ by up to {z:.1f} "
            f"Monte Carlo standard errors (chance allows {bound:.1f}) or {agreement.loc[right, 'mean_sds'].max():.2f} "
            f"posterior sds, shares below quantiles by up to {share:.1f} (chance allows {share_bound:.1f})."
        )
    for name in apart:
        row, found = agreement.loc[name], []
        if row["mean_z"] > row["mean_threshold"]:
            found.append(f"the mean of {row['mean_where']} by {row['mean_z']:.1f} Monte Carlo standard errors "
                         f"(chance allows {row['mean_threshold']:.1f})")  # fmt: skip
        if row["share_z"] > row["share_threshold"]:
            found.append(f"the share of draws below {row['share_where']} by {row['share_z']:.1f} errors "
                         f"(chance allows {row['share_threshold']:.1f})")  # fmt: skip
        sds = " to ".join(dict.fromkeys(f"{row[end]:.2f}" for end in ("sd_low", "sd_high")))
        words = f"{name} DISAGREES with {reference}: {' and '.join(found)}; its sds are {sds} of the reference's."
        lines.append(f"{words} {_density_words(name, reference, agreement)}")
    if len(apart) > len(right) and len(apart) > 1:
        lines.append(f"Most samplers differ from {reference}: it may as well be the one that is wrong.")
    if not apart:
        against = [name for name in agreement.index if agreement.loc[name, "density"] is False]
        if against:
            lines.append(
                f"The density's slope speaks against {_and(against)} all the same. If it jumps somewhere (a rate that "
                "changes with the sign of something), that means nothing; otherwise their common draws are biased."
            )
    lines.append(f"If all were right, one would be told apart in {100 * rate:g} % of comparisons.")
    return " ".join(lines)


def _density_words(name: str, reference: str, agreement: pd.DataFrame) -> str:
    """Say which of two that disagree the density itself speaks against."""
    ours, theirs = agreement.loc[name], agreement.loc[reference]
    if ours["density"] is False and theirs["density"] is True:
        return (
            f"The density's own slope says that {name} is the wrong one: its draws are {ours['width']:.2f} "
            f"(± {ours['width_se']:.2f}) as wide as they should be (in variance), those of {reference} "
            f"{theirs['width']:.2f} (± {theirs['width_se']:.2f})."
        )
    return "The density's slope does not tell which of them is wrong."


def _and(names: list[Any]) -> str:
    return listed([str(name) for name in names]).replace("'", "")
