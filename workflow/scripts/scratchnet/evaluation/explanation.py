"""What a network reacts to: data for plots of gradients, attacks, occlusion and hidden units."""

import numpy as np

from scratchnet.evaluation.thumbnails import first_of_each_class, shrink_image
from scratchnet.files import write_json
from scratchnet.nn.layers import softmax
from scratchnet.nn.losses import softmax_crossentropy
from scratchnet.nn.metrics import logits
from scratchnet.nn.network import Network
from scratchnet.pixel_range import restore_pixels

EPSILONS = (0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3)  # shares of the range of pixels
SHOWN_EPSILON = 0.1
MAX_POINTS = 1_000  # test images in the plot of the last layer
BATCH = 100  # images


def explain(network, X_test, Y_test, explanation):
    """Write the file `explanation` (.json) for a TrainedNetwork.

    `X_test` and `Y_test` are paths. It has, for the first test image of each class, a saliency map,
    an attack and an occlusion map; the accuracy of attacks of all test images by their strength;
    and the test images as points, by what reaches the last layer.
    """
    X, Y = np.load(X_test, mmap_mode="r"), np.load(Y_test, mmap_mode="r")
    built, shape, labels = network.build(), network.image_shape, Y.argmax(axis=0)
    shown, chosen = first_of_each_class(labels)
    images = X[:, chosen]
    gradients = input_gradients(built, images, Y[:, chosen])
    pixel_range = network.pixel_range
    attacked = attack(images, gradients, SHOWN_EPSILON, pixel_range)
    occluded = [occlusion_map(built, X[:, i], c, shape) for i, c in zip(chosen, shown)]
    before, after = (logits(built, array).argmax(axis=0) for array in (images, attacked))
    write_json(
        explanation,
        {
            "epsilon": SHOWN_EPSILON,
            "images": [
                {
                    "class": network.classes[c],
                    "predicted": network.classes[before[i]],
                    "predicted_after_attack": network.classes[after[i]],
                    "pixels": _to_list(restore_pixels(images[:, i], pixel_range), shape),
                    "saliency": _to_list(saliency(gradients[:, i], shape), shape[:2]),
                    "occlusion": _to_list(occluded[i], shape[:2]),
                    "attacked": _to_list(restore_pixels(attacked[:, i], pixel_range), shape),
                }
                for i, c in enumerate(shown)
            ],
            "attacks": attack_all(built, X, Y, pixel_range),
            "points": project(built, X[:, :MAX_POINTS], labels, network.classes),
        },
    )


def input_gradients(network, X, Y):
    """Return dL/dX (n_in, b): how each pixel changes the loss of its image."""
    loss_gradient = softmax_crossentropy(network.forward(X), Y)[1]
    return network.input_gradient(loss_gradient) * X.shape[1]  # L is the mean over the images


def saliency(gradient, shape):
    """Return the largest |gradient| of each pixel over its channels (Simonyan et al. 2014)."""
    return abs(gradient).reshape(*shape[:2], -1).max(axis=2)


def attack(X, gradients, epsilon, pixel_range):
    """Return X (n_in, b) with each pixel moved to where the loss rises (Goodfellow et al. 2015).

    That is the fast gradient sign method. A pixel moves by `epsilon` times the distance from black
    to white, which are the `pixel_range`, and not beyond them.
    """
    black, white = pixel_range
    step = X.dtype.type(epsilon * (white - black))
    return np.clip(X + step * np.sign(gradients), np.minimum(X, black), np.maximum(X, white))


def attack_all(network, X, Y, pixel_range):
    """Return the accuracy on X (n_in, n) after attacks of each strength, as rows."""
    n_right = np.zeros(len(EPSILONS), int)
    for i in range(0, X.shape[1], BATCH):
        part, labels = np.array(X[:, i : i + BATCH]), Y[:, i : i + BATCH].argmax(axis=0)
        gradients = input_gradients(network, part, Y[:, i : i + BATCH])
        for j, epsilon in enumerate(EPSILONS):
            Z = logits(network, attack(part, gradients, epsilon, pixel_range))
            n_right[j] += np.count_nonzero(Z.argmax(axis=0) == labels)
    return [
        {"epsilon": epsilon, "accuracy": int(n) / X.shape[1]}
        for epsilon, n in zip(EPSILONS, n_right)
    ]


def occlusion_map(network, x, label, shape):
    """Return the probability of class `label` with each part of an image covered (height, width).

    A square of about a fifth of the image, of its mean colour, is moved over the image x (n_in,)
    (Zeiler and Fergus 2014). A pixel has the mean of the probabilities with a square on it.
    """
    image = x.reshape(*shape[:2], -1)
    height, width, _ = image.shape
    side = max(1, min(height, width) // 5)
    step = max(1, side // 2)
    corners = [
        (i, j)
        for i in range(0, height - side + step, step)
        for j in range(0, width - side + step, step)
    ]
    covered = np.repeat(image[np.newaxis], len(corners), axis=0)
    for each, (i, j) in zip(covered, corners):
        each[i : i + side, j : j + side] = image.mean(axis=(0, 1))
    Z = logits(network, covered.reshape(len(corners), -1).T)
    sums, counts = np.zeros((2, height, width))
    for (i, j), p in zip(corners, softmax(Z)[label]):
        sums[i : i + side, j : j + side] += p
        counts[i : i + side, j : j + side] += 1
    return sums / counts


def project(network, X, labels, classes):
    """Return X (n_in, n) as points: the two principal components of what reaches the last layer.

    Without hidden layers, that is the pixels. The coordinates follow from the products of all pairs
    of images, of which there are fewer than pairs of pixels.
    """
    *inner, _ = network.layers
    starts = range(0, X.shape[1], BATCH)
    parts = [Network(inner).forward(np.array(X[:, i : i + BATCH])) for i in starts]
    hidden = np.concatenate(parts, axis=1).astype(float)
    hidden -= hidden.mean(axis=1, keepdims=True)
    squares, directions = np.linalg.eigh(hidden.T @ hidden)  # the largest come last
    largest = [*squares[:-3:-1].clip(0), 0.0][:2]  # there is only one if there is one image
    axes = [*directions.T[:-3:-1], 0 * directions[0]][:2]
    x, y = (axis * np.sqrt(square) for axis, square in zip(axes, largest))
    return {
        "of": "what reaches the last layer" if inner else "the pixels",
        "explained": [float(square / (squares.clip(0).sum() or 1)) for square in largest],
        "x": x.round(4).tolist(),
        "y": y.round(4).tolist(),
        "class": [classes[c] for c in labels[: X.shape[1]]],
    }


def _to_list(array, shape):
    return shrink_image(array.reshape(shape)).astype(float).round(5).tolist()
