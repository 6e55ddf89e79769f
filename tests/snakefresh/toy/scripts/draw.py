"""Draw the points and the polynomial."""

from snakefresh import recorded  # isort: skip

import json
from pathlib import Path

from mylib.points import read_points

with recorded(snakemake) as settings:
    colour = settings["colour"]
    title = Path(snakemake.input.title).read_text().strip()
    with open(snakemake.input.model) as file:
        model = json.load(file)
    dots = [
        f'<circle cx="{x}" cy="{y}" r="1" fill="{colour}"/>'
        for x, y in read_points(snakemake.input.points)
    ]
    with open(snakemake.output[0], "w") as file:
        file.write(f"<svg><title>{title}: {model}</title>{''.join(dots)}</svg>\n")
