"""Write a web page on which the trained network can be tried out."""

from snakefresh import recorded

from scratchnet.job import stage_job
from scratchnet.predict.demo import make_demo

with stage_job(snakemake), recorded(snakemake) as settings:
    make_demo(
        **dict(snakemake.input.items()),
        convolutions=settings.get("model.convolutions", ()),
        activation=settings.get("model.activation"),
        title=snakemake.wildcards.run,
        page=snakemake.output[0],
    )
