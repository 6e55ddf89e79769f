"""Folders of image files: which images they have, of which classes, and what is read of them."""

import re

import numpy as np
import pytest
from PIL import Image

from scratchnet.data.image_folder import TABLE, find_samples
from scratchnet.data.raw_splits import open_raw_splits
from scratchnet.data.user_data import hash_contents, read_classes, read_image_shape
from scratchnet.errors import ConfigError, DataError


@pytest.fixture(autouse=True)
def _look_again():
    find_samples.cache_clear()


def fill(folder, names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)


def samples_of(folder, names, table=None):
    """The samples in `folder`, filled with files of these names: {split: ["CLASS: FILE", ...]}."""
    fill(folder, names)
    if table is not None:
        (folder / TABLE).write_bytes(table if isinstance(table, bytes) else table.encode())
    found = {}
    for sample in find_samples(str(folder)).samples:
        found.setdefault(sample.split, []).append(f"{sample.label}: {sample.file}")
    return found


LAYOUTS = {
    "classes": (["a/1.png", "b/1.png"], {"train": ["a: a/1.png", "b: b/1.png"]}),
    "splits": (
        ["train/a/1.png", "train/b/1.png", "test/a/1.png"],
        {"train": ["a: train/a/1.png", "b: train/b/1.png"], "test": ["a: test/a/1.png"]},
    ),
    "other names": (
        ["Training/a/1.png", "TESTING/a/1.png"],
        {"train": ["a: Training/a/1.png"], "test": ["a: TESTING/a/1.png"]},
    ),
    "validation for testing": (
        ["train/a/1.png", "val/a/1.png"],
        {"train": ["a: train/a/1.png"], "test": ["a: val/a/1.png"]},
    ),
    "test images without classes": (
        ["train/a/1.png", "test/1.png", "train/b/1.png"],
        {"train": ["a: train/a/1.png", "b: train/b/1.png"]},
    ),
    "folders in classes": (["a/x/y/1.png", "b/1.png"], {"train": ["a: a/x/y/1.png", "b: b/1.png"]}),
    "a class called train": (
        ["bus/1.png", "train/1.png"],
        {"train": ["bus: bus/1.png", "train: train/1.png"]},
    ),
    "endings in any case": (
        ["a/1.PNG", "a/2.JpEg", "b/3.Webp"],
        {"train": ["a: a/1.PNG", "a: a/2.JpEg", "b: b/3.Webp"]},
    ),
    "what is no image": (
        ["a/1.png", "b/1.png", "a/x.txt", ".DS_Store", "a/._1.png", "__MACOSX/a/1.png", "x.csv"],
        {"train": ["a: a/1.png", "b: b/1.png"]},
    ),
    "an image in no class": (
        ["a/1.png", "b/1.png", "1.png"],
        {"train": ["a: a/1.png", "b: b/1.png"]},
    ),
}


@pytest.mark.parametrize(("names", "expected"), LAYOUTS.values(), ids=LAYOUTS)
def test_classes_and_splits_are_the_names_of_folders(tmp_path, names, expected):
    assert samples_of(tmp_path, names) == expected


LEFT_OUT = {
    "": ["a/1.png", "b/1.png", ".DS_Store", "a/Thumbs.db", "desktop.ini"],
    "2 of 4 files (.txt, without a suffix)": ["a/1.png", "b/1.png", "a/x.txt", "LICENSE"],
    "1 images without a class": ["a/1.png", "b/1.png", "1.png"],
    "2 images for validation (validation_fraction sets training images aside)": [
        "train/a/1.png",
        "val/a/1.png",
        "valid/b/2.png",
        "test/a/1.png",
    ],
}


@pytest.mark.parametrize(("said", "names"), LEFT_OUT.items(), ids=LEFT_OUT)
def test_what_is_left_out_is_said(tmp_path, said, names):
    fill(tmp_path, names)
    assert find_samples(str(tmp_path)).left_out == said


