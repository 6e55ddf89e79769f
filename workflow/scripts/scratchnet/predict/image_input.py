"""Convert images of any kind to the form that a network was trained on; read arrays of images."""

import numpy as np

from scratchnet.data.image_arrays import (
    check_images,
    compose_on_white,
    find_white,
    read_npy_header,
)
from scratchnet.data.image_reader import check_size, resize_floats
from scratchnet.errors import DataError, shorten_list, show_name
from scratchnet.predict.drawings import extract_ink, is_dark_on_light, normalise_drawing

MAX_ARRAY_IMAGE = 4_000_000  # pixels of an image in an array, which is not shrunk as it is read
# How far the largest pixel of an array may be above the smallest training pixel, and how far the
# smallest pixel may be below it (and below 0), as multiples of the range of the training pixels.
MIN_RANGE, MAX_RANGE, MAX_UNDERSHOOT = 0.1, 4, 0.25
MAX_NAMED = 10  # arrays of an archive in an error message


def match_scale(name, image, white, manifest):
    """Return the `image` that `read_image` has read from the file `name`, scaled for a network.

    `manifest` describes its training images. An image of their size, whose pixels may be on their
    scale, is scaled as they are; of any other, `white` is 1. Raises DataError if all pixels are
    nearly black, as of an image that does not use the range of its file.
    """
    minimum, maximum = manifest["minimum"], manifest["maximum"]
    low, high = float(image.min()) * white, float(image.max()) * white
    has_size = list(image.shape[:2]) == manifest["image_shape"][:2]
    if has_size and _have_same_scale(low, high, minimum, maximum):
        is_scaled = (minimum, maximum) == (0, white)
        return image if is_scaled else (image * white - minimum) / (maximum - minimum)
    if low < high < MIN_RANGE * white:
        raise DataError(
            f"{name} has pixels from {low:.0f} to {high:.0f}, and white is {white}: it would be "
            f"read as a black sheet. Rescale them to 0 to {white}"
        )
    return image


def read_arrays(path, minimum, maximum):
    """Return the images in an .npy or .npz file, float32 (n, height, width[, 3]).

    They are scaled like the training images, whose smallest and largest pixels are `minimum` and
    `maximum`. An .npz file must have a single array, or one called x_test or images. Raises
    DataError if the content is not valid, if the pixels are on another scale, or if they are more
    than MAX_PIXELS, or MAX_ARRAY_IMAGE in an image.
    """
    name = show_name(path)
    try:
        arrays = np.load(path, mmap_mode="r", allow_pickle=False)
        if not isinstance(arrays, np.ndarray):
            arrays = _read_npz(arrays, name)
        arrays = check_images(arrays, name)
        _check_array_size(arrays)
    except DataError:
        raise
    except Exception as error:
        raise DataError(f"{name} cannot be read: {show_name(error)}") from error
    if arrays.shape[3:] == (4,):
        arrays = compose_on_white(arrays, find_white(arrays))
    scaled = _scale(arrays, minimum, maximum)
    if not np.isfinite(scaled).all():
        bad = np.flatnonzero(~np.isfinite(scaled).all(axis=tuple(range(1, scaled.ndim))))[0]
        raise DataError(f"{name}: image {bad} has pixels that are not finite numbers")
    low, high = float(arrays.min()), float(arrays.max())
    if not _have_same_scale(low, high, minimum, maximum):
        raise DataError(
            f"{name} has pixels from {low:g} to {high:g}, but the network was trained on pixels "
            f"from {minimum:g} to {maximum:g}: rescale them to that range"
        )
    return scaled


def _scale(arrays, minimum, maximum):
    """Return `arrays` as float32, from 0 for `minimum` to 1 for `maximum`."""
    scaled = np.empty(arrays.shape, np.float32)
    # In float64, a part at a time.
    parts = np.nditer(
        [arrays, scaled],
        ["external_loop", "buffered"],
        [["readonly"], ["writeonly"]],
        [np.float64, np.float32],
        casting="same_kind",
    )
    with parts, np.errstate(over="ignore"):  # for numbers beyond float32
        for part, result in parts:
            result[...] = (part - minimum) / (maximum - minimum)
    return scaled


def _read_npz(archive, name):
    """Return the array with the images of an open .npz file, whose header is checked first.

    Raises DataError, which calls the file `name`, if there is no such array.
    """
    keys = [key for key in ("x_test", "images") if key in archive] or archive.files
    if len(keys) != 1:
        shown = ", ".join(shorten_list([show_name(key) for key in keys], MAX_NAMED))
        raise DataError(
            f"{name} has the arrays {shown or '(none)'}: the one with the "
            "images must be the only one, or be called x_test or images"
        )
    try:
        member = archive.zip.open(f"{keys[0]}.npy")
    except KeyError:  # another file in the archive
        raise DataError(
            f"{name} has a file called {show_name(keys[0])} that is not an array"
        ) from None
    with member:
        shape, _, dtype = read_npy_header(member)
    # The stand-in for the array takes no memory.
    _check_array_size(check_images(np.broadcast_to(np.empty((), dtype), shape), name))
    return archive[keys[0]]


def _check_array_size(arrays):
    """Raise ValueError if `arrays`, as check_images returns them, have too many pixels."""
    check_size(arrays.shape)
    check_size(arrays.shape[1:3], MAX_ARRAY_IMAGE)


def _have_same_scale(low, high, minimum, maximum):
    """Return whether pixels from `low` to `high` may be on the scale of the training images.

    Those are from `minimum` to `maximum`. Other images may be darker or brighter, but not as much
    as on another scale, such as 0 to 1 for 0 to 255. All pixels may be the same, as in a black
    image.
    """
    span = maximum - minimum
    is_too_small = low < high < minimum + MIN_RANGE * span
    is_too_large = high > minimum + MAX_RANGE * span
    is_centred = low < min(minimum, 0) - MAX_UNDERSHOOT * span
    return not (is_too_small or is_too_large or is_centred)


def to_network_input(image, shape, style, background=None):
    """Return an image (h, w) or (h, w, 3), 0 to 1, with the `shape` and style of a dataset.

    `shape` is (height, width), or (height, width, 3) for a dataset in colour, for which an image is
    resized if needed. For a grey dataset, an image of the same size is only inverted if its
    background differs; any other image is treated as a drawing, which is cropped, scaled and
    centred as in the dataset. `style` is the result of `measure_drawing_style` for the dataset.
    `background` is that of the image, 0 (dark) or 1 (light), or None to detect it.
    """
    height, width, *channels = shape
    if channels:
        if image.ndim == 2:
            image = np.stack([image] * 3, axis=2)
        if image.shape[:2] == (height, width):
            return image
        small = [resize_floats(image[:, :, i], height, width) for i in range(3)]
        return np.stack(small, axis=2)
    if image.ndim == 3:
        image = image @ np.array([0.299, 0.587, 0.114], np.float32)  # brightness, ITU-R BT.601
    if image.shape == (height, width):
        if background is None:
            border = np.concatenate([image[[0, -1]].ravel(), image[:, [0, -1]].ravel()])
            paper = np.median(border)
            background = int(is_dark_on_light(image - paper, paper))
        return image if background == style["background"] else 1 - image
    ink = normalise_drawing(extract_ink(image, background), style, height, width)
    return 1 - ink if style["background"] else ink
