"""``rlbackends estimate``: each subject's parameters as points, with standard errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from rlbackends.cli.arguments import (
    DataArgument,
    DataOptions,
    ModelArgument,
    OptionPairs,
    model_options,
    numbers,
    pairs,
    read_data,
)
from rlbackends.errors import ModelError, SettingError, did_you_mean, listed

if TYPE_CHECKING:
    from rlbackends.inference import Estimates
    from rlbackends.model import Model
    from rlbackends.population import Population

_DATA_OPTIONS = DataOptions()


def estimate(
    model: ModelArgument,
    data: DataArgument = None,
    /,
    *,
    method: Annotated[
        Literal["map", "ml", "em"],
        Parameter(
            help="Maximum a posteriori, maximum likelihood, or expectation–maximisation of the group that subjects "
            "come from."
        ),
    ] = "map",
    backend: Annotated[
        Literal["numpyro", "pymc", "reference"] | None,
        Parameter(help="Which library computes; default: the first of numpyro and pymc that is installed."),
    ] = None,
    option: OptionPairs = (),
    columns: DataOptions = _DATA_OPTIONS,
    fix: Annotated[
        tuple[str, ...],
        Parameter(metavar="NAME=NUMBER", help="Fix a parameter, such as lapse=0.02. Can be repeated."),
    ] = (),
    link: Annotated[
        tuple[str, ...],
        Parameter(metavar="NAME=LINK", help="A parameter's link, such as alpha=logit. Can be repeated."),
    ] = (),
    starts: Annotated[int, Parameter(help="Searches of each subject.")] = 10,
    covariance: Annotated[
        Literal["diagonal", "full"], Parameter(help="Of the group, for --method em.")
    ] = "diagonal",
    seed: Annotated[int, Parameter(help="The same seed gives the same starts.")] = 0,
    table: Annotated[
        str,
        Parameter(metavar="FILE", help="Write a row a subject (.csv): estimates, errors, log-likelihood, criteria."),
    ] = "",
    output: Annotated[str, Parameter(metavar="FILE", help="Save everything (.nc), for rlbackends.load.")] = "",
    overwrite: Annotated[bool, Parameter(help="Let these files replace others.")] = False,
) -> None:
    """Estimate each subject's parameters, from several starts.

    Before it searches it compares the backend with the reference on these data; if they disagree, it does not start.
    """
    import rlbackends as rl
    from rlbackends.cli.files import check_new, check_tables
    from rlbackends.cli.load_model import load_model
    from rlbackends.cli.output import heading, say
    from rlbackends.inference.storage import check_output

    found = load_model(model, model_options(option))
    population = _population(found, fix, link)
    bound = read_data(found, data, columns).bind(found)
    # What can't be written is told before the work.
    if table:
        check_tables([("--table", table)], overwrite=overwrite)
    target = None
    if output:
        check_new("--output", output, overwrite=overwrite)
        target = check_output(output, overwrite=overwrite)
    say(bound)
    result = rl.estimate(
        found, bound, method=method, backend=backend, population=population, starts=starts, covariance=covariance,
        seed=seed,
    )  # fmt: skip
    say_estimates(result)
    if target is not None or table:
        heading("Saved")
    if target is not None:
        result.save(target, overwrite=overwrite)
        say(f"  {target}   read it with rlbackends.load('{target}')")
    if table:
        result.frame("subject").to_csv(table, index=False)
        say(f"  {table}   a row a subject")


def _population(model: Model, fix: tuple[str, ...], link: tuple[str, ...]) -> Population:
    """Return the population with fixed values and links, each subject alone."""
    import rlbackends as rl

    fixed = numbers("--fix", fix, "--fix lapse=0.02")
    links = dict(pairs("--link", link, "NAME=LINK, such as --link alpha=logit"))
    both = [name for name in links if name in fixed]
    if both:
        raise SettingError(f"--fix fixes {listed(both)}, which needs no --link. Give one of the two.")
    unknown = [name for name in (*fixed, *links) if name not in model.parameters]
    if unknown:
        raise ModelError(
            f"there is no parameter {listed(unknown)} in model '{model.name}', which has {listed(model.parameters)}."
            f"{did_you_mean(unknown[0], model.parameters)}"
        )
    return rl.Population("none", **fixed, **{name: rl.Pooling("none", word) for name, word in links.items()})


def say_estimates(result: Estimates) -> None:
    """Write estimates' certificate, tables and criteria."""
    from rlbackends.cli.output import heading, say, seconds, table

    heading("Certificate")
    say("\n".join(f"  {line}" for line in str(result.certificate).splitlines()))
    heading("Subjects")
    names = list(result.link_scale)
    rows: list[list[str]] = []
    for s, subject in enumerate(result.subjects):
        cells = [f"{result.params[n][s]:.3f} ± {result.standard_errors[n][s]:.3f}" for n in names]
        note = _note(result, s)
        rows.append([str(subject), *cells, f"{result.log_likelihood[s]:.2f}", f"{result.bic('subject')[s]:.2f}", note])
    table(("", *names, "log-likelihood", "BIC", ""), rows, numbers_from=1, indent=2)
    if result.group is not None:
        heading("Group, on the link scale")
        group = result.group
        group_rows = [
            [name, f"{group.natural[name]:.3f}", f"{group.location[name]:.3f} ± {group.location_errors[name]:.3f}",
             f"{group.sd[name]:.3f} ± {group.sd_errors[name]:.3f}"]
            for name in names
        ]  # fmt: skip
        table(("", "median subject", "location", "sd"), group_rows, numbers_from=1, indent=2)
    heading("All subjects")
    words = [f"AIC {result.aic():.1f}", f"BIC {result.bic():.1f}"]
    if result.log_evidence is not None:
        words.append(f"log evidence {_sum(result.log_evidence):.2f}")
    if result.group is not None:
        error = 2 * result.group.integrated_error
        words.append(f"integrated BIC {result.group.integrated_bic:.1f} (sampling error {error:.1f})")
    say("  " + " · ".join([f"log-likelihood {_sum(result.log_likelihood):.2f}", *words]))
    say(f"  searched in {seconds(result.timing['search_seconds'])}")


def _note(result: Estimates, s: int) -> str:
    """Return what a reader of one subject's row must know."""
    if not result.n_observations[s]:
        return "no response"
    words = [] if result.converged[s] else ["not converged"]
    bounds = [name for name, flag in zip(result.link_scale, result.at_bound[s], strict=True) if flag]
    words += [f"{', '.join(bounds)} at a bound"] if bounds else []
    lacking = result.unidentified.get(result.subjects[s], ())
    words += [f"{', '.join(lacking)} not identified"] if lacking else []
    return "; ".join(words)


def _sum(values: Any) -> float:
    return float(sum(value for value in values if value == value))