REFUSED = {
    "the folder has no images (.png, ": ["a/x.txt", "b/.1.png"],
    "the images lie in no folders named after their classes": ["1.png", "2.png"],
    "no folders named after their classes: make such folders, or labels.csv": [
        "train/cat.1.png",
        "train/dog.1.png",
        "test/1.png",
    ],
    "all images lie in flowers, which would be the only class": [
        "flowers/a/1.png",
        "flowers/b/1.png",
    ],
    "there are images in masks, more beside those in test and train": [
        "train/a/1.png",
        "test/a/1.png",
        "masks/1.png",
        "more/1.png",
    ],
}


@pytest.mark.parametrize(("said", "names"), REFUSED.items(), ids=REFUSED)
def test_a_folder_whose_classes_cannot_be_told_is_refused(tmp_path, said, names):
    with pytest.raises(ConfigError, match=re.escape(said)):
        samples_of(tmp_path, names)


def test_links_are_followed_but_not_in_circles(tmp_path):
    fill(tmp_path, ["real/1.png", "data/b/1.png", "data/b/2.png"])
    (tmp_path / "data/a").symlink_to("../real")
    (tmp_path / "data/a/circle").symlink_to("../data")
    (tmp_path / "data/b/circle").symlink_to(".")
    (tmp_path / "data/b/3.png").symlink_to("1.png")
    (tmp_path / "data/b/4.png").symlink_to("nowhere")
    found = [sample.file for sample in find_samples(str(tmp_path / "data")).samples]
    assert found == ["a/1.png", "b/1.png", "b/2.png", "b/3.png"]


# ---- Tables.

FILES = ["1.png", "x/2.png", "3.jpg", "4.txt"]
ROWS = ["1.png,a", "x/2.png,b", "3.jpg,a"]
TABLES = {
    "a plain one": "file,label\n1.png,a\nx/2.png,b\n3.jpg,a\n",
    "other columns": "id,Label,age, File \n7,a,50,1.png\n8,b,51,x/2.png\n9,a,52,3.jpg\n",
    "of Excel": "\ufefffile;label\r\n1.png;a\r\nx/2.png;b\r\n;\r\n3.jpg;a\r\n",
    "quoted": 'file,label\n"1.png","a"\n"./x/2.png",b\n3.jpg, a',
}


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_a_table_names_files_and_labels(tmp_path, table):
    expected = ["a: 1.png", "b: x/2.png", "a: 3.jpg"]
    assert samples_of(tmp_path, FILES, table) == {"train": expected}


def test_a_table_may_have_splits_and_need_not_have_all_images(tmp_path):
    table = "file,label,split\n3.jpg,a,Test\n1.png,a,training\n"
    assert samples_of(tmp_path, FILES, table) == {"train": ["a: 1.png"], "test": ["a: 3.jpg"]}
    assert (
        find_samples(str(tmp_path)).left_out == "1 of 5 files (.txt) and 1 images without a class"
    )


BAD_TABLES = {
    "the header of labels.csv is image,class; it must have the columns": "image,class\n1.png,a\n",
    "labels.csv: line 3: there is no image file 5.png": "file,label\n1.png,a\n5.png,b\n",
    "labels.csv: line 2: there is no image file 4.txt": "file,label\n4.txt,a\n",
    "labels.csv: line 2: there is no label; line 3: there is no": "file,label\n1.png,\nx/2.png\n",
    "labels.csv: line 3: 1.png is listed twice": "file,label\n1.png,a\n1.png,b\n",
    "labels.csv: line 2: the split is fold 1, not train": "file,label,split\n1.png,a,fold 1\n",
    "labels.csv: line 3: the split is empty": "file,label,split\n1.png,a,test\nx/2.png,b\n",
    "labels.csv: line 2: there is no file": "label,file\na\n",
    "field limit (131072); a quotation mark before it may": 'file,label\n"1.png,a\n'
    + "3.jpg,a\n" * 20_000,
    "there are no training images": "file,label,split\n1.png,a,test\n",
    "labels.csv is not in UTF-8": b"file,label\n1.png,\xe4\n",
    "the header of labels.csv is ; it must have": "",
}


