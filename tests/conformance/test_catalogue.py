"""Every case's model as JSON: the suite compares the numbers of a few, this the models themselves."""

import pytest

import rlbackends as rl
from rlbackends.testing.cases import CASES


@pytest.mark.parametrize("name", CASES)
def test_model_survives_json(name):
    model = CASES[name].model()
    again = rl.Model.from_json(model.to_json())
    assert again == model
    assert again.to_json() == model.to_json()
