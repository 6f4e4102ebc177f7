import pandas as pd
import pymc3 as pm
import theano
import theano.tensor as T

n_subj, n_trials, n_actions = 30, 100, 2
actions = T.as_tensor_variable(pd.read_csv("actions.csv", header=None).values)
rewards = T.as_tensor_variable(pd.read_csv("rewards.csv", header=None).values)

with pm.Model() as model:
    alpha_mu = pm.Uniform("alpha_mu", lower=0, upper=1)
    alpha_sd = pm.HalfNormal("alpha_sd", sd=0.1)
    alpha_offset = pm.Normal("alpha_offset", mu=0, sd=1, shape=n_subj)
    alpha = pm.Deterministic("alpha", alpha_mu + alpha_sd * alpha_offset)
    beta = pm.Gamma("beta", mu=1, sd=2, shape=n_subj)

    def update(action, reward, Q, alpha, n_subj):
        error = reward - Q[T.arange(n_subj), action]
        return T.set_subtensor(Q[T.arange(n_subj), action], Q[T.arange(n_subj), action] + alpha * error)

    Q0 = 0.5 * T.ones([n_subj, n_actions])
    Q, _ = theano.scan(update, sequences=[actions, rewards], outputs_info=[Q0], non_sequences=[alpha, n_subj])
    p = T.exp(beta[None, :, None] * Q)
    pm.Categorical("choice", p=p.reshape([n_trials * n_subj, n_actions]), observed=actions.flatten())
    trace = pm.sample(1000, tune=1000, cores=1, nuts_kwargs=dict(target_accept=0.9))

print(trace["alpha"].mean(axis=0))
