"""Text: an expression is written as a rule writes it, with the parentheses that Python needs and no others."""

import numpy as np
import pytest

from rlbackends.expressions import Expression, constant, integer
from rlbackends.expressions import functions as f
from rlbackends.expressions.numpy_table import evaluate
from rlbackends.expressions.printing import number, short_text, text
from rlbackends.expressions.standin import as_expression

# What is written is what a rule says: each line is read by Python with stand-ins and must come out as itself.
LINES = """
alpha * (reward - q[choice])
q.at[choice].add(alpha * (reward - q[choice]))
q.at[choice].set(0.5)
(1 - alpha) * q + alpha * 0.12
alpha - (beta - 1)
alpha - beta - 1
alpha / (beta * 2)
alpha / beta * 2
-alpha ** 2
(-alpha) ** 2
(alpha ** 2) ** beta
alpha ** beta ** 2
alpha ** -beta
-(alpha + beta)
alpha * -2
where(reward > 0, alpha, beta)
where((reward > 0) & (choice == 1) | ~(beta <= 1), 1, 0)
where((alpha < beta) & ((beta < 1) | (alpha >= 0.5)), alpha, beta)
where(choice != 1, alpha, beta)
softmax(beta * q)
softmax(table, axis=-2)
sum(table, axis=-1)
sum(sum(table, axis=-1))
sum(q)
dot(q, [0.5, 1])
max(table)
table[stimulus, choice]
table[stimulus]
table[:, choice]
table[stimulus].at[choice].add(1)
table.at[stimulus, choice].add(reward)
q[None, :]
(q + 1)[choice]
stack(alpha, beta)
stack(alpha, beta, axis='action')
one_hot(choice, action)
is_missing(reward)
exp(alpha) / (1 + exp(alpha))
maximum(alpha, minimum(beta, 1))
log_ndtr(alpha) - ndtri(alpha)
argmax(q)
""".strip().splitlines()


@pytest.fixture
def words(make):
    q = make.state("q", ("action", 2))
    names = {
        "alpha": make.parameter("alpha"),
        "beta": make.parameter("beta"),
        "q": q,
        "action": q,
        "table": make.state("table", ("stimulus", 3), ("action", 2)),
        "choice": make.event("choice", integer(0, 1)),
        "stimulus": make.event("stimulus", integer(0, 2)),
        "reward": make.event("reward"),
    }
    return {**{name: getattr(f, name) for name in f.FUNCTIONS}, **names}


@pytest.mark.parametrize("line", LINES)
def test_what_is_written_reads_back_as_itself(line, words):
    node = eval(line, {"__builtins__": {}}, words).node
    assert text(node) == line
    assert text(node) == text(node)


def test_random_expressions_read_back_with_the_same_value(words):
    rng = np.random.default_rng(7)
    scalars = ["alpha", "beta", "reward", "2", "0.5", "-1.5", "q[choice]"]
    forms = ["{} + {}", "{} - {}", "{} * {}", "{} / {}", "where({} > {}, alpha, 0.25)", "-{} + {}", "maximum({}, {})"]
    leaves = {"alpha": 0.3, "beta": 1.7, "reward": 0.9, "q": np.array([0.2, 0.8]), "choice": np.int64(1)}
    for _ in range(300):
        pieces = list(scalars)
        for _ in range(6):
            one, two = (f"({piece})" for piece in rng.choice(pieces, 2))
            pieces.append(rng.choice(forms).format(one, two))
        made = as_expression(eval(pieces[-1], {"__builtins__": {}}, words)).node
        again = as_expression(eval(text(made), {"__builtins__": {}}, words)).node
        with np.errstate(all="ignore"):
            expected, found = evaluate(made, leaves), evaluate(again, leaves)
        # Folded numbers are written with 14 digits.
        np.testing.assert_allclose(found, expected, rtol=1e-12, err_msg=text(made))


def test_names_stand_for_nodes(words):
    error = words["reward"] - words["q"][words["choice"]]
    node = (words["alpha"] * error * error).node
    assert text(node, {error.node: "delta"}) == "alpha * delta * delta"
    assert text(error.node, {error.node: "delta"}) == "delta"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.5, "0.5"),
        (2.0, "2"),
        (-0.0, "0"),
        (1e-5, "1e-05"),
        (1e20, "1e+20"),
        (0.1 + 0.2, "0.3"),
        (1 / 3, "0.3333333333333333"),
        (float("inf"), "inf"),
        (float("-inf"), "-inf"),
        (float("nan"), "nan"),
        (True, "True"),
        (3, "3"),
        ((0.5, 1.0), "[0.5, 1]"),
        (((1, 2), (3, 4)), "[[1, 2], [3, 4]]"),
    ],
)
def test_numbers(value, expected):
    assert number(value) == expected


def test_constants_and_comparisons_with_them(words):
    assert text(constant([0.5, 1.0])) == "[0.5, 1]"
    assert text((0.5 < words["alpha"]).node) == "alpha > 0.5"
    assert text((words["alpha"] >= 1).node) == "alpha >= 1"
    assert text((words["alpha"] >= words["beta"]).node) == "beta <= alpha"


def test_a_shared_graph_does_not_blow_up(words):
    x = words["alpha"]
    for _ in range(200):
        x = x * x
    assert len(text(x.node)) <= 25_000
    assert len(short_text(x.node)) <= 600 and " ... " in short_text(x.node)
    assert isinstance(x, Expression)
