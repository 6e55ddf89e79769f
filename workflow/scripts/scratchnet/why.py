"""Why a stage runs that has no result yet: what differs from the nearest earlier run."""

from scratchnet.files import read_csv
from scratchnet.fingerprint.differences import differing_settings, join_reasons
from scratchnet.fingerprint.stages import stage_before
from scratchnet.pipeline import STAGES, identity
from scratchnet.settings import read_settings

ENOUGH = 20  # earlier runs to compare a new one with


def new(stage, settings, previous):
    """What differs between `settings` and the nearest of the `previous` runs, for a new result.

    Later stages only say which stage they follow.
    """
    before = stage_before(STAGES, stage, settings)
    if before not in (None, "download", "preprocess"):
        return f"follows {before}"
    if not previous:
        return "for the first time"
    relevant = {key for own in identity(stage, settings).values() for key in own}
    if stage == "train":
        relevant.add("training.epochs")
    present = {key: settings[key] for key in relevant}
    differences = [
        differing_settings({key: run[key] for key in relevant if key in run}, present)
        for run in previous
    ]
    return join_reasons(min(differences, key=len)) or "its result is missing"


def previous_runs(summary):
    """The settings of the first runs in a summary.csv, as far as they were kept."""
    runs = []
    for row in read_csv(summary)[:ENOUGH] if summary.exists() else []:
        settings = summary.parent / "runs" / row["run"] / "config.yaml"
        if settings.exists():
            epochs = int(row["folder"][-4:])
            runs.append(read_settings(settings) | {"training.epochs": epochs})
    return runs
