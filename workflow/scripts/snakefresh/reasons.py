"""Why a result is stale, in words."""

import ast
import json
from pathlib import Path

from snakefresh.traces import describe

# Parts of the wiring of a stage: values by name, and the others in words.
VALUES = ("params", "environment")
WORDS = {
    "script": "another script",
    "text": "its rule changed",
    "software": "another software environment",
}
MAX_REASONS = 3
MAX_LENGTH = 200  # of both values of a setting


def describe_changes(before, now, changes, describe_maker):
    """Return how the record of a result differs from its plan, or None if it does not.

    `changes` has what differs in its traces, [(section, question, folder of the workflow),
    ...]. `describe_maker` returns why it counts in words that an input was made otherwise.
    """
    reasons = differing_settings(before["settings"], now["settings"])
    wiring = _differing(before["wiring"], now["wiring"])
    for key in [key for key in wiring if key in VALUES]:
        reasons += differing_settings(before["wiring"][key], now["wiring"][key])
    if not reasons:
        reasons += [WORDS.get(key, f"other {key}") for key in wiring]
    reasons += dict.fromkeys(_describe_change(*change) for change in changes)
    if not reasons:
        upstream = _differing(before["upstream"], now["upstream"])
        reasons = list(dict.fromkeys(map(describe_maker, upstream)))
    return join_reasons(reasons) if reasons else None


def _differing(before, now):
    return sorted(key for key in {*before, *now} if before.get(key) != now.get(key))


def _describe_change(section, question, base):
    """E.g. "model.py: fit changed", or what is wrong with the source."""
    file = question.partition(":")[0]
    if section == "parts":
        try:
            ast.parse(Path(base, file).read_bytes())
        except SyntaxError as error:
            return f"{file}, line {error.lineno}: {error.msg}"
        except OSError:
            return f"{file} is missing"
    return f"{describe(section, question)} changed"


def differing_settings(before, now):
    """Return how settings differ; those that only one side has are listed only if no others do."""
    differences = []
    for keys in (before.keys() & now.keys(), before.keys() ^ now.keys()):
        differences = [
            _difference(key, _text(before.get(key)), _text(now.get(key)))
            for key in sorted(keys)
            if before.get(key) != now.get(key)
        ]
        if differences:
            break
    return differences


def join_reasons(reasons):
    """Return the first of `reasons` as one text, and how many more there are."""
    more = len(reasons) - MAX_REASONS
    return ", ".join([*reasons[:MAX_REASONS], *([f"{more} more"] if more > 0 else [])])


def _difference(key, before, now):
    if len(before) + len(now) > MAX_LENGTH:
        return f"{key} changed"
    return f"{key}: {before} -> {now}"


def _text(value):
    return value if isinstance(value, str) else json.dumps(value)
