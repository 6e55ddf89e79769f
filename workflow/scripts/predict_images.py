"""Predict the classes of images with an already trained network."""

from snakefresh import recorded

from scratchnet.evaluation.trained_network import TrainedNetwork
from scratchnet.job import stage_job
from scratchnet.predict.predictions import predict

with stage_job(snakemake), recorded(snakemake) as settings:
    files = dict(snakemake.params.network)
    X_test = files.pop("X_test")
    predict(
        images=snakemake.params.images,
        background=settings["predict.background"],
        network=TrainedNetwork.load(**files, settings=settings),
        X_test=X_test,
        run=settings["predict.run"],
        hashes=snakemake.params.hashes,
        predictions=snakemake.output.predictions,
        contact_sheet=snakemake.output.contact_sheet,
    )
