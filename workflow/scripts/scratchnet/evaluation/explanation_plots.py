"""Plots of what a network reacts to, each from the file that `explanation.explain` writes."""

import numpy as np
from matplotlib.ticker import PercentFormatter

from scratchnet.evaluation.figures import image_grid, save_figure, show_frame, show_image
from scratchnet.files import read_json

MARKERS = "osv^D*XPd<"  # points of different classes do not differ by their colour alone


def plot_saliency(explanation, picture, style):
    """Plot an image of each class, its saliency map and its occlusion map, one below the other."""
    images = read_json(explanation)["images"]
    with save_figure(picture, style, figsize=(max(7.5, 1.1 * len(images) + 1.2), 4.4)) as figure:
        grid = image_grid(figure, 3, len(images))
        for i, image in enumerate(images):
            for axes in grid[:, i]:
                show_frame(axes)
            grid[0, i].set_title(image["class"], fontsize=10, pad=3)
            show_image(grid[0, i], image["pixels"])
            grid[1, i].imshow(image["saliency"], cmap="magma")
            grid[2, i].imshow(image["occlusion"], cmap="viridis", vmin=0, vmax=1)
        for axes, label in zip(grid[:, 0], ("image", "saliency", "covered")):
            axes.set_ylabel(label, fontsize=10)
        figure.suptitle(
            "Middle: how much each pixel changes the loss (bright: most)\n"
            "Bottom: the probability of the class with the place covered (dark: 0, bright: 1)"
        )


def plot_attacks(explanation, picture, style):
    """Plot the accuracy by the strength of attacks, and an attacked image of each class."""
    found = read_json(explanation)
    images, attacks = found["images"], found["attacks"]
    with save_figure(picture, style, figsize=(10, 5)) as figure:
        top, bottom = figure.subfigures(2, 1, height_ratios=[1.8, 1])
        axes = top.subplots()
        x = [row["epsilon"] for row in attacks]
        axes.plot(x, [row["accuracy"] for row in attacks], marker="o")
        axes.set(
            title="Accuracy on test images after an attack",
            xlabel="epsilon: how far each pixel is moved, as a share of the range of pixels",
            ylabel="accuracy",
            ylim=(0, 1),
        )
        axes.yaxis.set_major_formatter(PercentFormatter(1))
        axes.grid(alpha=0.25)
        for axes, image in zip(image_grid(bottom, 1, len(images))[0], images):
            show_frame(axes)
            show_image(axes, image["attacked"])
            names = image["predicted"], image["predicted_after_attack"]
            axes.set_title(" → ".join(dict.fromkeys(names)), fontsize=10, pad=3)
        strength = f"{found['epsilon']:g}"
        bottom.suptitle(f"Attacked with epsilon {strength}: predicted class before → after")


def plot_hidden_units(explanation, picture, style):
    """Plot the test images as points, coloured by class, in their two principal components."""
    points = read_json(explanation)["points"]
    x, y, classes = (np.array(points[name]) for name in ("x", "y", "class"))
    with save_figure(picture, style, figsize=(8, 6.4)) as figure:
        axes = figure.subplots()
        names, drawn = sorted({*points["class"]}), []
        for i, name in enumerate(names):
            chosen = classes == name
            look = {"marker": MARKERS[i % len(MARKERS)], "color": f"C{i % 5}"}
            drawn.append(axes.scatter(x[chosen], y[chosen], s=14, alpha=0.6, linewidths=0, **look))
        shares = [f"{share:.0%}" for share in points["explained"]]
        axes.set(
            title=f"{len(x):,} test images by {points['of']}",
            xlabel=f"first principal component ({shares[0]} of the variance)",
            ylabel=f"second ({shares[-1]})",
        )
        if len(names) <= 20:
            # With labels, not those of the points: it would leave out those that begin with "_".
            where = {"loc": "center left", "bbox_to_anchor": (1, 0.5)}
            axes.legend(drawn, names, markerscale=1.6, **where)
