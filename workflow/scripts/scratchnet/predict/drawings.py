"""Drawings and photographs of drawings, converted to images like those of a dataset.

The demo page (demo.html) does the same as `normalise_drawing` in JavaScript.
"""

import numpy as np

BORDER = 0.04  # width of the border of an image, as a fraction of its longer side
OUTLIERS = 0.0002  # fraction of pixels to ignore at either end of the range of brightness
SPECKS = 0.03  # fraction of all ink up to which a separate part is removed
FAINT = 0.1  # smaller differences from the paper do not show whether the paper is light


def measure_drawing_style(images):
    """Return how objects are drawn in `images` (n, height, width) or (n, height, width, 3), 0 to 1.

    The result is a dict. "background" is the brightness of the background, 0 or 1. "size" is the
    longer side of the bounding box of the object, as a fraction of the image (the median).
    "centre" is the mean of the centre of mass, (x, y) in pixels from the corner. For MNIST they are
    0, 20 / 28 and (14.5, 14.5).
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
    """Return the drawing on a grey image (height, width), 0 to 1, as ink (height, width), 0 to 1.

    The brightness of the paper is estimated from the border of the image, as a polynomial: it may
    vary across the image and fall off towards its edges. Differences as small as those within the
    paper are not ink. `background` says whether the paper is dark (0) or light (1); None means
    light if the drawing is darker than the paper.
    """
    height, width = image.shape
    edge = max(1, round(BORDER * max(image.shape)))
    border = np.ones(image.shape, bool)
    border[edge : height - edge, edge : width - edge] = False
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    light = np.stack([np.ones_like(x), x, y, x * x, y * y], axis=-1)
    usual = np.quantile(image[border], 0.5, method="nearest")  # a value that occurs
    paper = border & (abs(image - usual) < 0.25)  # without lines that cross the border
    coefficients, *_ = np.linalg.lstsq(light[paper], image[paper])
    difference = image - light @ coefficients
    if background is None:
        background = int(is_dark_on_light(difference, usual))
    ink = -difference if background else difference
    ink = remove_specks((ink - 3 * np.quantile(abs(difference[paper]), 0.95)).clip(0))
    # Full ink is what 90 % of all ink do not exceed: the rest may be noise on a few pixels.
    darkest = np.quantile(ink, 0.9, weights=ink, method="inverted_cdf") if ink.any() else 0
    return (ink / darkest).clip(max=1) if darkest > 0.02 else np.zeros_like(ink)


def remove_specks(ink):
    """Return `ink` (height, width) without small parts that are separate from the drawing.

    Parts are separate if there are empty rows or columns between them.
    """
    for axis in (1, 0, 1):
        along = ink.sum(axis=axis)
        is_inked = along > 0
        part = np.cumsum(np.diff(is_inked, prepend=False) & is_inked)
        shares = np.bincount(part, weights=along) / max(along.sum(), 1e-9)
        ink = ink * np.expand_dims(shares[part] > SPECKS, axis)
    return ink


def is_dark_on_light(difference, paper):
    """Return whether the drawing is darker than the paper.

    `difference` (height, width) is the brightness minus that of the paper. Without a drawing, the
    brightness of the paper, `paper`, decides.
    """
    low, high = np.quantile(difference, [OUTLIERS, 1 - OUTLIERS])
    return -low > high if max(-low, high) > FAINT else paper > 0.5


def normalise_drawing(ink, style, height, width):
    """Return a drawing as an image (height, width) like those of a dataset.

    It is cropped to its bounding box, scaled to the size of drawings in the dataset, and centred by
    its centre of mass. `ink` (h, w) is 0 to 1; `style` is the result of `measure_drawing_style`.
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
    """Return how much of each ink pixel falls on each of n pixels, along one side: (n, len(mass)).

    `mass` is the ink along that side. Its centre of mass is moved to `centre`, or as near as
    possible: the bounding box starts at a whole pixel, as in MNIST, and stays within the image.
    """
    dots = np.arange(len(mass))
    low, high = np.flatnonzero(mass)[[0, -1]]
    mean = mass @ (dots + 0.5) / mass.sum()
    last = np.floor(n - (high + 1 - low) * scale + 1e-6)  # the last possible start
    place = min(max(np.floor(centre - (mean - low) * scale + 0.5), 0), last)
    starts = (dots - low) * scale + place
    pixels = np.arange(n)[:, np.newaxis]
    return (np.minimum(starts + scale, pixels + 1) - np.maximum(starts, pixels)).clip(0)
