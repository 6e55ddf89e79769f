"""Why a stage without a result runs: how its settings differ from those of the nearest run."""

from snakefresh.reasons import differing_settings, join_reasons

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from scratchnet.files import read_csv
from scratchnet.planning import paths
from scratchnet.planning.settings import read_settings
from scratchnet.planning.stage_settings import READS

NO_RESULT = "no result yet"
MAX_RUNS_COMPARED = 20
# The stages that a new setting reaches first, and the settings that decide what they make.
FIRST = {
    "download": READS["download"],
    "preprocess": READS["preprocess"],
    "plot_augmentation": (*READS["preprocess"], *READS["plot_augmentation"]),
    "train": (*READS["preprocess"], *READS["train"], "training.epochs"),
}


def explain_new_result(stage: str, settings: Mapping, previous: list) -> str:
    """Return how `settings` differ from those of the nearest of the `previous` runs."""
    if stage not in FIRST or not previous:
        return NO_RESULT
    present = {key: settings[key] for key in FIRST[stage] if key in settings}
    differences = [
        differing_settings({key: run[key] for key in FIRST[stage] if key in run}, present)
        for run in previous
    ]
    return join_reasons(min(differences, key=len)) or "its result is missing"


def read_previous_runs(root: str | Path) -> list:
    """Return the settings of the first runs in the summary; results/ lies in the folder `root`.

    They only explain why something runs: what is missing or damaged is left out.
    """
    runs = []
    with suppress(Exception):
        for row in read_csv(Path(root, paths.SUMMARY))[:MAX_RUNS_COMPARED]:
            with suppress(Exception):
                epoch = row["folder"][-4:]
                settings = paths.RUN_CONFIG.format(run=row["run"], epoch=epoch)
                runs.append(read_settings(Path(root, settings)))
    return runs
