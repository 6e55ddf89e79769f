"""The model of this study."""

from snakefresh import recorded

import csv

POINTS = 50
DIGITS = 6


def linear_model(slope, x0, x):
    """Return the value of the line at x.

    slope: how fast it rises
    x0: its value at x = 0
    """
    return slope * x + x0


def inverse_model(slope, x0, y):
    """Return where the line has the value y."""
    return (y - x0) / slope


def compute(slope, x0, path):
    """Evaluate the model between 0 and 1, and write what comes out."""
    xs = [i / (POINTS - 1) for i in range(POINTS)]
    with open(path, "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["x", "y"])
        table.writerows([round(x, DIGITS), round(linear_model(slope, x0, x), DIGITS)] for x in xs)


if __name__ == "__main__":
    with recorded(snakemake):
        compute(
            slope=snakemake.params.slope,
            x0=snakemake.params.x0,
            path=snakemake.output[0],
        )
