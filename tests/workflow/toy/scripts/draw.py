"""Draw the points and the polynomial."""

import json

from mylib.points import read_points
from scratchnet.fingerprint.jobs import recorded

with recorded(snakemake) as fingerprint:
    colour = fingerprint["settings"]["colour"]
    with open(snakemake.input.model) as file:
        title = f"<title>{json.load(file)}</title>"
    dots = [
        f'<circle cx="{x}" cy="{y}" r="1" fill="{colour}"/>'
        for x, y in read_points(snakemake.input.points)
    ]
    with open(snakemake.output[0], "w") as file:
        file.write(f'<svg xmlns="http://www.w3.org/2000/svg">{title}{"".join(dots)}</svg>\n')
