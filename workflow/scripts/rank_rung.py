"""Rank the trials of a rung of a search: the best go on to the next."""

from snakefresh import recorded

from scratchnet.evaluation.ranking import rank_rung
from scratchnet.job import stage_job

with stage_job(snakemake), recorded(snakemake) as settings:
    rank_rung(
        trials=settings["trials"],
        checkpoints=[path for path in snakemake.input if path.endswith(".npz")],
        rungs=settings["rungs"],
        patience=settings["training.patience"],
        ranking=snakemake.output[0],
    )
