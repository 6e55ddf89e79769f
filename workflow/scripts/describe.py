"""Write the settings that a run depends on into its folder."""

from scratchnet import job
from scratchnet.settings import write_settings

with job.stage_job(snakemake) as settings:
    write_settings(settings, snakemake.output[0])
