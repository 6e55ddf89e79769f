"""Exported networks: Keras, ONNX Runtime and plain NumPy predict the same as Scratchnet."""

import itertools
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

import scratchnet
from random_networks import with_random_normalization
from scratchnet.errors import MissingPackageError
from scratchnet.evaluation.trained_network import TrainedNetwork
from scratchnet.interop.export import export_keras, export_npz, export_onnx
from scratchnet.interop.keras_model import import_keras, set_precision
from scratchnet.nn.network import build_mlp, build_network
from scratchnet.nn.shapes import block_shapes
from scratchnet.training.checkpoints import Checkpoint, load_checkpoint, save_checkpoint

BLOCK = {"filters": 4, "kernel": 3, "pool": 1, "padding": "valid"}
LAST_BLOCK = {"filters": 6, "kernel": 2, "pool": 2, "padding": "valid"}
NETWORKS = {
    "softmax": ([], None),
    "relu": ([9], "relu"),
    "leaky_relu": ([9], "leaky_relu"),
    "elu": ([9], "elu"),
    "gelu": ([9, 8], "gelu"),
    "sigmoid": ([9, 8], "sigmoid"),
    "tanh": ([9, 8, 7], "tanh"),
    "convolution": ([], "relu", [BLOCK]),
    "convolution, gelu": ([], "gelu", [BLOCK | {"pool": 2, "padding": "same"}]),
    "strides": ([], "relu", [BLOCK | {"stride": 2, "padding": "same", "pool": 1}]),
    "average": ([9], "tanh", [BLOCK | {"pooling": "average"}], "batch"),
    "batch": ([9, 8], "tanh", [], "batch"),
    "layer": ([9, 8], "sigmoid", [], "layer"),
    "global average": ([9], "tanh", [BLOCK | {"pooling": "global_average"}], "layer"),
    "convolutions": ([9], "tanh", [BLOCK | {"kernel": 2, "padding": "same"}, LAST_BLOCK]),
}
SHAPES = {"grey": [6, 5], "in colour": [4, 3, 3]}
SCRIPTS = Path(scratchnet.__file__).parents[1]
CLASSES = ["ant", "bee", 'a "cat"', "dög"]
MINIMUM, MAXIMUM = 10, 200

each_network = pytest.mark.parametrize("network", NETWORKS)
each_shape = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)


class Trained:
    """The files of a random network, raw images, and its probabilities for these images."""

    def __init__(self, folder, network, shape, standardization=None):
        rng = np.random.default_rng(0)
        hidden, self.activation, convolutions, kind = (*NETWORKS[network], [], None)[:4]
        self.settings = {"model.convolutions": convolutions, "model.activation": self.activation}
        *inputs, output = block_shapes(shape, convolutions)
        sizes = [
            *((b["kernel"] ** 2 * c, b["filters"]) for b, (*_, c) in zip(convolutions, inputs)),
            *itertools.pairwise([int(np.prod(output)), *hidden, len(CLASSES)]),
        ]
        weights = [rng.normal(0, 1.5, (b, a + 1)).astype(np.float32) for a, b in sizes]
        weights = with_random_normalization(weights, kind, rng)
        self.raw = rng.integers(MINIMUM, MAXIMUM + 1, (200, *shape), np.uint8)
        pixels = self.raw.reshape(200, -1).astype(np.float32)
        self.X = (pixels - MINIMUM) / np.float32(MAXIMUM - MINIMUM)
        network = build_network(weights, shape, convolutions, self.activation)
        moments = standardization or {"mean": 0, "std": 1}
        X = (self.X.T - moments["mean"]) / moments["std"]
        # Without a common offset, the predicted classes vary more.
        weights[-1][:, -1] -= network.forward(X).mean(axis=1)
        self.P = network.probabilities(X).T
        self.files = {name: folder / name for name in ("checkpoint", "manifest", "metrics")}
        self.files["checkpoint"] = folder / "checkpoint.npz"
        state = Checkpoint(network.weights(), {}, {"loss": [1.0]})
        save_checkpoint(self.files["checkpoint"], state)
        manifest = {"image_shape": shape, "minimum": MINIMUM, "maximum": MAXIMUM}
        self.files["manifest"].write_text(json.dumps(manifest | (standardization or {})))
        metrics = {"per_class": [{"class": name} for name in CLASSES]}
        self.files["metrics"].write_text(json.dumps(metrics))

    def images(self, raw_pixels):
        """Return the images as the input of an exported network."""
        return self.raw if raw_pixels else self.X

    def load(self):
        """Return the TrainedNetwork."""
        return TrainedNetwork.load(**self.files, settings=self.settings)

    def export_to_keras(self, path, raw_pixels):
        """Return the Keras model in the exported file."""
        export_keras(self.load(), raw_pixels, path)
        return import_keras().models.load_model(path)

    def export_to_onnx(self, path, raw_pixels):
        """Return a session with the exported file."""
        export_onnx([self.load()], raw_pixels, path)
        return onnxruntime.InferenceSession(path)


@pytest.fixture
def trained(tmp_path, network, shape):
    return Trained(tmp_path, network, shape)