@pytest.mark.parametrize(("said", "table"), BAD_TABLES.items(), ids=BAD_TABLES)
def test_a_table_that_is_not_valid_is_explained_by_its_line(tmp_path, said, table):
    with pytest.raises(ConfigError, match=re.escape(said)):
        samples_of(tmp_path, FILES, table)


def test_the_hash_is_of_names_content_and_table_wherever_the_folder_is(tmp_path):
    def hash_of(name, files, table=None):
        samples_of(tmp_path / name, files, table)
        return hash_contents({"folder": tmp_path / name})

    one = hash_of("one", ["a/1.png", "b/1.png"])
    assert one == hash_of("two", ["b/1.png", "a/1.png", "a/x.md"])
    others = {hash_of(f"table {i}", FILES, table) for i, table in enumerate(TABLES.values())}
    assert len(others | {one, hash_of("three", ["a/1.png", "c/1.png"])}) == len(TABLES) + 2


# ---- Pixels.

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (4, 5), np.uint8)
COLOUR = RNG.integers(0, 256, (4, 5, 3), np.uint8)


def read(folder, images, scratch, **options):
    """The images in `folder`, filled with {name: pixels or Image}, and their splits."""
    for name, image in images.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        image = Image.fromarray(image) if isinstance(image, np.ndarray) else image
        image.save(folder / name, exif=image.info.get("exif", b""))
    scratch.mkdir()
    return open_raw_splits({"folder": str(folder)}, scratch, options)


@pytest.fixture
def opened(tmp_path):
    def run(images, **options):
        return read(tmp_path / "own", images, tmp_path / "scratch", **options)["train"]

    return run


def test_grey_images_and_text_labels(opened, tmp_path):
    split = opened({"b/1.png": GREY, "a/1.png": 255 - GREY})
    np.testing.assert_array_equal(split.images, [255 - GREY, GREY], strict=True)
    assert split.labels.tolist() == ["a", "b"] and split.images.dtype == np.uint8
    assert read_image_shape({"folder": tmp_path / "own"}) == (4, 5)
    assert read_classes({"folder": tmp_path / "own"}) == ["a", "b"]


def test_names_of_classes_that_are_integers_are_in_the_order_of_integers(opened, tmp_path):
    split = opened({"10/1.png": GREY, "9/1.png": GREY, "-1/1.png": GREY})
    assert sorted(split.labels.tolist()) == [-1, 9, 10]
    assert read_classes({"folder": tmp_path / "own"}) == ["-1", "9", "10"]


@pytest.mark.parametrize("names", [["01", "1"], ["1", "x"]])
def test_other_names_of_classes_are_text(opened, names):
    assert opened({f"{name}/1.png": GREY for name in names}).labels.tolist() == names


def test_one_coloured_image_makes_all_images_coloured(opened):
    split = opened({"a/1.png": GREY, "b/1.png": COLOUR})
    np.testing.assert_array_equal(split.images, [np.dstack([GREY] * 3), COLOUR], strict=True)


@pytest.mark.parametrize(("colour", "shape"), [((90, 90, 90), (4, 5)), ((90, 0, 90), (4, 5, 3))])
def test_an_image_with_a_palette_is_as_coloured_as_its_palette(opened, colour, shape):
    image = Image.new("P", (5, 4), 1)
    image.putpalette([0, 0, 0, *colour])
    images = opened({"a/1.png": image, "b/1.png": GREY}).images
    assert images.shape[1:] == shape and images[0, 2, 1].tolist() in (90, [*colour])


@pytest.mark.parametrize("mode", ["grey", "colour"])
def test_the_mode_may_be_given(opened, mode):
    split = opened({"a/1.png": GREY, "b/1.png": COLOUR}, mode=mode)
    brightness = (COLOUR @ [0.299, 0.587, 0.114]).round()
    first, second = (GREY, brightness) if mode == "grey" else (np.dstack([GREY] * 3), COLOUR)
    np.testing.assert_allclose(split.images.astype(int), [first, second], atol=1)


