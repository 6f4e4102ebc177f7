"""``rlbackends demo``: the whole way, from simulated people to two posteriors that agree."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from rlbackends.errors import BackendMissingError, SettingError

if TYPE_CHECKING:
    from rlbackends.data import Trials
    from rlbackends.inference import Fit
    from rlbackends.model import Model
    from rlbackends.simulation import Simulation


def demo(
    *,
    folder: Annotated[str, Parameter(help="Where to write data, fits and a picture.")] = "rlbackends-demo",
    subjects: Annotated[int, Parameter(help="Number of simulated subjects.")] = 40,
    trials: Annotated[int, Parameter(help="Number of trials of each.")] = 200,
    draws: Annotated[int, Parameter(help="Kept draws of each chain.")] = 1000,
    tune: Annotated[int, Parameter(help="Tuning iterations of each chain.")] = 500,
    chains: int = 4,
    seed: Annotated[int, Parameter(help="Of the simulation and of the samplers.")] = 0,
    backends: Annotated[
        str, Parameter(metavar="NAMES", help="Such as numpyro,pymc; default: all that are installed.")
    ] = "",
) -> None:
    """Simulate people, fit them on each backend, and compare: a few minutes on two processors.

    The task: five actions that pay with different probabilities. The model: learning with one rate for good
    news and one for bad news. Everything is written to one folder; files of an earlier demo are replaced.
    """
    from rlbackends.cli.demo_task import demo_model
    from rlbackends.cli.output import say, seconds

    began = time.perf_counter()
    _check_numbers(subjects=subjects, trials=trials)
    chosen, hints = sampling_backends(backends)
    place = _open_folder(folder)
    steps = _Steps(5 + len(chosen))
    say(f"{subjects} simulated subjects × {trials} trials × 5 actions, on {' and '.join(chosen)}, seed {seed}.")
    for hint in hints:
        say(hint)
    model = demo_model()
    steps.start("Simulating")
    simulated, data = _simulate(model, subjects, trials, seed, chosen[0], place)
    steps.start("The model")
    say("\n".join(f"  {line}".rstrip() for line in model.equations().splitlines()))
    steps.start("Do the backends compute the same?")
    _agreement(model, data, chosen)
    runs = []
    for name in chosen:
        steps.start(f"Fitting on {name}: {chains} chains × ({tune} tuning + {draws} kept) draws")
        runs.append(_fit(model, data, name, place, draws=draws, tune=tune, chains=chains, seed=seed))
    steps.start("The posteriors side by side" if len(runs) > 1 else "The posterior")
    _tell_posteriors([run.fit for run in runs])
    _tell_recovery([run.fit for run in runs], simulated)
    _tell_times(runs)
    steps.start("Writing")
    _write(runs, simulated, place)
    say(f"\nDone in {seconds(time.perf_counter() - began)}. What to do next:")
    for line in [*next_steps(place, chosen[-1]), *hints]:
        say(f"  {line}")


@dataclass(frozen=True)
class Run:
    """A fit, and the seconds that it took with all checks before and after sampling."""

    fit: Fit
    wall: float


class _Steps:
    """Numbered headings."""

    def __init__(self, total: int) -> None:
        self._total, self._number = total, 0

    def start(self, title: str) -> None:
        from rlbackends.cli.output import heading

        self._number += 1
        heading(f"{self._number}/{self._total}  {title}")


def sampling_backends(asked: str) -> tuple[list[str], list[str]]:
    """Return the backends to run on, and how to install those that are not here."""
    from rlbackends.backends.registry import BACKENDS, get_backend
    from rlbackends.cli.arguments import words

    if asked:
        rows = [get_backend(name) for name in dict.fromkeys(words(asked))]
        for row in rows:
            if not row.samplers:
                raise SettingError(
                    f"--backends: '{row.name}' checks and explains; it does not sample. Expected numpyro, pymc or both."
                )
            row.load()  # what is missing is told with its install command before anything else is done
        return [row.name for row in rows], []
    can_sample = [row for row in BACKENDS.values() if row.samplers]
    here = [row.name for row in can_sample if row.is_installed]
    if not here:
        raise BackendMissingError(
            'demo: neither numpyro nor pymc is installed. Install one or both with: pip install "rlbackends[all]"'
        )
    hints = [
        f'{row.name} is not installed; to see it beside {here[0]}: pip install "rlbackends[{row.name}]"'
        for row in can_sample
        if not row.is_installed
    ]
    return here, hints


def next_steps(place: Path, backend: str) -> list[str]:
    """Return what to do after the demo, a line each."""
    fit = place / f"demo_{backend}.nc"
    return [
        f"look at {place / 'demo.png'}; in Python, rl.load('{fit}') has summary() and regressors()",
        f"your data:  rlbackends fit rescorla_wagner YOUR.csv --backend {backend} --subject COLUMN "
        "--column reward=COLUMN",
        "your model: rlbackends show rescorla_wagner, then rules of your own in a file.py (MODEL is file.py:name)",
    ]


def _check_numbers(**given: int) -> None:
    for name, value in given.items():
        if value < 2:
            raise SettingError(f"--{name} is {value}, expected at least 2.")


def _open_folder(name: str) -> Path:
    """Return the folder, made if need be; say now if nothing can be written there."""
    place = Path(name)
    probe = place / ".rlbackends-demo"
    try:
        place.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise SettingError(f"--folder '{name}' can't be written: {error.strerror or error}.") from None
    return place


def _simulate(
    model: Model, subjects: int, trials: int, seed: int, backend: str, place: Path
) -> tuple[Simulation, Trials]:
    """Simulate, write, and read back what anyone would read."""
    import rlbackends as rl
    from rlbackends.cli.demo_task import PROBABILITIES, simulate
    from rlbackends.cli.output import say
    from rlbackends.cli.simulate import write_truth

    last = len(PROBABILITIES) - 1
    say(f"  Actions 0 to {last} pay 1 with probability {', '.join(map(str, PROBABILITIES))}, else 0; all subjects")
    say("  meet the same payoffs. True alpha_pos, alpha_neg and temperature ~ Beta(5, 5); beta is 1/temperature.")
    simulated = simulate(model, subjects, trials, seed, backend)
    table_file = place / "demo_data.csv"
    simulated.save_csv(table_file, overwrite=True)
    write_truth(simulated, place / "demo_truth.csv")
    data = rl.read_trials(
        table_file, subject="subject", trial="trial", choice="choice", reward="reward",
        levels={"choice": range(len(PROBABILITIES))},
    )  # fmt: skip
    say(f"  {table_file}: {data.n_trials} rows with subject, block, trial, choice, reward")
    return simulated, data


def _agreement(model: Model, data: Trials, chosen: Sequence[str]) -> None:
    import rlbackends as rl
    from rlbackends.cli.demo_task import demo_population
    from rlbackends.cli.output import say

    say(f"  Compiling on {' and '.join(chosen)}; the reference is plain Python …")
    params = {"alpha_pos": 0.5, "alpha_neg": 0.5, "beta": 2.0}
    report = rl.check(model, data, params, backends=list(chosen), population=demo_population(), points=1)
    say("\n".join(f"  {line}" for line in str(report).splitlines()))


def _fit(
    model: Model, data: Trials, backend: str, place: Path, *, draws: int, tune: int, chains: int, seed: int
) -> Run:
    import rlbackends as rl
    from rlbackends.cli.demo_task import demo_population
    from rlbackends.cli.output import say, seconds

    say("  Priors are the default ones but for the group's sds, HalfNormal(0.5): these subjects differ a lot.")
    began = time.perf_counter()
    # Without the pointwise log-likelihood, which would make each file a hundred times as large.
    result = rl.fit(
        model, data, backend=backend, population=demo_population(), draws=draws, tune=tune, chains=chains,
        seed=seed, log_likelihood=False, certificate_points=1, output=place / f"demo_{backend}.nc",
        overwrite=True,
    )  # fmt: skip
    wall = time.perf_counter() - began
    found = result.diagnostics
    verdict = "agrees" if result.certificate.holds else "DISAGREES"
    say(f"  {seconds(wall)}. Certificate: {backend} {verdict} with the reference, before and after sampling.")
    say(
        f"  Over all {_n_unknowns(result)} unknowns: R-hat at most {found['r_hat_max']:.3f}, effective sample "
        f"size at least {found['ess_bulk_min']:.0f}, {found['divergences']} divergences."
    )
    return Run(result, wall)


def _n_unknowns(fit: Fit) -> int:
    """Return how many numbers were sampled: not what follows from them."""
    posterior = fit.tree["posterior"]
    follows = {*fit.model.parameters, *(f"{name}_group" for name in fit.model.parameters)}
    sampled = [name for name in posterior.data_vars if name not in follows]
    return sum(int(posterior[name][0, 0].size) for name in sampled)


def _tell_posteriors(fits: Sequence[Fit]) -> None:
    from rlbackends.cli.demo_numbers import apart, marginals
    from rlbackends.cli.output import say, table

    found = [marginals(fit) for fit in fits]
    header = ["the group", *(word for fit in fits for word in (fit.backend, "sd", "R-hat", "ESS"))]
    rows = []
    for variable in found[0]:
        row = [variable]
        for one in found:
            m = one[variable]
            row += [f"{m.mean:.3f}", f"{m.sd:.2f}", f"{m.r_hat:.3f}", f"{m.ess:.0f}"]
        if len(found) == 2:
            row.append(f"{apart(found[0][variable], found[1][variable]):+.1f}")
        rows.append(row)
    table([*header, *(["apart"] if len(found) == 2 else [])], rows, numbers_from=1)
    if len(found) == 2:
        say("apart: the difference of the means in Monte Carlo standard errors; chance alone gives one of the six")
        say("beyond ±2.6 in one demo of twenty.")


def _tell_recovery(fits: Sequence[Fit], simulated: Simulation) -> None:
    from rlbackends.cli.demo_numbers import INTERVAL, recoveries
    from rlbackends.cli.output import say, table

    found = {fit.backend: recoveries(fit, simulated.params) for fit in fits}
    rows = [
        [parameter, backend, f"{r.correlation:.2f}", f"{r.bias:+.3f}", f"{r.inside} of {r.subjects}"]
        for parameter in simulated.params
        for backend, one in found.items()
        for r in [one[parameter]]
    ]
    say()
    table(
        ["true values", "backend", "correlation", "bias", f"inside the {100 * INTERVAL:.0f} % interval"],
        rows,
        numbers_from=2,
    )
    say(f"Intervals that mean what they say hold about {INTERVAL * len(simulated.subjects):.0f} of them.")


def _tell_times(runs: Sequence[Run]) -> None:
    from rlbackends.cli.output import say, seconds, table

    rows = []
    for run in runs:
        timing, least = run.fit.timing, run.fit.diagnostics["ess_bulk_min"]
        rows.append(
            [
                run.fit.backend,
                seconds(timing["compile_seconds"]),
                seconds(timing["sample_seconds"]),
                seconds(run.wall),
                f"{least / timing['sample_seconds']:.0f}",
            ]
        )
    say()
    header = ["time", "compile", "sample", "with all checks", "smallest ESS a second"]
    table(header, rows, numbers_from=1)


def _write(runs: Sequence[Run], simulated: Simulation, place: Path) -> None:
    from rlbackends.cli.demo_numbers import true_group
    from rlbackends.cli.demo_picture import write_picture
    from rlbackends.cli.output import say

    fits: Mapping[str, Fit] = {run.fit.backend: run.fit for run in runs}
    population = json.loads(runs[0].fit.tree.attrs["population"])
    group = true_group(simulated.params, {name: item["link"] for name, item in population.items()})
    write_picture(fits, simulated.params, group, simulated.subjects[0], place / "demo.png")
    say(f"  {place / 'demo.png'}: recovery, the group's posteriors, one subject's action values")
    for name in fits:
        say(f"  {place / f'demo_{name}.nc'}: the fit on {name}, with its certificate")
    say(f"  {place / 'demo_truth.csv'}: the true parameters")
