import numpy as np
import pymc3 as pm  #: old-import
import pymc3.distributions.transforms as tr  #: old-import
import theano.tensor as tt  #: old-import

data = np.random.randn(100)
k = 3
with pm.Model() as model:
    p = pm.Dirichlet("p", a=np.ones(k), shape=k)
    means = pm.Normal("means", mu=[-1, 0, 1], sd=15, shape=k, transform=tr.ordered, testval=np.arange(k))  #: ignored-keyword ignored-keyword ordered-start
    sd = pm.Uniform("sd", lower=0, upper=20)
    y = pm.NormalMixture("y", w=p, mu=means, sd=sd, observed=data)  #: argument
    a = pm.Normal("a", 0, 1)
    bad = pm.Mixture("bad", w=[0.5, 0.5], comp_dists=[pm.Normal("c1", 0, 1), pm.Normal("c2", 0, 1)])  #: random-components
    good = pm.Mixture("good", w=[0.5, 0.5], comp_dists=pm.Normal.dist(mu=np.array([0, 1]), sd=2))  #: ignored-keyword
    packed = pm.LKJCholeskyCov("packed", n=2, eta=2.0, sd_dist=pm.HalfCauchy.dist(2.5))  #: argument
    chol = pm.expand_packed_triangular(2, packed, lower=True)  #: moved
    walk = pm.GaussianRandomWalk("walk", sd=0.1, shape=10)  #: argument
    step1 = pm.Metropolis(vars=[p])
    trace = pm.sample(5000, tune=1000, cores=1, step=[step1])
print(len(trace), trace[-1]["means"], trace.get_sampler_stats("accept"))  #: trace-access trace-access
