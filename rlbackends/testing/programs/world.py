"""Random data for a model: unequal lengths, blocks, missing values, and junk behind the last trial."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rlbackends.expressions.node import walk
from rlbackends.expressions.numpy_table import evaluate
from rlbackends.testing.programs.choices import Choices

Mask = str | tuple[bool, ...]


def world_text(
    choose: Choices, model: Any, masks: Mapping[str, Mask], distinct: set[str]
) -> tuple[str, int, int]:
    """Return source that makes random trials for a model, and how many subjects and trials it has.

    Parameters
    ----------
    choose : Choices
        The decisions.
    model : Model
        The specification.
    masks : mapping
        Response → the event, or the constant, that says which of its actions are there.
    distinct : set of str
        Events whose entries on a trial differ.
    """
    n_subjects = choose.one_of([2, 3, 1, 3, 3])
    n_steps = choose.one_of([4, 6, 5, 7, 1, 2, 8])
    lengths = None
    if n_subjects > 1 and choose.chance(60):
        lengths = [n_steps, *(1 + choose.below(n_steps) for _ in range(n_subjects - 1))]
    has_blocks, lost = choose.chance(50), choose.one_of([0, 10, 25, 60])
    rng = np.random.default_rng(choose.below(100_000))
    valid = np.arange(n_steps) < np.array(lengths or [n_steps] * n_subjects)[:, None]
    arrays = _values(model, rng, valid.shape, masks, distinct)
    for array in arrays.values():
        if rng.random() < 0.7:
            # Some cells lose one entry, some all of them.
            whole = rng.random(valid.shape) < lost / 200
            gone = whole.reshape(*valid.shape, *[1] * (array.ndim - 2)) | (rng.random(array.shape) < lost / 200)
            array[gone] = np.nan
    _lose_unmet(model, arrays, valid)
    for name, array in arrays.items():  # what lies behind the last trial is nobody's business
        array[~valid] = 1e6 if model.events[name].kind.name == "real" else np.nan
    words = ["    subjects=" + repr([f"s{i + 1}" for i in range(n_subjects)])]
    if lengths is not None:
        words.append(f"    lengths={lengths!r}")
    if has_blocks:
        words.append(f"    blocks={np.cumsum(rng.random(valid.shape) < 0.3, axis=1).tolist()!r}")
    levels = {name: event.kind.hi + 1 for name, event in model.events.items() if event.kind.name == "int"}
    words.append("    levels={" + ", ".join(f'"{name}": range({count})' for name, count in levels.items()) + "}")
    words += [f"    {name}={_flat(array)!r}" for name, array in arrays.items()]
    return "data = rl.Trials.from_arrays(\n" + ",\n".join(words) + ",\n)\n", n_subjects, n_steps


def _flat(array: np.ndarray) -> Any:
    return array.reshape(*array.shape[:2], -1).tolist() if array.ndim > 2 else array.tolist()


def _values(
    model: Any, rng: np.random.Generator, shape: tuple[int, int], masks: Mapping[str, Mask], distinct: set[str]
) -> dict[str, np.ndarray]:
    arrays: dict[str, np.ndarray] = {}
    for name, event in model.events.items():
        full = shape + tuple(axis.size for axis in event.axes)
        if event.kind.name == "real":
            # Multiples of 1/8, with zeros and ties.
            arrays[name] = rng.choice([-2.0, -1.0, -0.5, -0.125, 0.0, 0.0, 0.25, 0.5, 0.75, 1.0, 1.0, 2.0], full)
        elif name in distinct:
            count = event.kind.hi + 1
            arrays[name] = np.argsort(rng.random((*full[:-1], count)), axis=-1)[..., : full[-1]].astype(float)
        else:
            arrays[name] = rng.integers(event.kind.lo, event.kind.hi + 1, full).astype(float)
    for name, mask in masks.items():
        if isinstance(mask, str):
            # What was chosen was there.
            np.put_along_axis(arrays[mask], arrays[name].astype(int)[..., None], 1.0, axis=-1)
        else:
            arrays[name] = rng.choice(np.flatnonzero(mask), shape).astype(float)
    return arrays


def _lose_unmet(model: Any, arrays: dict[str, np.ndarray], valid: np.ndarray) -> None:
    """Take responses away where their rule needs what is missing, as it must be in data that a model accepts."""
    for response in model.responses:
        needs = model.needs(response)
        leaves = [node for node in walk(needs) if node.op in ("event", "state", "parameter")]
        events = {node.attr("name") for node in leaves if node.op == "event"}
        depends = any(node.op != "event" for node in leaves)  # known only when the model runs: take no chance
        for cell in np.argwhere(valid):
            at = tuple(cell)
            missing = {name: np.isnan(arrays[name][at]) for name in events}
            unmet: Any = any(np.any(flags) for flags in missing.values())
            if unmet and not depends:
                # Values are 0 where they are missing, and nothing is said of what comes of them.
                values = {
                    name: np.nan_to_num(arrays[name][at]).astype(
                        np.int64 if model.events[name].kind.name == "int" else float
                    )
                    for name in events
                }
                with np.errstate(all="ignore"):
                    unmet = np.any(evaluate(needs, values, missing))
            if unmet:
                arrays[response][at] = np.nan


_LOCATIONS = ("rl.priors.Normal(0.0, 0.2)", "rl.priors.Normal(0.25, 0.1)", "rl.priors.StudentT(9.0, 0.0, 0.1)")
_SDS = ("rl.priors.HalfNormal(0.2)", "rl.priors.LogNormal(-2.0, 0.2)", "rl.priors.Gamma(4.0, 20.0)")
_LINKS = {"alpha": ("probit", "logit"), "eta": ("probit", "logit"), "span": ("probit", "logit"),
          "beta": ("log", "softplus"), "bias": ("identity",)}  # fmt: skip


def population_text(choose: Choices, parameters: list[str]) -> str:
    """Return source of a population with narrow priors, so that what is drawn from them stays moderate."""
    words = []
    for name in parameters:
        link = choose.one_of(_LINKS[name])
        kind = choose.one_of(["partial", "partial", "complete", "none", "fixed"])
        location, sd = choose.one_of(_LOCATIONS), choose.one_of(_SDS)
        if kind == "fixed":
            words.append(f"{name}=0.5")
        elif kind == "none":
            how = "prior=rl.priors.Beta(3.0, 4.0)" if name == "alpha" else f'link="{link}"'
            words.append(f'{name}=rl.Pooling("none", {how})')
        elif kind == "complete":
            words.append(f'{name}=rl.Pooling("complete", link="{link}", location={location})')
        else:
            centred = choose.chance(30)
            how = f'"partial", link="{link}", location={location}, sd={sd}, centred={centred}'
            words.append(f"{name}=rl.Pooling({how})")
    return "rl.Population(\n" + "".join(f"    {word},\n" for word in words) + ")"
