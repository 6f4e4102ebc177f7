"""Tables of a comparison that nobody ran."""

from __future__ import annotations

import pandas as pd

from rlbackends.studies.samplers.comparison import AGREEMENT_COLUMNS, COLUMNS, About, SamplerComparison


def row(compiled=5.0, sampled=10.0, total=25.0, ess=1000.0, **changes):
    """Return a sampler's row of the table; half the time of sampling was for the kept draws."""
    values = {
        "kind": "chains", "agrees": True, "converged": True, "compile_seconds": compiled, "sample_seconds": sampled,
        "process_seconds": total, "gradients": 40 * ess, "gradients_per_ess": 40.0, "ess_bulk": ess,
        "ess_tail": 1.2 * ess, "ess_bulk_per_second": ess / sampled, "ess_tail_per_second": 1.2 * ess / sampled,
        "ess_bulk_per_total_second": ess / total, "r_hat": 1.003, "divergences": 0, "e_bfmi": 0.9, "saturated": 0.0,
        "memory_before": 400.0, "memory_peak": 700.0, "memory_added": 300.0, "share_of_draws": 0.5, "failure": "",
    }  # fmt: skip
    return values | changes


def beside(z=2.0, share=2.5, **changes):
    """Return a sampler's row of the agreement; chance allows 4 and 4.5."""
    values = {
        "agrees": z <= 4 and share <= 4.5, "mean_z": z, "mean_threshold": 4.0, "mean_expected": 2.7,
        "mean_where": "alpha[3]", "share_z": share, "share_threshold": 4.5, "share_expected": 3.2,
        "share_where": "beta[2] at its 10 % point", "mean_sds": 0.08, "sd_low": 0.96, "sd_high": 1.05, "density": True,
        "width": 1.0, "width_se": 0.01,
    }  # fmt: skip
    return values | changes


def tables(rows, beside_reference, reference):
    """Return both tables as a comparison has them."""
    rows = {name: {"failure": "", **values} for name, values in rows.items()}
    table = pd.DataFrame.from_dict(rows, orient="index").reindex(columns=list(COLUMNS))
    agreement = pd.DataFrame.from_dict(
        {reference: {"agrees": True, "density": True, "width": 1.0, "width_se": 0.01}, **beside_reference},
        orient="index",
    ).reindex(columns=list(AGREEMENT_COLUMNS))
    for frame, names in ((table, ("agrees", "converged")), (agreement, ("agrees", "density"))):
        for name in names:
            frame[name] = frame[name].astype(object).where(frame[name].notna(), None)
    table.index.name = agreement.index.name = "sampler"
    agreement.attrs = {"reference": reference, "rate": 0.01}
    return table, agreement


def comparison(table, agreement, failed=None):
    """Return a comparison with these tables."""
    found = SamplerComparison.__new__(SamplerComparison)
    about = About(
        "rescorla_wagner", "20 subjects, 2000 trials", dict(table["kind"]), 1000, 1000, 4, "warm", 0.01
    )  # fmt: skip
    fits = type("NoFits", (dict,), {"failed": failed or {}})()
    found.__dict__.update(about=about, table=table, agreement=agreement, fits=fits, _read=({}, {}))
    return found
