import numpy as np
import pymc3 as pm  #: old-import

X = np.linspace(0, 1, 50)[:, None]
y = np.sin(6 * X[:, 0])
with pm.Model() as model:
    ell = pm.Gamma("ell", alpha=2, beta=1)
    eta = pm.HalfCauchy("eta", beta=5)
    cov = eta**2 * pm.gp.cov.ExpQuad(1, lengthscales=ell)  #: argument
    gp = pm.gp.Marginal(cov_func=cov)
    noise = pm.HalfCauchy("noise", 1, transform=pm.distributions.transforms.lowerbound(0.1))  #: gone
    y_ = gp.marginal_likelihood("y", X=X, y=y, noise=noise)  #: argument
    mp = pm.find_MAP(fmin=None)  #: argument
    f = gp.conditional("f", X)
    samples = pm.sample_posterior_predictive([mp], vars=[f], samples=100)  #: argument argument
with pm.Model():
    latent = pm.gp.Latent(cov_func=pm.gp.cov.Matern52(1, ls=0.1))
    g = latent.prior("g", X=X)
