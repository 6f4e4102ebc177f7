"""``port compare``: a table of an old script's log-likelihoods against a model."""

import json

import numpy as np
import pandas as pd
import pytest

import rlbackends as rl

COLUMNS = ["--subject", "id", "--trial", "n", "--column", "choice=response", "--column", "reward=gain"]
POINT = ["--param", "alpha=0.3", "--param", "beta=0.1"]


@pytest.fixture
def numbers(table):
    data = rl.read_trials(table, subject="id", trial="n", choice="response", reward="gain")
    return rl.compile(rl.catalogue.rescorla_wagner(), data).log_likelihood({"alpha": 0.3, "beta": 0.1})["choice"].values


def compare(program, table, *arguments):
    common = ["rescorla_wagner", table, *COLUMNS, "--backend", "reference"]
    return program("port", "compare", *common, *arguments)


def test_the_same(program, table, numbers):
    pd.DataFrame(numbers).to_csv("ll.csv", index=False)
    ran = compare(program, table, "--table", "ll.csv", *POINT, "--csv", "rows.csv")
    assert ran.status == 0, ran.err
    assert ran.out.startswith("The same: 10 responses") and "rows.csv" in ran.out
    assert np.allclose(pd.read_csv("rows.csv")["difference"], 0)
    again = compare(program, table, "--table", "ll.csv", *POINT, "--csv", "rows.csv")
    assert again.status == 2 and "--overwrite" in again.err


def test_not_the_same_with_parameters_of_a_table(program, table, numbers):
    columns = {"id": np.repeat(["s1", "s2"], 5), "n": [1, 2, 3, 4, 5] * 2, "log_likelihood": -numbers.ravel()}
    long = pd.DataFrame(columns)
    long.sample(frac=1, random_state=0).to_csv("ll.csv", index=False)
    pd.DataFrame({"subject": ["s2", "s1"], "alpha": 0.3, "beta": 0.1}).to_csv("params.csv", index=False)
    ran = compare(program, table, "--table", "ll.csv", "--params", "params.csv")
    assert ran.status == 1, ran.err
    assert "What explains it: sign or factor (the negative log-likelihood)" in " ".join(ran.out.split())
    pd.DataFrame({"id": ["s2", "s1"], "alpha": 0.3, "beta": 0.1}).to_csv("params.csv", index=False)
    ran = compare(program, table, "--table", "ll.csv", "--params", "params.csv", "--json")
    assert ran.status == 1 and json.loads(ran.out)["explanations"][0]["explains"] is True


def test_what_is_wrong_is_said(program, table, numbers):
    pd.DataFrame(numbers).to_csv("ll.csv", index=False)
    ran = compare(program, table, "--table", "ll.csv")
    assert ran.status == 2 and "give --param alpha=… --param beta=…, or --params FILE" in ran.err
    ran = compare(program, table, "--table", "lll.csv", *POINT)
    assert ran.status == 2 and "no such file" in ran.err and "ll.csv" in ran.err
    ran = compare(program, table, "--table", "ll.csv", "--param", "alpha=beta(1,1)")
    assert ran.status == 2 and "is a distribution" in ran.err
    pd.DataFrame({"subject": ["s1", "s2"], "alpha": 0.3}).to_csv("params.csv", index=False)
    ran = compare(program, table, "--table", "ll.csv", *POINT, "--params", "params.csv")
    assert ran.status == 2 and "given by --param and in" in ran.err


def test_help_has_examples(program):
    assert program("port", "--help").status == 0
    ran = program("port", "compare", "--help")
    assert ran.status == 0 and "rlbackends port compare" in ran.out.partition("Examples:")[2]
