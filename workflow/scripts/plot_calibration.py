"""Plot accuracy against confidence."""

from snakefresh import recorded

from scratchnet.evaluation.plots import plot_calibration
from scratchnet.job import stage_job

with stage_job(snakemake), recorded(snakemake) as settings:
    plot_calibration(snakemake.input[0], snakemake.output[0], settings["plots.style"])
