# A class of models whose trials are a Python loop, PyMC3 3.9.
import numpy as np
import pymc3 as pm  #: old-import
import theano.tensor as tt  #: old-import


class Learner(pm.Model):
    def __init__(self, choices, rewards, name=""):
        super().__init__(name)
        eta = pm.Normal("eta", 0, sd=1)  #: ignored-keyword
        alpha = pm.Deterministic("alpha", pm.math.invlogit(eta))
        beta = pm.HalfCauchy("beta", 5)
        q = tt.zeros(2)
        total = 0.0
        for t in range(len(choices)):
            p = tt.nnet.softmax(beta * q)  #: gone
            total += tt.log(p[0, choices[t]])
            q = tt.inc_subtensor(q[choices[t]], alpha * (rewards[t] - q[choices[t]]))
        pm.Potential("choices", total)


def fit(choices, rewards):
    with Learner(choices, rewards) as model:
        start = pm.find_MAP(fmin=None)  #: argument
        trace = pm.sample(1000, tune=500, start=start, return_inferencedata=False)  #: sample-defaults argument multitrace-asked
    return trace


def simulate(n):
    trace = np.zeros(n)
    return trace["alpha"]


trace = fit(np.load("c.npy"), np.load("r.npy"))
print(trace["alpha"].mean(), pm.stats.hpd(trace["beta"]))  #: gone
print(pm.summary(trace, varnames=["alpha"]))  #: moved argument summary-interval
