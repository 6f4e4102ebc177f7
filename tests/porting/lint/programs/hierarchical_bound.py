# Group priors kept in range by Bound, on a plain delta rule with forgetting; one subject an entry.
import numpy as np
import pymc3 as pm  #: old-import
import theano  #: old-import
import theano.tensor as T  #: old-import

n_people, n_actions = 31, 3
actions = T.as_tensor_variable(np.loadtxt("actions.txt", dtype=int))
rewards = T.as_tensor_variable(np.loadtxt("rewards.txt"))

with pm.Model() as model:
    beta_mean = pm.Gamma('beta_mean', mu=2, sd=1, testval=2.0)  #: argument ignored-keyword
    beta_sd = pm.HalfNormal('beta_sd', sd=0.4, testval=0.2)  #: ignored-keyword ignored-keyword
    alpha_mean = pm.Uniform('alpha_mean', lower=0, upper=1, testval=0.3)  #: ignored-keyword
    alpha_sd = pm.HalfNormal('alpha_sd', sd=0.2, testval=0.1)  #: ignored-keyword ignored-keyword
    beta_raw = pm.Bound(pm.Normal, lower=-beta_mean / beta_sd)(  #: gone bound-normalisation
        'beta_raw', mu=0, sd=1, shape=n_people, testval=np.random.normal(0, 0.1, n_people))  #: ignored-keyword ignored-keyword
    beta = pm.Deterministic('beta', beta_mean + beta_sd * beta_raw)
    alpha_raw = pm.Bound(pm.Normal, lower=-alpha_mean / alpha_sd, upper=(1 - alpha_mean) / alpha_sd)(  #: gone bound-normalisation
        'alpha_raw', mu=0, sd=1, shape=n_people, testval=np.random.normal(0, 0.1, n_people))  #: ignored-keyword ignored-keyword
    alpha = pm.Deterministic('alpha', alpha_mean + alpha_sd * alpha_raw)
    PositiveNormal = pm.Bound(pm.Normal, lower=0)  #: gone
    forget = PositiveNormal('forget', mu=0, sd=0.1, shape=n_people)  #: ignored-keyword

    Q0 = 0.12 * T.ones([n_people, n_actions])

    def update(action, reward, Q, alpha, forget):
        Q = (1 - forget[:, None]) * Q + forget[:, None] * 0.12
        return T.set_subtensor(Q[T.arange(n_people), action], Q[T.arange(n_people), action] + alpha * (reward - Q[T.arange(n_people), action]))

    Q, _ = theano.scan(update, sequences=[actions, rewards], outputs_info=[Q0], non_sequences=[alpha, forget])  #: scan-pair
    Q = T.concatenate([[Q0], Q[:-1]], axis=0)
    z = beta[None, :, None] * Q
    ez = T.exp(z - z.max(axis=-1, keepdims=True))
    p = ez / ez.sum(axis=-1, keepdims=True)
    pm.Categorical('choice', p=p.reshape((-1, n_actions)), observed=actions.flatten())
    trace = pm.sample(1000, tune=1000, cores=1, nuts_kwargs=dict(target_accept=.95))  #: sample-defaults argument
