# The thread's later priors, on a plain delta rule with forgetting; one subject an entry.
import numpy as np
import pymc3 as pm  #: old-import
import theano  #: old-import
import theano.tensor as T  #: old-import

n_subj, n_actions = 31, 3
actions = T.as_tensor_variable(np.loadtxt("actions.txt", dtype=int))
rewards = T.as_tensor_variable(np.loadtxt("rewards.txt"))

with pm.Model() as model:
    beta_mu = pm.Gamma('beta_mu', mu=1, sd=2, testval=1.25)  #: argument ignored-keyword
    beta_sd = pm.HalfNormal('beta_sd', sd=0.5, testval=0.1)  #: ignored-keyword ignored-keyword
    alpha_mu = pm.Uniform('alpha_mu', lower=0, upper=1, testval=0.15)  #: ignored-keyword
    alpha_sd = pm.HalfNormal('alpha_sd', sd=0.1, testval=0.05)  #: ignored-keyword ignored-keyword
    beta_matt = pm.Bound(pm.Normal, lower=-beta_mu / beta_sd)(  #: gone bound-normalisation
        'beta_matt', mu=0, sd=1, shape=n_subj, testval=np.random.choice([-1, 0, 1], n_subj))  #: ignored-keyword ignored-keyword
    beta = pm.Deterministic('beta', beta_mu + beta_sd * beta_matt)
    alpha_matt = pm.Bound(pm.Normal, lower=-alpha_mu / alpha_sd, upper=(1 - alpha_mu) / alpha_sd)(  #: gone bound-normalisation
        'alpha_matt', mu=0, sd=1, shape=n_subj, testval=np.random.choice([-1, 0, 1], n_subj))  #: ignored-keyword ignored-keyword
    alpha = pm.Deterministic('alpha', alpha_mu + alpha_sd * alpha_matt)
    PositiveNormal = pm.Bound(pm.Normal, lower=0)  #: gone
    forget = PositiveNormal('forget', mu=0, sd=0.1, shape=n_subj)  #: ignored-keyword

    Q0 = 0.12 * T.ones([n_subj, n_actions])

    def update(action, reward, Q, alpha, forget):
        Q = (1 - forget[:, None]) * Q + forget[:, None] * 0.12
        return T.set_subtensor(Q[T.arange(n_subj), action], Q[T.arange(n_subj), action] + alpha * (reward - Q[T.arange(n_subj), action]))

    Q, _ = theano.scan(update, sequences=[actions, rewards], outputs_info=[Q0], non_sequences=[alpha, forget])  #: scan-pair
    Q = T.concatenate([[Q0], Q[:-1]], axis=0)
    z = beta[None, :, None] * Q
    ez = T.exp(z - z.max(axis=-1, keepdims=True))
    p = ez / ez.sum(axis=-1, keepdims=True)
    pm.Categorical('choice', p=p.reshape((-1, n_actions)), observed=actions.flatten())
    trace = pm.sample(1000, tune=1000, cores=1, nuts_kwargs=dict(target_accept=.95))  #: sample-defaults argument
