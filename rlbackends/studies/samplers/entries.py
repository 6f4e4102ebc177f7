"""Which samplers are compared: from words such as ``"numpyro:nuts:vectorized"``, all faults at once."""

from __future__ import annotations

import hashlib
import inspect
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rlbackends.backends.registry import BACKENDS, Backend, get_backend
from rlbackends.backends.samplers import OURS, Sampler
from rlbackends.errors import RLBackendsError, SettingError, did_you_mean, listed

# A variant's word → the setting that it is a value of; a sampler has those variants whose setting it has.
_VARIANTS = {
    "parallel": "chain_method", "sequential": "chain_method", "vectorized": "chain_method",
    "numba": "compile_backend", "jax": "compile_backend",
}  # fmt: skip
_KEYS = ("backend", "sampler", "sampler_settings", "settings", "name")
_FORM = "'backend:sampler', such as 'numpyro:nuts', or a mapping with 'backend' and 'sampler'"


@dataclass(frozen=True)
class Entry:
    """One of the samplers that are compared.

    Attributes
    ----------
    name : str
        What it is called in the tables.
    backend : Backend
    sampler : Sampler
    sampler_settings, settings : mapping
        Settings of the sampler, and of the backend, beside what all have in common.
    """

    name: str
    backend: Backend
    sampler: Sampler
    sampler_settings: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)

    def describe(self) -> dict[str, Any]:
        """Return what it is, as plain data."""
        return {
            "backend": self.backend.name, "sampler": self.sampler.name, "function": self.sampler.function,
            "sampler_settings": dict(self.sampler_settings), "settings": dict(self.settings),
        }  # fmt: skip

    @property
    def key(self) -> str:
        """The name of its file: the same for the same sampler and settings, whatever else is compared."""
        said = json.dumps(self.describe(), sort_keys=True, default=repr)
        words = re.sub(r"[^A-Za-z0-9._-]+", "-", self.name).strip("-._")[:60] or "sampler"
        return f"{words}-{hashlib.sha256(said.encode()).hexdigest()[:8]}"


def default_entries() -> list[Entry]:
    """Return all samplers that draw Markov chains and are installed."""
    found = []
    for backend in BACKENDS.values():
        if not backend.is_installed:
            continue
        for sampler in backend.samplers:
            if sampler.kind == "chains" and not sampler.absent():
                found.append(Entry(f"{backend.name}:{sampler.name}", backend, sampler))
    return found


def read_entries(given: Iterable[Any] | None) -> list[Entry]:
    """Return the samplers that were asked for.

    Raises
    ------
    SettingError
        Says everything that is wrong: unknown backends, samplers, variants and settings with the nearest word, packages
        that are lacking, two of one name, fewer than two.
    """
    if given is None:
        entries = default_entries()
        if len(entries) < 2:
            raise SettingError(
                f"compare_samplers: {len(entries)} sampler{'s are' if len(entries) != 1 else ' is'} installed, "
                'expected at least two. Install more with: pip install "rlbackends[all]"'
            )
        return entries
    if isinstance(given, str | Mapping) or not isinstance(given, Iterable):
        raise SettingError(f"compare_samplers: samplers is {given!r}, expected a list of {_FORM}.")
    entries, faults = [], []
    for one in given:
        try:
            entry = _from_word(one) if isinstance(one, str) else _from_mapping(one)
            entries.append(_checked(entry))
        except RLBackendsError as error:
            faults.append(f"{_shown(one)}: {error}")
    names = [entry.name for entry in entries]
    for name in dict.fromkeys(name for name in names if names.count(name) > 1):
        faults.append(f"'{name}' is there {names.count(name)} times; give each its own name: {{..., 'name': ...}}.")
    if faults:
        raise SettingError("compare_samplers: samplers can't be used:\n  " + "\n  ".join(faults))
    if len(entries) < 2:
        raise SettingError(
            f"compare_samplers: there {'is one sampler' if entries else 'are no samplers'}, expected at least two. "
            "To run one, use rl.fit(..., sampler=...)."
        )
    if all(entry.sampler.kind != "chains" for entry in entries):
        raise SettingError(
            f"compare_samplers: {listed(names)} are approximations, and nothing is there that they approximate. Add a "
            "sampler that draws Markov chains, such as 'numpyro:nuts'."
        )
    return entries


