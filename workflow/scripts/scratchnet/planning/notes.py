"""What is said of a configuration before its runs are made."""

from collections.abc import Mapping

from scratchnet.data.user_data import describe_left_out
from scratchnet.errors import shorten_list
from scratchnet.planning.config import describe_runs


def describe_plan(config: Mapping, runs: list[Mapping]) -> list[str]:
    """Return lines about the `runs` of `config`: which they are, and what is odd about them."""
    odd = dict.fromkeys([*map(_describe_data, runs), *map(describe_schedule, runs)])
    odd.pop("", None)
    return [line for line in [describe_runs(config, runs), *shorten_list([*odd], 5)] if line]


def _describe_data(run):
    """Return what is left out of a folder of image files, in a sentence, or ""."""
    left_out = describe_left_out(run["files"]) if run["files"] else ""
    return f"dataset: {run['dataset']} is without {left_out}" if left_out else ""


def describe_schedule(run: Mapping) -> str:
    """Return what a learning-rate schedule does that hardly anybody wants, in a sentence, or ""."""
    schedule, epochs = run["training.schedule"], run["training.epochs"]
    warmup = run.get("training.warmup_epochs", 0)
    if warmup >= epochs:
        return (
            f"training.warmup_epochs: training ends after {epochs} of the {warmup} epochs in which "
            "the learning rate rises: set it lower, or epochs higher"
        )
    if schedule == "constant":
        return ""
    length, rest = run["training.decay_epochs"], run["training.decay_rate"]
    epochs -= warmup  # in which the schedule counts
    if schedule == "exponential" and rest == 0:
        return (
            "training.schedule: with exponential and a decay_rate of 0, the learning rate is 0 "
            "after one step: set decay_rate above 0"
        )
    if schedule == "step" and epochs <= length:
        counted = "epochs - warmup_epochs" if warmup else "epochs"
        return (
            f"training.schedule: step never lowers the learning rate, since {counted} ({epochs}) "
            f"is not above decay_epochs ({length}): set decay_epochs to about {max(epochs // 3, 1)}"
        )
    if schedule == "cosine" and epochs > length and rest == 0:
        return (
            f"training.schedule: the learning rate is 0 after {warmup + length} of "
            f"{warmup + epochs} epochs, and the others change nothing: set decay_epochs to "
            f"{epochs} (trains from the start), or decay_rate above 0"
        )
    if schedule == "cosine" and epochs < length:
        return (
            f"training.schedule: training ends after {epochs} of the {length} epochs in which the "
            f"learning rate falls: set decay_epochs to {epochs}"
        )
    return ""
