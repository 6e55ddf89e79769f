"""Why a stage runs, in words that name the setting or the file: what `snakemake -n` shows."""

import json

from scratchnet.files import read_csv
from scratchnet.pipeline import STAGES, identity
from scratchnet.settings import read_settings

MOST = 3  # reasons to name
ENOUGH = 20  # earlier runs to compare a new one with


def changed(stage, before, now):
    """What differs between two keys of a stage, the recorded one and the present one."""
    before, now = json.loads(before), json.loads(now)
    if before["settings"].get("rows") != now["settings"].get("rows"):
        return "other runs"
    reasons = _differences(before["settings"], now["settings"])
    for path in sorted(before["code"].keys() | now["code"].keys()):
        if before["code"].get(path) != now["code"].get(path):
            in_both = path in before["code"] and path in now["code"]
            verb = "changed" if in_both else "is new" if path in now["code"] else "is not used now"
            reasons.append(f"{path.rsplit('/', 1)[-1]} {verb}")
    if not reasons and before["after"] != now["after"]:
        return f"follows {STAGES[stage].after}"
    return _join(reasons)


def new(stage, settings, previous):
    """What differs between `settings` and the nearest of the `previous` runs, for a new result.

    Later stages only say which stage they follow.
    """
    if STAGES[stage].after not in (None, "download", "preprocess"):
        return f"follows {STAGES[stage].after}"
    if not previous:
        return "for the first time"
    relevant = {key for own in identity(stage, settings).values() for key in own}
    if stage == "train":
        relevant.add("training.epochs")
    present = {key: settings[key] for key in relevant}
    differences = [
        _differences({key: run[key] for key in relevant if key in run}, present) for run in previous
    ]
    return _join(min(differences, key=len)) or "its result is missing"


def previous_runs(summary):
    """The settings of the first runs in a summary.csv, as far as they were kept."""
    runs = []
    for row in read_csv(summary)[:ENOUGH] if summary.exists() else []:
        settings = summary.parent / "runs" / row["run"] / "config.yaml"
        if settings.exists():
            epochs = int(row["folder"][-4:])
            runs.append(read_settings(settings) | {"training.epochs": epochs})
    return runs


def _differences(before, now):
    """What differs in settings that both have; only if nothing does, in those that one has."""
    for keys in (before.keys() & now.keys(), before.keys() ^ now.keys()):
        differences = [
            f"{key}: {_text(before.get(key))} -> {_text(now.get(key))}"
            for key in sorted(keys)
            if before.get(key) != now.get(key)
        ]
        if differences:
            break
    return differences


def _text(value):
    return value if isinstance(value, str) else json.dumps(value)


def _join(reasons):
    more = len(reasons) - MOST
    return ", ".join([*reasons[:MOST], *([f"{more} more"] if more > 0 else [])])
