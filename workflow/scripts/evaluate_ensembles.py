"""Evaluate the ensembles of runs of a sweep that differ only in their seed."""

from snakefresh import recorded

from scratchnet.evaluation.ensembles import add_files, evaluate_ensembles
from scratchnet.job import stage_job

with stage_job(snakemake), recorded(snakemake) as settings:
    evaluate_ensembles(
        add_files(settings["rows"], settings["networks"], dict(snakemake.input.items())),
        ensembles=snakemake.output[0],
    )
