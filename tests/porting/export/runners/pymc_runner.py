"""Densities of programs in PyMC."""

import json

import numpy as np
import pytensor
import pytensor.tensor as pt
from loading import program
from pymc.pytensorf import rewrite_pregrad

# PyMC's density of a HalfCauchy has the logarithm of 2 in float32.
EXCESS = float(np.log(np.float32(2.0))) - np.log(2.0)


def densities(path, data_path, points, words):
    """Return the log-density at each point, of priors, Jacobians and likelihood."""
    density, names, excess = compiled(path, data_path)
    ours = {word: name for name, word in words.items()}
    return [density(*(np.array(point[ours[name]], dtype=float) for name in names))[0] - excess for point in points]


def compiled(path, data_path, gradient=False):
    """Return a function of the unconstrained variables, their names, and what PyMC's constants add by mistake."""
    with open(data_path) as file:
        model = program(path).make_model(json.load(file))
    inputs = [model.rvs_to_values[variable] for variable in model.free_RVs]
    # PyMC's own rewrites: without them the logarithm of a softmax that underflows is minus infinity. And a product
    # with ones: a sum is one operation of all terms, and PyTensor takes no more than 32 where it does not compile.
    terms = [pt.constant(np.float64(0.0)), *(pt.sum(term) for term in model.logp(sum=False))]
    value = rewrite_pregrad(pt.dot(np.ones(len(terms)), pt.stack(terms)))
    outputs = [value, *(pt.grad(value, inputs, disconnected_inputs="ignore") if gradient else [])]
    # Programs that run once are not worth compiling.
    with pytensor.config.change_flags(cxx=""):
        density = pytensor.function(inputs, outputs, mode="FAST_COMPILE", on_unused_input="ignore")
    cauchy = [variable for variable in model.free_RVs if variable.owner.op.name == "halfcauchy"]
    excess = EXCESS * sum(int(np.prod(variable.shape.eval())) for variable in cauchy)
    return density, [variable.name for variable in model.free_RVs], excess
