"""Drawings and photographs of them, brought into the form of a dataset's images.

`normalised` is what the page to draw on (demo.html) does in JavaScript.
"""

import numpy as np

FRAME = 0.04  # the share of an image's longer side that is taken for its border
SPECKS = 0.0002  # the share of an image's pixels that are passed over where the extremes count
DUST = 0.03  # the share of all ink up to which what lies apart is none
FAINT = 0.1  # what differs less from the paper does not say whether the paper is light


def measure_drawing_style(images):
    """How things are drawn in `images` (n, height, width) or (n, height, width, 3), 0 to 1.

    A dict: "background" is its brightness, 0 or 1. "size" is the longer side of the bounding box of
    what is drawn on it, as a share of the image's, and a median. "centre" is where its centre of
    mass lies on average, (x, y) in pixels from the corner. MNIST has 0, 20 / 28 and (14.5, 14.5).
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
    """What is drawn on a grey image (height, width), 0 to 1, as ink (height, width), 0 to 1.

    The paper is found from the border: its brightness may rise or fall over the image, and fall
    off towards its edges. What differs from it no more than the paper does from itself is no ink.
    `background` says whether the paper is dark (0) or light (1); None takes it for light where
    what is on it is dark.
    """
    height, width = image.shape
    edge = max(1, round(FRAME * max(image.shape)))
    border = np.ones(image.shape, bool)
    border[edge : height - edge, edge : width - edge] = False
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    light = np.stack([np.ones_like(x), x, y, x * x, y * y], axis=-1)
    usual = np.quantile(image[border], 0.5, method="nearest")  # one that occurs, if there are two
    paper = border & (abs(image - usual) < 0.25)  # not a line that crosses it
    coefficients, *_ = np.linalg.lstsq(light[paper], image[paper])
    difference = image - light @ coefficients
    if background is None:
        background = int(is_dark_on_light(difference, usual))
    ink = -difference if background else difference
    ink = remove_specks((ink - 3 * np.quantile(abs(difference[paper]), 0.95)).clip(0))
    # All but a tenth of the ink is no darker, on however few dots it is: that tenth may be noise.
    darkest = np.quantile(ink, 0.9, weights=ink, method="inverted_cdf") if ink.any() else 0
    return (ink / darkest).clip(max=1) if darkest > 0.02 else np.zeros_like(ink)


def remove_specks(ink):
    """`ink` (height, width) without what lies apart from the drawing, and is little beside it.

    Apart are rows or columns with others between them on which there is nothing.
    """
    for axis in (1, 0, 1):
        along = ink.sum(axis=axis)
        is_inked = along > 0
        part = np.cumsum(np.diff(is_inked, prepend=False) & is_inked)
        shares = np.bincount(part, weights=along) / max(along.sum(), 1e-9)
        ink = ink * np.expand_dims(shares[part] > DUST, axis)
    return ink


def is_dark_on_light(difference, paper):
    """Whether what differs most from the paper is darker; `difference` (height, width) is to it.

    Where nothing is on the paper, its brightness `paper` decides.
    """
    low, high = np.quantile(difference, [SPECKS, 1 - SPECKS])
    return -low > high if max(-low, high) > FAINT else paper > 0.5


def normalised(ink, drawing, height, width):
    """A drawing as a dataset's image (height, width): scaled to its box, centred by its mass.

    `ink` is 0 to 1, of any shape (h, w); `drawing` is what `measure_drawing_style` says of the dataset.
    """
    along_y, along_x = ink.sum(axis=1), ink.sum(axis=0)
    if not along_y.any():
        return np.zeros((height, width))
    sides = [np.ptp(np.flatnonzero(along)) + 1 for along in (along_y, along_x)]
    scale = drawing["size"] * min(height / sides[0], width / sides[1])
    centre_x, centre_y = drawing["centre"]
    rows = _places(along_y, scale, height, centre_y)
    columns = _places(along_x, scale, width, centre_x)
    return (rows @ ink @ columns.T).clip(max=1)


def _places(mass, scale, n, centre):
    """How much of each dot of ink lies on each of n pixels, along one side: (n, number of dots).

    `mass` is the ink along that side. Its centre of mass goes to `centre` or near it: its box lies
    on whole pixels, as in MNIST, and nothing of it leaves the image.
    """
    dots = np.arange(len(mass))
    low, high = np.flatnonzero(mass)[[0, -1]]
    mean = mass @ (dots + 0.5) / mass.sum()
    last = np.floor(n - (high + 1 - low) * scale + 1e-6)  # where it ends with the image
    place = min(max(np.floor(centre - (mean - low) * scale + 0.5), 0), last)
    starts = (dots - low) * scale + place
    pixels = np.arange(n)[:, np.newaxis]
    return (np.minimum(starts + scale, pixels + 1) - np.maximum(starts, pixels)).clip(0)
