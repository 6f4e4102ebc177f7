"""What is recommended, read aloud from made-up tables."""

import pytest

from rlbackends.studies.samplers.recommend import agreement_words, costs, recommend, stages
from rlbackends.studies.samplers.show import as_markdown, as_text, number, people_table
from tests.studies.samplers.made_up import beside, comparison, row, tables

# Ready to draw after 20 s, 0.005 s an effective draw; ready after 59 s, 0.001 s; ready after 70 s, 0.05 s.
QUICK = row()
FAST = row(compiled=40.0, sampled=2.0, total=60.0)
SLOW = row(sampled=100.0, total=120.0)


def said(rows, others=None, reference=None):
    names = list(rows)
    reference = reference or names[0]
    others = {name: beside() for name in names if name != reference} if others is None else others
    return recommend(*tables(rows, others, reference), draws=1000, chains=4)


def test_the_fastest_and_when_compiling_counts():
    # (59 − 20) / (0.005 − 0.001) = 9,750 effective draws; "quick" drew 1,000 with 1,000 draws a chain.
    assert said({"quick": QUICK, "fast": FAST, "slow": SLOW}) == (
        "fast is the fastest sampler: 500 effective draws a second of sampling, 5.0 times as many as quick (100). "
        "Start, compiling and tuning count, too: up to about 9,800 effective draws (about 9,800 kept draws a chain) "
        "take quick, which is ready to draw after 20 s; beyond, fast (ready after 59 s). fast took 700 MB at most (300 "
        "of them for the fit)."
    )


def test_stages_by_hand():
    frame = tables({"quick": QUICK, "fast": FAST, "slow": SLOW}, {}, "quick")[0]
    assert costs(frame.loc["fast"]) == (pytest.approx(59.0), pytest.approx(0.001))
    first, second = stages(frame)
    assert first[:2] == ("quick", 0.0) and second[0] == "fast"
    assert first[2] == second[1] == pytest.approx(9750)
    assert stages(frame.loc[["fast", "slow"]]) == [("fast", 0.0, float("inf"))]


def test_one_that_is_fastest_and_ready_as_early():
    assert said({"quick": QUICK, "slow": SLOW}) == (
        "quick is the fastest sampler: 100 effective draws a second of sampling, 10 times as many as slow (10). No "
        "other is ready to draw much earlier (it takes 20 s for start, compiling and tuning), so short runs and long "
        "ones call for the same. quick took 700 MB at most (300 of them for the fit)."
    )


def test_one_that_is_never_caught_up_with():
    late = row(compiled=900.0, sampled=9.0, total=920.0)
    words = said({"quick": row(sampled=12.0, total=26.0), "late": late})
    assert (
        "But quick is ready to draw after 20 s instead of 916 s (start, compiling, tuning), and so is done first for "
        "any number of draws that one asks for." in words
    )


def test_differences_within_noise_are_none():
    words = said({"quick": QUICK, "twin": row(sampled=11.0, total=26.0), "slow": SLOW})
    assert words.startswith(
        "quick draws 100 effective draws a second of sampling, 10 times as many as slow (10). That is no more than "
        "twin (91) within the noise of one run each (20 %): choose among them by what follows."
    )


def test_memory_and_what_strains():
    words = said({
        "quick": row(memory_peak=2000.0, memory_added=1600.0, divergences=12, e_bfmi=0.2, saturated=0.5), "slow": SLOW,
    })  # fmt: skip
    assert "quick took 2,000 MB at most (1,600 of them for the fit); slow took the least, 700 MB." in words
    assert words.endswith(
        "But quick had 12 divergences (raise target_accept), an E-BFMI of 0.20 (below 0.3: reparametrise, or tune "
        "longer) and 50 % of its trees cut off (raise max_tree_depth)."
    )


def test_what_is_left_out_and_why():
    rows = {
        "slow": SLOW, "wrong": row(sampled=0.1, agrees=False), "stuck": row(sampled=0.1, converged=False, r_hat=1.4),
        "dead": {"kind": "chains", "failure": "its process was ended by SIGKILL (out of memory?)\nmore"},
        "normal": row(kind="approximation", agrees=None, converged=None, total=4.0),
    }  # fmt: skip
    others = {"wrong": beside(z=9.0), "stuck": beside(), "normal": beside(agrees=None, mean_sds=0.4, sd_low=0.5)}
    assert said(rows, others) == (
        "Take slow, the only one that is left: 10 effective draws a second of sampling. slow took 700 MB at most (300 "
        "of them for the fit). Left out: wrong draws from something else; stuck did not converge (R-hat 1.400, ESS "
        "1,000); dead failed: its process was ended by SIGKILL (out of memory?). Approximations: normal (4.0 s) is off "
        "by up to 0.40 posterior sds, and its sds are 0.50 to 1.05 of the chains'."
    )