@pytest.fixture
def standardized(tmp_path, network, shape):
    return Trained(tmp_path, network, shape, {"mean": 0.4, "std": 0.3})


def test_a_keras_file_has_the_names_of_the_classes(tmp_path):
    trained, path = Trained(tmp_path, "softmax", [6, 5]), tmp_path / "network.keras"
    export_keras(trained.load(), False, path)
    with zipfile.ZipFile(path) as archive:
        assert json.loads(archive.read("metadata.json"))["classes"] == CLASSES


def assert_same_predictions(P, trained):
    np.testing.assert_allclose(P, trained.P, rtol=0, atol=1e-5)
    assert (P.argmax(axis=1) == trained.P.argmax(axis=1)).all()
    assert len(set(trained.P.argmax(axis=1))) >= 3  # otherwise the comparison says little


@each_network
@each_shape
@pytest.mark.parametrize("raw_pixels", [False, True])
def test_keras_predicts_the_same(trained, tmp_path, raw_pixels):
    model = trained.export_to_keras(tmp_path / "network.keras", raw_pixels)
    assert_same_predictions(model.predict(trained.images(raw_pixels), verbose=0), trained)
    if raw_pixels:  # of any type
        for dtype in (np.int64, np.float32):
            assert_same_predictions(np.asarray(model(trained.raw.astype(dtype))), trained)


# A configuration of Keras that would change the order and the precision of pixels.
USER_CONFIG = {"image_data_format": "channels_first", "floatx": "float16", "epsilon": 0.1}
EXPORT = """
import json, sys
from scratchnet.evaluation.trained_network import TrainedNetwork
from scratchnet.interop.export import export_keras
export_keras(TrainedNetwork.load(**json.loads(sys.argv[1])), True, sys.argv[2])
"""


@pytest.mark.slow
@pytest.mark.parametrize("network", ["relu"])
@each_shape
@pytest.mark.parametrize("config", [None, USER_CONFIG], ids=["new", "configured"])
def test_the_configuration_of_keras_does_not_matter_and_is_not_written(trained, tmp_path, config):
    home = tmp_path / "home"
    home.mkdir()
    if config:
        (home / ".keras").mkdir()
        (home / ".keras/keras.json").write_text(json.dumps(config))
    before = sorted(home.rglob("*"))
    path = tmp_path / "network.keras"
    arguments = {name: str(file) for name, file in trained.files.items()}
    arguments |= {"settings": trained.settings}
    environment = {
        "HOME": str(home),
        "MPLCONFIGDIR": str(tmp_path / "matplotlib"),  # Keras imports Matplotlib
        "PYTHONPATH": str(SCRIPTS),
        "KERAS_BACKEND": "torch",
        "KERAS_NNX_ENABLED": "1",
        "TF_USE_LEGACY_KERAS": "1",
    }
    command = [sys.executable, "-c", EXPORT, json.dumps(arguments), str(path)]
    subprocess.run(command, env=environment, check=True)
    assert sorted(home.rglob("*")) == before
    model = import_keras().models.load_model(path)
    assert {weights.dtype for weights in model.weights} == {"float32"}
    assert_same_predictions(model.predict(trained.images(raw_pixels=True), verbose=0), trained)


@pytest.mark.parametrize("network", ["relu", "convolutions"])
@each_shape
@pytest.mark.parametrize("raw_pixels", [False, True])
def test_settings_of_keras_in_the_same_process_do_not_matter(trained, tmp_path, raw_pixels):
    keras = import_keras()
    keras.config.set_image_data_format("channels_first")
    set_precision(keras, "float16")
    try:
        trained.export_to_keras(tmp_path / "network.keras", raw_pixels)
        assert keras.config.floatx() == "float16"
    finally:
        keras.config.set_image_data_format("channels_last")
        set_precision(keras, "float32")
    model = keras.models.load_model(tmp_path / "network.keras")
    assert_same_predictions(model.predict(trained.images(raw_pixels), verbose=0), trained)


def test_importing_keras_leaves_the_environment_of_its_home(monkeypatch):
    monkeypatch.setenv("KERAS_HOME", "/nowhere")
    import_keras()
    assert os.environ["KERAS_HOME"] == "/nowhere"


@each_network
@each_shape
@pytest.mark.parametrize("raw_pixels", [False, True])
def test_onnx_runtime_predicts_the_same(trained, tmp_path, raw_pixels):
    path = tmp_path / "network.onnx"
    session = trained.export_to_onnx(path, raw_pixels)
    (P,) = session.run(["probabilities"], {"images": trained.images(raw_pixels)})
    assert_same_predictions(P, trained)
    assert json.loads(session.get_modelmeta().custom_metadata_map["classes"]) == CLASSES
    model = onnx.load(path)  # programs of 2022 can read it
    assert model.ir_version <= 8
    assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", 17)]


# The type of the pixels that the ONNX file takes, by the smallest and the largest training pixel.
PIXEL_TYPES = [
    (0, 255, np.uint8),
    (False, True, np.uint8),
    (0, 256, np.float32),
    (-1, 255, np.float32),
    (0.0, 255.0, np.float32),
    (-0.5, 0.5, np.float32),
]


