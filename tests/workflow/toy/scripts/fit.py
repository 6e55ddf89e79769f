"""Fit a polynomial to the points."""

import json

from mylib.model import fit
from mylib.points import read_points
from scratchnet.fingerprint.jobs import recorded

with recorded(snakemake) as fingerprint:
    coefficients = fit(read_points(snakemake.input[0]), fingerprint["settings"]["degree"])
    with open(snakemake.output[0], "w") as file:
        json.dump(coefficients, file)
