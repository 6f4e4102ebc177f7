"""What a rule can't say is an error with the rule's file and line, the expression, and what to write instead."""

import math
import re
from pathlib import Path

import numpy as np
import pytest

import rlbackends as rl
from rlbackends import components
from rlbackends.errors import ModelError
from rlbackends.expressions import Expression, integer
from rlbackends.expressions.standin import recording
from rlbackends.expressions.tracing import trace, where_defined

SOURCE = Path(__file__).read_text(encoding="utf-8").splitlines()


def line_of(mark):
    """Return ``file.py:line`` of the line of this file that ends with a comment of this word."""
    found = [number for number, line in enumerate(SOURCE, 1) if line.endswith(f"# {mark}")]
    assert len(found) == 1, mark
    return f"test_errors.py:{found[0]}"


@pytest.fixture
def values(make):
    return {
        "q": make.state("q", ("action", 2)),
        "alpha": make.parameter("alpha"),
        "beta": make.parameter("beta"),
        "choice": make.event("choice", integer(0, 1)),
        "reward": make.event("reward"),
    }


def message(rule, values):
    with pytest.raises(ModelError) as caught:
        trace(rule, values, what="update")
    return str(caught.value)


# Names


def test_an_undeclared_name_is_listed_with_the_nearest(values):
    def rule(q, aplha): ...  # undeclared

    text = message(rule, values)
    assert text == (
        f"{line_of('undeclared')}: update asks for 'aplha'. There are 'q', 'alpha', 'beta', 'choice' and 'reward'."
        " Did you mean 'alpha'?"
    )


def test_a_name_with_nothing_near_has_no_suggestion(values):
    assert message(lambda zzz: zzz, values).endswith("and 'reward'.")


@pytest.mark.parametrize("rule", [lambda *q: q, lambda **q: q])
def test_a_rule_names_its_arguments(rule, values):
    assert "a rule asks for what it needs by argument name" in message(rule, values)


def test_a_later_name_says_why(values):
    with pytest.raises(ModelError, match="asks for 'outcome', a later event of the trial"):
        trace(lambda outcome: outcome, values, what="update", later={"outcome": "a later event of the trial"})


def test_defaults_positional_only_and_methods_are_fine(values):
    class Rules:
        scale = 2.0

        def rule(self, q, /, alpha, *, bonus=0.5):
            return self.scale * q + alpha * bonus

    assert isinstance(trace(Rules().rule, values, what="update"), Expression)


def test_what_has_no_arguments_to_read_is_an_error(values):
    assert "can't be read; write a function" in message(type, values)


# Python's own control flow


def python_if(alpha):
    if alpha > 0.5:  # if
        return 1.0
    return 0.0


def python_and(alpha, beta):
    return (alpha > 0) and (beta > 0)  # and


def python_not(alpha):
    return not (alpha > 0)  # not


def python_chain(alpha):
    return 0 < alpha < 1  # chain


def python_float(alpha):
    return float(alpha)  # float


def python_int(choice):
    return int(choice)  # int


def python_range(choice):
    return list(range(choice))  # range


def python_loop(q):
    return [value for value in q]  # loop


def python_sum(q):
    return sum(q)  # builtin sum


def python_in(q, choice):
    return 1 in q  # in


def python_math(alpha):
    return math.exp(alpha)  # math


def python_index(choice):
    return [0.5, 0.2][choice]  # index of a list


