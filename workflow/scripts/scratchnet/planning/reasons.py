"""Why a stage without a result runs: how its settings differ from those of the nearest run."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from scratchnet.files import read_csv
from scratchnet.fingerprint.differences import differing_settings, join_reasons
from scratchnet.fingerprint.stages import stage_before
from scratchnet.planning import paths
from scratchnet.planning.settings import read_settings
from scratchnet.planning.stages import STAGES, identity

MAX_RUNS_COMPARED = 20


def explain_new_result(stage: str, settings: Mapping, previous: list) -> str:
    """Return how `settings` differ from those of the nearest of the `previous` runs.

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


def read_previous_runs(results: str | Path) -> list:
    """Return the settings of the first runs in the summary in the folder `results`."""
    runs = []
    with suppress(FileNotFoundError):
        for row in read_csv(paths.relocate(paths.SUMMARY, results))[:MAX_RUNS_COMPARED]:
            with suppress(FileNotFoundError):
                epoch = row["folder"][-4:]
                path = paths.relocate(paths.RUN_CONFIG.format(run=row["run"], epoch=epoch), results)
                runs.append(read_settings(path) | {"training.epochs": int(epoch)})
    return runs
