"""Write the settings that a run depends on into its folder."""

from scratchnet import config, job

with job.running(snakemake.log[0], snakemake.params.key) as settings:
    config.write_settings(settings, snakemake.output[0])
