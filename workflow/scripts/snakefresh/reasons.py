"""Why a result is stale, in words."""

import ast
import json
import os

from snakefresh.traces import describe

MAX_REASONS = 3
MAX_LENGTH = 200  # of both values of a setting


def describe_changes(before, now, changes, name_of_maker):
    """Return how the record of a result differs from its plan, or None if it does not.

    `changes` has what differs in its traces, [(section, question, folder of the workflow), ...], and
    `name_of_maker` returns the rule whose result a path is, or None.
    """
    reasons = differing_settings(before["settings"], now["settings"])
    reasons += _differing_wiring(before["wiring"], now["wiring"])
    reasons += list(dict.fromkeys(describe_change(*each) for each in changes))
    if not reasons:
        follows = []
        for path in sorted({*before["upstream"], *now["upstream"]}):
            if before["upstream"].get(path) != now["upstream"].get(path):
                maker = name_of_maker(path)
                follows.append(f"follows {maker}" if maker else f"{path} changed")
        reasons = list(dict.fromkeys(follows))
    return join_reasons(reasons) if reasons else None


def describe_change(section, question, base=None):
    """Return e.g. "model.py: fit changed"."""
    if section == "trace":
        return f"{question} is missing"
    file = question.partition(":")[0]
    if section == "parts" and base and file.endswith(".py"):
        try:
            with open(os.path.join(base, file), "rb") as source:
                ast.parse(source.read())
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


def _differing_wiring(before, now):
    return [
        f"its rule changed: {key}"
        for key in sorted({*before, *now})
        if before.get(key) != now.get(key)
    ]


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
