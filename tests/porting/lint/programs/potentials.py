import numpy as np
import pymc3 as pm  #: old-import
import theano.tensor as tt  #: old-import

x_data = np.random.randn(50, 3)
with pm.Model() as model:
    w = pm.Normal("w", 0, 1, shape=3)
    c = tt.constant(0.5)
    p = pm.math.softmax(x_data * w)  #: softmax-axis
    pm.Potential("constraint", tt.switch(w.sum() > 0, 0, -np.inf))
    print(model.logp(model.test_point), model.vars, model.check_test_point())  #: model-attribute model-attribute model-attribute model-attribute
    print(w.random(size=3), w.tag.test_value, w.distribution, pm.Normal.dist(0, 1).random())  #: variable-attribute variable-attribute variable-attribute variable-attribute
    w.logp({"w": np.zeros(3)})  #: variable-attribute
    flat = pm.Flat("flat", testval=0)  #: ignored-keyword
    half = pm.HalfFlat("half")
    lap = pm.Laplace("lap", 0, b=1, sdev=3)  #: ignored-keyword
with pm.Model(theano_config={"compute_test_value": "off"}):  #: argument
    pass


class Fitter:
    def fit(self, data):
        with pm.Model() as self.model:
            self.mu = pm.Normal("mu", 0, sd=2)  #: ignored-keyword
            self.trace = pm.sample(100, tune=100, nuts_sampler="nutpie")
        return self.trace["mu"], self.model.test_point, sorted(self.trace.varnames.copy())  #: trace-access model-attribute trace-access
