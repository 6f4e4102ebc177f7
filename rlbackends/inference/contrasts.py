"""What covariates do to a parameter, on its natural scale: coefficients turned into values and differences."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.errors import ModelError, SettingError, did_you_mean, listed
from rlbackends.population.layout import Layout

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr


def group_values(
    layout: Layout, posterior: xr.Dataset, parameter: str, given: Mapping[str, Any], where: str
) -> xr.DataArray:
    """Return draws of a parameter's group median at these covariates, averaged over the design's rows."""
    import xarray as xr

    checked = _checked(layout, parameter, given, where)
    latents = {
        latent.name: posterior[latent.name].transpose("chain", "draw").values
        for latent in layout.latents
        if not latent.per_subject
    }
    try:
        medians = layout.medians(parameter, latents, checked)
    except ModelError as error:  # a category that nobody has, an age beyond a spline's
        raise SettingError(f"{where}: at {dict(given)!r} {error}") from None
    values = medians.mean(axis=(-2, -1) if parameter in layout.within else -1)
    shape = (posterior.sizes["chain"], posterior.sizes["draw"])
    return xr.DataArray(
        np.broadcast_to(values, shape), dims=("chain", "draw"), name=parameter,
        coords={"chain": posterior["chain"].values, "draw": posterior["draw"].values},
    )  # fmt: skip


def contrast_table(
    layout: Layout, posterior: xr.Dataset, parameter: str, by: str | Sequence[str], probability: float
) -> pd.DataFrame:
    """Return all differences between levels of covariates in text (or conditions), a row a pair."""
    import pandas as pd

    where = "contrasts"
    names = (by,) if isinstance(by, str) else tuple(dict.fromkeys(by)) if isinstance(by, list | tuple) else ()
    if not names:
        raise SettingError(f"{where}: by is {by!r}, expected the name of a covariate, or several.")
    if isinstance(probability, bool) or not isinstance(probability, int | float) or not 0 < probability < 1:
        raise SettingError(f"{where}: probability is {probability!r}, expected a number between 0 and 1.")
    _checked(layout, parameter, dict.fromkeys(names), where, names_only=True)
    levels = [_levels(layout, name, where) for name in names]
    cells = [dict(zip(names, combination, strict=True)) for combination in itertools.product(*levels)]
    draws = [group_values(layout, posterior, parameter, cell, where).values.ravel() for cell in cells]
    tails = (1 - probability) / 2
    rows = []
    for i, j in itertools.combinations(range(len(cells)), 2):
        difference = draws[j] - draws[i]
        low, high = np.quantile(difference, [tails, 1 - tails])
        rows.append(
            {
                "contrast": f"{_words(cells[j])} − {_words(cells[i])}",
                "mean": difference.mean(),
                "sd": difference.std(ddof=1) if difference.size > 1 else np.nan,
                f"lower_{100 * probability:g}": low,
                f"upper_{100 * probability:g}": high,
                "p_above_0": float((difference > 0).mean()),
            }
        )
    return pd.DataFrame(rows).set_index("contrast")


def _words(cell: Mapping[str, Any]) -> str:
    return ", ".join(f"{value:g}" if isinstance(value, float) else str(value) for value in cell.values())


def _levels(layout: Layout, name: str, where: str) -> list[Any]:
    known = layout.known
    if name in known.orders:
        return list(known.orders[name])
    if name in known.within:
        return sorted({float(value) for value in known.within[name]})
    raise SettingError(
        f"{where}: '{name}' is a number, which has no levels to compare. Say at which values: "
        f"fit.contrast(parameter, {{'{name}': 1.0}}, {{'{name}': 0.0}})."
    )


def _checked(
    layout: Layout, parameter: str, given: Mapping[str, Any], where: str, *, names_only: bool = False
) -> dict[str, Any]:
    """Return covariates' values as the design reads them, or raise with every fault."""
    if not isinstance(given, Mapping):
        raise SettingError(f"{where}: {given!r} is no covariates' values, expected such as {{'group': 'patient'}}.")
    if parameter not in layout.designs:
        has = f"Formulas are those of {listed(layout.designs)}." if layout.designs else "The population has no formula."
        raise SettingError(
            f"{where}: '{parameter}' has no formula. {has}{did_you_mean(str(parameter), layout.designs)}"
        )
    design, known = layout.designs[parameter], layout.known
    faults: list[str] = []
    result: dict[str, Any] = {}
    for name, value in given.items():
        if name not in design.names:
            faults.append(
                f"the formula {design.formula!r} of '{parameter}' does not read '{name}'; it reads "
                f"{listed(design.names)}.{did_you_mean(str(name), design.names)}"
            )
        elif names_only:
            continue
        elif name in known.orders:
            result[name] = str(value)
            if str(value) not in known.orders[name]:
                order = known.orders[name]
                near = did_you_mean(str(value), order)
                faults.append(f"'{name}' has no level {value!r}; it has {listed(order)}.{near}")
        elif isinstance(value, bool) or not isinstance(value, int | float | np.number) or not np.isfinite(value):
            faults.append(f"'{name}' is {value!r}, expected a number.")
        else:
            result[name] = float(value)
    if faults:
        raise SettingError(f"{where}: {' '.join(faults)}")
    return result