def test_images_are_turned_upright(opened):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise
    turned = Image.fromarray(GREY)
    turned.info["exif"] = exif.tobytes()
    split = opened({"a/1.png": turned, "b/1.png": np.rot90(GREY, -1)})
    np.testing.assert_array_equal(split.images[0], split.images[1])


def test_transparent_pixels_are_white(opened):
    rgba = np.dstack([COLOUR, np.full((4, 5), 255, np.uint8)])
    rgba[0, 0], rgba[0, 1] = (9, 9, 9, 0), (0, 0, 0, 51)
    split = opened({"a/1.png": rgba, "b/1.png": np.dstack([GREY, rgba[..., 3]])})
    assert (
        split.images[0, 0, 0].tolist() == [255] * 3 and split.images[0, 0, 1].tolist() == [204] * 3
    )
    np.testing.assert_array_equal(split.images[0, 1:], COLOUR[1:])
    assert split.images[1, 0, 0].tolist() == [255] * 3


def test_pixels_of_16_bits_are_kept(opened):
    deep = RNG.integers(0, 65536, (4, 5)).astype(np.uint16)
    split = opened({"a/1.png": deep, "b/1.png": GREY})
    expected = [deep, GREY.astype(np.uint16) * 257]
    np.testing.assert_array_equal(split.images, expected, strict=True)


@pytest.mark.parametrize("shape", [(40, 60), (40, 60, 3)])
def test_images_are_resized_as_by_torchvision(opened, shape):
    """Its Resize on an image of Pillow is Pillow's bilinear resize, which antialiases."""
    image = RNG.integers(0, 256, shape).astype(np.uint8)
    split = opened({"a/1.png": image, "b/1.png": image[:20]}, size=[8, 10])
    for found, original in zip(split.images, (image, image[:20])):
        expected = Image.fromarray(original).resize((10, 8), Image.Resampling.BILINEAR)
        np.testing.assert_array_equal(found, np.asarray(expected), strict=True)
    assert split.images[0].std() < image.std() / 2  # of many pixels, not of one


def test_images_that_differ_in_size_are_refused_with_two_of_them(opened):
    with pytest.raises(DataError, match=r"a/1.png has 4 x 5 pixels, but .*b/2.png has 3 x 5: set"):
        opened({"a/1.png": GREY, "b/1.png": GREY, "b/2.png": GREY[:3]})


@pytest.mark.parametrize("n", [1, 10, 12])
def test_all_damaged_files_are_counted_and_ten_are_named(tmp_path, n):
    names = [f"b/{i:02}.png" for i in range(n)]
    fill(tmp_path / "own", names)
    with pytest.raises(DataError) as caught:
        read(tmp_path / "own", {"a/1.png": GREY, "b/x.png": GREY}, tmp_path / "scratch")
    first, *lines, advice = str(caught.value).splitlines()
    assert first == f"{n} of {n + 2} images are damaged:"
    assert len(lines) == min(n, 11) and "skip_damaged: true" in advice
    assert all(name in line for name, line in zip(names[:10], lines))


def test_damaged_files_may_be_left_out(tmp_path):
    fill(tmp_path / "own", ["train/a/2.png", "test/b/0.png"])
    images = {f"{split}/{label}/1.png": GREY for split in ("train", "test") for label in "ab"}
    splits = read(tmp_path / "own", images, tmp_path / "scratch", skip_damaged=True)
    assert [split.labels.tolist() for split in splits.values()] == [["a", "b"]] * 2
    assert splits["train"].damaged == ["train/a/2.png", "test/b/0.png"]


def test_a_folder_of_damaged_files_is_refused_even_so(tmp_path):
    fill(tmp_path / "own", ["a/1.png", "b/1.png"])
    with pytest.raises(DataError, match="2 of 2 images are damaged"):
        read(tmp_path / "own", {}, tmp_path / "scratch", skip_damaged=True)
