# Regressions: beta is a coefficient here, no inverse temperature.
import pandas as pd
import pymc3 as pm  #: old-import
from pymc3.glm import GLM  #: gone old-import
from theano import tensor as tt  #: old-import

table = pd.read_csv("table.csv")
with pm.Model() as logistic:
    pm.glm.GLM.from_formula("y ~ x", table, family=pm.glm.families.Binomial())  #: gone gone
    trace = pm.sample(1000, tune=500, cores=2, nuts_sampler="pymc")
with pm.Model() as by_hand:
    beta = pm.Normal("beta", mu=0, sd=10, shape=2)  #: ignored-keyword
    eps = pm.HalfStudentT("eps", nu=3, sd=2)  #: argument
    mu = beta[0] + beta[1] * tt.as_tensor_variable(table["x"].values)
    y = pm.Normal("y", mu=mu, sd=eps, observed=table["y"])  #: ignored-keyword
    trace2 = pm.sample(1000, tune=500, cores=2, nuts_sampler="pymc", return_inferencedata=False)  #: multitrace-asked
    prior = pm.sample_prior_predictive(samples=100)  #: argument

print(trace2["beta"].mean(0), trace2.get_values("eps").mean())
print(pm.compare({"glm": trace, "hand": trace2}, ic="WAIC"))  #: moved argument
print(pm.waic(trace, logistic), pm.gelman_rubin(trace), pm.effective_n(trace))  #: gone gone gone
pm.plot_posterior(trace2)  #: gone
pm.trace_to_dataframe(trace2)  #: gone
