"""What the first convolution of a network looks for, and what it finds: data for a plot."""

from scratchnet.evaluation.thumbnails import first_of_each_class, shrink_image
from scratchnet.nn.convolution import Conv2D
from scratchnet.nn.layers import Dense
from scratchnet.pixel_range import restore_pixels

MAX_FILTERS = 16  # whose weights and feature maps are stored as images


def describe_filters(network, X, labels, classes, shape, pixel_range=(0, 1)):
    """Return the filters of the first convolution, and the feature maps of one image of each class.

    The first MAX_FILTERS filters are images of (kernel, kernel), or (kernel, kernel, 3) in colour.
    A feature map is what the first block of the network, from its convolution to its pooling, makes
    of an image for one filter. The images are the first one of each class in X (pixels, n), which
    have the given `shape` and `pixel_range`, the values of black and white; `labels` (n,) are the
    indices of their `classes`. What is large is shrunk by `shrink_image`.
    """
    convolution = network.layers[0]
    filters = convolution.params["W"][:, :-1].reshape(-1, *[convolution.kernel] * 2, *shape[2:])
    shown, chosen = first_of_each_class(labels)
    images = X[:, chosen]
    maps = _first_block(network, images)
    images = restore_pixels(images, pixel_range)
    return {
        "outputs": len(filters),
        "images": [
            {"filter": i, "weights": _to_list(shrink_image(W))}
            for i, W in enumerate(filters[:MAX_FILTERS])
        ],
        "classes": [
            {
                "class": classes[c],
                "pixels": _to_list(shrink_image(images[:, i].reshape(shape))),
                "maps": [_to_list(shrink_image(each)) for each in maps[:MAX_FILTERS, :, :, i]],
            }
            for i, c in enumerate(shown)
        ],
    }


def _first_block(network, X):
    """Return the feature maps (filters, height, width, b) of images X (pixels, b)."""
    convolution, *others = network.layers
    X, shape = convolution.forward(X), convolution.output_shape
    for layer in others:
        if isinstance(layer, (Conv2D, Dense)):
            break
        X = layer.forward(X)
        shape = getattr(layer, "output_shape", shape)
    return X.reshape(*shape, -1).transpose(2, 0, 1, 3)


def _to_list(array):
    return array.astype(float).round(4).tolist()
