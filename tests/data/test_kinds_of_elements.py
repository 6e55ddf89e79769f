"""Elements of arrays that few programs make: converted where there is no doubt, or explained."""

import numpy as np
import pytest

from scratchnet.data.preprocessing import preprocess
from scratchnet.data.user_data import hash_contents
from scratchnet.errors import DataError
from scratchnet.files import read_json

IMAGES = np.random.default_rng(0).integers(0, 256, (20, 2, 2)).astype(np.uint8)
LABELS = np.arange(20) % 2


def prepare(folder, **arrays):
    """Preprocess an .npz file of `arrays`; return X_train and the manifest."""
    path, out = folder / "mine.npz", folder / "out"
    np.savez(path, **{"x_train": IMAGES, "y_train": LABELS, **arrays})
    names = [f"{kind}_{part}" for kind in "XY" for part in ("train", "validation", "test")]
    outputs = {name: out / f"{name}.npy" for name in names} | {"manifest": out / "manifest.json"}
    files = {"npz": path}
    preprocess(files, hash_contents(files), 0.2, 0.2, outputs)
    return np.load(outputs["X_train"]), read_json(outputs["manifest"])


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("dtype", [np.longdouble, np.float64, np.int64])
def test_wide_pixels_make_the_same_arrays_as_bytes(tmp_path, dtype):
    expected, manifest = prepare(tmp_path)
    X, found = prepare(tmp_path, x_train=IMAGES.astype(dtype))
    np.testing.assert_array_equal(X, expected)
    assert (found["minimum"], found["maximum"]) == (manifest["minimum"], manifest["maximum"])


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("text", ["1e4900", "nan", "inf"])
def test_wide_pixels_that_are_no_float64_are_refused(tmp_path, text):
    images = IMAGES.astype(np.longdouble)
    images[7, 1, 0] = np.longdouble(text)
    with pytest.raises(DataError, match="x_train: image 7 has pixels that are not finite numbers"):
        prepare(tmp_path, x_train=images)


@pytest.mark.filterwarnings("error")
def test_pixels_whose_range_is_not_finite_are_refused(tmp_path):
    """The arrays had nan."""
    images = (IMAGES.astype(float) - 128) * 1.3e306
    with pytest.raises(DataError, match=r"from -1\.\S+e\+308 to 1\.\S+e\+308, too far apart"):
        prepare(tmp_path, x_train=images)


OBJECTS = {
    "text": {"y_train": np.array(["cat", "dog"] * 10, object)},
    "numbers": {"y_train": LABELS.astype(object)},
    "images": {"x_train": IMAGES.astype(object)},
}


@pytest.mark.parametrize("arrays", OBJECTS.values(), ids=OBJECTS)
def test_objects_are_refused_with_what_to_do(tmp_path, arrays):
    (name,) = arrays
    with pytest.raises(DataError) as caught:
        prepare(tmp_path, **arrays)
    assert str(caught.value) == (
        f"{tmp_path}/mine.npz: {name} has Python objects as elements, as columns of pandas do; "
        "save text with .astype(str), and numbers with .astype(int)"
    )


@pytest.mark.parametrize("kind", [object, "S3"])
def test_labels_saved_as_the_message_says_are_accepted(tmp_path, kind):
    labels = np.array(["cat", "dog"] * 10).astype(kind)
    with pytest.raises(DataError, match=r"save \S+ with \.astype\(str\)"):
        prepare(tmp_path, y_train=labels)
    assert prepare(tmp_path, y_train=labels.astype(str))[1]["classes"] == ["cat", "dog"]
