# PyMC 5.10 with ArviZ 0.17.
import arviz as az
import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt

with pm.Model(coords={"subject": range(5)}) as model:
    choice = pm.MutableData("choice", np.zeros((5, 10), dtype=int))  #: gone
    reward = pm.Data("reward", np.zeros((5, 10)), mutable=True)  #: argument
    alpha = pm.Beta("alpha", 1, 1, dims="subject")
    beta = pm.HalfNormal("beta", 1, dims="subject")

    def learn(c, r, q, a):
        return pt.set_subtensor(q[pt.arange(5), c], q[pt.arange(5), c] + a * (r - q[pt.arange(5), c]))

    q0 = pt.zeros((5, 2))
    q, updates = pytensor.scan(learn, sequences=[choice.T, reward.T], outputs_info=[q0], non_sequences=[alpha])  #: scan-pair
    pm.Deterministic("q", q)  #: stored-trajectory
    q = pt.concatenate([q0[None], q[:-1]])
    p = pm.math.softmax(beta[:, None] * q)  #: softmax-axis
    pm.Categorical("y", p=p, observed=choice.T)
    idata = pm.sample(1000, tune=1000, nuts_sampler="blackjax", random_seed=1)  #: argument
    old = pm.sample(1000, tune=1000, return_inferencedata=False, nuts_sampler="numpyro")  #: argument numpyro-sampler
    other = pm.sample(1000, tune=1000, target_accept=0.9, max_treedepth=12, idata_kwargs={"log_likelihood": True})  #: argument idata-kwargs
    idata.extend(pm.sample_posterior_predictive(idata))  #: trace-access predictive-one-step
    stacked = idata.posterior.stack(sample=("chain", "draw"))  #: trace-access
    idata.add_groups(x=1)  #: trace-access

az.plot_posterior(idata)  #: gone
az.plot_ppc(idata)  #: gone
az.summary(idata, hdi_prob=0.95)  #: argument
az.hdi(idata, hdi_prob=0.95)  #: argument
az.loo(idata, scale="deviance")  #: argument loo-constant
az.waic(idata)  #: gone loo-constant
data = az.from_dict(posterior={"x": np.zeros((2, 10))})  #: argument
