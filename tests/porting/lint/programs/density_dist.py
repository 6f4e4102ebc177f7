# A likelihood written by hand, the old way.
import numpy as np
import pymc3 as pm  #: old-import
import theano.tensor as tt  #: old-import

data = np.load("data.npy")


def logp(value):
    return tt.log(0.5) - tt.abs_(value)  #: gone


def both(t, died):
    return died * tt.log(0.1) - 0.1 * t


with pm.Model() as model:
    scale = pm.Lognormal("scale", 0, sd=1)  #: ignored-keyword
    pm.DensityDist("y", logp, observed=data)  #: densitydist
    pm.DensityDist("survival", both, observed=dict(t=data, died=data > 1))  #: densitydist densitydist
    pm.DensityDist("flat", lambda v: -0.5 * v**2)  #: densitydist
    zip_ = pm.ZeroInflatedPoisson("zip", psi=0.3, theta=scale, observed=data)  #: argument
    trace = pm.sample(draws=500, tune=500, nuts_sampler="pymc", init="adapt_diag", start=model.test_point)  #: argument model-attribute

ppc = pm.sample_ppc(trace, samples=200)  #: gone
print(ppc["y"].shape)  #: trace-access
pm.save_trace(trace)  #: gone
