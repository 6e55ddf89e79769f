"""Put all trials of a search in one table, and gather their curves."""

from snakefresh import recorded

from scratchnet.evaluation.ranking import compare_trials
from scratchnet.job import stage_job

with stage_job(snakemake), recorded(snakemake) as settings:
    compare_trials(
        rankings=[path for path in snakemake.input if path.endswith(".csv")],
        checkpoints=[path for path in snakemake.input if path.endswith(".npz")],
        rungs=settings["rungs"],
        trials_table=snakemake.output.trials,
        rungs_table=snakemake.output.rungs,
    )
