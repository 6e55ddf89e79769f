"""IDX files: arrays survive encoding and reading, and every fault is reported."""

from pathlib import Path

import numpy as np
import pytest

from samples import idx_bytes
from scratchnet.data.idx import encode_idx, open_idx
from scratchnet.errors import DataError

IMAGES = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)
LABELS = np.array([9, 0], np.uint8)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "train-images-idx3-ubyte"


def test_encode_idx_writes_the_header_of_the_format():
    content = encode_idx(np.array([[1, 2, 255]], np.uint8))
    assert content == bytes([0, 0, 8, 2, 0, 0, 0, 1, 0, 0, 0, 3, 1, 2, 255])


COLOURS = np.arange(2 * 3 * 4 * 3, dtype=np.uint8).reshape(2, 3, 4, 3)


@pytest.mark.parametrize(
    ("array", "ndims"),
    [(IMAGES, (3,)), (LABELS, (1,)), (IMAGES, (3, 4)), (IMAGES, (4, 3)), (COLOURS, (3, 4))],
)
@pytest.mark.parametrize("kind", [str, Path])
def test_an_encoded_array_is_memory_mapped_unchanged_and_read_only(path, array, ndims, kind):
    path.write_bytes(encode_idx(array))
    opened = open_idx(kind(path), ndims)
    np.testing.assert_array_equal(opened, array, strict=True)
    assert isinstance(opened, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        opened[0] = 1


def test_the_memory_order_of_an_array_does_not_matter():
    assert encode_idx(np.asfortranarray(IMAGES)) == encode_idx(IMAGES)


FAULTS = {
    "empty": (b"", "begins with nothing"),
    "half a magic number": (bytes([0, 0]), "begins with 00 00,"),
    "magic number alone": (bytes([0, 0, 8, 3]), "not an IDX file"),
    "header cut off": (idx_bytes(IMAGES)[:15], "not an IDX file"),
    "elements of another type": (idx_bytes(IMAGES, magic=bytes([0, 0, 9, 3])), "not an IDX file"),
    "other number of dimensions": (idx_bytes(LABELS), "with 00 00 08 01, not 00 00 08 03"),
    "not zero at first": (idx_bytes(IMAGES, magic=bytes([1, 0, 8, 3])), "not an IDX file"),
    "not zero at second": (idx_bytes(IMAGES, magic=bytes([0, 1, 8, 3])), "not an IDX file"),
    "gzip": (b"\x1f\x8b\x08\x00" + bytes(40), "not an IDX file"),
    "header alone": (idx_bytes(IMAGES)[:16], "40 bytes, but the file has 16"),
    "one byte short": (idx_bytes(IMAGES)[:-1], "2 x 3 x 4 .* 40 bytes, but the file has 39"),
    "one byte long": (idx_bytes(IMAGES) + b"\0", "40 bytes, but the file has 41"),
    "no images": (idx_bytes(np.zeros((0, 3, 4), np.uint8)), "0 x 3 x 4: there is no data"),
    "images without rows": (idx_bytes(np.zeros((2, 0, 4), np.uint8)), "there is no data"),
}


@pytest.mark.parametrize(("content", "words"), FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("name", [None, "mine.gz"])
def test_an_invalid_file_is_refused_with_its_path_or_the_given_name(path, content, words, name):
    path.write_bytes(content)
    with pytest.raises(DataError, match=f"^{name or path}: .*{words}"):
        open_idx(path, (3,), name)


# The product of the last shape is 24 + 98 * 2**64: in 64 bits, the number of bytes in the file.
TOO_MUCH = {
    "terabytes": (1 << 20, 1 << 10, 1 << 12),
    "all bits set": (2**32 - 1,) * 3,
    "more than 64 bits": (2_522_391_757, 1_065_626, 672_556),
}


@pytest.mark.parametrize("shape", TOO_MUCH.values(), ids=TOO_MUCH)
def test_a_header_that_claims_too_much_is_refused_before_any_allocation(path, monkeypatch, shape):
    path.write_bytes(idx_bytes(IMAGES, shape=shape))
    monkeypatch.setattr(np, "memmap", None)  # not even address space is reserved
    with pytest.raises(DataError, match=f"{path.name}.*{shape[0]} x {shape[1]} x {shape[2]}"):
        open_idx(path, (3,))


def test_an_error_about_the_dimensions_lists_all_that_are_allowed(path):
    path.write_bytes(idx_bytes(LABELS))
    words = "3 or 4 dimensions .*begins with 00 00 08 01, not 00 00 08 03 or 00 00 08 04"
    with pytest.raises(DataError, match=words):
        open_idx(path, (3, 4))