def test_nothing_converged_and_nothing_there():
    words = said({"quick": row(converged=False), "slow": row(sampled=100.0, total=120.0, converged=False)})
    assert words.startswith("None of the samplers converged: draw or tune longer")
    assert "quick is the fastest sampler" in words
    dead = {"kind": "chains", "failure": "it is dead"}
    assert said({"a": dead, "b": row(kind="approximation")}, {}) == (
        "No sampler of Markov chains has a fit, so there is nothing to recommend. Left out: a failed: it is dead."
    )


# Who agrees


def test_who_agrees_and_by_how_much():
    assert agreement_words(*tables({"a": QUICK, "b": QUICK, "c": QUICK}, {"b": beside(), "c": beside(z=3.1)}, "a")) == (
        "b and c agree with a: means differ by up to 3.1 Monte Carlo standard errors (chance allows 4.0) or 0.08 "
        "posterior sds, shares below quantiles by up to 2.5 (chance allows 4.5). If all were right, one would be told "
        "apart in 1 % of comparisons."
    )


def test_the_density_names_the_wrong_one_of_two():
    wrong = beside(z=1.0, share=9.0, density=False, width=0.64, width_se=0.02, sd_low=0.8, sd_high=0.8)
    assert agreement_words(*tables({"a": QUICK, "b": row(agrees=False)}, {"b": wrong}, "a")) == (
        "b DISAGREES with a: the share of draws below beta[2] at its 10 % point by 9.0 errors (chance allows 4.5); its "
        "sds are 0.80 of the reference's. The density's own slope says that b is the wrong one: its draws are 0.64 (± "
        "0.02) as wide as they should be (in variance), those of a 1.00 (± 0.01). If all were right, one would be told "
        "apart in 1 % of comparisons."
    )


def test_where_nothing_tells_who_is_wrong():
    three = {"a": QUICK, "b": row(agrees=False), "c": row(agrees=False)}
    words = agreement_words(*tables(three, {"b": beside(z=9.0), "c": beside(z=8.0)}, "a"))
    assert words.count("The density's slope does not tell which of them is wrong.") == 2
    assert "Most samplers differ from a: it may as well be the one that is wrong." in words
    words = agreement_words(*tables({"a": QUICK, "b": QUICK}, {"b": beside(density=False)}, "a"))
    assert "The density's slope speaks against b all the same. If it jumps somewhere" in words


# How it is written


def test_the_tables_for_people():
    frame = tables({"quick": QUICK, "dead": {"kind": "chains", "failure": "x"}}, {}, "quick")[0]
    header, rows = people_table(frame)
    assert rows[0] == [
        "quick", "yes", "yes", "5.0", "10", "25", "1,000", "1,200", "100", "40", "40", "1.003", "0", "0.90", "700",
    ]  # fmt: skip
    assert rows[1][:3] == ["dead", "failed", ""]
    text = as_text(header, rows).splitlines()
    assert len(text) == 3 and text[1].startswith("quick    yes     yes") and text[2] == "dead     failed"
    marks = as_markdown(header, rows).splitlines()
    assert marks[1].startswith("| --- | --- | --- | ---: |") and len(marks) == 4
    assert [number(x) for x in (0.0123, 0.96, 9.94, 12.3, 12345.6, None, float("nan"))] == [
        "0.012", "1.0", "9.9", "12", "12,346", "–", "–",
    ]  # fmt: skip


def test_a_comparison_as_text_and_as_markdown():
    found = comparison(*tables({"quick": QUICK, "fast": FAST}, {"fast": beside()}, "quick"))
    for text in (str(found), found.to_markdown()):
        assert "rescorla_wagner on 20 subjects, 2000 trials: 4 chains × (1000 tuning + 1000 kept) draws" in text
        assert "fast agrees with quick" in text and found.recommendation in text
        assert "Compiled warm: each process found the compile caches as earlier work" in text
    assert "| quick | yes | yes | 5.0 |" in found.to_markdown()
