"""Write the trained network as plain arrays, and what they are."""

from scratchnet import export, job

with job.stage_job(snakemake) as settings:
    export.export_npz(
        **dict(snakemake.input.items()),
        activation=settings.get("model.activation"),
        title=snakemake.wildcards.run,
        path=snakemake.output.arrays,
        readme=snakemake.output.readme,
    )
