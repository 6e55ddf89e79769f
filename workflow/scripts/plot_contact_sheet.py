"""Plot the images as the network received them, with their predicted classes."""

from snakefresh import recorded

from scratchnet.evaluation.plots import plot_contact_sheet
from scratchnet.job import stage_job

with stage_job(snakemake), recorded(snakemake) as settings:
    plot_contact_sheet(snakemake.input[0], snakemake.output[0], settings["plots.style"])
