"""Who plays how many trials in which blocks, and what is fixed beforehand: uniform numbers and schedules."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.data import BoundTrials
from rlbackends.data.cells import subject_labels
from rlbackends.data.faults import Places
from rlbackends.errors import ModelError, SettingError
from rlbackends.natural_order import natural_key
from rlbackends.simulation.compose import UNIFORM_OF, Composed, hidden
from rlbackends.tasks.scheduled import Variable
from rlbackends.tasks.task import Task

if TYPE_CHECKING:
    from rlbackends.model.model import Model


@dataclass(frozen=True)
class Design:
    """Who plays how much.

    Attributes
    ----------
    subjects : tuple
        Labels.
    blocks : numpy.ndarray
        (subject × trial) the block of each trial, counted from 1; 0 at padding.
    lengths : numpy.ndarray
        (subject,) trials of each subject.
    """

    subjects: tuple[Any, ...]
    blocks: np.ndarray
    lengths: np.ndarray

    @classmethod
    def of(cls, subjects: tuple[Any, ...], blocks: Any, trials: Any) -> Design:
        """Lay blocks of trials after each other; both are a number, or one per subject."""
        n = len(subjects)
        count, each = _counts("blocks", blocks, n), _counts("trials", trials, n)
        lengths = count * each
        place = np.arange(int(lengths.max()))
        labels = np.where(place < lengths[:, None], place // each[:, None] + 1, 0)
        return cls(subjects, labels, lengths)

    @classmethod
    def like(cls, data: BoundTrials) -> Design:
        """Return the design that data have."""
        labels = np.where(data.valid, np.cumsum(data.starts & data.valid, axis=1), 0)
        return cls(tuple(data.subjects), labels, np.asarray(data.lengths))

    def repeated(self, times: int) -> Design:
        """Return the design played several times over, each time by subjects of their own."""
        return Design(
            tuple(range(times * len(self.subjects))), np.tile(self.blocks, (times, 1)), np.tile(self.lengths, times)
        )

    @property
    def n_subjects(self) -> int:
        """How many subjects there are."""
        return len(self.subjects)

    @property
    def n_steps(self) -> int:
        """How many trials the longest sequence has."""
        return int(self.blocks.shape[1])

    @property
    def block_sizes(self) -> np.ndarray:
        """(subject × block) trials of each block; 0 for those that a subject does not play."""
        last = int(self.blocks.max())
        if (self.blocks == self.blocks[0]).all():
            return np.broadcast_to(np.bincount(self.blocks[0], minlength=last + 1)[1:], (self.n_subjects, last))
        return np.stack([np.bincount(row, minlength=last + 1)[1:] for row in self.blocks])

    @property
    def starts(self) -> np.ndarray:
        """(subject × trial) True at the first trial of each block."""
        before = np.concatenate([np.zeros_like(self.blocks[:, :1]), self.blocks[:, :-1]], axis=1)
        return (self.blocks != before) & (self.blocks > 0)

    @property
    def trial_numbers(self) -> np.ndarray:
        """(subject × trial) trials counted from 1; -1 at padding."""
        return np.where(self.blocks > 0, np.arange(1, self.n_steps + 1), -1)


def _counts(name: str, given: Any, n: int) -> np.ndarray:
    array = np.asarray(given)
    if array.dtype.kind not in "iu" or array.shape not in ((), (n,)) or (array.size and array.min() < 1):
        raise SettingError(
            f"simulate: {name} is {given!r}, expected a whole number from 1 on, or one per subject ({n} of them)."
        )
    return np.broadcast_to(array, (n,)).astype(np.int64)


def read_subjects(subjects: Any, params: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return labels of subjects from their number or labels, or from the sizes of the parameters."""
    if subjects is None:
        found = {name: _size(value) for name, value in params.items()} if isinstance(params, Mapping) else {}
        sizes = {name: size for name, size in found.items() if size is not None}
        for name in sizes:
            if isinstance(params[name], Mapping):
                return tuple(params[name])
        if len(set(sizes.values())) > 1:
            told = ", ".join(f"'{name}' {size}" for name, size in sizes.items())
            raise SettingError(f"simulate: parameters are for different numbers of subjects: {told}.")
        return tuple(range(1, 1 + next(iter(sizes.values()), 1)))
    if isinstance(subjects, int | np.integer) and not isinstance(subjects, bool):
        if subjects < 1:
            raise SettingError(f"simulate: subjects is {subjects}, expected at least one.")
        return tuple(range(1, int(subjects) + 1))
    if isinstance(subjects, str | bool) or not isinstance(subjects, Iterable):
        raise SettingError(f"simulate: subjects is {subjects!r}, expected how many, or their labels.")
    labels = tuple(label.item() if isinstance(label, np.generic) else label for label in subjects)
    if not labels or len(set(map(str, labels))) < len(labels):
        raise SettingError(f"simulate: subjects is {list(labels)!r}, expected labels, each of them once.")
    return labels


def natural_order(labels: tuple[Any, ...]) -> tuple[tuple[Any, ...], list[int]]:
    """Return subjects in the order that data have them in, and the place of each in the order given."""
    if all(type(label) is int for label in labels) and list(labels) == sorted(labels):
        return labels, list(range(len(labels)))
    read = subject_labels(labels)
    order = sorted(range(len(read)), key=lambda i: natural_key(read[i]))
    return tuple(read[i] for i in order), order


def reordered(given: Any, order: list[int]) -> Any:
    """Return values given one per subject in the subjects' new order; a number, or what is labelled, stays as it is."""
    is_labelled = "subject" in given.coords if hasattr(given, "coords") else hasattr(given, "items")
    if is_labelled:
        return given
    shape = np.shape(given)
    return np.asarray(given)[order] if shape and shape[0] == len(order) else given


