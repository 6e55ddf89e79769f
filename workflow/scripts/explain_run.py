"""Compute what the trained network reacts to."""

from snakefresh import recorded

from scratchnet.evaluation.explanation import explain
from scratchnet.evaluation.trained_network import TrainedNetwork
from scratchnet.job import stage_job

with stage_job(snakemake), recorded(snakemake) as settings:
    files = dict(snakemake.input.items())
    X_test, Y_test = files.pop("X_test"), files.pop("Y_test")
    explain(
        TrainedNetwork.load(**files, settings=settings),
        X_test,
        Y_test,
        explanation=snakemake.output[0],
    )
