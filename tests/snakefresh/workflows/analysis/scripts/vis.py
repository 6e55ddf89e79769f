"""Pictures of the results."""

from snakefresh import recorded

import csv

SIZE = 400


def path_of(points):
    """Return points, scaled to the picture, as the path of an SVG."""
    top = max(y for _, y in points) or 1
    return "M" + " L".join(f"{SIZE * x:.0f},{SIZE * (1 - y / top):.0f}" for x, y in points)


def visualise(path_to_results, path_to_figure):
    """Draw the results as a line."""
    with open(path_to_results, newline="") as file:
        points = [(float(row["x"]), float(row["y"])) for row in csv.DictReader(file)]
    with open(path_to_figure, "w") as file:
        file.write(f'<svg width="{SIZE}" height="{SIZE}"><path d="{path_of(points)}"/></svg>\n')


if __name__ == "__main__":
    with recorded(snakemake):
        visualise(
            path_to_results=snakemake.input.results[0],
            path_to_figure=snakemake.output[0],
        )
