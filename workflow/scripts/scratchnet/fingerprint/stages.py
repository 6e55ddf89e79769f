"""Stages, and the fingerprints of their results.

A fingerprint is everything that decides what a result contains: the settings that its stage reads,
the code that the stage runs, and the fingerprint of the stage before it. It is JSON text:

    {"after": hash of the fingerprints of the stage before, usually one, or null,
     "code": {part of the code: hash}, see code.py,
     "settings": {key: value}}
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from scratchnet.fingerprint.values import canonical, digest


@dataclass(frozen=True)
class Stage:
    """What the results of a stage depend on. Stage "fit" is the rule "fit" and the script fit.py.

    `settings` are the keys that it reads itself. `after` is the stage whose results it continues; a
    function of the settings may say which one. A stage that puts several results of that stage
    together names in `each` the key under which the settings of all of them stand, as a list.
    """

    settings: tuple[str, ...] = ()
    after: str | Callable[[Mapping], str | None] | None = None
    each: str | None = None


def stage_before(stages, stage, settings):
    """Return the name of the stage whose results `stage` continues, or None."""
    after = stages[stage].after
    return after(settings) if callable(after) else after


def own_settings(stages, stage, settings):
    """Return the settings that `stage` reads itself, without those that do not apply."""
    return {key: settings[key] for key in stages[stage].settings if key in settings}


def fingerprint(stages, stage, settings, code_of, known=None):
    """Return the fingerprint of what `stage` makes with `settings`.

    `stages` is {name: Stage}, `settings` is {key: value} with JSON values, and `code_of` returns
    the code of a stage, {part: hash}, for its name. Between calls, the dict `known` remembers the
    fingerprints of all stages before; `settings` must not change then.
    """
    known = {} if known is None else known
    key = stage, id(settings)
    if key not in known:
        text = _fingerprint(stages, stage, settings, code_of, known)
        known[key] = text, settings  # kept, so that no other settings get the same id
    return known[key][0]


def _fingerprint(stages, stage, settings, code_of, known):
    before = stage_before(stages, stage, settings)
    each = stages[stage].each
    earlier = (settings[each] if each else [settings]) if before else []
    after = [fingerprint(stages, before, one, code_of, known) for one in earlier]
    return canonical(
        {
            "after": hash_of_fingerprints(after) if after else None,
            "code": code_of(stage),
            "settings": own_settings(stages, stage, settings),
        }
    )


def hash_of_fingerprints(fingerprints):
    """Return what stands under "after" in what is made from results with these fingerprints."""
    return digest(canonical([digest(text) for text in fingerprints]))