@pytest.mark.parametrize(("network", "shape"), [("relu", [6, 5])])
@pytest.mark.parametrize(("minimum", "maximum", "dtype"), PIXEL_TYPES)
def test_onnx_takes_raw_pixels_of_8_bits_as_such_and_others_as_floats(
    trained, tmp_path, minimum, maximum, dtype
):
    manifest = {"image_shape": [6, 5], "minimum": minimum, "maximum": maximum}
    trained.files["manifest"].write_text(json.dumps(manifest))
    session = trained.export_to_onnx(tmp_path / "network.onnx", raw_pixels=True)
    images = np.array([minimum, maximum], dtype)[np.arange(60).reshape(2, 6, 5) % 2]
    (P,) = session.run(["probabilities"], {"images": images})
    weights = [*load_checkpoint(trained.files["checkpoint"]).trained.values()]
    X = np.arange(60, dtype=np.float32).reshape(2, 30).T % 2
    np.testing.assert_allclose(P, build_mlp(weights, "relu").probabilities(X).T, rtol=0, atol=1e-5)


standardized_networks = pytest.mark.parametrize("network", ["softmax", "convolutions"])


@standardized_networks
@each_shape
@pytest.mark.parametrize("raw_pixels", [False, True])
def test_exported_networks_standardise_images_that_are_raw_or_scaled_to_0_to_1(
    standardized, tmp_path, raw_pixels
):
    images = standardized.images(raw_pixels)
    model = standardized.export_to_keras(tmp_path / "network.keras", raw_pixels)
    assert_same_predictions(model.predict(images, verbose=0), standardized)
    session = standardized.export_to_onnx(tmp_path / "network.onnx", raw_pixels)
    assert_same_predictions(session.run(None, {"images": images})[0], standardized)


@standardized_networks
@each_shape
def test_the_code_in_the_readme_standardises(standardized, tmp_path, monkeypatch, capsys):
    check_readme(standardized, tmp_path, monkeypatch, capsys)
    assert np.load(tmp_path / "network.npz")["std"] == pytest.approx(0.3 * (MAXIMUM - MINIMUM))


@each_network
@each_shape
def test_the_code_in_the_readme_predicts_the_same_and_its_table_lists_each_array(
    trained, tmp_path, monkeypatch, capsys
):
    check_readme(trained, tmp_path, monkeypatch, capsys)


def check_readme(trained, tmp_path, monkeypatch, capsys):
    path, readme = tmp_path / "network.npz", tmp_path / "README.md"
    export_npz(trained.load(), "a-run", path, readme)
    text, arrays = readme.read_text(), np.load(path, allow_pickle=False)
    (code,) = re.findall("```python\n(.*?)```", text, re.DOTALL)
    placeholder = re.search(r"images = np.zeros\(.*", code)[0]
    monkeypatch.chdir(tmp_path)
    names = {"raw": trained.raw}
    exec(code.replace(placeholder, "images = raw"), names)
    assert_same_predictions(names["P"], trained)
    assert capsys.readouterr().out.split()[0].startswith("['")
    exec(code, {})  # unchanged
    rows = re.findall(r"^\| `(\w+)` \| (\(.*?\)) \|", text, re.MULTILINE)
    assert rows == [(name, str(arrays[name].shape)) for name in arrays.files]
    assert arrays["classes"].tolist() == CLASSES


@pytest.mark.parametrize("raw_pixels", [False, True])
def test_an_ensemble_predicts_the_mean_of_its_members(tmp_path, raw_pixels):
    members = []
    for kind in ("softmax", "convolutions", "batch"):
        (tmp_path / kind).mkdir()
        members.append(Trained(tmp_path / kind, kind, [6, 5]))
    path = tmp_path / "ensemble.onnx"
    export_onnx([member.load() for member in members], raw_pixels, path)
    session, images = onnxruntime.InferenceSession(path), members[0].images(raw_pixels)
    (P,) = session.run(["probabilities"], {"images": images})
    each = [member.load().build().probabilities(members[0].X.T).T for member in members]
    np.testing.assert_allclose(P, np.mean(each, axis=0), atol=1e-5)
    assert np.abs(each - P).max() > 0.1


@pytest.mark.parametrize(("network", "shape"), [("relu", [6, 5])])
def test_the_same_network_gives_the_same_bytes(trained, tmp_path):
    def exported():
        onnx_path, npz, readme = tmp_path / "a.onnx", tmp_path / "a.npz", tmp_path / "a.md"
        export_onnx([trained.load()], True, onnx_path)
        export_npz(trained.load(), "a", npz, readme)
        return [path.read_bytes() for path in (onnx_path, npz, readme)]

    assert exported() == exported()


@pytest.mark.parametrize(("network", "shape"), [("softmax", [6, 5])])
def test_without_onnx_the_error_says_what_to_install(trained, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    path = tmp_path / "network.onnx"
    with pytest.raises(MissingPackageError, match=r"onnx is not installed\. .* make extras"):
        export_onnx([trained.load()], False, path)
    assert not path.exists()
