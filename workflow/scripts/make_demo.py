"""Write a page on which the trained network can be tried out."""

from scratchnet import demo, job

with job.stage_job(snakemake) as settings:
    demo.make_demo(
        **dict(snakemake.input.items()),
        activation=settings.get("model.activation"),
        title=snakemake.wildcards.run,
        page=snakemake.output[0],
    )
