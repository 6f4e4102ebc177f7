"""A flat model of the aliens task in PyMC3, as such scripts were written in 2018.

Retold from the first program of a thread in PyMC's forum (discourse.pymc.io, topic 1735): the same model, data files,
priors and order of steps, in other words. It does not run today.
"""

import numpy as np
import pandas as pd
import pymc3 as pm
import theano
import theano.tensor as T

n_subjects, n_trials = 31, 440
n_seasons, n_aliens, n_actions = 3, 4, 3
q_start = 0.12

seasons = T.as_tensor_variable(pd.read_csv("seasons.csv"))
aliens = T.as_tensor_variable(pd.read_csv("aliens.csv"))
actions = T.as_tensor_variable(pd.read_csv("actions.csv"))
rewards = T.as_tensor_variable(pd.read_csv("rewards.csv"))
trial, subject = (T.as_tensor_variable(grid.T) for grid in np.meshgrid(range(n_trials), range(n_subjects)))

with pm.Model() as model:
    beta_mu = pm.Uniform("beta_mu", lower=0, upper=5, testval=1.25)
    beta_sd = pm.Uniform("beta_sd", lower=0, upper=5, testval=0.1)
    beta_offset = pm.Normal("beta_offset", mu=0, sd=1, shape=n_subjects)
    beta = pm.Deterministic("beta", beta_mu + beta_sd * beta_offset)

    alpha_mu = pm.Uniform("alpha_mu", lower=0, upper=1, testval=0.15)
    alpha_sd = pm.Uniform("alpha_sd", lower=0, upper=1, testval=0.05)
    alpha_offset = pm.Normal("alpha_offset", mu=0, sd=1, shape=n_subjects)
    alpha = pm.Deterministic("alpha", alpha_mu + alpha_sd * alpha_offset)

    forget_mu = pm.Uniform("forget_mu", lower=0, upper=1, testval=0.06)
    forget_sd = pm.Uniform("forget_sd", lower=0, upper=1, testval=0.03)
    forget_offset = pm.Normal("forget_offset", mu=0, sd=1, shape=n_subjects)
    forget = pm.Deterministic("forget", forget_mu + forget_sd * forget_offset)

    betas = T.tile(T.repeat(beta, n_actions), n_trials).reshape([n_trials, n_subjects, n_actions])
    forgets = T.repeat(forget, n_seasons * n_aliens * n_actions).reshape([n_subjects, n_seasons, n_aliens, n_actions])
    q_first = q_start * T.ones([n_subjects, n_seasons, n_aliens, n_actions])

    def learn(season, alien, action, reward, q, alpha, forget, n_subjects):
        q = (1 - forget) * q + forget * q_start * T.ones_like(q)
        error = reward - q[T.arange(n_subjects), season, alien, action]
        return T.set_subtensor(
            q[T.arange(n_subjects), season, alien, action],
            q[T.arange(n_subjects), season, alien, action] + alpha * error,
        )

    q, _ = theano.scan(
        fn=learn,
        sequences=[seasons, aliens, actions, rewards],
        outputs_info=[q_first],
        non_sequences=[alpha, forgets, n_subjects],
    )
    q = T.concatenate([[q_first], q[:-1]], axis=0)
    T.printing.Print("q")(q)

    p = T.exp(betas * q[trial, subject, seasons, aliens])
    p = p.reshape([n_trials * n_subjects, n_actions])
    actions = pm.Categorical("actions", p=p, observed=actions.flatten())

    trace = pm.sample(100, tune=50, chains=1, cores=1, nuts_kwargs=dict(target_accept=0.8))

pm.traceplot(trace)
pd.DataFrame(pm.summary(trace)).to_csv("model_summary.csv")
