# Nothing to change: PyMC 6.
import arviz as az
import numpy as np
import pandas as pd
import pymc as pm
import pytensor
import pytensor.tensor as pt

table = pd.read_csv("trials.csv")
choice = table.pivot(index="trial", columns="subject", values="choice").to_numpy()
reward = pd.read_csv("reward.csv", header=None).to_numpy(dtype=float)
n_subjects, n_actions = choice.shape[1], 2


def learn(c, r, q, alpha):
    subjects = pt.arange(n_subjects)
    return pt.set_subtensor(q[subjects, c], q[subjects, c] + alpha * (r - q[subjects, c]))


with pm.Model(coords={"subject": np.arange(n_subjects)}) as model:
    mu = pm.Normal("mu", 0, 1, initval=0.1)
    sd = pm.HalfNormal("sd", 1)
    offset = pm.Normal("offset", 0, sigma=1, dims="subject")
    alpha = pm.Deterministic("alpha", pm.math.invlogit(mu + sd * offset), dims="subject")
    beta = pm.LogNormal("beta", mu=0, sigma=1, dims="subject")
    q0 = 0.5 * pt.ones((n_subjects, n_actions))
    q = pytensor.scan(
        learn, sequences=[pt.as_tensor(choice), pt.as_tensor(reward)], outputs_info=[q0], non_sequences=[alpha],
        strict=False, return_updates=False,
    )
    q = pt.concatenate([q0[None], q[:-1]], axis=0)
    p = pt.special.softmax(beta[None, :, None] * q, axis=-1)
    pm.Categorical("y", p=p, observed=choice)
    logp = model.compile_logp()
    print(logp(model.initial_point()))
    trace = pm.sample(1000, tune=1000, chains=4, cores=2, nuts_sampler="nutpie", random_seed=1, target_accept=0.9)
    prior = pm.sample_prior_predictive(draws=100)

print(az.summary(trace, var_names=["alpha"], ci_prob=0.9))
print(trace.posterior["alpha"].mean(("chain", "draw")), trace["posterior"]["alpha"].sizes, trace.sample_stats)
az.plot_trace_dist(trace)
trace.to_netcdf("trace.nc")


def means(trace, model):
    """Arguments may hold anything: az.extract(trace) has its variables by name."""
    return trace["alpha"].mean("sample"), model.vars


print(means(az.extract(trace), model))
