"""A model's equations: what a newcomer reads first, and no line that says something else than the graph."""

import re

import pytest

import rlbackends as rl

RESCORLA_WAGNER = """\
rescorla_wagner — Rescorla & Wagner (1972)
Action values learnt by a delta rule; softmax choice.

  parameters   alpha ∈ (0, 1)   learning rate
               beta  ∈ (0, ∞)   inverse temperature
  states       q : one value per action (2), 0 at the start of each block
  a trial      choice ~ Categorical(logits = beta * q)
               reward : what the choice brought, in any unit: a real number, given by the world
  update       prediction_error = reward - q[choice]
               q[choice]        ← q[choice] + alpha * prediction_error"""

RESCORLA_WAGNER_LATEX = r"""\begin{aligned}
\alpha &\in (0, 1) && \text{learning rate} \\
\beta &\in (0, \infty) && \text{inverse temperature} \\
q &\leftarrow 0 && \text{at the start of each block; one value per action (2)} \\
\mathrm{choice} &\sim \operatorname{Categorical}\left(\operatorname{softmax}\left(\beta \, q\right)\right) \\
\mathrm{reward} &: \text{what the choice brought, in any unit: a real number, given by the world} \\
\mathrm{prediction\ error} &= \mathrm{reward} - q_{\mathrm{choice}} \\
q_{\mathrm{choice}} &\leftarrow q_{\mathrm{choice}} + \alpha \, \mathrm{prediction\ error}
\end{aligned}"""


def test_rescorla_wagner():
    model = rl.catalogue.rescorla_wagner()
    assert model.equations() == RESCORLA_WAGNER
    assert model.equations(latex=True) == RESCORLA_WAGNER_LATEX


def section(model, label):
    """Return the lines of a section without its label."""
    lines = model.equations().splitlines()
    (start,) = [i for i, line in enumerate(lines) if line.startswith(f"  {label} ")]
    end = next((i for i in range(start + 1, len(lines)) if lines[i][2:3] != " "), len(lines))
    return [line[15:] for line in lines[start:end]]


def made(update, states=None, records=(), parameters=("alpha",), trial=None, **more):
    """Return a model with this update; its choice uses the state q and every parameter."""
    return rl.Model(
        "m",
        parameters={name: rl.Parameter(rl.UnitInterval()) for name in parameters},
        states=states or {"q": rl.State("action")},
        trial=trial or {"choice": lambda q: rl.Categorical(logits=q), "reward": rl.Real()},
        update=update,
        records=records,
        sizes={"action": 3},
        **more,
    )


def test_forgetting_before_learning():
    def update(q, choice, reward, alpha, forgetting):
        kept = (1 - forgetting) * q + forgetting * 0.5
        delta = reward - kept[choice]
        return {"q": kept.at[choice].add(alpha * delta), "delta": delta}

    assert section(made(update, records=["delta"], parameters=("alpha", "forgetting")), "update") == [
        "a         = (1 - forgetting) * q + forgetting * 0.5",
        "delta     = reward - a[choice]",
        "q         ← a",
        "q[choice] ← a[choice] + alpha * delta",
    ]


def test_several_states_change_at_once():
    def update(q, k, choice, reward, alpha):
        new = q.at[choice].add(alpha * (reward - q[choice]))
        return {"q": new, "k": k.at[choice].set(new[choice])}

    states = {"q": rl.State("action"), "k": rl.State("action", initial="alpha", reset="never")}
    model = made(update, states)
    assert section(model, "update") == [
        "all states at once, from their values before:",
        "q[choice] ← q[choice] + alpha * (reward - q[choice])",
        "k[choice] ← new_q[choice]",
        "new_q     = q after this update",
    ]
    assert section(model, "states") == [
        "q : one value per action (3), 0 at the start of each block",
        "k : one value per action (3), alpha at the first trial, carried over blocks",
    ]


def test_an_entry_that_changes_from_its_value_before_while_the_others_change_too():
    def update(q, choice, reward, alpha):
        return {"q": (0.5 * q).at[choice].set(q[choice] + alpha * (reward - q[choice]))}

    assert section(made(update), "update") == [
        "each line from the values before:",
        "q         ← 0.5 * q",
        "q[choice] ← q[choice] + alpha * (reward - q[choice])",
    ]


