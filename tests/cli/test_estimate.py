"""``estimate``: what it refuses before it searches, and what it says."""

import pytest

import rlbackends as rl

COLUMNS = ["--subject", "id", "--trial", "n", "--column", "choice=response", "--column", "reward=gain"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--output", "found.txt"], "output is 'found.txt', expected a file that ends in .nc"),
        (["--output", "here.nc"], "--output 'here.nc' exists. Choose another name, remove it, or add --overwrite."),
        (["--table", "t.tsv"], "--table is 't.tsv', expected a file that ends in .csv"),
        (["--table", "prl.csv"], "--table 'prl.csv' exists"),
        (["--table", "nowhere/t.csv"], "there is no folder 'nowhere'"),
        (["--fix", "beta"], "--fix is 'beta', expected --fix lapse=0.02"),
        (["--fix", "bta=1"], "no parameter 'bta'"),
        (["--link", "alpha"], "--link is 'alpha', expected NAME=LINK"),
        (["--link", "alpha=logt"], "the link of 'alpha' is 'logt'"),
        (["--link", "alpha=logit", "--fix", "alpha=0.5"], "--fix fixes 'alpha', which needs no --link"),
        (["--starts", "0"], "starts is 0, expected a whole number of at least 1"),
        (["--covariance", "full"], "only method='em' has one"),
        (["--method", "mcmc"], '"mcmc"'),
    ],
)
def test_what_can_not_be_done_is_said(program, table, tmp_path, arguments, words):
    (tmp_path / "here.nc").touch()
    ran = program("estimate", "rescorla_wagner", table, *COLUMNS, "--backend", "reference", *arguments)
    assert ran.status == 2
    assert words in " ".join(ran.err.replace("│", " ").split()) and "Traceback" not in ran.err


def test_estimates_are_told_and_saved(program, table, tmp_path):
    ran = program(
        "estimate", "rescorla_wagner", table, *COLUMNS, "--backend", "reference", "--starts", 2, "--fix", "beta=1.5",
        "--link", "alpha=logit", "--output", "found.nc", "--table", "t.csv",
    )  # fmt: skip
    assert ran.status == 0, ran.err
    told = ("agrees with the reference", "alpha", "±", "log-likelihood", "BIC", "log evidence", "found.nc", "t.csv")
    assert all(words in ran.out for words in told)
    found = rl.load(tmp_path / "found.nc")
    assert found.method == "map" and list(found.link_scale) == ["alpha"] and found.params["beta"].tolist() == [1.5, 1.5]
    header, *rows = (tmp_path / "t.csv").read_text(encoding="utf-8").splitlines()
    assert header.startswith("subject,alpha,alpha_standard_error,beta,n_observations") and len(rows) == 2


@pytest.mark.slow
def test_a_group_is_told(program, table):
    ran = program(
        "estimate", "rescorla_wagner", table, *COLUMNS, "--backend", "numpyro", "--method", "em", "--starts", 2,
        "--fix", "beta=1.5",
    )  # fmt: skip
    assert ran.status == 0, ran.err
    for words in ("Group, on the link scale", "median subject", "integrated BIC"):
        assert words in ran.out
