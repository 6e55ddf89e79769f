# Who goes on in a search: the functions that read the rankings of its rungs.
#
# All trials follow from the configuration. Only which of them are in a rung is not known before the
# rung before it is ranked. So `rank_rung` is one of Snakemake's checkpoints. A function below that
# needs a ranking which this call makes anew raises Snakemake's exception for that; Snakemake makes
# the ranking, and then calls the input functions behind it once more, in the same process.
from scratchnet.planning.search import read_promoted, read_ranked


def runs_in_rung(rung):
    """The runs of the trials in a rung. Behind the last one, there is the winner alone."""
    if rung == 1:
        return [trial["run"] for trial in RUNS.search.trials]
    # A current ranking says itself who is in it, even if the one before it was deleted.
    if rung <= len(RUNS.search.rungs) and inputs_of_ranking(rung):
        return read_ranked(ranking_of(RUNS.search.wildcards[rung - 1]))
    before = RUNS.search.wildcards[rung - 2]
    if watched.runs("rank_rung", before):
        checkpoints.rank_rung.get(**before)  # raises, unless it has run
    return read_promoted(ranking_of(before))


def ranking_of(rung):
    """The path of the ranking of a rung that is current, which must not be damaged."""
    return watched.check(f"{ROOT}{paths.RANKING.format(**rung)}")


def inputs_of_ranking(rung):
    """The inputs of a ranking that is current, by its record; else nothing."""
    if watched.forces:
        return []
    wildcards = RUNS.search.wildcards[rung - 1]
    return (watched.inputs_by_record("rank_rung", wildcards) or {}).get("", [])


def evaluated_runs():
    """The Runs whose results are asked for: all, or of a search the winner's alone."""
    if not RUNS.search:
        return RUNS
    (winner,) = runs_in_rung(len(RUNS.search.rungs) + 1)
    return RUNS.only(winner)


# ---- Inputs.


def ranking_before(wildcards):
    """The ranking of the rung before, if there is one."""
    rung = int(wildcards["rung"])
    return paths.RANKING.format(**RUNS.search.wildcards[rung - 2]) if rung > 1 else []


def checkpoints_of_rung(wildcards):
    """A checkpoint of each trial in a rung, after its epochs.

    A later one, of a sweep or of another search, has the losses of all epochs before as well.
    """
    if inputs := inputs_of_ranking(int(wildcards["rung"])):
        return [path for path in inputs if path.endswith(".npz")]
    epochs = RUNS.search.epochs[int(wildcards["rung"]) - 1]
    return [
        paths.CHECKPOINT.format(run=run, epoch=paths.epoch_name(min(later, default=epochs)))
        for run in runs_in_rung(int(wildcards["rung"]))
        for later in [[epoch for epoch in current_epochs(run) if epoch >= epochs]]
    ]


def all_rankings(wildcards):
    return [paths.RANKING.format(**rung) for rung in RUNS.search.wildcards]


def checkpoints_of_all_rungs(wildcards):
    found = [path for rung in RUNS.search.wildcards for path in checkpoints_of_rung(rung)]
    return list(dict.fromkeys(found))
