# Nothing to change: a regression with names that look like a learner's.
import numpy as np
import pandas as pd
import pymc as pm
from pymc import Normal

frame = pd.read_csv("x.csv")
alpha, beta, score = 1.0, 2.0, frame["score"].astype(int)
with pm.Model() as m:
    alpha = Normal("alpha", 0, 10)
    beta = Normal("beta", 0, 10, shape=2)
    mu = alpha + pm.math.dot(frame[["a", "b"]].to_numpy(), beta)
    y = pm.Bernoulli("y", logit_p=mu, observed=frame["y"])
    t = pm.Truncated("t", Normal.dist(0, 1), lower=0)
    approx = pm.fit(10_000, method="advi", random_seed=1)
    trace = approx.sample(500)
    post = pm.sample_posterior_predictive(trace, random_seed=1)
sd = 3
print("%s" % trace.posterior["alpha"].std() if sd else "theano", post.posterior_predictive["y"].shape)
