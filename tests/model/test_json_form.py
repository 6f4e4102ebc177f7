"""A model as JSON: exact there and back; anything else is refused with a ModelError, and quickly."""

import copy
import json
import random
import time

import pytest

import rlbackends as rl
from rlbackends.errors import ModelError


def test_there_and_back_is_exact(model):
    text = model.to_json()
    back = rl.Model.from_json(text)
    assert back == model and hash(back) == hash(model)
    assert back.to_json() == text
    assert back.equations() == model.equations()
    for name, node in model.updates.items():
        assert back.updates[name] is node
    assert list(back.events) == list(model.events) and list(back.parameters) == list(model.parameters)
    assert back.program(frozenset()).updates == model.program(frozenset()).updates


def test_a_support_is_its_bounds():
    model = rl.Model(
        "m",
        parameters={"a": rl.Parameter(rl.Interval(0, 1)), "b": rl.Parameter(rl.Interval(-0.0, 1 / 3))},
        states={},
        trial={"go": lambda a, b: rl.Bernoulli(logits=a + b)},
        update=lambda: {},
    )
    back = rl.Model.from_json(model.to_json())
    assert back == model and back.to_json() == model.to_json()
    assert back.parameters["b"].support.hi == 1 / 3


def test_it_is_plain_json(model):
    text = model.to_json()
    assert "NaN" not in text.replace('{"float": "NaN"}', "").replace('"float": "NaN"', "")
    assert json.loads(text)["format"] == "rlbackends-model"
    text.encode("ascii")


@pytest.fixture
def data(zoo):
    return json.loads(zoo["two_responses"].to_json())


def assert_refused(text, match="."):
    start = time.perf_counter()
    with pytest.raises(ModelError, match=match) as caught:
        rl.Model.from_json(text)
    assert time.perf_counter() - start < 5.0
    assert len(str(caught.value)) < 5_000
    return str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "nonsense",
        "null",
        "[]",
        "3",
        '"text"',
        "{}",
        "[" * 100_000,
        '{"a":' * 100_000,
        "[" * 100_000 + "]" * 100_000,
        '{"format": "rlbackends-model"}',
        '{"format": "other"}',
        '{"format": "rlbackends-model", "version": 2}',
        "1" * 5000,
        '{"format": "rlbackends-model", "version": 1}',
        "\ud800",
        "import os",
        "__import__('os').system('true')",
        "\x00",
    ],
)
def test_what_is_no_model(text):
    assert_refused(text)


@pytest.mark.parametrize("text", [None, b"{}", 3, ["a"], {"format": "rlbackends-model"}])
def test_only_text_is_read(text):
    assert_refused(text, "must be text")


def test_deep_nesting_inside_a_model(data):
    for where in ("sizes", "graph", "states"):
        spoilt = json.dumps({**data, where: "HERE"}).replace('"HERE"', '{"a":' * 50_000 + "1" + "}" * 50_000)
        assert_refused(spoilt)
    value = json.dumps(data).replace("0.0", "[" * 500 + "0.0" + "]" * 500)
    assert_refused(value)


def spoil(data, *path, value):
    spoilt = copy.deepcopy(data)
    inner = spoilt
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return json.dumps(spoilt)


