"""Write the title of the drawing."""

from snakefresh import recorded  # isort: skip

with recorded(snakemake) as settings, open(snakemake.output[0], "w") as file:
    label, flavour = snakemake.config["label"], snakemake.params.flavour
    file.write(f"{settings['title']} {label} {flavour}\n")
