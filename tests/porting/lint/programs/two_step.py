# A two-step task, PyMC 4 and Aesara.
import aesara  #: old-import
import aesara.tensor as at  #: old-import
import numpy as np
import pandas as pd
import pymc as pm
import pymc.sampling_jax  #: gone

choice1 = pd.read_csv("choice1.csv", header=None).values
state2 = pd.read_csv("state2.csv", header=None).values
choice2 = pd.read_csv("choice2.csv").values  #: csv-header
reward = pd.read_csv("reward.csv", header=None).to_numpy()
n_subj = 30


def learn(c1, s2, c2, r, q1, q2, alpha, lam):
    subj = at.arange(n_subj)
    pe1 = q2[subj, s2, c2] - q1[subj, c1]
    pe2 = r - q2[subj, s2, c2]
    q1 = at.set_subtensor(q1[subj, c1], q1[subj, c1] + alpha * pe1 + alpha * lam * pe2)
    q2 = at.set_subtensor(q2[subj, s2, c2], q2[subj, s2, c2] + alpha * pe2)
    return [q1, q2]


with pm.Model() as model:
    alpha = pm.Beta("alpha", 2, 2, shape=n_subj)
    lam = pm.Beta("lam", 2, 2, shape=n_subj)
    beta = pm.HalfNormal("beta", 3, shape=n_subj)
    c1 = pm.ConstantData("c1", choice1)  #: gone
    q1_0 = at.full((n_subj, 2), 0.5)  #: float32-start
    q2_0 = at.zeros((n_subj, 2, 2), dtype="int64")  #: integer-state
    (q1, q2), updates = aesara.scan(  #: scan-pair
        learn, sequences=[c1, at.as_tensor(state2), at.as_tensor(choice2), at.as_tensor(reward)],
        outputs_info=[q1_0, q2_0], non_sequences=[alpha, lam],
    )
    q1 = at.concatenate([q1_0[None], q1[:-1]], axis=0)
    pm.Categorical("choice", logit_p=beta[None, :, None] * q1, observed=choice1)
    idata = pymc.sampling_jax.sample_numpyro_nuts(1000, tune=1000)  #: gone