@pytest.mark.parametrize(
    ("path", "value", "match"),
    [
        (("version",), True, "version"),
        (("name",), "", "name"),
        (("name",), None, "text"),
        (("name",), ["m"], "text"),
        (("description",), 3, "text"),
        (("sizes",), {"action": 2.0, "state": 2}, "sizes"),
        (("sizes",), [], "an object"),
        (("sizes",), {"action": 10**12, "state": 2}, "sizes"),
        (("sizes",), {"action": 3, "state": 2}, "not in sizes"),
        (("sizes",), {"action": 2}, "not in sizes"),
        (("sizes",), {"action": 2, "state": 2, "subject": 2}, "reserved"),
        (("parameters", "alpha"), {}, "lo"),
        (("parameters", "alpha"), None, "object"),
        (("parameters", "alpha", "lo"), "0", "bound"),
        (("parameters", "alpha", "lo"), True, "bound"),
        (("parameters", "alpha", "lo"), 2.0, "lo < hi"),
        (("parameters", "alpha", "hi"), 10**400, "large"),
        (("parameters", "alpha", "hi"), 5.0, None),
        (("parameters", "alpha", "hi"), None, None),
        (("parameters", "alpha", "lo"), None, "support"),
        (("parameters", "alpha", "note"), 1, "object"),
        (("parameters", "gamma"), {"lo": 0.0, "hi": 1.0, "description": ""}, "used by no rule"),
        (("parameters", "reward"), {"lo": 0.0, "hi": 1.0, "description": ""}, "both a parameter and an event"),
        (("parameters", "a b"), {"lo": 0.0, "hi": 1.0, "description": ""}, "not a Python name"),
        (("states", "q", "axes"), [["action", 2], ["state", 2]], "other axes"),
        (("states", "q", "axes"), [["action", 2]], "axes|shape"),
        (("states", "q", "axes"), [[None, 2], [None, 2]], "not in sizes"),
        (("states", "q", "reset"), "trial", "reset"),
        (("states", "q", "initial"), 0.0, "object"),
        (("states", "v"), {"axes": [], "reset": "block"}, "initial values"),
        (("states", "q", "axes"), [["action", 9999], ["state", 9999]], "entries"),
        (("events", "reward", "kind"), "bool", "no kind of event"),
        (("events", "reward", "kind"), ["int", 0, 5], "no kind|another kind"),
        (("events", "reward", "axes"), [["action", 2]], "another kind or axes"),
        (("events", "reward", "family"), "normal", "family|does not take|normal"),
        (("events", "reward", "of"), "action", "count along|another kind"),
        (("events", "state", "of"), None, None),
        (("events", "state", "of"), "stat", "not in sizes"),
        (("events", "state", "kind"), ["int", 0, 2], "count along|another kind"),
        (("events", "first", "family"), None, "rules for"),
        (("events", "first", "family"), "poisson", "no family"),
        (("events", "first", "family"), ["categorical"], "text or null"),
        (("events", "first", "family"), {}, "text or null"),
        (("events", "first", "of"), "action", "kind and axes"),
        (("events", "first", "kind"), ["int", 0, 9], "kind and axes"),
        (("events", "third"), {"kind": "real", "axes": [], "of": None, "family": "categorical"}, "does not take"),
        (("graph",), [], "an object"),
        (("graph", "nodes"), [], "root"),
        (("graph", "roots"), {}, "initial"),
        (("graph", "roots", "update/q"), 0, "shape|kind"),
        (("graph", "roots", "update/v"), 0, "another shape"),
        (("graph", "roots", "evil/q"), 0, "group"),
        (("graph", "roots", "initial/v"), 0, "initial values"),
        (("graph", "roots", "response/first/sd"), 0, "does not take"),
        (("graph", "roots", "response/third/logits"), 0, "rules for"),
        (("graph", "roots", "record/q"), 0, "both a state and a record"),
        (("graph", "roots", "update/q"), 10**9, "number of a node"),
        (("graph", "roots", "update/q"), "0", "number of a node"),
        (("extra",), 1, "object"),
        (("reference",), {"a": 1}, "text"),
    ],
)
def test_a_spoilt_model(path, value, match, data):
    text = spoil(data, *path, value=value)
    if match is None:  # another model, but a good one
        assert rl.Model.from_json(text) != rl.Model.from_json(json.dumps(data))
    else:
        assert_refused(text, match)


