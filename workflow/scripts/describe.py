"""Write the settings that a run depends on into its folder."""

from scratchnet import job
from scratchnet.settings import write_settings

with job.running(snakemake.log[0], snakemake.params.key) as settings:
    write_settings(settings, snakemake.output[0])
