"""``rlbackends compare``: which of several fitted models predicts better."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from rlbackends.errors import SettingError

if TYPE_CHECKING:
    from rlbackends.inference.comparison import Comparison, EstimateComparison

_PICTURES = (".png", ".pdf", ".svg")
_REFIT: dict[str, bool | str] = {"auto": "auto", "yes": True, "no": False}


def compare(
    *files: Annotated[
        str, Parameter(metavar="FILE", help="Two or more files of fits, or of estimates, of the same responses (.nc).")
    ],
    by: Annotated[
        Literal["trial", "subject"],
        Parameter(
            help="What is left out of fits: one response, given the person's other trials; or a whole person, who "
            "is then a new one."
        ),
    ] = "trial",
    refit: Annotated[
        Literal["auto", "yes", "no"],
        Parameter(
            help="Whether a model is fitted again without the cells for which importance sampling fails: if they are "
            "few, always, or never."
        ),
    ] = "auto",
    max_refits: Annotated[int, Parameter(help="How many fits that may take, for each model.")] = 10,
    seed: Annotated[int, Parameter(help="Of the refits.")] = 0,
    csv: Annotated[str, Parameter(metavar="FILE", help="Also write the table, a row a model (.csv).")] = "",
    pointwise: Annotated[
        str, Parameter(metavar="FILE", help="Also write a row for each response or subject (.csv).")
    ] = "",
    plot: Annotated[str, Parameter(metavar="FILE", help="Also draw the comparison (.png, .pdf or .svg).")] = "",
    overwrite: Annotated[bool, Parameter(help="Let these files replace others.")] = False,
) -> None:
    """Compare fitted models by how well they predict what was left out; estimates by information criteria."""
    import rlbackends as rl
    from rlbackends.cli.output import heading, say

    _check_files(csv, pointwise, plot, overwrite=overwrite)
    if len(files) < 2:
        raise SettingError(f"compare: there is {len(files)} file, expected at least two fits of the same responses.")
    comparison = rl.compare(_named(files), by=by, refit=_REFIT[refit], max_refits=max_refits, seed=seed)
    heading(comparison.title())
    _say_table(comparison)
    say()
    for sentence in comparison.sentences():
        _say_wrapped(sentence)
    selection = getattr(comparison, "selection", None)
    if selection is not None:
        heading("Random-effects model selection")
        _say_frame(selection.table, lambda column, value: f"{value:.3f}")
        say()
        for sentence in selection.sentences():
            _say_wrapped(sentence)
    _write(comparison, csv, pointwise, plot)


def _named(files: tuple[str, ...]) -> dict[str, Any]:
    """Return what the files hold, by the name of its model, or of its file where names are the same."""
    import rlbackends as rl

    found = [(file, rl.load(file)) for file in files]
    names = [item.model.name for _, item in found]
    labels = names if len(set(names)) == len(names) else [Path(file).stem for file in files]
    if len(set(labels)) < len(labels):
        labels = list(files)
    if len(set(labels)) < len(labels):
        raise SettingError("compare: the same file is given twice, expected different fits.")
    return {label: item for label, (_, item) in zip(labels, found, strict=True)}


def _check_files(csv: str, pointwise: str, plot: str, *, overwrite: bool) -> None:
    """Raise ``SettingError`` now if a file can't be written at the end."""
    from rlbackends.cli.files import check_file, check_tables

    tables = [(option, name) for option, name in (("--csv", csv), ("--pointwise", pointwise)) if name]
    if tables:
        check_tables(tables, overwrite=overwrite)
    if plot:
        if Path(plot).suffix not in _PICTURES:
            raise SettingError(f"--plot is '{plot}', expected a file that ends in {', '.join(_PICTURES)}.")
        check_file("--plot", plot, overwrite=overwrite)


def _say_table(comparison: Comparison | EstimateComparison) -> None:
    frame = comparison.table
    unused = [name for name in ("bad_k", "refitted") if name in frame and not frame[name].any()]
    _say_frame(frame.drop(columns=unused), _rounded)


def _rounded(column: str, value: Any) -> str:
    if column in ("best_for", "bad_k", "refitted", "n_parameters", "lowest_aic", "lowest_bic"):
        return f"{value:.0f}"
    return f"{value:.2f}" if column == "weight" else f"{value:.1f}"


def _say_frame(frame: Any, rounded: Any) -> None:
    from rlbackends.cli.output import table

    rows = [[name, *(rounded(column, row[column]) for column in frame.columns)] for name, row in frame.iterrows()]
    table(("", *(str(column).replace("_", " ") for column in frame.columns)), rows, numbers_from=1, indent=2)


def _say_wrapped(sentence: str) -> None:
    import textwrap

    from rlbackends.cli.output import console, say

    say(textwrap.fill(sentence, console().width - 2, initial_indent="  ", subsequent_indent="    "))


def _write(comparison: Comparison | EstimateComparison, csv: str, pointwise: str, plot: str) -> None:
    """Write what was asked for, each file whole or not at all."""
    from rlbackends.cli.output import heading, say
    from rlbackends.data.files import write_whole

    if not (csv or pointwise or plot):
        return
    heading("Written")
    if csv:
        write_whole(csv, lambda name: comparison.table.to_csv(name))
        say(f"  {csv}: a row a model")
    if pointwise:
        rows = comparison.pointwise
        flat = rows if rows.columns.nlevels == 1 else rows.set_axis(["_".join(pair) for pair in rows.columns], axis=1)
        write_whole(pointwise, lambda name: flat.to_csv(name))
        say(f"  {pointwise}: a row a {'response' if 'trial' in rows.index.names else 'subject'}")
    if plot:
        drawn, form = comparison.plot(), Path(plot).suffix[1:]
        write_whole(plot, lambda name: drawn.savefig(name, format=form))
        say(f"  {plot}: differences between models")
