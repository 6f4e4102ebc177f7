# Settings of Theano, and a draw inside the scan.
import os

os.environ["THEANO_FLAGS"] = "device=cpu,floatX=float32"  #: flags-ignored
import numpy as np
import pymc3 as pm  #: old-import
import theano  #: old-import
import theano.tensor as T  #: old-import
from theano.ifelse import ifelse  #: old-import
from theano.tensor.shared_randomstreams import RandomStreams  #: gone old-import
from theano.sandbox.rng_mrg import MRG_RandomStreams  #: gone old-import

theano.config.compute_test_value = "ignore"  #: flags-ignored
theano.config.gcc.cxxflags = "-O3"  #: gone
theano.config.exception_verbosity = "high"
srng = RandomStreams(1)
actions = T.imatrix("actions")
rewards = T.imatrix("rewards")  #: integer-outcome


def act(action, reward, q, beta, alpha):
    p = T.nnet.softmax(beta * q)  #: gone
    guess = srng.multinomial(n=1, pvals=p)  #: gradient-stops
    best = T.argmax(q, axis=1)  #: gradient-stops
    return ifelse(T.eq(best[0], 0), q + alpha * (reward - q), q)


q, _ = theano.scan(act, sequences=[actions, rewards], outputs_info=[T.zeros((3, 2))], non_sequences=[1.0, 0.1])  #: scan-pair
f = theano.function([actions, rewards], q)
y = T.nnet.sigmoid(q) + T.inv(q) + T.slinalg.cholesky(q)  #: gone gone gone