@pytest.mark.parametrize(
    ("rule", "mark", "expected"),
    [
        (python_if, "if", "a rule can't branch on 'alpha > 0.5'.*rl.where"),
        (python_and, "and", "can't branch on 'alpha > 0'.*& | ~"),
        (python_not, "not", "can't branch on 'alpha > 0'"),
        (python_chain, "chain", r"can't branch on 'alpha > 0'.*\(a < x\) & \(x < b\)"),
        (python_float, "float", r"float\(\) of 'alpha': its value is known only when"),
        (python_int, "int", r"int\(\) of 'choice'"),
        (python_range, "range", r"a Python index or range\(\) of 'choice'"),
        (python_loop, "loop", "a rule can't loop over 'q'"),
        (python_sum, "builtin sum", "can't loop over 'q'.*rl.sum"),
        (python_in, "in", "'in' on 'q': write a comparison"),
        (python_math, "math", r"float\(\) of 'alpha'"),
        (python_index, "index of a list", "a Python index"),
    ],
)
def test_python_control_flow_is_refused(rule, mark, expected, values):
    text = message(rule, values)
    assert text.startswith(f"{line_of(mark)}: ")
    assert re.search(expected, text), text


# Operators and methods that the language has not


def floor_division(choice):
    return choice // 2  # floor


def remainder(choice):
    return 7 % choice  # remainder


def matrix_product(q):
    return np.eye(2) @ q  # matrix


def in_place(q, choice, reward):
    q[choice] = reward  # in place
    return q


@pytest.mark.parametrize(
    ("rule", "mark", "expected"),
    [
        (floor_division, "floor", r"a rule has the operators \+ - \* /.*'choice'"),
        (remainder, "remainder", "a rule has the operators"),
        (matrix_product, "matrix", r"numpy.matmul.*Write rl.dot\(a, b\)"),
        (in_place, "in place", r"'q' can't be changed in place. Write q.at\[...\].set"),
    ],
)
def test_other_operators_are_refused(rule, mark, expected, values):
    text = message(rule, values)
    assert text.startswith(f"{line_of(mark)}: ")
    assert re.search(expected, text), text


def test_matrix_product_of_stand_ins(values):
    assert "Write rl.dot(a, b)" in message(lambda q: q @ q, values)


@pytest.mark.parametrize(
    ("name", "hint"), [("sum", "Write rl.sum"), ("mean", "Write rl.mean"), ("flatten", "no 'flatten'")]
)
def test_methods_of_arrays_are_attribute_errors_with_a_hint(name, hint, values):
    with pytest.raises(AttributeError, match=re.escape(hint)):
        getattr(values["q"], name)()
    assert not hasattr(values["q"], "__array_interface__")


# NumPy


def numpy_function(alpha):
    return np.exp(alpha)  # ufunc


def numpy_reduction(q):
    return np.sum(q)  # array function


@pytest.mark.parametrize(
    ("rule", "hint"),
    [
        (lambda q: np.exp(q), r"numpy.exp can't take a rule's values. Write rl.exp\(...\) instead"),
        (lambda q: np.sum(q), r"Write rl.sum\(...\)"),
        (lambda q: np.where(q > 0, q, 0), r"Write rl.where\(...\)"),
        (lambda q: np.clip(q, 0, 1), r"Write rl.(clip|maximum|minimum)\(...\)"),
        (lambda q: np.absolute(q), r"Write abs\(x\)"),
        (lambda q: np.negative(q), "Write -x instead"),
        (lambda q: np.square(q), r"Write x \*\* 2 instead"),
        (lambda q: np.logical_and(q > 0, q < 1), "Write a & b instead"),
        (lambda q: np.stack([q, q]), r"Write rl.stack\(...\)"),
        (lambda q: np.add.reduce(q), "Use the functions of rl instead"),
        (lambda q: np.add(q, q, out=np.zeros(2)), "Use the functions of rl instead"),
        (lambda q: np.linalg.norm(q), "numpy"),
        (lambda q: np.asarray(q), "a NumPy array of 'q'"),
        (lambda q: np.log2(q), "Use the functions of rl instead"),
    ],
)
def test_numpy_functions_are_refused_with_ours(rule, hint, values):
    text = message(rule, values)
    assert text.startswith("test_errors.py:")
    assert re.search(hint, text), text


def test_numpy_functions_are_located(values):
    assert message(numpy_function, values).startswith(line_of("ufunc"))
    assert message(numpy_reduction, values).startswith(line_of("array function"))