def _from_word(word: str) -> Entry:
    parts = [part.strip() for part in word.split(":")]
    if len(parts) < 2 or not all(parts):
        words = [f"{name}:{row.name}" for name, backend in BACKENDS.items() for row in backend.samplers]
        raise SettingError(f"expected {_FORM}.{did_you_mean(word.replace('/', ':'), words)}")
    backend, sampler = _rows(parts[0], parts[1])
    return Entry(word, backend, sampler, dict(_variant(part, sampler) for part in parts[2:]))


def _from_mapping(given: Any) -> Entry:
    if not isinstance(given, Mapping):
        raise SettingError(f"expected {_FORM}.")
    unknown = [f"it has no '{key}'.{did_you_mean(str(key), _KEYS)}" for key in given if key not in _KEYS]
    unknown += [f"'{key}' is lacking." for key in ("backend", "sampler") if key not in given]
    for key in ("sampler_settings", "settings"):
        if not isinstance(given.get(key, {}), Mapping):
            unknown.append(f"'{key}' is {given[key]!r}, expected a mapping.")
    if unknown:
        raise SettingError(f"{' '.join(unknown)} Expected {listed(_KEYS)}.")
    backend, sampler = _rows(given["backend"], given["sampler"])
    settings = dict(given.get("sampler_settings", {}))
    shown = [f"{name}={value}" for name, value in settings.items()]
    name = given.get("name", ":".join([backend.name, sampler.name, *shown]))
    return Entry(str(name), backend, sampler, settings, dict(given.get("settings", {})))


def _rows(backend: Any, sampler: Any) -> tuple[Backend, Sampler]:
    row = get_backend(backend)
    return row, row.sampler(sampler)


def _variant(word: str, sampler: Sampler) -> tuple[str, Any]:
    """Return the setting that a variant's word stands for; ``name=value`` stands for itself."""
    known = own_settings(sampler)
    name, sign, value = word.partition("=")
    if sign:
        return name.strip(), _value(value.strip())
    words = [variant for variant, setting in _VARIANTS.items() if setting in known]
    if word not in words:
        has = f"It has {listed(words)}." if words else "It has none."
        more = f" Settings are written as name=value; it has {listed(known)}." if known else ""
        raise SettingError(f"sampler '{sampler.name}' has no variant '{word}'. {has}{did_you_mean(word, words)}{more}")
    return _VARIANTS[word], word


def _value(text: str) -> Any:
    for form in (text, text.lower()):  # True as well as true
        try:
            return json.loads(form)
        except ValueError:
            continue
    return text


def own_settings(sampler: Sampler) -> list[str]:
    """Return the names of the settings that a sampler has of its own."""
    parameters = inspect.signature(sampler.load()).parameters.values()
    return [p.name for p in parameters if p.kind is p.KEYWORD_ONLY and p.name not in OURS]


def _checked(entry: Entry) -> Entry:
    """Return the entry if its packages are installed and it has these settings."""
    entry.backend.require()
    known = own_settings(entry.sampler)
    faults = []
    for name in entry.sampler_settings:
        if name in OURS:
            faults.append(f"'{name}' is the same for all samplers; give it to compare_samplers.")
        elif name not in known:
            has = f"It has {listed(known)}." if known else "It has none of its own."
            faults.append(
                f"sampler '{entry.sampler.name}' has no setting '{name}'. {has}{did_you_mean(name, known)}"
            )
    if faults:
        raise SettingError(" ".join(faults))
    module = entry.sampler.module
    if hasattr(module, "check_sampler_settings"):
        module.check_sampler_settings(**entry.sampler_settings)
    entry.backend.load().Engine.read_settings(entry.settings)
    return entry


def _shown(given: Any) -> str:
    if isinstance(given, Mapping) and not isinstance(given.get("backend", ""), str):
        given = {**given, "backend": getattr(given["backend"], "name", given["backend"])}
    return repr(given)


