"""Which samplers a word means; whatever is wrong is said at once, with the nearest word."""

import pytest

from rlbackends.backends.registry import BACKENDS
from rlbackends.errors import SettingError
from rlbackends.studies.samplers.entries import default_entries, read_entries
from tests.studies.samplers.fakes import BACKEND

EXACT = {"backend": BACKEND, "sampler": "exact"}


def fake(**changes):
    return {**EXACT, **changes}


def test_words_and_mappings():
    pytest.importorskip("numpyro")
    first, second, third = read_entries(
        ["numpyro:nuts", "numpyro:nuts:vectorized", "numpyro:nuts:dense_mass=True:sequential"]
    )
    assert (first.name, first.backend, dict(first.sampler_settings)) == ("numpyro:nuts", BACKENDS["numpyro"], {})
    assert dict(second.sampler_settings) == {"chain_method": "vectorized"}
    assert dict(third.sampler_settings) == {"dense_mass": True, "chain_method": "sequential"}
    named, plain = read_entries([fake(name="narrow", sampler_settings={"scale": 0.5}), fake()])
    assert (named.name, plain.name) == ("narrow", "fake:exact")
    assert read_entries([fake(sampler_settings={"scale": 0.5}), fake()])[0].name == "fake:exact:scale=0.5"


def test_a_file_is_named_after_the_sampler_and_its_settings():
    one, other = read_entries([fake(), fake(name="a b/c", sampler_settings={"scale": 0.5})])
    again = read_entries([fake(sampler_settings={"scale": 2.0}), fake()])
    assert one.key == again[1].key and again[0].key != one.key
    assert one.key.startswith("fake-exact-") and other.key.startswith("a-b-c-")


def test_all_faults_are_told_at_once_with_the_nearest_word():
    pytest.importorskip("numpyro")
    given = [
        "numpyro:nutz", "numpyrro:nuts", "nuts", "numpyro/nuts", "numpyro:nuts:vectorised", "numpyro:nuts:numba",
        "numpyro:nuts:dense_mas=true", "numpyro:nuts:draws=3", fake(settings=3), {"sampler": "nuts"},
        fake(smapler_settings={}), fake(sampler="lacking"), fake(sampler_settings={"scale": 0.0}), 5,
        fake(sampler_settings={"sclae": 1.0}), fake(settings={"mode": "fast"}),
    ]  # fmt: skip
    with pytest.raises(SettingError) as caught:
        read_entries(given)
    head, *lines = str(caught.value).splitlines()
    assert head == "compare_samplers: samplers can't be used:" and len(lines) == len(given)
    for line, words in zip(
        lines,
        [
            "has no sampler 'nutz'", "Did you mean 'numpyro'?", "expected 'backend:sampler', such as 'numpyro:nuts'",
            "Did you mean 'numpyro:nuts'?", "Did you mean 'vectorized'?",
            "no variant 'numba'. It has 'parallel', 'sequential' and 'vectorized'.", "Did you mean 'dense_mass'?",
            "'draws' is the same for all samplers; give it to compare_samplers.", "'settings' is 3, expected a mapping",
            "'backend' is lacking", "Did you mean 'sampler_settings'?", "needs 'no_such_package', not installed here",
            "scale is not above 0", "expected 'backend:sampler'", "Did you mean 'scale'?", "mode",
        ],
        strict=True,
    ):  # fmt: skip
        assert words in line


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([], "there are no samplers, expected at least two"),
        ([EXACT], r"there is one sampler, expected at least two. To run one, use rl.fit"),
        ([EXACT, EXACT], "'fake:exact' is there 2 times; give each its own name"),
        ([fake(sampler="normal"), fake(sampler="normal", name="b")], "nothing is there that they approximate"),
        ("numpyro:nuts", "samplers is 'numpyro:nuts', expected a list"),
        (EXACT, "expected a list of 'backend:sampler'"),
    ],
)
def test_what_can_not_be_compared(given, words):
    with pytest.raises(SettingError, match=words):
        read_entries(given)


def test_by_default_all_that_draw_chains_and_are_installed():
    found = default_entries()
    assert all(entry.sampler.kind == "chains" and not entry.sampler.absent() for entry in found)
    assert {entry.backend.name for entry in found} == {
        name for name, backend in BACKENDS.items() if backend.is_installed and backend.samplers
    }
