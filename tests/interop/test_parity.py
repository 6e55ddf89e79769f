"""The parity check: Scratchnet and Keras agree, and any disagreement is detected."""

import math
import sys

import numpy as np
import pytest

from reference import one_hot
from scratchnet.errors import MissingPackageError, ParityError
from scratchnet.files import read_csv, read_json, write_json
from scratchnet.interop.keras_model import import_keras, set_precision
from scratchnet.interop.parity import BOUNDS, TrainingPair, check_parity
from scratchnet.nn import layers, losses, optimizers
from scratchnet.training.checkpoints import load_checkpoint
from scratchnet.training.segments import train_to_checkpoint

SETTINGS = {
    "model.hidden": [],
    "model.initializer": "glorot_uniform",
    "training.batch_size": 20,
    "training.optimizer": "sgd",
    "training.learning_rate": 0.1,
    "training.weight_decay": 0.0,
    "training.schedule": "constant",
    "training.patience": None,
    "training.seed": 3,
}
HIDDEN = {"model.hidden": [9, 7], "model.activation": "relu", "model.dropout": 0.0}
BLOCK = {"filters": 3, "kernel": 2, "pool": 2, "padding": "same"}
ADAM = {"training.optimizer": "adam", "training.learning_rate": 0.01}
DECAY = {"training.decay_epochs": 2, "training.decay_rate": 0.3}
NETWORKS = {
    "softmax": {},
    "relu": HIDDEN,
    "leaky_relu": HIDDEN | {"model.activation": "leaky_relu"},
    "elu": HIDDEN | {"model.activation": "elu"},
    "gelu": HIDDEN | {"model.activation": "gelu"},
    "sigmoid": HIDDEN | {"model.activation": "sigmoid"},
    "tanh": HIDDEN | {"model.activation": "tanh"},
    "dropout": HIDDEN | {"model.activation": "tanh", "model.dropout": 0.4},
    "class weights": HIDDEN | {"training.class_weight": "balanced"},
    "label smoothing": HIDDEN
    | {"training.class_weight": "balanced", "training.label_smoothing": 0.3},
    "l2": HIDDEN | {"training.l2": 0.02},
    "random_normal": HIDDEN | {"model.initializer": "random_normal"},
    "augmentation": HIDDEN
    | {"augmentation.shift": 1, "augmentation.elastic": 2, "augmentation.horizontal_flip": True}
    | {"augmentation.crop_padding": 1, "augmentation.brightness": 0.3, "augmentation.cutout": 2},
    "convolution": {"model.convolutions": [BLOCK], "model.activation": "relu"},
    "convolution, gelu": {"model.convolutions": [BLOCK], "model.activation": "gelu"},
    "convolutions": HIDDEN
    | {"model.convolutions": [BLOCK, BLOCK | {"filters": 4, "pool": 1, "padding": "valid"}]}
    | {"model.activation": "tanh", "model.dropout": 0.4, "training.l2": 0.02},
    "batch normalisation": HIDDEN | {"model.normalization": "batch", "model.dropout": 0.4},
    "batch normalisation, adam": HIDDEN
    | ADAM
    | {"model.normalization": "batch", "training.learning_rate": 0.001},
    "layer normalisation": HIDDEN | {"model.normalization": "layer"},
    "normalised convolutions": HIDDEN
    | {"model.convolutions": [BLOCK, BLOCK | {"pooling": "global_average", "pool": 1}]}
    | {"model.activation": "tanh", "model.normalization": "batch"},
    "layers of a convolution": {"model.convolutions": [BLOCK | {"pooling": "average"}]}
    | {"model.activation": "sigmoid", "model.normalization": "layer"},
    "strides": {
        "model.convolutions": [BLOCK | {"stride": 2, "pool": 1}, BLOCK | {"stride": 3, "pool": 1}]
    }
    | {"model.activation": "relu"},
}
OPTIMIZERS = {
    "sgd": {},
    "momentum": {"training.momentum": 0.9},
    "nesterov": {"training.momentum": 0.9, "training.nesterov": True},
    "weight decay": {"training.weight_decay": 0.2, "training.momentum": 0.5},
    "clipping": {"training.clip_norm": 0.3, "training.momentum": 0.5},
    "step": {"training.schedule": "step"} | DECAY,
    "exponential": {"training.schedule": "exponential"} | DECAY,
    "cosine": {"training.schedule": "cosine"} | DECAY,
    "warm-up": {"training.warmup_epochs": 2},
    "warm-up, step": {"training.schedule": "step", "training.warmup_epochs": 1} | DECAY,
    "warm-up, cosine": {"training.schedule": "cosine", "training.warmup_epochs": 1} | DECAY,
    "rmsprop": {"training.optimizer": "rmsprop", "training.learning_rate": 0.01},
    "rmsprop, odd": {"training.optimizer": "rmsprop", "training.rho": 0.7}
    | {"training.epsilon": 0.01, "training.clip_norm": 0.3},
    "adam": ADAM,
    "adam, odd": ADAM | {"training.beta_1": 0.6, "training.beta_2": 0.7, "training.epsilon": 0.01},
    "adam, cosine, weight decay": ADAM
    | {"training.weight_decay": 0.1, "training.schedule": "cosine"}
    | DECAY,
}
N, N_VALIDATION, CLASSES = 50, 10, 4  # the last batch has 10 samples, the others 20
SHAPE = [6, 5]
PIXELS = math.prod(SHAPE)


