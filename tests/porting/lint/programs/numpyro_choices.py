import jax
import jax.numpy as jnp
import numpyro  #: numpyro-float32
import numpyro.distributions as dist
from numpyro.infer import MCMC, NUTS

rewards = jnp.zeros((100, 5))
numpyro.set_host_device_count(4)  #: device-count-late


def softmax(value, temperature):
    return jnp.exp(value / temperature) / jnp.exp(value / temperature).sum(-1, keepdims=True)


def model(choices):
    temperature = numpyro.sample("temperature", dist.HalfNormal(1))
    values = rewards.cumsum(0)
    choice_p = jax.vmap(softmax, in_axes=(0, None))(values, temperature)
    numpyro.sample("choices", dist.Bernoulli(probs=choice_p), obs=choices)  #: one-hot-bernoulli


mcmc = MCMC(NUTS(model), num_warmup=10, num_samples=10)
