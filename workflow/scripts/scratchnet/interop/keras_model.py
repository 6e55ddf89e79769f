"""The network in Keras: the same layers, of the same weights, for `parity` and `export`.

Keras has samples x features, and an n_in x n_out kernel and a bias where a `Dense` here has one W.
"""

import os
import sys
from contextlib import contextmanager

import numpy as np

from scratchnet.errors import MissingPackageError


@contextmanager
def extra_packages():
    """Say what to do where a package that the block imports is not installed."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise MissingPackageError(
            f"{error.name} is not installed, which only parity and export need. To install it, "
            "run: make extras (or pip install --require-hashes -r requirements-extras.txt)"
        ) from error


def import_keras():
    """The module keras, on TensorFlow with one thread. Raises MissingPackageError."""
    os.environ |= {
        "CUDA_VISIBLE_DEVICES": "-1",
        "KERAS_BACKEND": "tensorflow",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    with extra_packages(), _without_stderr():
        import tensorflow
    try:
        tensorflow.config.threading.set_intra_op_parallelism_threads(1)
        tensorflow.config.threading.set_inter_op_parallelism_threads(1)
    except RuntimeError:
        pass  # it was at work before in this process
    return tensorflow.keras


def set_precision(keras, precision):
    """Make "float32" or "float64" the type of all that Keras makes from now on."""
    keras.config.set_floatx(precision)
    # The first layer made fixes the type of all later ones, whatever set_floatx says afterwards.
    keras.config.set_dtype_policy(precision)


@contextmanager
def _without_stderr():
    """Keep out what TensorFlow says of the machine before it can be told to be quiet."""
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def dense_layers(keras, weights):
    """A Keras `Dense` layer for each matrix in `weights`, still without them: see `set_weights`."""
    return [keras.layers.Dense(len(W), name=f"dense_{i}") for i, W in enumerate(weights)]


def connect(keras, layers, activation, x, masks=()):
    """Apply `layers` to a Keras tensor x (b, n_in), an activation between each two: logits (b, k).

    Keras's Dropout cannot be told what to drop: `masks` are tensors (b, n_out) to multiply with
    there, one for each hidden layer, or none.
    """
    for i, layer in enumerate(layers):
        if i:
            x = keras.layers.Activation(activation)(x)
            if masks:
                x = keras.layers.Multiply()([x, masks[i - 1]])
        x = layer(x)
    return x


def set_weights(layers, weights):
    """Give Keras `layers` the matrices `weights`, (n_out, n_in + 1) each."""
    for layer, W in zip(layers, weights, strict=True):
        layer.set_weights([W[:, :-1].T, W[:, -1]])


def get_weights(layers):
    """The weights of Keras `layers` as matrices (n_out, n_in + 1)."""
    arrays = (layer.get_weights() for layer in layers)
    return [np.column_stack([kernel.T, bias]) for kernel, bias in arrays]
