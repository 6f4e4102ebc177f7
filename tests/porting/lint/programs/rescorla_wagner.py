# One subject, PyMC3 3.8, in the style of its gallery.
import numpy as np
np.random.seed(1)
import pandas as pd
import pymc3 as pm  #: old-import
import theano  #: old-import
import theano.tensor as tt  #: old-import

table = pd.read_csv("bandit.csv")
actions = theano.shared(np.asarray(table["choice"], dtype="int16"))
rewards = theano.shared(np.asarray(table["reward"], dtype="int32"))  #: integer-outcome


def update_q(action, reward, q, alpha):
    q = tt.set_subtensor(q[action], q[action] + alpha * (reward - q[action]))
    return q


with pm.Model() as m:
    alpha = pm.Beta("alpha", 1, 1, testval=0.5)  #: ignored-keyword
    beta = pm.HalfNormal("beta", sd=10)  #: ignored-keyword
    q0 = 0.5 * tt.ones((2,), dtype="float64")
    qs, updates = theano.scan(fn=update_q, sequences=[actions, rewards], outputs_info=[q0], non_sequences=[alpha])  #: scan-pair
    logits = qs[:-1] * beta
    log_p = logits - tt.log(tt.exp(logits).sum(axis=1, keepdims=True))
    log_p = log_p[tt.arange(actions.shape[0] - 1), actions[1:]]
    like = pm.Potential("like", tt.sum(log_p))  #: potential-likelihood
    pm.Deterministic("q_all", qs)  #: stored-trajectory
    start = pm.find_MAP()
    step = pm.NUTS(target_accept=0.9)
    tr = pm.sample(1000, step, start=start, njobs=2)  #: sample-defaults argument argument argument seed-ignored

pm.traceplot(tr)  #: gone
print(tr["alpha"].mean(), tr.varnames)  #: trace-access trace-access
print(pm.summary(tr[200:]))  #: moved trace-access summary-interval