def test_an_update_under_a_condition():
    def update(q, choice, reward, alpha):
        return {"q": rl.where(reward > 0, q.at[choice].add(alpha), q)}

    assert section(made(update), "update") == ["q[choice] ← q[choice] + alpha   if reward > 0"]

    def unless(q, choice, reward, alpha):
        return {"q": rl.where(rl.is_missing(reward), q, (1 - alpha) * q)}

    assert section(made(unless), "update") == ["q ← (1 - alpha) * q   if ~is_missing(reward)"]
    assert r"&& \text{if } \mathrm{reward} > 0" in made(update).equations(latex=True)


def test_entries_that_are_apart_are_written_apart_and_others_are_not():
    def apart(q, reward, alpha):
        return {"q": q.at[0].add(-alpha).at[2].set(reward)}

    assert section(made(apart), "update") == ["q[0] ← q[0] - alpha", "q[2] ← reward"]

    def perhaps_the_same(q, choice, reward, alpha):
        return {"q": q.at[0].add(alpha).at[choice].set(reward)}

    assert section(made(perhaps_the_same), "update") == ["q ← q.at[0].add(alpha).at[choice].set(reward)"]

    def the_same(q, choice, reward, alpha):
        return {"q": q.at[choice].add(alpha).at[choice].add(reward)}

    assert section(made(the_same), "update") == ["q[choice] ← q[choice] + alpha + reward"]


def test_shared_parts_get_letters_that_are_free():
    def update(q, choice, reward, a, alpha):
        big = rl.exp(alpha * reward + a) / (1 + rl.exp(alpha * reward + a))
        return {"q": q.at[choice].add(big * (1 - big)), "b": reward * 2}

    assert section(made(update, records=["b"], parameters=("a", "alpha")), "update") == [
        "b         = reward * 2",
        "c         = exp(alpha * reward + a) / (1 + exp(alpha * reward + a))",
        "q[choice] ← q[choice] + c * (1 - c)",
    ]


def test_a_record_that_a_later_record_uses_comes_first():
    def update(q, choice, reward, alpha):
        delta = reward - q[choice]
        return {
            "square": delta * delta,
            "delta": delta,
            "same": delta,
            "plain": reward,
            "q": q.at[choice].add(alpha * delta),
        }

    lines = section(made(update, records=["square", "delta", "same", "plain"]), "update")
    assert lines == [
        "plain     = reward",
        "delta     = reward - q[choice]",
        "same      = delta",
        "square    = delta * delta",
        "q[choice] ← q[choice] + alpha * delta",
    ]


def test_responses_of_each_family():
    def update(q):
        return {"q": q}

    trial = {
        "cue": rl.Index("action"),
        "choice": lambda q, cue: rl.Categorical(logits=q, available=q > cue),
        "go": lambda q, alpha: rl.Bernoulli(logits=q, where=q < alpha),
        "pick": lambda q: rl.Categorical(log_probs=rl.log_softmax(q)),
        "rating": lambda q, choice, alpha: rl.Normal(mean=q[choice], sd=alpha),
    }
    model = made(update, trial=trial)
    assert section(model, "a trial") == [
        "cue    : one of 3 labels of axis 'action', given by the world",
        "choice ~ Categorical(logits = q, available = cue < q)",
        "go     ~ Bernoulli(logits = q, where = q < alpha)",
        "pick   ~ Categorical(log_probs = log_softmax(q))",
        "rating ~ Normal(mean = q[choice], sd = alpha)",
    ]
    latex = model.equations(latex=True)
    for expected in (
        r"\operatorname{Categorical}\left(\operatorname{softmax}\left(q\right) \text{ over } \mathrm{cue} < q\right)",
        r"\operatorname{Bernoulli}\left(\operatorname{logistic}\left(q\right) \text{ where } q < \alpha\right)",
        r"\operatorname{Categorical}\left(\exp\left(\log \operatorname{softmax} \left(q\right)\right)\right)",
        r"\operatorname{Normal}\left(q_{\mathrm{choice}},\ \alpha^{2}\right)",
    ):
        assert expected in latex


