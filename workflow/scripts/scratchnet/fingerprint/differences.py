"""Why a stage runs, in words: how the recorded fingerprint differs from the present one."""

import json

MAX_REASONS = 3
MAX_LENGTH = 200  # of both values of a setting


def describe_changes(before, now, follows):
    """Return how two fingerprints of a stage differ: in settings, in code, or in what it `follows`.

    `follows` is the name of the stage before, or None.
    """
    now = json.loads(now)
    try:
        before = json.loads(before)
        settings, code, after = before["settings"], before["code"], before["after"]
    except (ValueError, TypeError, KeyError):
        return "its record is damaged"
    reasons = differing_settings(settings, now["settings"])
    for part in sorted(code.keys() | now["code"].keys()):
        if code.get(part) != now["code"].get(part):
            reasons.append(_change_of(part, code, now["code"]))
    if not reasons and after != now["after"]:
        return f"follows {follows}"
    return join_reasons(reasons)


def _change_of(part, before, now):
    """Return "layers.Dense changed", "layers.Dense is new", "layers.py changed"."""
    name = part.rsplit("/", 1)[-1].replace(".py:", ".")
    in_before, in_now = (
        part in code or part in {other.partition(":")[0] for other in code}
        for code in (before, now)
    )
    if in_before and in_now:
        return f"{name} changed"
    return f"{name} is new" if in_now else f"{name} is no longer used"


def differing_settings(before, now):
    """Return how settings differ; those that only one side has are listed only if no others do."""
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
