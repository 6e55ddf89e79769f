"""Predict the classes of images with the network of a run that was trained before."""

from scratchnet import job, predictions

with job.stage_job(snakemake) as settings:
    predictions.predict(
        images=snakemake.params.images,
        background=settings["predict.background"],
        network=snakemake.params.network,
        activation=settings["model.activation"],
        predictions=snakemake.output.predictions,
        contact_sheet=snakemake.output.contact_sheet,
    )