@pytest.mark.parametrize("literal", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999"])
def test_numbers_that_json_has_not(literal, data):
    text = json.dumps(data)
    assert '"value": 0.0' in text
    assert_refused(text.replace('"value": 0.0', f'"value": {literal}', 1))
    assert_refused(text.replace('"hi": 1.0', f'"hi": {literal}', 1))


def test_a_key_that_stands_twice(data):
    text = json.dumps(data)
    assert_refused(text.replace('"name": "two_responses"', '"name": "a", "name": "b"', 1), "twice")
    assert_refused(text.replace('"roots": {', '"roots": {"update/q": 0, ', 1), "twice")


def test_a_key_that_is_missing(data):
    for key in data:
        assert_refused(json.dumps({name: value for name, value in data.items() if name != key}))


def test_a_rule_that_sees_what_it_may_not(zoo, data):
    spoilt = copy.deepcopy(data)
    spoilt["events"] = dict(reversed(spoilt["events"].items()))  # now 'second' comes before 'state'
    unseen = "response 'second', argument 'logits' asks for event 'state', which it can't see"
    assert_refused(json.dumps(spoilt), unseen)
    spoilt = copy.deepcopy(data)
    spoilt["graph"]["nodes"].append({"op": "event", "name": "reward", "kind": "real", "axes": []})
    spoilt["graph"]["roots"]["initial/q"] = len(spoilt["graph"]["nodes"]) - 1
    assert_refused(json.dumps(spoilt), "the initial value of 'q' asks for event 'reward'")
    spoilt["graph"]["nodes"][-1] = {"op": "parameter", "name": "gamma"}
    assert_refused(json.dumps(spoilt), "asks for parameter 'gamma'")
    spoilt["graph"]["nodes"][-1] = {"op": "state", "name": "q", "axes": data["states"]["q"]["axes"]}
    assert_refused(json.dumps(spoilt), "asks for state 'q'")


def test_all_faults_are_told(data):
    spoilt = copy.deepcopy(data)
    spoilt["parameters"]["gamma"] = spoilt["parameters"]["block"] = {"lo": 0.0, "hi": None, "description": ""}
    message = assert_refused(json.dumps(spoilt), "has 3 faults")
    assert "'block' has a reserved name" in message and "'gamma' is used by no rule" in message


def test_code_in_strings_is_text(zoo, tmp_path):
    path = tmp_path / "touched"
    code = f"__import__('pathlib').Path({str(path)!r}).touch()"
    data = json.loads(zoo["smallest"].to_json())
    data["description"] = data["name"] = code
    model = rl.Model.from_json(json.dumps(data))
    model.equations()
    assert_refused(json.dumps(data).replace('"name": "bias"', f'"name": {json.dumps(code)}'))
    assert not path.exists()


def test_a_long_chain_is_read_quickly(data):
    nodes = data["graph"]["nodes"]
    target = data["graph"]["roots"]["record/after"]
    for _ in range(40_000):
        nodes.append({"op": "neg", "args": [target]})
        target = len(nodes) - 1
    data["graph"]["roots"]["record/after"] = target
    start = time.perf_counter()
    model = rl.Model.from_json(json.dumps(data))
    assert rl.Model.from_json(model.to_json()) == model
    assert time.perf_counter() - start < 20.0


def test_a_huge_text_is_refused():
    assert_refused(" " * 50_000_001, "at most")


# Mutations


JUNK = [
    None,
    True,
    False,
    0,
    1,
    -1,
    2,
    1.5,
    -0.0,
    10**30,
    "",
    "q",
    "alpha",
    "reward",
    "int",
    "real",
    "bool",
    ":",
    "i",
    [],
    {},
    [0],
    [[]],
    ["action", 2],
    ["int", 0, 1],
    {"float": "NaN"},
    {"op": "const"},
    1e308,
    "const",
    "neg",
    "gather",
    "is_missing",
    "never",
    [[None, 2]],
    99_999,
    "Infinity",
    ["q"],
    [1, 0],
    [None],
    "\x00",
    "∞",
]


def containers(data):
    yield data
    for value in data.values() if isinstance(data, dict) else data:
        if isinstance(value, dict | list) and value:
            yield from containers(value)


def mutate(data, rng):
    spoilt = copy.deepcopy(data)
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        inner = rng.choice(list(containers(spoilt)))
        if not inner:
            continue
        key = rng.choice(list(inner)) if isinstance(inner, dict) else rng.randrange(len(inner))
        action = rng.choice(["delete", "replace", "swap", "add", "rename"])
        if action == "delete":
            del inner[key]
        elif action == "replace":
            inner[key] = copy.deepcopy(rng.choice(JUNK))
        elif action == "swap":
            other = rng.choice(list(inner)) if isinstance(inner, dict) else rng.randrange(len(inner))
            inner[key], inner[other] = inner[other], inner[key]
        elif isinstance(inner, dict):
            value = inner.pop(key) if action == "rename" else copy.deepcopy(rng.choice(JUNK))
            inner[rng.choice(["q", "alpha", "axis", "value", "names", "pattern", "update/q", "new"])] = value
        else:
            inner.insert(key, copy.deepcopy(rng.choice(JUNK)))
    return spoilt


@pytest.mark.parametrize("name", ["every_operation", "two_responses", "log_probs", "smallest"])
def test_mutations_are_refused_or_are_good_models(name, zoo):
    data = json.loads(zoo[name].to_json())
    rng = random.Random(20261122)
    outcomes = {"refused": 0, "good": 0}
    for _ in range(400):
        text = json.dumps(mutate(data, rng))
        try:
            model = rl.Model.from_json(text)
        except ModelError:
            outcomes["refused"] += 1
            continue
        outcomes["good"] += 1
        again = model.to_json()
        assert rl.Model.from_json(again) == model
        assert rl.Model.from_json(again).to_json() == again
        model.program(frozenset())
        assert model.equations() and model.equations(latex=True)
    assert outcomes["refused"] > 100 and outcomes["good"] > 0


def test_mutations_of_the_text_are_refused_or_are_good_models(zoo):
    text = zoo["two_responses"].to_json()
    rng = random.Random(7)
    for _ in range(400):
        at = rng.randrange(len(text))
        spoilt = (
            text[:at]
            + rng.choice(["", '"', "{", "]", ",", "0", "-", "e9", "\\", "null", "\n"])
            + text[at + rng.randrange(3) :]
        )
        try:
            model = rl.Model.from_json(spoilt)
        except ModelError:
            continue
        assert rl.Model.from_json(model.to_json()) == model
