"""Ranking the trials of a search on validation images: who goes on, and what came of each."""

import logging
import math
from pathlib import Path

from scratchnet.errors import DivergenceError
from scratchnet.files import read_csv, write_rows
from scratchnet.training.checkpoints import load_outcome

log = logging.getLogger(__name__)


def rank_rung(trials, checkpoints, rungs, patience, ranking):
    """Write the table `ranking` (rung-N.csv) of the trials of a rung, the best first.

    Each of `trials` has its number, its run, and its searched values. `checkpoints` has the path of
    a checkpoint of each that is in this rung, after its epochs or later. `rungs` has the epochs and
    the share that goes on, up to this rung. The lowest validation loss is the best; the trial with
    the lower number goes first in a tie, and those that diverged come last and do not go on. With a
    `patience`, the loss of a trial is that of its best epoch so far. Raises DivergenceError if all
    have diverged.
    """
    epochs, keep = rungs[-1]
    outcomes = {_run_of(path): _outcome(path, epochs, patience) for path in checkpoints}
    found = [
        {"trial": trial["trial"], "run": trial["run"], **trial["values"], **outcomes[trial["run"]]}
        for trial in trials
        if trial["run"] in outcomes
    ]
    found.sort(key=lambda row: row["validation_loss"])  # a tie leaves the order of the trials
    n_kept = math.floor(keep * len(found) + 1e-9) if keep else 1  # 0.29 * 100 is below 29
    rows = [
        {"rank": rank, **row, **_decide(row, rank, found, max(n_kept, 1), keep)}
        for rank, row in enumerate(found, start=1)
    ]
    if not any(row["goes_on"] == "yes" for row in rows):
        raise DivergenceError(
            f"all {len(rows)} trials diverged, the first of them in this way: {rows[0]['why']}. "
            "Search lower learning rates."
        )
    for row in rows:
        log.info("trial %d: %s", row["trial"], row["why"])
        row["validation_loss"] = "" if row["diverged"] else row["validation_loss"]
        del row["diverged"]
    write_rows(ranking, rows)


def _run_of(checkpoint):
    """The run that a checkpoint, RUN/checkpoints/epoch-NNNN.npz, belongs to."""
    return Path(checkpoint).parts[-3]


def _outcome(checkpoint, epochs, patience):
    """Return the validation loss after `epochs` epochs, infinite if training diverged, and how."""
    history, why = load_outcome(checkpoint)
    losses = history["val_loss"][:epochs]
    if why and len(losses) < epochs:
        how = f"diverged in epoch {len(losses) + 1}: {why}"
        return {"validation_loss": math.inf, "diverged": how}
    return {"validation_loss": min(losses) if patience else losses[-1], "diverged": ""}


def _decide(row, rank, ranked, n_kept, keep):
    """Return whether the trial in `row` goes on, and why; from the last rung, `keep` is None."""
    if row["diverged"]:
        return {"goes_on": "no", "why": row["diverged"]}
    best = f"the best {n_kept} of {len(ranked)}" if keep else "the lowest validation loss"
    if rank <= n_kept:
        return {"goes_on": "yes", "why": f"among {best}" if keep else best}
    last = ranked[n_kept - 1]
    if row["validation_loss"] == last["validation_loss"]:
        return {"goes_on": "no", "why": f"tied with trial {last['trial']}, which comes before it"}
    return {"goes_on": "no", "why": f"not among {best}" if keep else f"not {best}"}


def compare_trials(rankings, checkpoints, rungs, trials_table, rungs_table):
    """Write the tables `trials_table` (trials.csv) and `rungs_table` (rungs.csv) of a search.

    `rankings` has the paths of the rankings of all `rungs`. trials.csv has a row for each trial,
    the best first: those that came to a later rung come before the others, each with what its last
    ranking says. rungs.csv has the validation loss of each trial in each of its epochs.
    """
    rows = {}
    for (epochs, _), ranking in reversed([*zip(rungs, rankings)]):
        for row in read_csv(ranking):
            if row["trial"] not in rows:
                del row["rank"], row["goes_on"]
                result = {name: row.pop(name) for name in ("validation_loss", "why")}
                rows[row["trial"]] = row | {"epochs": epochs} | result
    rows = [{"rank": rank, **row} for rank, row in enumerate(rows.values(), start=1)]
    write_rows(trials_table, rows)
    longest = {_run_of(path): path for path in sorted(checkpoints)}
    write_rows(
        rungs_table,
        (
            {**{name: row[name] for name in ("rank", "trial", "run")}, "epoch": i, "val_loss": loss}
            for row in rows
            for losses in [load_outcome(longest[row["run"]])[0]["val_loss"][: row["epochs"]]]
            for i, loss in enumerate(losses, start=1)
        ),
    )
