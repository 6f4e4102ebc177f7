"""The table of operations is covered by every other table, and each example is what its name says."""

import json

import numpy as np
import pytest

from rlbackends.backends.reference import derivatives
from rlbackends.errors import ModelError
from rlbackends.expressions import OPERATIONS, build
from rlbackends.expressions.json_form import from_json, to_json
from rlbackends.expressions.latex import ROWS, latex
from rlbackends.expressions.numpy_table import evaluate
from rlbackends.expressions.printing import text

LEAVES = {name for name, row in OPERATIONS.items() if row.group == "leaf"}
# Nothing flows back through integers and booleans, nor into a flag.
NO_GRADIENT = {"lt", "le", "eq", "and", "or", "not", "argmax", "one_hot", "to_real", "is_missing"}


@pytest.fixture(params=sorted(OPERATIONS))
def example(request, examples):
    node = examples.nodes[request.param]
    assert node.op == request.param
    return node


def test_the_examples_are_the_operations(examples):
    assert set(examples.nodes) == set(OPERATIONS)


def test_every_operation_has_a_value(example, examples):
    leaves = {name: np.asarray(value) for name, value in examples.leaves.items()}
    value = evaluate(example, leaves, {"reward": np.bool_(False)})
    assert np.shape(value) == example.shape
    assert np.asarray(value).dtype.kind == {"real": "f", "bool": "b", "int": "i"}[example.kind.name]


def test_every_operation_is_written_as_text(example):
    words = text(example)
    assert words and words == text(example)
    if example.op not in LEAVES:
        assert words not in ("a", "b", "q")


def test_every_operation_is_written_as_latex(example):
    words = latex(example)
    assert words.count("{") == words.count("}")
    assert words.count(r"\left") == words.count(r"\right") + words.count(r"\leftarrow")


def test_every_operation_goes_to_json_and_back(example):
    data = json.loads(json.dumps(to_json({"root": example}), allow_nan=False))
    assert from_json(data)["root"] is example


def test_every_operation_has_a_derivative_or_none_flows():
    known = {*derivatives._ELEMENTWISE, *derivatives._SHAPED}
    assert known.isdisjoint(NO_GRADIENT)
    assert known | NO_GRADIENT | LEAVES == set(OPERATIONS)


def test_latex_has_no_row_too_many():
    assert set(ROWS) == set(OPERATIONS)


def test_latex_names_the_operation_that_it_lacks(monkeypatch, examples):
    monkeypatch.setattr("rlbackends.expressions.latex.ROWS", {k: v for k, v in ROWS.items() if k != "tanh"})
    with pytest.raises(ModelError, match="no row for the operation 'tanh'"):
        latex(examples.nodes["tanh"])


def test_an_unknown_operation_is_refused_with_the_nearest():
    with pytest.raises(ModelError, match=r"no operation 'soft_max'.*Did you mean 'softmax'"):
        build("soft_max")


def test_attributes_must_be_those_of_the_row(examples):
    with pytest.raises(ModelError, match="attributes"):
        build("sum", examples.nodes["state"])
    with pytest.raises(ModelError, match="attributes"):
        build("neg", examples.nodes["parameter"], axis=-1)


@pytest.mark.parametrize(
    ("op", "count"),
    [(op, 3) for op in ("add", "neg", "lt", "and", "not")] + [("where", 2), ("gather", 1), ("stack", 0)],
)
def test_the_number_of_arguments_is_checked(op, count, examples):
    attrs = {"gather": {"pattern": ""}, "stack": {"axis": None}}.get(op, {})
    with pytest.raises(ModelError, match=r"takes|at least"):
        build(op, *[examples.nodes["parameter"]] * count, **attrs)


def test_arguments_are_nodes():
    with pytest.raises(ModelError, match="nodes"):
        build("neg", 1.0)


@pytest.mark.parametrize("shape", [(3000, 3000, 3000), (10_000_001,)])
def test_a_value_has_a_largest_size(shape, make):
    with pytest.raises(ModelError, match="entries"):
        make.state("q", *((f"a{i}", size) for i, size in enumerate(shape)))


def test_a_value_has_a_largest_number_of_axes(make):
    with pytest.raises(ModelError, match="at most 16 axes"):
        make.state("q", *((f"a{i}", 1) for i in range(17)))
