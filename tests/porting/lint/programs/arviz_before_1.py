# PyMC 4 with ArviZ 0.12: what is done with a result.
import arviz as az
import numpy as np
import pymc as pm

az.rcParams["stats.hdi_prob"] = 0.9  #: gone
az.rcParams["plot.max_subplots"] = 40
with pm.Model(coords={"subject": np.arange(5)}) as model:
    x = pm.Normal("x", 0, 1, dims="subject")
    print(model.compute_initial_point())  #: model-attribute
    trace = pm.sample(500)
    long = trace.posterior.stack(sample=("chain", "draw"))  #: trace-access
    table = trace.posterior.to_dataframe()  #: trace-access
    kept = trace.posterior.to_dataset().stack(sample=("chain", "draw"))
    one = trace.posterior["x"].stack(sample=("chain", "draw"))
    draws = trace.posterior.x.quantile(0.5)