def test_a_part_that_responses_and_the_update_share_is_defined_where_it_is_first_used():
    def value(q, alpha, beta):
        return beta * rl.softmax(q * alpha + beta) / (1 + alpha)

    trial = {"cue": rl.Real(), "choice": lambda q, alpha, beta: rl.Categorical(logits=value(q, alpha, beta))}
    update = lambda q, alpha, beta, choice: {"q": q + value(q, alpha, beta)}  # noqa: E731
    model = made(update, trial=trial, parameters=("alpha", "beta"))
    assert section(model, "a trial")[1:] == [
        "a      = beta * softmax(q * alpha + beta) / (1 + alpha)",
        "choice ~ Categorical(logits = a)",
    ]
    assert section(model, "update") == ["q ← q + a"]


def test_a_model_without_states():
    model = rl.Model(
        "bias",
        parameters={"bias": rl.Parameter(rl.RealLine())},
        states={},
        trial={"go": lambda bias: rl.Bernoulli(logits=bias)},
        update=lambda: {},
    )
    assert model.equations() == "bias\n\n  parameters   bias ∈ (-∞, ∞)\n  a trial      go ~ Bernoulli(logits = bias)"
    assert r"bias} &\in \mathbb{R}" in model.equations(latex=True)


def test_every_model_is_written_for_a_terminal(model):
    text = model.equations()
    assert text == model.equations()
    text.encode("utf-8")
    assert text.splitlines()[0].startswith(model.name)
    for name in [*model.parameters, *model.states, *model.events, *model.records]:
        assert re.search(rf"\b{name}\b", text)
    for line in text.splitlines():
        assert line == line.rstrip() and "\u00a0" not in line
        assert len(line) <= 100 or len(max(line.split(), key=len)) > 40 or " * " in line


@pytest.mark.parametrize("pair", ["{}", "()", "[]"])
def test_every_model_is_written_as_latex(pair, model):
    latex = model.equations(latex=True)
    assert latex.startswith("\\begin{aligned}\n") and latex.endswith("\n\\end{aligned}")
    depth = 0
    for symbol in re.sub(r"\\[{}]", "", latex):
        depth += (symbol == pair[0]) - (symbol == pair[1])
        assert depth >= 0
    assert depth == 0
    assert len(re.findall(r"\\left[(\[|]", latex)) == len(re.findall(r"\\right[)\]|]", latex))
    assert latex.count(r"\begin{") == latex.count(r"\end{")
    # One alignment mark a row, or a note beside it; those of cases and matrices are their own.
    body, inner = latex, r"\\begin\{(cases|pmatrix)\}((?!\\begin).)*?\\end\{\1\}"
    while re.search(inner, body, flags=re.DOTALL):
        body = re.sub(inner, "", body, flags=re.DOTALL)
    for row in body.splitlines()[1:-1]:
        assert re.sub(r"\\&", "", row).count("&") in (1, 3), row


def test_words_are_escaped_in_latex():
    model = made(lambda q, alpha: {"q": q * alpha}, description="50 % of {all} $ & #1_x ~ ^")
    assert model.equations().splitlines()[1] == "50 % of {all} $ & #1_x ~ ^"
    noted = rl.Model(
        "m",
        parameters={"a": rl.Parameter(rl.UnitInterval(), "50 % of a_b & c")},
        states={},
        trial={"go": lambda a: rl.Bernoulli(logits=a)},
        update=lambda: {},
    )
    assert r"\text{50 \% of a\_b \& c}" in noted.equations(latex=True)


def test_two_steps_are_read_in_order():
    lines = section(rl.catalogue.two_step(), "a trial")
    starts = [line.split()[0] for line in lines if line[0] not in " ("]
    assert [start for start in starts if start in ("choice1", "state2", "choice2", "reward")] == [
        "choice1", "state2", "choice2", "reward",
    ]  # fmt: skip
