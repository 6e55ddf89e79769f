"""Drop the points that are too high."""

from mylib.points import read_points, write_points
from scratchnet.fingerprint.jobs import recorded

with recorded(snakemake) as fingerprint:
    points = read_points(snakemake.input[0])
    threshold = fingerprint["settings"]["threshold"]
    write_points(snakemake.output[0], [(x, y) for x, y in points if y <= threshold])
