"""Publish a run on an MLflow server."""

from snakefresh import recorded

from scratchnet.interop.publish import publish_run
from scratchnet.job import stage_job
from scratchnet.planning.settings import read_settings

with stage_job(snakemake), recorded(snakemake) as settings:
    files = dict(snakemake.input.items())
    publish_run(
        snakemake.output[0],
        name=f"{snakemake.wildcards.run}-epoch-{snakemake.wildcards.epoch}",
        pictures=files.pop("pictures"),
        settings=read_settings(snakemake.input.config),
        files=files,
        server=snakemake.params.server,
        experiment=snakemake.params.experiment,
    )
