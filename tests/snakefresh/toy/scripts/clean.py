"""Drop the points that are too high."""

from snakefresh import recorded  # isort: skip

from mylib.points import read_points, write_points

with recorded(snakemake) as settings:
    points = read_points(snakemake.input[0])
    threshold = settings["threshold"]
    write_points(snakemake.output[0], [(x, y) for x, y in points if y <= threshold])
