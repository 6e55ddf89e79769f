"""Predict the classes of images with an already trained network."""

from snakefresh import recorded

from scratchnet.job import stage_job
from scratchnet.predict.predictions import predict

with stage_job(snakemake), recorded(snakemake) as settings:
    predict(
        images=snakemake.params.images,
        background=settings["predict.background"],
        run=settings["predict.run"],
        network=snakemake.params.network,
        hashes=snakemake.params.hashes,
        convolutions=settings.get("model.convolutions", ()),
        activation=settings["model.activation"],
        predictions=snakemake.output.predictions,
        contact_sheet=snakemake.output.contact_sheet,
    )
