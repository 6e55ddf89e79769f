"""Fit a polynomial to the points."""

from snakefresh import recorded  # isort: skip

import json

from mylib.model import fit
from mylib.points import read_points

with recorded(snakemake) as settings:
    coefficients = fit(read_points(snakemake.input[0]), settings["degree"])
    with open(snakemake.output[0], "w") as file:
        json.dump(coefficients, file)
