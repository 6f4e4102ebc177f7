import numpy as np
import pymc3 as pm  #: old-import
from pymc3.variational.callbacks import CheckParametersConvergence  #: old-import
from pymc3 import Normal as N, Model  #: old-import

data = np.random.randn(10_000)
batch = pm.Minibatch(data, 100)  #: argument
with Model() as model:
    mu = N("mu", 0, sd=10)  #: ignored-keyword
    N("y", mu, 1, observed=batch, total_size=10_000)
    approx = pm.fit(n=1000, method="advi", callbacks=[CheckParametersConvergence()])
    nf = pm.fit(100, method="nfvi")  #: argument
    draws = approx.sample(1000)
    print(draws["mu"].mean())  #: trace-access
    v = pm.variational.advi(n=1000)  #: gone
    trace = pm.sample(500, tune=500, init="advi", nuts_sampler="pymc")
    other = pm.sample(500, tune=500, init="advi+adapt_diag", cores=1)  #: sample-defaults init-picks-sampler
