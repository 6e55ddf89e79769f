"""Write the trained network as a Keras model."""

from snakefresh import recorded

from scratchnet.interop.export import export_keras
from scratchnet.job import stage_job

with stage_job(snakemake), recorded(snakemake) as settings:
    export_keras(
        **dict(snakemake.input.items()),
        convolutions=settings.get("model.convolutions", ()),
        activation=settings.get("model.activation"),
        raw_pixels=settings["export.raw_pixels"],
        path=snakemake.output[0],
    )
