"""Task sets in PyMC3, as such scripts were written in 2018: the program whose sampler got stuck.

Retold from the second program of a thread in PyMC's forum (discourse.pymc.io, topic 1735), in other words and without
what it has in common with the first but for the model itself. It does not run today.
"""

import pandas as pd
import pymc3 as pm
import theano
import theano.tensor as T

n_subjects, n_trials = 31, 440
n_seasons, n_sets, n_aliens, n_actions = 3, 3, 4, 3
q_start = 0.12

seasons = T.as_tensor_variable(pd.read_csv("seasons.csv"))
aliens = T.as_tensor_variable(pd.read_csv("aliens.csv"))
actions = T.as_tensor_variable(pd.read_csv("actions.csv"))
rewards = T.as_tensor_variable(pd.read_csv("rewards.csv"))

with pm.Model() as model:
    beta_mu = pm.Gamma("beta_mu", mu=1, sd=2, testval=1.25)
    beta_sd = pm.HalfNormal("beta_sd", sd=0.5, testval=0.1)
    beta_offset = pm.Bound(pm.Normal, lower=-beta_mu / beta_sd)("beta_offset", mu=0, sd=1, shape=n_subjects)
    beta = pm.Deterministic("beta", beta_mu + beta_sd * beta_offset)

    alpha_mu = pm.Uniform("alpha_mu", lower=0, upper=1, testval=0.15)
    alpha_sd = pm.HalfNormal("alpha_sd", sd=0.1, testval=0.05)
    alpha_offset = pm.Bound(pm.Normal, lower=-alpha_mu / alpha_sd, upper=(1 - alpha_mu) / alpha_sd)(
        "alpha_offset", mu=0, sd=1, shape=n_subjects
    )
    alpha = pm.Deterministic("alpha", alpha_mu + alpha_sd * alpha_offset)

    beta_high, alpha_high = beta.copy(), alpha.copy()

    q_low_first = q_start * T.ones([n_subjects, n_sets, n_aliens, n_actions])
    q_high_first = q_start * T.ones([n_subjects, n_seasons, n_sets])

    def learn(season, alien, action, reward, q_low, q_high, alpha, alpha_high, beta_high, n_subjects):
        p_high = T.exp(beta_high.dimshuffle(0, "x") * q_high[T.arange(n_subjects), season])
        task_set = p_high.argmax(axis=1)
        error = reward - q_low[T.arange(n_subjects), task_set, alien, action]
        q_low = T.inc_subtensor(q_low[T.arange(n_subjects), task_set, alien, action], alpha * error)
        error_high = reward - q_high[T.arange(n_subjects), season, task_set]
        q_high = T.inc_subtensor(q_high[T.arange(n_subjects), season, task_set], alpha_high * error_high)
        return [q_low, q_high]

    [q_low, q_high], _ = theano.scan(
        fn=learn,
        sequences=[seasons, aliens, actions, rewards],
        outputs_info=[q_low_first, q_high_first],
        non_sequences=[alpha, alpha_high, beta_high, n_subjects],
    )
    q_low = T.concatenate([[q_low_first], q_low[:-1]], axis=0)
    rows = q_low[T.arange(n_trials)[:, None], T.arange(n_subjects), seasons, aliens]
    p = T.nnet.softmax((beta[:, None] * rows).reshape([n_trials * n_subjects, n_actions]))
    actions = pm.Categorical("actions", p=p, observed=actions.flatten())

    trace = pm.sample(200, tune=50, chains=1, cores=1, nuts_kwargs=dict(target_accept=0.8))

pm.traceplot(trace)
