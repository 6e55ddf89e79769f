"""Read image files of any kind: for datasets, and images to predict."""

import math

import numpy as np
from PIL import Image, ImageOps

from scratchnet.data.image_listing import FORMATS
from scratchnet.errors import DataError, show_name

# At most so many pixels are read of an image file, or of all images in an array file, where each
# colour counts. In any format this takes less than 1.2 GB of memory. 60,000 images of 28 x 28
# pixels have 47 million.
MAX_PIXELS = 50_000_000
GREY = ("1", "L", "LA", "I", "I;16")  # modes of Pillow


def read_image(path, longest):
    """Return the pixels of an image file and the value of white in it, 255 or 65535.

    The pixels are float32, from 0 to 1 for white, (height, width) or (height, width, 3). The image
    is turned upright, made opaque, and shrunk until its longer side has at most `longest`
    pixels. Raises DataError if the file is not an image, is damaged, or has more than MAX_PIXELS. A
    JPEG may have more, unless it is progressive: it is decoded at a reduced size.
    """
    try:
        with Image.open(path, formats=[*FORMATS]) as image:
            whole_size = image.size
            image.draft(None, (longest, longest))  # decodes a large JPEG at reduced size
            check_size(whole_size if "progressive" in image.info else image.size)
            ImageOps.exif_transpose(image, in_place=True)
            white = 65535 if image.mode.startswith("I") else 255
            if white == 65535:
                image = _to_floats(image)
            elif image.has_transparency_data:
                image = image.convert("RGBA")
            elif image.mode not in ("L", "RGB"):
                image = image.convert("L" if image.mode == "1" else "RGB")
            image.thumbnail((longest, longest), Image.Resampling.BOX)
            if image.mode == "RGBA":
                image = _make_opaque(image)
            return np.asarray(image, np.float32) / 255, white
    except Exception as error:  # decoders raise any exception for invalid bytes
        raise _unreadable(path, error) from error


def read_kind(path):
    """Return whether an image file is in colour, and the value of white in it, 255 or 65535.

    Only its header is read. A file that is not an image counts as grey.
    """
    try:
        with Image.open(path, formats=[*FORMATS]) as image:
            if image.mode == "P":
                palette = np.reshape(image.getpalette(), (-1, 3))
                return bool((palette != palette[:, :1]).any()), 255
            return image.mode not in GREY, 65535 if image.mode.startswith("I") else 255
    except Exception:  # decoders raise any exception for invalid bytes
        return False, 255


def read_pixels(path, size, in_colour, white):
    """Return the pixels of an image file, integers from 0 to `white`, which is 255 or 65535.

    Their shape is (height, width), or (height, width, 3) `in_colour`. The image is turned upright,
    and what is transparent becomes white. If `size` is not None, the image is resized to this
    (height, width), with bilinear interpolation and antialiasing, as torchvision's Resize does.
    Raises DataError if the file is not an image, is damaged, or has more than MAX_PIXELS.
    """
    try:
        with Image.open(path, formats=[*FORMATS]) as image:
            check_size(image.size)
            ImageOps.exif_transpose(image, in_place=True)
            if image.mode.startswith("I"):
                image = _to_floats(image)
            elif image.has_transparency_data:
                image = image.convert("RGBA")
                paper = Image.new("RGBA", image.size, "white")
                image = Image.alpha_composite(paper, image)
            if image.mode != "F":
                image = image.convert("RGB" if in_colour else "L")
            if size and image.size != (size[1], size[0]):
                image = image.resize((size[1], size[0]), Image.Resampling.BILINEAR)
            pixels = np.asarray(image)
            if pixels.dtype != np.uint8 or white != 255:
                scaled = pixels.astype(np.float32) * (white / 255)
                pixels = scaled.round().clip(0, white).astype(np.min_scalar_type(white))
            return np.stack([pixels] * 3, axis=2) if pixels.ndim == 2 and in_colour else pixels
    except Exception as error:  # decoders raise any exception for invalid bytes
        raise _unreadable(path, error) from error


def _unreadable(path, error):
    return DataError(f"{show_name(path)} cannot be read as an image: {show_name(error)}")


def check_size(lengths, maximum=MAX_PIXELS):
    """Raise ValueError if the product of `lengths`, which a header declares, exceeds `maximum`."""
    if (size := math.prod(lengths)) > maximum:
        raise ValueError(f"{size} pixels, and at most {maximum} are possible: use smaller images")


def _to_floats(image):
    """Return an `image` of 16 bits as one of floats, 0 to 255."""
    pixels = np.array(image, np.float32)
    pixels /= 65535
    pixels *= 255
    return Image.fromarray(pixels)


def _make_opaque(image):
    """Return an RGBA `image` on a white background, or on black if its content is mostly light."""
    rgba = np.asarray(image, np.float32)
    colours, alpha = rgba[..., :3], rgba[..., 3:] / 255
    paper = 0 if (colours * alpha).sum() > 127.5 * 3 * alpha.sum() else 255
    return Image.fromarray((colours * alpha + paper * (1 - alpha)).round().astype(np.uint8))


def resize_floats(channel, height, width):
    """Return a `channel` (h, w) of pixels from 0 to 1 with another size."""
    resized = Image.fromarray(channel).resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(resized).clip(0, 1)