def test_numpy_values_on_either_side_of_an_operator_work(values):
    q, array = values["q"], np.array([1.0, 2.0])
    for left, right in [(array * q, [1.0, 2.0] * q), (array - q, [1.0, 2.0] - q), (array**q, [1.0, 2.0] ** q),
                        (array / q, [1.0, 2.0] / q), (array < q, q > [1.0, 2.0]), (array >= q, q <= [1.0, 2.0]),
                        (array == q, [1.0, 2.0] == q), (array + q, [1.0, 2.0] + q)]:  # fmt: skip
        assert isinstance(left, Expression) and left.shape == (2,)
        assert left.node.op == right.node.op
    assert (np.float64(2.0) * q).node is (2.0 * q).node
    assert (q - np.float64(0.5)).node is (q - 0.5).node
    assert (np.float32(0.5) ** q).node is (0.5**q).node
    assert (np.int64(1) + values["choice"]).node is (1 + values["choice"]).node
    assert (np.float64(0.1) < q).node is (0.1 < q).node
    assert (np.array([True, False]) & (q > 0)).node.op == "and"
    assert (np.bool_(True) | (q > 0)).node.op == "or"


@pytest.mark.parametrize("value", ["0.5", None, 1j, object(), np.array(["a"]), {}, np.datetime64("2026-01-01")])
def test_what_is_no_number_is_refused(value, values):
    text = message(lambda alpha: alpha + value, values)
    assert "is no number, array or value of the rule" in text
    assert text.startswith("test_errors.py:")


def test_a_list_of_stand_ins_is_a_stack(values):
    assert "Write rl.stack(a, b)" in message(lambda q, alpha: q + [alpha, alpha], values)
    assert "Write rl.stack(a, b)" in message(lambda alpha: rl.sum([alpha, 1.0]), values)


# Where


def test_a_wrong_shape_shows_the_expression_and_the_line(values):
    def rule(q, alpha):
        wide = alpha * [1.0, 2.0, 3.0]
        return (
            q + wide  # sum of two shapes
        )

    text = message(rule, values)
    assert "The expression is 'q + alpha * [1, 2, 3]'" in text
    first = int(line_of("sum of two shapes").split(":")[1]) - 1
    assert text.startswith((f"test_errors.py:{first}: ", f"test_errors.py:{first + 1}: "))


def helper(q, index):
    return q[index]  # helper


def test_a_fault_in_a_helper_is_located_there(values):
    assert message(lambda q: helper(q, 7), values).startswith(f"{line_of('helper')}: an index in [7, 7]")


def test_a_fault_in_a_component_is_located_at_the_call(values):
    def rule(q, reward, alpha):
        return components.delta_rule(q, 5, reward, alpha)  # component

    assert message(rule, values).startswith(f"{line_of('component')}: an index in [5, 5]")


def test_a_fault_in_a_lambda_is_located_there(values):
    rule = lambda q: q[9]  # noqa: E731  # lambda
    assert message(rule, values).startswith(f"{line_of('lambda')}: ")


def test_a_fault_in_an_argument_of_a_response_is_located_at_the_rule(values):
    def rule(alpha):
        return rl.Categorical(logits=alpha)  # scalar logits

    text = message(rule, values)
    assert text.startswith(f"{line_of('scalar logits')}: Categorical's logits are one value, expected one value per")
    assert "The expression is 'alpha'" in text


def test_lines_are_remembered_for_the_nodes_of_a_rule(values):
    def rule(q, alpha):
        half = alpha / 2  # first written
        return half + alpha / 2

    with recording() as found:
        result = trace(rule, values, what="update")
    assert found[result.node.args[0]] == line_of("first written")
    assert all(node.args for node in found)


def test_where_a_rule_is_defined():
    def rule(): ...  # defined

    assert where_defined(rule) == line_of("defined")
    assert where_defined(len) == "len"


def test_a_very_long_expression_is_shortened(values):
    def rule(q):
        for _ in range(3000):
            q = q + q
        return q[2]

    text = message(rule, values)
    assert len(text) < 2000 and " ... " in text
