"""A network in Keras with the same layers and weights, for export and for the parity check.

Keras arrays are samples x features. In place of one matrix W (n_out, n_in + 1), a Keras `Dense`
layer has a kernel (n_in, n_out) and a bias, and a `Conv2D` layer has a kernel (height, width,
channels, filters) and a bias.
"""

import math
import os
import sys
from contextlib import contextmanager
from tempfile import TemporaryDirectory

import numpy as np

from scratchnet.errors import MissingPackageError
from scratchnet.nn.layers import ACTIVATIONS


@contextmanager
def require_extra_packages():
    """Raise MissingPackageError, which says what to do, if an import in the block fails."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise MissingPackageError(
            f"{error.name} is not installed. Only parity and export need it. To install it, run: "
            "make extras (or python3 workflow/tools/set_up.py extras)"
        ) from error


def import_keras():
    """Return the module keras, set up to use TensorFlow on the CPU with one thread.

    The configuration of Keras in ~/.keras or KERAS_HOME is neither read nor written. Raises
    MissingPackageError if TensorFlow is not installed.
    """
    os.environ |= {
        "CUDA_VISIBLE_DEVICES": "-1",
        "KERAS_BACKEND": "tensorflow",
        "KERAS_NNX_ENABLED": "0",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    with require_extra_packages(), _silence_stderr(), _empty_keras_home():
        import keras
        import tensorflow
    try:
        tensorflow.config.threading.set_intra_op_parallelism_threads(1)
        tensorflow.config.threading.set_inter_op_parallelism_threads(1)
    except RuntimeError:
        pass  # TensorFlow has already started in this process
    return keras


@contextmanager
def _empty_keras_home():
    """Let Keras read and write its configuration in an empty folder, which is then deleted."""
    before = os.environ.get("KERAS_HOME")
    with TemporaryDirectory() as folder:
        os.environ["KERAS_HOME"] = folder
        try:
            yield
        finally:
            del os.environ["KERAS_HOME"]
            if before is not None:
                os.environ["KERAS_HOME"] = before


@contextmanager
def _silence_stderr():
    """Discard what is written to stderr: TensorFlow logs while it loads, whatever its log level."""
    sys.stderr.flush()
    saved = os.dup(2)
    try:
        with open(os.devnull, "wb") as devnull:
            os.dup2(devnull.fileno(), 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)


def set_precision(keras, precision):
    """Make `precision`, "float32" or "float64", the type of all Keras objects created later."""
    keras.config.set_floatx(precision)
    # set_floatx alone is not enough: the first layer created fixes the type of all later ones.
    keras.config.set_dtype_policy(precision)


def make_layers(keras, weights, convolutions, precision):
    """Return a Keras layer for each matrix in `weights`, to be filled by `set_weights`.

    The first are `Conv2D`, one for each of the `convolutions`, and the others `Dense`.
    """
    blocks = [
        keras.layers.Conv2D(
            block["filters"],
            block["kernel"],
            padding=block["padding"],
            data_format="channels_last",
            name=f"convolution_{i}",
            dtype=precision,
        )
        for i, block in enumerate(convolutions)
    ]
    dense = [
        keras.layers.Dense(len(W), name=f"dense_{i}", dtype=precision)
        for i, W in enumerate(weights[len(blocks) :])
    ]
    return blocks + dense


def apply_layers(keras, layers, image_shape, convolutions, activation, x, masks=()):
    """Apply Keras `layers` to a Keras tensor x (b, n_in), and return the logits (b, k).

    The layers have the order of `nn.network.build_network`. If there are `masks`, the input (b, n)
    of each `Dense` layer but the pixels is multiplied with one. This replaces Keras's Dropout,
    which draws its own masks.
    """
    dtype, masks = layers[0].dtype, iter(masks)
    options = {"dtype": dtype, "data_format": "channels_last"}

    def drop(x):
        mask = next(masks, None)
        return x if mask is None else keras.layers.Multiply(dtype=dtype)([x, mask])

    if convolutions:
        x = keras.layers.Reshape((*image_shape, 1)[:3], dtype=dtype)(x)
        increasing = ACTIVATIONS[activation].increasing
        for layer, block in zip(layers, convolutions):
            x = layer(x)
            if not increasing:
                x = activate(keras, activation, x)
            x = keras.layers.MaxPooling2D(block["pool"], **options)(x)
            if increasing:
                x = activate(keras, activation, x)
        x = drop(keras.layers.Flatten(**options)(x))
    for i, layer in enumerate(layers[len(convolutions) :]):
        if i:
            x = drop(activate(keras, activation, x))
        x = layer(x)
    return x


def activate(keras, activation, x):
    """Apply the activation of Keras that has the formula of that in `nn.layers` to a tensor x."""
    if x.dtype == "float64":  # in which TensorFlow rounds the constants of these two to float32
        if activation == "leaky_relu":
            return keras.ops.maximum(x, 0.2 * x)
        if activation == "gelu":
            return x * (1 + keras.ops.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))) / 2
    if activation == "gelu":  # of which Keras takes the exact form unless told otherwise
        return keras.activations.gelu(x, approximate=True)
    return keras.layers.Activation(activation, dtype=x.dtype)(x)


def set_weights(layers, weights):
    """Set the weights of Keras `layers` to the matrices `weights`, of shape (n_out, n_in + 1)."""
    for layer, W in zip(layers, weights, strict=True):
        layer.set_weights([W[:, :-1].T.reshape(layer.kernel.shape), W[:, -1]])


def get_weights(layers):
    """Return the weights of Keras `layers` as matrices of shape (n_out, n_in + 1)."""
    arrays = (layer.get_weights() for layer in layers)
    return [np.column_stack([kernel.reshape(-1, len(bias)).T, bias]) for kernel, bias in arrays]
