"""Write the settings of a run into its folder."""

from scratchnet.job import stage_job
from scratchnet.planning.settings import write_settings

with stage_job(snakemake) as settings:
    write_settings(settings, snakemake.output[0])
