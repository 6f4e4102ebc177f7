"""nutpie's No-U-Turn sampler on a PyMC model, in float64, reporting in a terminal and in a log."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.backends.chains import ChainResults, check_settings
from rlbackends.backends.nutpie_runs import Task, check_can_save, sample
from rlbackends.backends.progress import Progress
from rlbackends.backends.pymc.modes import sound_numba
from rlbackends.backends.pymc.precision import exact
from rlbackends.errors import BackendError, BackendMissingError, SettingError, did_you_mean, listed

if TYPE_CHECKING:
    import pymc as pm

    from rlbackends.backends.runs import Run

_COMPILE_BACKENDS = ("numba", "jax")


def sample_nutpie(
    model: pm.Model,
    *,
    seed: int,
    chains: int,
    tune: int,
    draws: int,
    cores: int,
    target_accept: float = 0.8,
    max_tree_depth: int = 10,
    compile_backend: str = "numba",
    var_names: Sequence[str] | None = None,
    progress: Progress | None = None,
    data: Mapping[str, np.ndarray] | None = None,
    programs: MutableMapping[Any, Any] | None = None,
    run: Run | None = None,
) -> ChainResults:
    """Sample a PyMC model's posterior with nutpie, in float64 whatever the process's settings.

    Parameters
    ----------
    model
        A PyMC model whose free variables are float64 (build it under
        ``pytensor.config.change_flags(floatX="float64")``).
    seed, chains, tune, draws
        As in nutpie, which needs at least one tuning iteration. The first chains of four are those of two.
    cores
        How many chains run at once. It does not change the draws.
    target_accept, max_tree_depth
        nutpie's ``target_accept`` and ``maxdepth``.
    compile_backend
        ``"numba"``, or ``"jax"``: faster to compile, but chains take turns, because it calls Python.
    var_names
        Which natural-scale variables to keep in ``constrained``, free or deterministic; all by default.
    progress
        Where to report, not yet entered; nothing is shown without one.
    data
        Values of the model's shared variables by name, of the shapes that they have, to be taken instead of their own.
    programs
        Where nutpie's compiled models are kept: a later call with the same `model` and settings finds its own there.
    run
        Where to leave the draws so far, for ``nutpie_runs.read_run``; what another run left there is removed.

    Returns
    -------
    ChainResults
        ``unconstrained`` holds every free variable on nutpie's scale, under the variable's own name
        (``sd``, not ``sd_log__``). ``energy`` has an offset that is constant within a chain.

    Raises
    ------
    SettingError
        A setting is out of range, or names no variable.
    BackendMissingError
        nutpie, or JAX for ``compile_backend="jax"``, or zarr where draws are to be saved, is not installed.
    BackendError
        The model has free variables that are not float64, or nutpie could not sample it.
    Interrupted
        After Ctrl-C, when nutpie has stopped its chains, with the draws so far.

    Notes
    -----
    nutpie differentiates the log density after PyMC's canonicalize and stabilize rewrites, so a
    ``Categorical(logit_p=...)`` keeps a finite gradient where a probability underflows.
    """
    check_settings(
        "sample_nutpie", seed=seed, chains=chains, tune=tune, draws=draws, cores=cores,
        target_accept=target_accept, max_tree_depth=max_tree_depth, least_tune=1,
    )  # fmt: skip
    check_compile_backend(compile_backend)
    _check_model(model, var_names)
    check_can_save(run)
    try:
        import nutpie
    except ImportError as error:
        raise BackendMissingError(
            "sample_nutpie: nutpie is not installed. Install it with: pip install nutpie"
        ) from error
    progress = Progress("pymc", tune + draws, chains, mode="off") if progress is None else progress
    with progress:
        progress.stage("compiling")
        began = time.perf_counter()
        with _float64(compile_backend) as in_float64:
            key = (compile_backend, None if var_names is None else tuple(var_names))
            compiled = None if programs is None else programs.get(key)
            if compiled is None:
                with sound_numba():
                    compiled = nutpie.compile_pymc_model(model, backend=compile_backend, var_names=var_names)
                if compile_backend == "jax":
                    compiled = _call_in_float64(compiled, in_float64)
            if programs is not None:
                programs[key] = compiled
            compiled = _with_data(compiled, data or {})  # a copy
            compile_seconds = time.perf_counter() - began
            settings = {
                "sampler": "nutpie", "seed": int(seed), "chains": int(chains), "tune": int(tune),
                "draws": int(draws), "cores": int(cores), "target_accept": float(target_accept),
                "max_tree_depth": int(max_tree_depth), "compile_backend": compile_backend, "device": "cpu",
                "chain_method": "independent", "dtype": "float64",
            }  # fmt: skip
            task = Task(compiled, _unconstrained(model), settings, compile_seconds, _constrained(model, var_names))
            # nutpie calls initial points and JAX on its threads while it samples: stay in the block.
            return sample(task, progress, run)


def check_compile_backend(compile_backend: str) -> None:
    """Raise ``SettingError`` if there is no such backend of nutpie."""
    if compile_backend not in _COMPILE_BACKENDS:
        raise SettingError(
            f"sample_nutpie: compile_backend is {compile_backend!r}, expected {listed(_COMPILE_BACKENDS)}."
            + did_you_mean(compile_backend, _COMPILE_BACKENDS)
        )


def _check_model(model: pm.Model, var_names: Sequence[str] | None) -> None:
    dtypes = {v.name: str(model.rvs_to_values[v].dtype) for v in model.free_RVs}
    narrow = [name for name, dtype in dtypes.items() if dtype.startswith("float") and dtype != "float64"]
    if narrow:
        raise BackendError(
            f"sample_nutpie: {listed(narrow)} of the model is {dtypes[narrow[0]]}, expected float64. "
            "Build the model inside: with pytensor.config.change_flags(floatX='float64'):"
        )
    discrete = [name for name, dtype in dtypes.items() if not dtype.startswith("float")]
    if discrete:
        raise BackendError(
            f"sample_nutpie: {listed(discrete)} of the model is discrete, expected only continuous free "
            "variables. Sum discrete ones out of the likelihood."
        )
    if not model.free_RVs:
        raise BackendError("sample_nutpie: the model has no free variable, expected at least one.")
    known = [v.name for v in (*model.free_RVs, *model.deterministics)]
    unknown = [name for name in var_names or () if name not in known]
    if unknown:
        faults = [f"'{name}' is no variable of the model.{did_you_mean(name, known)}" for name in unknown]
        raise SettingError(f"sample_nutpie: var_names: {' '.join(faults)} There are {listed(known)}.")


@contextmanager
def _float64(compile_backend: str) -> Iterator[Callable[[], ExitStack]]:
    """64-bit PyTensor and, where it is used, JAX; yield a maker of the latter's context for other threads."""
    if compile_backend != "jax":
        with exact():
            yield ExitStack
        return
    try:
        import jax
    except ImportError as error:
        raise BackendMissingError(
            "sample_nutpie: compile_backend='jax' needs JAX, which is not installed. "
            "Install it with: pip install jax"
        ) from error
    _import_dispatch_quietly()

    def in_float64() -> ExitStack:
        stack = ExitStack()
        stack.enter_context(jax.enable_x64(True))
        stack.enter_context(jax.default_device(jax.devices("cpu")[0]))
        return stack

    with exact(), in_float64():
        yield in_float64


