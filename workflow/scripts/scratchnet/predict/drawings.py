"""Convert drawings, and photographs of drawings, to images like those of a dataset.

The demo page (demo.html) has the same function as `normalise_drawing`, in JavaScript.
"""

import numpy as np

BORDER_WIDTH = 0.04  # of an image, as a fraction of its longer side
OUTLIERS = 0.0002  # fraction of pixels to ignore at either end of the range of brightness
MAX_SPECK = 0.03  # a separate part with at most this fraction of all ink is removed
MIN_CONTRAST = 0.1  # fainter drawings do not show whether the paper is dark or light


def measure_drawing_style(images):
    """Return how objects are drawn in `images` (n, height, width) or (n, height, width, 3), 0 to 1.

    The result is a dict. "background" is the brightness of the background, 0 or 1. "size" is the
    median of the longer side of an object's bounding box, as a fraction of the image. "centre" is
    the mean of the centres of mass, [x, y] in pixels from the top left corner. For MNIST they are
    0, 20 / 28 and about [14.5, 14.5].
    """
    grey = images.reshape(*images.shape[:3], -1).mean(axis=3)
    height, width = grey.shape[1:]
    border = np.concatenate([grey[:, [0, -1]].ravel(), grey[:, :, [0, -1]].ravel()])
    background = int(np.median(border) > 0.5)
    ink = np.where(abs(grey - background) > 0.2, abs(grey - background), 0)
    ink = ink[ink.any(axis=(1, 2))]
    if not len(ink):
        return {"background": background, "size": 1.0, "centre": [width / 2, height / 2]}
    size, centre = [], []
    for axis, side in ((1, width), (2, height)):
        along = ink.sum(axis=axis)
        first, last = (along > 0).argmax(axis=1), side - (along > 0)[:, ::-1].argmax(axis=1)
        size.append((last - first) / side)
        centre.append(float(np.mean(along @ (np.arange(side) + 0.5) / along.sum(axis=1))))
    size = float(np.median(np.maximum(*size)))
    return {"background": background, "size": size, "centre": centre}


def extract_ink(image, background=None):
    """Return the ink (height, width), 0 to 1, of a drawing on a grey image (height, width), 0 to 1.

    The brightness of the paper is fitted to the border of the image as a quadratic polynomial, so
    the light may be uneven and fall off towards the edges. Differences as small as the noise of the
    paper are not ink. `background` says whether the paper is dark (0) or light (1); None detects
    it.
    """
    height, width = image.shape
    edge = max(1, round(BORDER_WIDTH * max(image.shape)))
    border = np.ones(image.shape, bool)
    border[edge : height - edge, edge : width - edge] = False
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    light = np.stack([np.ones_like(x), x, y, x * x, y * y], axis=-1)
    typical = np.quantile(image[border], 0.5, method="nearest")  # so that `paper` is not empty
    paper = border & (abs(image - typical) < 0.25)  # without lines that cross the border
    coefficients, *_ = np.linalg.lstsq(light[paper], image[paper])
    difference = image - light @ coefficients
    if background is None:
        background = int(is_dark_on_light(difference, typical))
    ink = -difference if background else difference
    ink = remove_specks((ink - 3 * np.quantile(abs(difference[paper]), 0.95)).clip(0))
    # Full ink is the 90th percentile, weighted by ink: higher values may be noise in a few pixels.
    full = np.quantile(ink, 0.9, weights=ink, method="inverted_cdf") if ink.any() else 0
    return (ink / full).clip(max=1) if full > 0.02 else np.zeros_like(ink)


def remove_specks(ink):
    """Return `ink` (height, width) without small parts that are separate from the drawing.

    Parts are separate if an empty row or column lies between them.
    """
    for axis in (1, 0, 1):
        along = ink.sum(axis=axis)
        is_inked = along > 0
        part = np.cumsum(np.diff(is_inked, prepend=False) & is_inked)
        shares = np.bincount(part, weights=along) / max(along.sum(), 1e-9)
        ink = ink * np.expand_dims(shares[part] > MAX_SPECK, axis)
    return ink


def is_dark_on_light(difference, paper):
    """Return whether the drawing is darker than the paper.

    `difference` (height, width) is the brightness minus that of the paper. Without a drawing, the
    answer is whether the brightness of the paper, `paper`, exceeds 0.5.
    """
    low, high = np.quantile(difference, [OUTLIERS, 1 - OUTLIERS])
    return -low > high if max(-low, high) > MIN_CONTRAST else paper > 0.5


def normalise_drawing(ink, style, height, width):
    """Return the drawing `ink` (h, w), 0 to 1, as an image (height, width) like those of a dataset.

    The drawing is cropped to its bounding box, scaled to the size of those in the dataset, and
    centred by its centre of mass. `style` is the result of `measure_drawing_style`.
    """
    along_y, along_x = ink.sum(axis=1), ink.sum(axis=0)
    if not along_y.any():
        return np.zeros((height, width))
    sides = [np.ptp(np.flatnonzero(along)) + 1 for along in (along_y, along_x)]
    scale = style["size"] * min(height / sides[0], width / sides[1])
    centre_x, centre_y = style["centre"]
    rows = _overlaps(along_y, scale, height, centre_y)
    columns = _overlaps(along_x, scale, width, centre_x)
    return (rows @ ink @ columns.T).clip(max=1)


def _overlaps(mass, scale, n, centre):
    """Return the overlap of each of `n` image pixels with each scaled ink pixel along one axis.

    The result has shape (n, len(mass)). `mass` is the ink summed over the other axis. Its centre is
    moved to `centre`, or as near as possible: the bounding box starts at a whole pixel, as in
    MNIST, and stays within the image.
    """
    dots = np.arange(len(mass))
    low, high = np.flatnonzero(mass)[[0, -1]]
    mean = mass @ (dots + 0.5) / mass.sum()
    last = np.floor(n - (high + 1 - low) * scale + 1e-6)  # the last possible start
    start = min(max(np.floor(centre - (mean - low) * scale + 0.5), 0), last)
    starts = (dots - low) * scale + start
    pixels = np.arange(n)[:, np.newaxis]
    return (np.minimum(starts + scale, pixels + 1) - np.maximum(starts, pixels)).clip(0)
