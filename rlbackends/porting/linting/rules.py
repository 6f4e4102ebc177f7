"""The rules: what each finds, why it matters today, and what to write instead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Any, Literal

Severity = Literal["silent", "breaks", "note"]

SEVERITIES: Mapping[str, str] = MappingProxyType(
    {
        "silent": "Changes silently: it runs, and computes something else than it says or than it did",
        "breaks": "Breaks: an error, or no start",
        "note": "Notes: old spelling, memory, speed",
    }
)


@dataclass(frozen=True)
class Rule:
    """A rule: its id, how bad what it finds is, what it finds in a few words, why, and the usual fix."""

    id: str
    severity: Severity
    title: str
    why: str
    fix: str


@dataclass(frozen=True)
class Row:
    """One finding.

    Attributes
    ----------
    rule, severity : str
        Id of the rule, and ``"silent"``, ``"breaks"`` or ``"note"``.
    path, line, column, cell
        Where: the file, the line (of the cell, in a notebook), the column from 1, and the cell's number or None.
    code : str
        The line as it is written.
    what, why, fix : str
        What was found there, why it matters, and what to write instead.
    """

    rule: str
    severity: Severity
    path: str
    line: int
    column: int
    cell: int | None
    code: str
    what: str
    why: str
    fix: str
    order: int = field(default=0, repr=False)  # the line in the text of the whole program

    def to_data(self) -> dict[str, Any]:
        """Return the row as plain data."""
        return {key: value for key, value in asdict(self).items() if key != "order"}


_ALL = (
    # ----------------------------------------------------------------------------------------------- changes silently
    Rule("ignored-keyword", "silent", "a keyword that a distribution drops without a word",
         "Most of PyMC's distributions take any keyword and drop those that they don't know.",
         "Use today's name of the argument, or leave it out."),
    Rule("bound-normalisation", "silent", "pm.Bound whose bounds or arguments are random",
         "pm.Bound never divided by the probability between its bounds. pm.Truncated and pm.TruncatedNormal do. With "
         "bounds that depend on parameters the posterior is therefore another one: the old one favoured values for "
         "which the bounds cut much away.",
         "pm.Truncated(name, pm.Normal.dist(0, 1, shape=n), lower=…, upper=…); better a link: "
         "alpha = pm.math.invlogit(mu + sd * offset)."),
    Rule("softmax-axis", "silent", "softmax without an axis",
         "Without axis= today's softmax normalises over the whole array, not over each row.",
         "Pass axis=-1."),
    Rule("unbounded-rate", "silent", "a parameter that can leave its range",
         "mu + sd * offset with a normal offset has no bounds: a learning rate leaves [0, 1], an inverse temperature "
         "falls below 0.",
         "Put a link around it: pm.math.invlogit(mu + sd * offset) for [0, 1], pm.math.exp(…) for positive values."),
    Rule("exp-overflow", "silent", "softmax by hand, without subtracting the largest value",
         "exp overflows above 709, and inf / inf is NaN: large values or inverse temperatures end the chain.",
         "Give the values themselves: pm.Categorical(name, logit_p=beta * q, observed=…)."),
    Rule("integer-outcome", "silent", "outcomes read as whole numbers",
         "A cast to integers cuts decimals off: a reward of 0.3 becomes 0.",
         "Keep outcomes as floats."),
    Rule("integer-state", "silent", "a state of integers in a scan",
         "set_subtensor and inc_subtensor cast to the state's type: a value of 0.5 stored in integers becomes 0.",
         "Start from floats: pt.zeros(shape) is float64."),
    Rule("float32-start", "silent", "a constant that becomes float32",
         "A Python float that float32 holds exactly, such as 0.5 or 1.0, becomes float32 here. set_subtensor keeps "
         "that type, so the whole recursion runs in 32 bits; any other update makes scan raise an error.",
         "Write np.float64(0.5), or 0.5 * pt.ones(shape)."),
    Rule("csv-header", "silent", "a table read with its first line as names",
         "pd.read_csv takes the first line as column names. If the file has no such line, the first trial is lost.",
         "If the file starts with data, pass header=None."),
    Rule("name-taken", "silent", "data replaced by the random variable of the same name",
         "From this line on the name means the random variable, not the data. Whatever reads it later, or the cell if "
         "it is run again, gets the variable.",
         "Give the variable another Python name, or none."),
    Rule("not-shifted", "silent", "choices explained by values that have already learnt from them",
         "scan returns the values after each trial's update. Here they reach the likelihood of the same trial, which "
         "so sees its own outcome.",
         "Put the initial values first and leave the last ones out: q = pt.concatenate([[q0], q[:-1]], axis=0)."),
    Rule("one-hot-bernoulli", "silent", "a Bernoulli for each action in the place of one choice",
         "The probabilities of a softmax with a Bernoulli count each trial once per action, as if actions were chosen "
         "independently. This is another likelihood, and it is too sure.",
         "One Categorical a trial: pm.Categorical(name, logit_p=beta * q, observed=choice)."),
    Rule("gradient-stops", "silent", "argmax or a random draw inside the recursion",
         "The gradient through argmax, rounding, a comparison or a draw is zero: what only acts through it is not "
         "moved by NUTS, HMC or ADVI, and the chain stays where it started.",
         "Weight by probabilities instead (expected values), or sum over the alternatives."),
    Rule("sample-defaults", "silent", "pm.sample with defaults that have changed",
         "Today: draws=1000; tune=None, which is 400 with nutpie and 1000 with PyMC's own sampler; nutpie if it is "
         "installed and nothing speaks against it. PyMC3's were 500 draws (1000 from 3.9 on) and its own sampler.",
         "Say draws, tune, chains, cores, nuts_sampler and random_seed."),
    Rule("init-picks-sampler", "silent", "init= decides which sampler runs",
         "Any init but 'auto' makes pm.sample use PyMC's own NUTS in the place of nutpie.",
         "Leave init out, or say nuts_sampler='pymc' as well."),
    Rule("seed-ignored", "silent", "np.random.seed in the place of a seed for the sampler",
         "PyMC3 drew its seeds from NumPy's global generator. Today pm.sample does not look at it: each run differs.",
         "pm.sample(…, random_seed=1)."),
    Rule("summary-interval", "silent", "a summary whose interval is another one",
         "PyMC3's summary gave 94 % (earlier 95 %) highest-density intervals. ArviZ 1 gives 89 % equal-tailed ones.",
         "az.summary(trace, ci_prob=0.94, ci_kind='hdi')."),
    Rule("flags-ignored", "silent", "settings of Theano that nothing reads",
         "PyTensor reads PYTENSOR_FLAGS, not THEANO_FLAGS or AESARA_FLAGS, and takes an assignment to a setting that "
         "does not exist without a word.",
         "Use PYTENSOR_FLAGS and settings that pytensor.config has, or leave it out."),
    Rule("numpyro-float32", "silent", "NumPyro in 32 bits",
         "JAX computes in float32 unless told otherwise.",
         "numpyro.enable_x64() before the first array is made."),
    Rule("device-count-late", "silent", "the number of devices set after JAX has started",
         "numpyro.set_host_device_count does nothing, without a word, once JAX has made an array: chains then run one "
         "after the other.",
         "Call it right below the imports."),
    # --------------------------------------------------------------------------------------------------------- breaks
    Rule("old-import", "breaks", "a package that has a new name",
         "PyMC3 is PyMC today; Theano became Aesara and then PyTensor. The old ones do not run on today's Python "
         "and NumPy.",
         "import pymc as pm; import pytensor; import pytensor.tensor as pt."),
    Rule("gone", "breaks", "a name that is gone", "It raises AttributeError or ImportError.", "See the line."),
    Rule("argument", "breaks", "an argument that is not taken today", "It raises an error.", "See the line."),
    Rule("categorical-unnormalised", "breaks", "a Categorical whose p does not sum to 1",
         "PyMC3 divided p by its sum. Today the log-probability of a p that does not sum to 1 is −inf, and sampling "
         "does not start.",
         "pm.Categorical(name, logit_p=beta * q, observed=…), without exp."),
    Rule("densitydist", "breaks", "a density given the old way",
         "The log-density is a named argument now, the parameters stand before it, and observed can't be a dictionary.",
         "pm.CustomDist(name, *parameters, logp=function, observed=data): function(value, *parameters)."),
    Rule("trace-access", "breaks", "a trace used as PyMC3's MultiTrace",
         "pm.sample returns an xarray DataTree with the groups posterior and sample_stats.",
         "trace.posterior['x'] (dims chain, draw, …); one long axis: az.extract(trace)['x']."),
    Rule("model-attribute", "breaks", "an attribute of a model that is gone", "It raises AttributeError.",
         "See the line."),
    Rule("variable-attribute", "breaks", "an attribute of a random variable that is gone",
         "Random variables are plain PyTensor variables: it raises AttributeError.",
         "pm.draw(x) for draws, pm.logp(x, value) for the density."),
    Rule("ordered-start", "breaks", "an ordered variable without a start",
         "All entries of an ordered variable start alike unless initval is given: its log-probability is −inf, and "
         "sampling does not start.",
         "initval=np.linspace(-1, 1, k), or another rising start."),
    Rule("random-components", "breaks", "variables of the model as components of a mixture",
         "Components must not be registered in the model.", "pm.Normal.dist(…), without a name."),
    # ---------------------------------------------------------------------------------------------------------- notes
    Rule("scan-pair", "note", "scan unpacked into results and updates",
         "The second result is deprecated (DeprecationWarning); in a coming version scan returns the results alone.",
         "q = pytensor.scan(…, return_updates=False)."),
    Rule("moved", "note", "a name that is about to move",
         "It still works, with a warning, and leaves the top of the package in 2027.", "See the line."),
    Rule("multitrace-asked", "note", "return_inferencedata=False",
         "It still gives a MultiTrace, with a FutureWarning, and PyMC's own sampler in the place of nutpie.",
         "Leave it out, and use trace.posterior."),
    Rule("numpyro-sampler", "note", "nuts_sampler='numpyro'",
         "It sets JAX to 100 devices for the whole process, and stores lp with the wrong sign.",
         "nuts_sampler='nutpie', or leave lp alone."),
    Rule("idata-kwargs", "note", "idata_kwargs of pm.sample",
         "log_likelihood is deprecated there (FutureWarning), and nutpie ignores other keys (UserWarning).",
         "pm.compute_log_likelihood(trace) after sampling."),
    Rule("stored-trajectory", "note", "whole trajectories kept for each draw",
         "A Deterministic of the scan's result is stored for every trial, subject and draw: it fills the memory.",
         "Leave it out, and compute trajectories after sampling for the draws that are looked at."),
    Rule("repeated-shape", "note", "values copied to a shape",
         "repeat and tile make copies, and their gradients sum them up again. Broadcasting needs neither.",
         "beta[:, None] * q."),
    Rule("print-unused", "note", "a Print whose result is not used",
         "Print acts only if what it returns is part of the model: here it prints nothing.", "Delete the line."),
    Rule("predictive-one-step", "note", "a predictive of a learning model",
         "The values come from the choices that were observed, so each prediction is one step ahead: it is no "
         "simulation of new people.",
         "Simulate choices, outcomes and learning together: rl.simulate."),
    Rule("loo-constant", "note", "leave-one-out of a learning model",
         "The first trial's log-likelihood is the same in all draws if values start from a constant, and az.loo then "
         "raises 'All tail values are the same'.",
         "Leave that trial out; rlbackends keeps such trials apart and adds them back."),
    Rule("potential-likelihood", "note", "a likelihood in a Potential",
         "A Potential has no log_likelihood group and no predictive: az.loo and pm.sample_posterior_predictive have "
         "nothing to work on.",
         "pm.Categorical(…, observed=…), or pm.CustomDist(…, logp=…, observed=…)."),
)  # fmt: skip

RULES: Mapping[str, Rule] = MappingProxyType({rule.id: rule for rule in _ALL})