def _import_dispatch_quietly() -> None:
    """Import PyTensor's JAX dispatch and undo what that does to the process's JAX precision."""
    import threading

    import jax

    def work() -> None:
        # A new thread is outside every `jax.enable_x64` block, so this is the process's own setting.
        before = jax.config.jax_enable_x64
        import pytensor.link.jax.dispatch  # noqa: F401

        if jax.config.jax_enable_x64 != before:
            jax.config.update("jax_enable_x64", before)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def _with_data(compiled: Any, data: Mapping[str, np.ndarray]) -> Any:
    """Return nutpie's model with other values of the shared variables that it reads."""
    read = (
        {variable.name for variable in compiled.shared_var_keys}
        if hasattr(compiled, "shared_var_keys")
        else set(compiled._shared_data)
    )
    return compiled.with_data(**{name: value for name, value in data.items() if name in read})


def _call_in_float64(compiled: Any, in_float64: Callable[[], ExitStack]) -> Any:
    """Return nutpie's JAX model with its callbacks in 64 bits: JAX's switch is thread-local."""
    import dataclasses

    def wrapped(make: Callable[..., Any]) -> Callable[..., Any]:
        def make_wrapped(*args: Any) -> Callable[..., Any]:
            function = make(*args)

            def call(*values: Any, **shared: Any) -> Any:
                with in_float64():
                    return function(*values, **shared)

            return call

        return make_wrapped

    return dataclasses.replace(
        compiled,
        _make_logp_func=wrapped(compiled._make_logp_func),
        _make_expand_func=wrapped(compiled._make_expand_func),
    )


def _unconstrained(model: pm.Model) -> dict[str, str]:
    """Return the free variables, each with the name of its value on nutpie's scale."""
    return {variable.name: model.rvs_to_values[variable].name for variable in model.free_RVs}


def _constrained(model: pm.Model, var_names: Sequence[str] | None) -> tuple[str, ...]:
    """Return the variables to keep on the natural scale."""
    known = [v.name for v in (*model.free_RVs, *model.deterministics)]
    return tuple(known if var_names is None else [name for name in known if name in set(var_names)])
