"""A network in Keras with the same layers and weights, for export and for the parity check.

Keras arrays are samples x features. In place of one matrix W (n_out, n_in + 1), a Keras `Dense`
layer has a kernel (n_in, n_out) and a bias, and a `Conv2D` layer has a kernel (height, width,
channels, filters) and a bias.
"""

import math
import os
import sys
from contextlib import contextmanager
from functools import partial
from tempfile import TemporaryDirectory

import numpy as np

from scratchnet.errors import MissingPackageError
from scratchnet.nn.convolution import AvgPool2D, Conv2D, MaxPool2D
from scratchnet.nn.layers import ACTIVATIONS, Dense, Dropout
from scratchnet.nn.normalization import (
    EPSILON,
    MOMENTUM,
    BatchNormalization,
    LayerNormalization,
)


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


ACTIVATION_NAMES = {kind: name for name, kind in ACTIVATIONS.items()}  # Keras has the same


def make_layers(keras, network, precision):
    """Return a Keras layer for each layer of a Network, with its weights to be filled by
    `set_weights`. It is a function for an activation, and None for `Dropout`: Keras's draws its
    own masks.
    """
    # Keras may have been configured in this process: nothing is left to its defaults.
    images = {"data_format": "channels_last"}
    normalization = {"epsilon": EPSILON, "axis": -1}
    theirs = []
    for i, layer in enumerate(network.layers):
        options = {"name": f"{type(layer).__name__.lower()}_{i}", "dtype": precision}
        match layer:
            case Dropout():
                made = None
            case Dense():
                made = keras.layers.Dense(len(layer.params["W"]), **options)
            case Conv2D():
                filters = layer.output_shape[2]
                how = {"strides": layer.stride, "padding": layer.padding} | images
                made = keras.layers.Conv2D(filters, layer.kernel, **how, **options)
            case MaxPool2D():
                made = keras.layers.MaxPooling2D(layer.window, **images, **options)
            case AvgPool2D():
                made = keras.layers.AveragePooling2D(layer.window, **images, **options)
            case BatchNormalization():
                how = normalization | {"momentum": MOMENTUM}
                made = keras.layers.BatchNormalization(**how, **options)
            case LayerNormalization():
                made = keras.layers.GroupNormalization(groups=1, **normalization, **options)
            case _:
                made = partial(activate, keras, ACTIVATION_NAMES[type(layer)])
        theirs.append(made)
    return theirs


def apply_layers(keras, network, layers, x, masks=()):
    """Apply Keras `layers`, those of `make_layers`, to a Keras tensor x (b, n_in).

    Returns the logits (b, k). If there are `masks` (b, n), the inputs of each `Dropout` layer are
    multiplied with one.
    """
    dtype, masks = layers[0].dtype, iter(masks)
    for layer, theirs in zip(network.layers, layers):
        if isinstance(layer, Dropout):
            mask = next(masks, None)
            x = _flatten(keras, x, dtype)
            x = x if mask is None else keras.layers.Multiply(dtype=dtype)([x, mask])
            continue
        if isinstance(layer, Conv2D) and len(x.shape) == 2:
            x = keras.layers.Reshape(layer.shape, dtype=dtype)(x)
        if isinstance(layer, Dense):
            x = _flatten(keras, x, dtype)
        x = theirs(x)
    return x


def _flatten(keras, x, dtype):
    """Return a Keras tensor of images (b, height, width, channels), or x (b, n), as (b, n)."""
    if len(x.shape) == 2:
        return x
    return keras.layers.Flatten(data_format="channels_last", dtype=dtype)(x)


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


def set_weights(network, layers):
    """Give Keras `layers`, those of `make_layers`, the weights of a Network."""
    for layer, theirs in zip(network.layers, layers):
        if isinstance(layer, (Dense, Conv2D)):
            W = layer.params["W"]
            theirs.set_weights([W[:, :-1].T.reshape(theirs.kernel.shape), W[:, -1]])
        elif layer.params:
            theirs.set_weights([*(layer.params | layer.state).values()])


def unfold_filters(convolution):
    """Return the filters of a Conv2D as (kernel, kernel, channels, filters), as in Keras."""
    W, kernel = convolution.params["W"], convolution.kernel
    return W[:, :-1].T.reshape(kernel, kernel, -1, len(W))


def get_weights(network, layers):
    """Return the weights of Keras `layers` as a list, in the order of `Network.weights`."""
    arrays = []
    for layer, theirs in zip(network.layers, layers):
        if isinstance(layer, (Dense, Conv2D)):
            kernel, bias = theirs.get_weights()
            arrays.append(np.column_stack([kernel.reshape(-1, len(bias)).T, bias]))
        elif layer.params:
            arrays += theirs.get_weights()
    return arrays