@pytest.fixture(autouse=True)
def restore_precision():
    keras = import_keras()
    before = keras.config.floatx()
    yield
    set_precision(keras, before)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Paths of small arrays whose classes can be learned."""
    folder = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    centres = rng.random((PIXELS, CLASSES))
    paths = {}
    for split, n in (("train", N), ("validation", N_VALIDATION), ("test", 30)):
        labels = rng.integers(CLASSES, size=n)
        X = (centres[:, labels] + 0.3 * rng.standard_normal((PIXELS, n))).astype(np.float32)
        for kind, array in (("X", X), ("Y", one_hot(labels, CLASSES).astype(np.float32))):
            paths[f"{kind}_{split}"] = folder / f"{kind}_{split}.npy"
            np.save(paths[f"{kind}_{split}"], np.asfortranarray(array))
    paths["manifest"] = folder / "manifest.json"
    pixels = {"minimum": 0, "maximum": 1, "mean": 0.4, "std": 0.3}
    write_json(paths["manifest"], {"image_shape": SHAPE, **pixels})
    return paths


def train(data, settings, folder, epochs=3):
    """Train as the pipeline does, and return the path of the checkpoint."""
    names = ("X_train", "Y_train", "X_validation", "Y_validation")
    train_to_checkpoint(
        name="a-run",
        data={name: data[name] for name in names},
        manifest=data["manifest"],
        settings=settings,
        epochs=epochs,
        start=[],
        checkpoint=folder / "c.npz",
        record=folder / "c.json",
    )
    return folder / "c.npz"


def compare(data, settings, folder, checkpoint=None):
    """Return what `check_parity` writes: the largest differences, and the rows."""
    check_parity(
        data={name: data[name] for name in ("X_train", "Y_train", "X_test")},
        manifest=data["manifest"],
        checkpoint=checkpoint or train(data, settings, folder),
        settings=settings,
        name="a-run",
        parity=folder / "parity.json",
        differences=folder / "parity.csv",
    )
    return read_json(folder / "parity.json"), read_csv(folder / "parity.csv")


CASES = {
    **NETWORKS,
    **{f"softmax, {name}": options for name, options in OPTIMIZERS.items()},
    **{f"tanh, {name}": NETWORKS["tanh"] | options for name, options in OPTIMIZERS.items()},
    "relu, dropout, adam": HIDDEN | {"model.dropout": 0.2} | OPTIMIZERS["adam"],
}


# The other optimizers of a deep network are slow tests: each is compared in a network of one layer.
SLOW_CASES = {f"tanh, {name}" for name in OPTIMIZERS} - {"tanh, nesterov"}


@pytest.mark.parametrize(
    "options",
    [
        pytest.param(options, id=name, marks=[pytest.mark.slow] if name in SLOW_CASES else [])
        for name, options in CASES.items()
    ],
)
def test_scratchnet_and_keras_agree_in_both_precisions(data, tmp_path, options):
    parity, _ = compare(data, SETTINGS | options, tmp_path)
    exact, single = parity["float64"], parity["float32"]
    for what in ("loss", "weights", "predictions"):
        assert exact[f"{what}_difference"] < 1e-12  # the bound is 1e-9
        assert single[f"{what}_difference"] < 1e-4
    assert exact["classes_that_differ"] == single["classes_that_differ"] == 0
    assert single["as_in_the_checkpoint"]  # the training that was compared is that of the run


@pytest.mark.parametrize("precisions", [("float64", "float32"), ("float32", "float64")])
def test_keras_computes_in_the_requested_precision(data, precisions):
    # Without set_precision, Keras gives all layers the type of the first one in the process.
    arrays = {name: np.load(path) for name, path in data.items() if name != "manifest"}
    for precision in precisions:
        manifest = {"image_shape": SHAPE, "minimum": 0, "maximum": 1}
        pair = TrainingPair(import_keras(), SETTINGS | HIDDEN, arrays, manifest, precision)
        assert {W.dtype for W in pair.keras_training.weights()} == {np.dtype(precision)}


def test_the_table_has_each_batch_of_the_first_epoch_and_each_epoch_with_the_losses_of_the_run(
    data, tmp_path
):
    parity, rows = compare(data, SETTINGS | HIDDEN, tmp_path)
    places = [(row["precision"], row["epoch"], row["batch"]) for row in rows]
    expected = [("1", "1"), ("1", "2"), ("1", "3"), ("1", ""), ("2", ""), ("3", "")]
    assert places == [(p, *place) for p in ("float64", "float32") for place in expected]
    history = load_checkpoint(tmp_path / "c.npz").history["loss"]
    found = [float(r["loss"]) for r in rows if r["precision"] == "float32" and not r["batch"]]
    np.testing.assert_allclose(found, history, rtol=1e-12)
    assert parity["float64"]["bounds"] == BOUNDS["float64"]
    assert parity["float32"]["bounds"] == BOUNDS["float32, wide"]


def test_the_comparison_ends_with_the_last_epoch_after_early_stopping(data, tmp_path):
    settings = SETTINGS | ADAM | {"training.learning_rate": 0.3, "training.patience": 2}
    checkpoint = train(data, settings, tmp_path, epochs=60)
    epochs = len(load_checkpoint(checkpoint).history["loss"])
    assert epochs < 60
    parity, _ = compare(data, settings, tmp_path, checkpoint)
    assert parity["epochs"] == epochs
    assert parity["float32"]["as_in_the_checkpoint"]


def test_another_checkpoint_is_recognized_as_different(data, tmp_path):
    checkpoint = train(data, SETTINGS | {"training.seed": 4}, tmp_path)
    parity, _ = compare(data, SETTINGS, tmp_path, checkpoint)
    assert not parity["float32"]["as_in_the_checkpoint"]


# ---- Mistakes are detected.


def scaled(function, factor):
    return lambda *arguments, **options: factor * function(*arguments, **options)


def wrong_gradient(*arguments):
    loss, dZ = losses.softmax_crossentropy(*arguments)
    return loss, dZ * (1 + 1e-6)


MISTAKES = {
    "ReLU's slope": (layers.ReLU, "backward", scaled(layers.ReLU.backward, 1 + 1e-6)),
    "ReLU": (layers.ReLU, "forward", scaled(layers.ReLU.forward, 1 + 1e-6)),
    "Dense": (layers.Dense, "forward", scaled(layers.Dense.forward, 1 + 1e-6)),
    "the gradient of the loss": (
        "scratchnet.training.loop",
        "softmax_crossentropy",
        wrong_gradient,
    ),
    "the learning rate": (
        optimizers.SGD,
        "current_learning_rate",
        scaled(optimizers.SGD.current_learning_rate, 1 + 1e-6),
    ),
}


@pytest.mark.parametrize(("owner", "name", "mistake"), MISTAKES.values(), ids=MISTAKES)
def test_a_relative_error_of_1e_6_is_detected(data, tmp_path, monkeypatch, owner, name, mistake):
    checkpoint = train(data, SETTINGS | HIDDEN, tmp_path)
    if isinstance(owner, str):
        monkeypatch.setattr(f"{owner}.{name}", mistake)
    else:
        monkeypatch.setattr(owner, name, mistake)
    with pytest.raises(
        ParityError, match=r"does not agree with Keras in float64: after batch \d of epoch 1 "
    ):
        compare(data, SETTINGS | HIDDEN, tmp_path, checkpoint)
    assert not (tmp_path / "parity.json").exists()


def test_a_mistake_in_float32_only_is_detected(data, tmp_path, monkeypatch):
    checkpoint = train(data, SETTINGS, tmp_path)
    forward = layers.Dense.forward

    def mistaken(self, X, rng=None):
        Y = forward(self, X, rng)
        return Y * np.float32(1.001) if X.dtype == np.float32 else Y

    monkeypatch.setattr(layers.Dense, "forward", mistaken)
    with pytest.raises(
        ParityError, match=r"does not agree with Keras in float32: after batch . of epoch 1 the "
    ):
        compare(data, SETTINGS, tmp_path, checkpoint)


def test_a_loss_that_is_nan_is_out_of_bounds(data, tmp_path, monkeypatch):
    checkpoint = train(data, SETTINGS, tmp_path)
    monkeypatch.setattr(
        "scratchnet.interop.keras_training.make_step", lambda *_, **__: lambda *_: math.nan
    )
    with pytest.raises(
        ParityError, match="the difference in loss is nan, and at most 1e-09 is allowed"
    ):
        compare(data, SETTINGS, tmp_path, checkpoint)


@pytest.mark.parametrize("epoch", [1, 2])
def test_predictions_that_are_nan_are_out_of_bounds(data, tmp_path, monkeypatch, epoch):
    """Even if only one value is, the last one, or one in a later slice of the test images."""
    checkpoint = train(data, SETTINGS, tmp_path)
    monkeypatch.setattr("scratchnet.interop.parity.PREDICTION_BATCH", 7)
    predict, calls = layers.softmax, []

    def mistaken(Z):
        P = predict(Z)
        calls.append(1)
        if len(calls) == {1: 2, 2: 12}[epoch]:
            P[-1, -1] = math.nan
        return P

    monkeypatch.setattr("scratchnet.nn.network.softmax", mistaken)
    with pytest.raises(ParityError, match="the difference in predictions is nan"):
        compare(data, SETTINGS, tmp_path, checkpoint)


def test_without_tensorflow_the_error_says_what_to_install(data, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    with pytest.raises(MissingPackageError, match=r"tensorflow is not installed\. .* make extras"):
        import_keras()
