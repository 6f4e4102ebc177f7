"""LaTeX: symbols, fractions, subscripts, cases, and nothing that KaTeX or MathJax can't read."""

import pytest

from rlbackends.expressions import functions as f
from rlbackends.expressions import integer
from rlbackends.expressions.latex import latex, number, symbol


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("alpha", r"\alpha"),
        ("alpha_pos", r"\alpha_{\mathrm{pos}}"),
        ("beta1", r"\beta_{1}"),
        ("kappa", r"\kappa"),
        ("q", "q"),
        ("Q_mf", r"Q_{\mathrm{mf}}"),
        ("q2", "q_{2}"),
        ("w", "w"),
        ("alpha_2", r"\alpha_{2}"),
        ("choice", r"\mathrm{choice}"),
        ("choice2", r"\mathrm{choice}_{2}"),
        ("lambda_", r"\lambda"),
        ("prediction_error", r"\mathrm{prediction\ error}"),
        ("prediction_error1", r"\mathrm{prediction\ error}_{1}"),
        ("_", r"\_"),
        ("größe", r"\mathrm{größe}"),
    ],
)
def test_symbols(name, expected):
    assert symbol(name) == expected


@pytest.fixture
def v(make):
    class Values:
        alpha, beta, a = make.parameter("alpha"), make.parameter("beta"), make.parameter("a")
        q, table = make.state("q", ("action", 2)), make.state("table", ("stimulus", 3), ("action", 2))
        q_mf = make.state("q_mf", ("action", 2))
        choice, reward = make.event("choice", integer(0, 1)), make.event("reward")

    return Values


def test_expressions(v):
    cases = [
        (v.alpha * (v.reward - v.q[v.choice]), r"\alpha \, \left(\mathrm{reward} - q_{\mathrm{choice}}\right)"),
        (v.alpha / (1 + v.beta), r"\frac{\alpha}{1 + \beta}"),
        ((v.alpha / v.beta) ** 2, r"{\left(\frac{\alpha}{\beta}\right)}^{2}"),
        (v.alpha**-v.beta, r"{\alpha}^{-\beta}"),
        (2 * v.alpha, r"2 \, \alpha"),
        (v.alpha * 0.5, r"\alpha \cdot 0.5"),
        (-(v.alpha + v.beta), r"-\left(\alpha + \beta\right)"),
        (v.alpha - (v.beta - 1), r"\alpha - \left(\beta - 1\right)"),
        (v.q_mf[v.choice], r"q_{\mathrm{mf}}\left[\mathrm{choice}\right]"),
        (v.table[1, v.choice], r"\mathrm{table}_{1,\,\mathrm{choice}}"),
        (v.table[1], r"\mathrm{table}_{1}"),
        (v.table[:, 0], r"\mathrm{table}_{:,\,0}"),
        (
            f.where(v.reward > 0, v.alpha, v.beta),
            r"\begin{cases} \alpha & \text{if } \mathrm{reward} > 0 \\ \beta & \text{otherwise} \end{cases}",
        ),
        (
            f.where(v.choice != 1, 1.0, 0.0) * v.alpha,
            r"\left(\begin{cases} 1 & \text{if } \mathrm{choice} \neq 1 \\ 0 & \text{otherwise} "
            r"\end{cases}\right) \, \alpha",
        ),
        (f.one_hot(v.choice, v.q), r"\mathbf{1}\left[\mathrm{action} = \mathrm{choice}\right]"),
        (v.q.at[v.choice].add(v.alpha), r"q\left[\mathrm{choice} \mathrel{{+}{=}} \alpha\right]"),
        (v.q.at[v.choice].set(v.alpha), r"q\left[\mathrm{choice} \leftarrow \alpha\right]"),
        (f.sum(v.table * v.q, axis=-1), r"\sum_{\mathrm{action}} \mathrm{table} \, q"),
        (f.max(v.table), r"\max_{\mathrm{action}} \left(\mathrm{table}\right)"),
        (f.softmax(v.beta * v.q), r"\operatorname{softmax} \left(\beta \, q\right)"),
        (f.sqrt(v.alpha) + abs(v.beta), r"\sqrt{\alpha} + \left|\beta\right|"),
        (f.log1p(-v.alpha), r"\log\left(1 + \left(-\alpha\right)\right)"),
        (f.ndtr(v.alpha), r"\Phi\left(\alpha\right)"),
        (f.is_missing(v.reward), r"\operatorname{missing}\left(\mathrm{reward}\right)"),
    ]
    for expression, expected in cases:
        assert latex(expression.node) == expected


def test_names_stand_for_nodes(v):
    error = v.reward - v.q[v.choice]
    assert latex((v.alpha * error).node, {error.node: "prediction_error"}) == r"\alpha \, \mathrm{prediction\ error}"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.5, "0.5"),
        (1e-05, r"1 \times 10^{-5}"),
        (2.5e20, r"2.5 \times 10^{20}"),
        (float("inf"), r"\infty"),
        (float("-inf"), r"-\infty"),
        (float("nan"), r"\mathrm{NaN}"),
        (True, r"\mathrm{true}"),
        ((0.5, 1.0), r"\left(0.5,\ 1\right)"),
        (((1, 2), (3, 4)), r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}"),
    ],
)
def test_numbers(value, expected):
    assert number(value) == expected


def test_negative_and_scientific_numbers_are_put_in_parentheses(v):
    assert latex((v.alpha * -2.0).node) == r"\alpha \, \left(-2\right)"
    assert latex((v.alpha - -2.0).node) == r"\alpha - \left(-2\right)"
    assert latex((v.alpha * 1e-5).node) == r"\alpha \, \left(1 \times 10^{-5}\right)"


def test_deep_graphs_need_no_recursion(v):
    x = v.alpha
    for _ in range(3000):
        x = -x
    assert latex(x.node).count(r"\left(") == 2999
