"""Images of any kind as the pixels that a network was trained on."""

import numpy as np
from PIL import Image, ImageOps

from scratchnet.errors import DataError
from scratchnet.predict.drawings import extract_ink, is_dark_on_light, normalised

# What files called .png or .jpg are found to be. For others Pillow may start other programs.
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")


def read_image(path, longest):
    """The pixels of an image file, float32 from 0 to 1: (height, width), or (height, width, 3).

    It is upright, opaque, and its longer side has no more than `longest` pixels. Raises DataError
    when the file is no image, or is damaged.
    """
    try:
        with Image.open(path, formats=FORMATS) as image:
            image.draft(None, (longest, longest))  # a large JPEG is read at a part of its size
            image = ImageOps.exif_transpose(image)
            if image.mode.startswith("I"):  # 16 bits
                image = Image.fromarray(np.asarray(image, np.float32) / 65535 * 255)
            elif image.has_transparency_data:
                image = image.convert("RGBA")
            elif image.mode not in ("L", "RGB"):
                image = image.convert("L" if image.mode == "1" else "RGB")
            image.thumbnail((longest, longest), Image.Resampling.BOX)
            if image.mode == "RGBA":
                image = _opaque(image)
            return np.asarray(image, np.float32) / 255
    except Exception as error:  # whatever a decoder makes of bytes that are not of its kind
        raise DataError(f"{path} cannot be read as an image: {error}") from error


def _opaque(image):
    """An RGBA `image` on paper: on white, or on black if what is on it is rather light."""
    rgba = np.asarray(image, np.float32)
    colours, alpha = rgba[..., :3], rgba[..., 3:] / 255
    paper = 0 if (colours * alpha).sum() > 127.5 * 3 * alpha.sum() else 255
    return Image.fromarray((colours * alpha + paper * (1 - alpha)).round().astype(np.uint8))


def read_arrays(path, minimum, maximum):
    """The images in a .npy or .npz file, float32 (n, height, width) or (n, height, width, 3).

    They are scaled like the training images, of which `minimum` and `maximum` are the smallest and
    largest pixel. A .npz file has one array, or one called x_test or images. Raises DataError.
    """
    try:
        arrays = np.load(path, mmap_mode="r", allow_pickle=False)
        if not isinstance(arrays, np.ndarray):
            names = [name for name in ("x_test", "images") if name in arrays] or arrays.files
            if len(names) != 1:
                raise DataError(
                    f"{path} has the arrays {', '.join(names) or '(none)'}: the one with the "
                    "images has to be the only one, or be called x_test or images"
                )
            arrays = arrays[names[0]]
            if not isinstance(arrays, np.ndarray):  # bytes of a file that is none
                raise DataError(f"{path} has no array called {names[0]}, but another file")
    except DataError:
        raise
    except Exception as error:
        raise DataError(f"{path} cannot be read: {error}") from error
    if arrays.ndim == 4 and arrays.shape[3] == 1:
        arrays = arrays[..., 0]
    if arrays.ndim not in (3, 4) or (arrays.ndim == 4 and arrays.shape[3] != 3) or not arrays.size:
        raise DataError(
            f"{path} has the shape {arrays.shape}; images have (n, height, width), "
            "or (n, height, width, 3) in colour"
        )
    if arrays.dtype.kind not in "buif":
        raise DataError(f"{path} has elements of type {arrays.dtype}; pixels are numbers")
    with np.errstate(over="ignore"):  # of numbers that float32 does not have
        scaled = ((arrays.astype(np.float64) - minimum) / (maximum - minimum)).astype(np.float32)
    if not np.isfinite(scaled).all():
        bad = np.flatnonzero(~np.isfinite(scaled).all(axis=tuple(range(1, scaled.ndim))))[0]
        raise DataError(f"{path}: image {bad} has pixels that are not finite numbers")
    return scaled


def to_network_input(image, shape, drawing, background=None):
    """An image (height, width) or (height, width, 3), 0 to 1, in the `shape` of a dataset's.

    One that has that size is taken as it is. Any other is taken for a drawing, which is cut out,
    scaled and centred as in the dataset, or, where the dataset is in colour, resized. The paper is
    dark or light as in the dataset (`drawing` is what `measure_drawing_style` says of it); `background` is
    that of the image, 0 or 1, or None to find out. Images in colour stay as they are.
    """
    height, width, *channels = shape
    if channels:
        if image.ndim == 2:
            image = np.stack([image] * 3, axis=2)
        if image.shape[:2] == (height, width):
            return image
        small = [_resized(image[:, :, i], height, width) for i in range(3)]
        return np.stack(small, axis=2)
    if image.ndim == 3:
        image = image @ np.array([0.299, 0.587, 0.114], np.float32)  # brightness, ITU-R BT.601
    if image.shape == (height, width):
        if background is None:
            border = np.concatenate([image[[0, -1]].ravel(), image[:, [0, -1]].ravel()])
            paper = np.median(border)
            background = int(is_dark_on_light(image - paper, paper))
        return image if background == drawing["background"] else 1 - image
    ink = normalised(extract_ink(image, background), drawing, height, width)
    return 1 - ink if drawing["background"] else ink


def _resized(channel, height, width):
    resized = Image.fromarray(channel).resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(resized).clip(0, 1)