def _size(value: Any) -> int | None:
    if isinstance(value, Mapping):
        return len(value)
    shape = np.shape(value)
    return int(shape[0]) if shape else None


def draw_uniforms(composed: Composed, design: Design, seed: Any) -> dict[str, np.ndarray]:
    """Return the uniform numbers of all draws, (subject × trial × axes), a stream for each event.

    A subject's numbers don't depend on how many come after it, unless one of them plays longer than all before.
    """
    shape = design.blocks.shape
    return {
        name: stream(seed, "uniform", name).random((*shape, *(axis.size for axis in axes)))
        for name, axes in composed.uniforms.items()
    }


def stream(seed: Any, *words: Any) -> np.random.Generator:
    """Return a generator that belongs to a seed, one whole number or several, and to words."""
    text = "\0".join(map(str, words)).encode()
    return np.random.default_rng([*_seed(seed), *text])


def _seed(seed: Any) -> tuple[int, ...]:
    numbers = seed if isinstance(seed, tuple | list) else (seed,)
    for number in numbers:
        if isinstance(number, bool) or not isinstance(number, int | np.integer) or number < 0:
            raise SettingError(f"seed is {seed!r}, expected a whole number from 0 on.")
    return tuple(int(number) for number in numbers)


def read_uniforms(composed: Composed, design: Design, given: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Return uniform numbers as a user gave them, checked."""
    shape = design.blocks.shape
    absent = [name for name in composed.uniforms if name not in given]
    unknown = [name for name in given if name not in composed.uniforms]
    if absent or unknown:
        raise SettingError(
            f"simulate: uniforms has {sorted(given)}, expected an array for each of {sorted(composed.uniforms)}."
        )
    found = {}
    for name, axes in composed.uniforms.items():
        array = np.array(given[name], dtype=np.float64)  # a copy: what is ours becomes read-only
        expected = (*shape, *(axis.size for axis in axes))
        if array.shape != expected:
            raise SettingError(f"simulate: uniforms of '{name}' have shape {array.shape}, expected {expected}.")
        if not ((array >= 0) & (array < 1)).all():
            raise SettingError(f"simulate: uniforms of '{name}' must lie in [0, 1).")
        found[name] = array
    return found


def draw_schedule(task: Task, design: Design, seed: Any, given: Collection[str] = ()) -> dict[str, np.ndarray]:
    """Return each scheduled variable of a task but those given, (subject × trial × axes), as the seed says it."""
    found = {}
    for name, variable in task.scheduled.items():
        if name in given:
            continue
        try:
            found[name] = _schedule(variable, design, seed)
        except ModelError as error:
            raise ModelError(f"task '{task.name}': {error}") from None
    return found


def _schedule(variable: Variable, design: Design, seed: Any) -> np.ndarray:
    shape = (*design.blocks.shape, *(axis.size for axis in variable.axes))
    dtype = np.int64 if variable.kind.name == "int" else np.float64

    def drawn(who: Any, subject: int, block: int, n_trials: int) -> np.ndarray:
        rng = stream(seed, "schedule", variable.name, who, block)
        return variable.draw(rng, n_trials, subject, block)

    counts = design.block_sizes
    shared: list[np.ndarray] = []
    if not variable.by_subject:  # drawn once, as long as the longest block of anybody
        shared = [drawn("all", 0, block, int(n_trials)) for block, n_trials in enumerate(counts.max(axis=0))]
    # What is the same for all is laid out once, and looks like many.
    alike = not variable.by_subject and bool((counts == counts[0]).all())
    values = np.zeros((1 if alike else design.n_subjects, *shape[1:]), dtype=dtype)
    for subject in range(len(values)):
        position = 0
        for block, n_trials in enumerate(counts[subject].tolist()):
            if n_trials:
                part = shared[block][:n_trials] if shared else drawn(subject, subject, block, n_trials)
                values[subject, position : position + n_trials] = part
                position += n_trials
    return np.broadcast_to(values, shape)


def bind_design(
    composed: Composed, design: Design, arrays: Mapping[str, np.ndarray], missing: Mapping[str, np.ndarray]
) -> BoundTrials:
    """Return uniforms, schedules and given events as the data of a composed model."""
    padding = design.blocks == 0
    flags = {}
    for name, array in arrays.items():
        unseen = np.broadcast_to(padding.reshape(padding.shape + (1,) * (array.ndim - 2)), array.shape)
        flags[name] = missing.get(name, unseen)
    events = composed.model.events
    numbers = design.trial_numbers
    return BoundTrials(
        subjects=design.subjects, lengths=design.lengths, trial_numbers=numbers,
        values={name: arrays[name] for name in events}, missing={name: flags[name] for name in events},
        starts=design.starts, levels={}, source=composed.model.name,
        places=Places("trial", design.subjects, numbers),
    )  # fmt: skip


def composed_arrays(
    task: Task, schedule: Mapping[str, np.ndarray], uniforms: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Return schedules and uniforms by the names that they have in the composed model."""
    arrays = {hidden(task, name): array for name, array in schedule.items()}
    return arrays | {UNIFORM_OF.format(name): array for name, array in uniforms.items()}


def check_model(model: Model | Any, task: Task | Any) -> None:
    """Raise ``SettingError`` if what is given is no model, or no task."""
    from rlbackends.model.model import Model as ModelClass

    if not isinstance(model, ModelClass):
        raise SettingError(f"simulate: the model is {model!r}, expected a rl.Model such as rl.catalogue.aliens().")
    if not isinstance(task, Task):
        raise SettingError(f"simulate: the task is {task!r}, expected a rl.tasks.Task such as rl.tasks.bandit().")
