"""What the one-file scripts share: the data from the raw files, and the pictures at the end.

It is what people write who are in no need of stages: the same pictures as the pipeline's, drawn by
pyplot in the process that trained.
"""

import json
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np


def load(folder):
    """Images (n, 784) between 0 and 1 and labels (n,), of the training and of the test half."""
    arrays = []
    for half in ("train", "t10k"):
        images = np.fromfile(Path(folder) / f"{half}-images-idx3-ubyte", np.uint8)[16:]
        labels = np.fromfile(Path(folder) / f"{half}-labels-idx1-ubyte", np.uint8)[8:]
        arrays += [images.reshape(-1, 784).astype(np.float32) / 255, labels.astype(np.int64)]
    return arrays


def write_results(folder, losses, accuracies, W, X, labels, P):
    """Write metrics and pictures: W (10, 784), test images X (n, 784), probabilities P (n, 10)."""
    folder = Path(folder)
    plt.style.use("dark_background")
    plt.rcParams["savefig.dpi"] = 150
    predicted, confidence = P.argmax(axis=1), P.max(axis=1)
    accuracy = (predicted == labels).mean()
    confusion = np.zeros((10, 10), int)
    np.add.at(confusion, (labels, predicted), 1)
    test_loss = -np.log(P[np.arange(len(P)), labels]).mean()
    metrics = {"train_loss": losses[-1], "test_loss": test_loss, "test_accuracy": accuracy}
    (folder / "metrics.json").write_text(json.dumps({k: float(v) for k, v in metrics.items()}))

    _, axes = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
    for axis, name, values in zip(axes, ("loss", "accuracy"), (losses, accuracies)):
        axis.plot(range(1, len(values) + 1), values, marker=".")
        axis.set(title=name, xlabel="epoch")
        axis.grid(alpha=0.25)
    save(folder / "history.png")

    _, axis = plt.subplots(figsize=(8, 7), layout="constrained")
    shares = confusion / confusion.sum(axis=1, keepdims=True)
    plt.colorbar(axis.imshow(shares, cmap="cividis"))
    for (row, column), n in np.ndenumerate(confusion):
        if n:
            text = f"{n}\n{shares[row, column]:.1%}"
            axis.text(column, row, text, ha="center", va="center", fontsize=8)
    axis.set(xlabel="predicted", ylabel="label", xticks=range(10), yticks=range(10))
    save(folder / "confusion.png")

    bins = np.ceil(confidence * 10).astype(int)
    middles = np.unique(bins)
    right = [(predicted == labels)[bins == i].mean() for i in middles]
    _, axes = plt.subplots(2, 1, figsize=(6, 6.5), sharex=True, layout="constrained")
    axes[0].plot([confidence[bins == i].mean() for i in middles], right, marker="o")
    axes[0].bar(middles / 10 - 0.05, right, 0.09, alpha=0.35)
    axes[1].bar(middles / 10 - 0.05, [(bins == i).sum() for i in middles], 0.09)
    axes[1].set_yscale("log")
    save(folder / "calibration.png")

    wrong = np.flatnonzero(predicted != labels)
    wrong = wrong[np.argsort(-confidence[wrong])][:5]
    _, grid = plt.subplots(2, 5, figsize=(10, 4.4), layout="constrained")
    for (image, bars), i in zip(grid.T, wrong):
        image.imshow(X[i].reshape(28, 28), cmap="gray")
        image.set(title=f"{labels[i]}, taken for {predicted[i]}", xticks=[], yticks=[])
        best = np.argsort(-P[i])[:3]
        bars.barh(range(3), P[i][best])
        bars.set_yticks(range(3), best)
    save(folder / "misclassified.png")

    _, grid = plt.subplots(2, 5, figsize=(10, 4.6), layout="constrained")
    most = abs(W).max()
    for c, axis in enumerate(grid.flat):
        drawn = axis.imshow(W[c].reshape(28, 28), cmap="RdBu", vmin=-most, vmax=most)
        axis.set(title=c, xticks=[], yticks=[])
    plt.colorbar(drawn, ax=grid)
    save(folder / "weights.png")


def save(path):
    plt.savefig(path)
    plt.close()
