# Two learning rates, a star import, all subjects in one scan; the values of a trial are those after it.
from pymc3 import *  #: old-import
import theano.tensor as T  #: old-import
from theano import scan, shared  #: old-import
import numpy as np

n_subjects, n_trials = 20, 100
choices = np.load("choices.npy")
outcome = np.load("outcome.npy").astype(int)  #: integer-outcome


def step(c, r, Q, ap, an):
    subj = T.arange(n_subjects)
    delta = r - Q[subj, c]
    rate = T.switch(T.gt(delta, 0), ap, an)
    return T.inc_subtensor(Q[subj, c], rate * delta)


with Model() as model:
    mu = Normal("mu", 0, sd=1.5, shape=2)  #: ignored-keyword
    sigma = HalfCauchy("sigma", 2.5, shape=2, testval=1)  #: argument
    z = Normal("z", 0, 1, shape=(2, n_subjects))
    alpha_pos = Deterministic("alpha_pos", invlogit(mu[0] + sigma[0] * z[0]))  #: gone
    alpha_neg = Deterministic("alpha_neg", mu[1] + sigma[1] * z[1])  #: unbounded-rate
    beta = Gamma("beta", mu=3, sd=2, shape=n_subjects)  #: argument
    Q, _ = scan(step, sequences=[shared(choices), shared(outcome)], outputs_info=[T.zeros((n_subjects, 2))], non_sequences=[alpha_pos, alpha_neg])  #: scan-pair
    p = T.nnet.softmax((beta[None, :, None] * Q).reshape((-1, 2)))  #: gone
    y = Bernoulli("y", p=p[:, 1], observed=choices.flatten())  #: not-shifted
    trace = sample(2000)  #: sample-defaults

forestplot(trace, varnames=["mu"])  #: gone
