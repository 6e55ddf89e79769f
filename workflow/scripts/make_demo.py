"""Write a web page on which the trained network can be tried out."""

from snakefresh import recorded

from scratchnet.evaluation.trained_network import TrainedNetwork
from scratchnet.job import stage_job
from scratchnet.predict.demo import make_demo

with stage_job(snakemake), recorded(snakemake) as settings:
    files = dict(snakemake.input.items())
    X_test, Y_test = files.pop("X_test"), files.pop("Y_test")
    make_demo(
        TrainedNetwork.load(**files, settings=settings),
        X_test,
        Y_test,
        title=snakemake.wildcards.run,
        page=snakemake.output[0],
    )
