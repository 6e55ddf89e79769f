"""Export of a trained network: as a Keras model, as ONNX, and as plain NumPy arrays.

Exported networks take samples x features, as is usual elsewhere: images of shape (n, pixels) with
values from 0 to 1 or, if preprocessing is included, raw images of shape (n, height, width) or
(n, height, width, 3).
"""

import json
import math
import zipfile

import numpy as np

from scratchnet.files import atomic_write, write_text
from scratchnet.interop.keras_model import (
    apply_layers,
    import_keras,
    make_layers,
    require_extra_packages,
    set_weights,
)
from scratchnet.nn.shapes import block_shapes, pad_widths

PRECISION = "float32"
OPSET, IR_VERSION = 17, 8  # ONNX versions of 2022, which current readers also support
# With their attributes: without its own, ONNX takes a default.
ONNX_ACTIVATIONS = {"relu": ("Relu", {}), "sigmoid": ("Sigmoid", {}), "tanh": ("Tanh", {})}
NUMPY_ACTIVATIONS = {
    "relu": "np.maximum({}, 0)",
    "sigmoid": "1 / (1 + np.exp(-({})))",
    "tanh": "np.tanh({})",
}
# The arrays that raw pixels are shifted and divided by, and what they are.
MIN_MAX_SCALING = {
    "minimum": "the smallest pixel value of the training images",
    "span": "the largest pixel value minus the smallest",
}
STANDARDIZATION = {
    "mean": "the mean of the pixels of the training images",
    "std": "their standard deviation",
}

README = """# A trained network as arrays

`network.npz` holds the network {title}. It classifies images of {shape} pixels into {k} classes.
No array contains Python objects, so all can be read with `allow_pickle=False`.

| array | shape | content |
|---|---|---|
{rows}

To predict the classes of a batch of raw images of shape (n, {dimensions}):

```python
import numpy as np

network = np.load("network.npz")
images = np.zeros((1, {dimensions}))  # your own images

{functions}{steps}
E = np.exp(Z - Z.max(axis=1, keepdims=True))
P = E / E.sum(axis=1, keepdims=True)  # (n, {k}): the probability of each class
print(network["classes"][P.argmax(axis=1)])
```
"""

NUMPY_CONVOLUTION = """
def convolve(X, F, f, before, after):  # X (n, height, width, channels)
    X = np.pad(X, ((0, 0), (before, after), (before, after), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(X, F.shape[:2], axis=(1, 2))
    return np.tensordot(windows, F, axes=((4, 5, 3), (0, 1, 2))) + f


def max_pool(X, side):
    n, height, width, channels = X.shape
    X = X[:, : height // side * side, : width // side * side]
    return X.reshape(n, height // side, side, width // side, side, channels).max(axis=(2, 4))


"""


def export_keras(network, raw_pixels, path):
    """Write a TrainedNetwork as a .keras file, from images to probabilities (n, k).

    The model takes images (n, pixels) with values from 0 to 1 or, with `raw_pixels`, raw images.
    Raises MissingPackageError if TensorFlow is not installed.
    """
    keras = import_keras()
    shape, convolutions = network.image_shape, network.convolutions
    # Keras may have been configured in this process: nothing is left to its defaults.
    layers = make_layers(keras, network.weights, convolutions, PRECISION)
    offset, divisor = network.scaling(raw_pixels)
    if raw_pixels:
        x = keras.Input(shape, name="images", dtype=PRECISION)
        pixels = keras.layers.Flatten(data_format="channels_last", dtype=PRECISION)(x)
    else:
        x = pixels = keras.Input((math.prod(shape),), name="images", dtype=PRECISION)
    if raw_pixels or (offset, divisor) != (0, 1):
        rescaling = keras.layers.Rescaling(1 / divisor, -offset / divisor, dtype=PRECISION)
        pixels = rescaling(pixels)
    logits = apply_layers(keras, layers, shape, convolutions, network.activation, pixels)
    softmax = keras.layers.Softmax(name="probabilities", dtype=PRECISION)
    model = keras.Model(x, softmax(logits))
    set_weights(layers, network.weights)
    with atomic_write(path) as temporary:
        model.save(temporary)
        _write_metadata(temporary, network.classes)


def _write_metadata(path, classes):
    """Write the names of the classes into a .keras file, and remove when it was written.

    So the same network is the same bytes.
    """
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    metadata = json.loads(members["metadata.json"])
    del metadata["date_saved"]
    metadata["classes"] = classes
    members["metadata.json"] = json.dumps(metadata)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content)  # the time of a ZipInfo is fixed


def export_onnx(network, raw_pixels, path):
    """Like `export_keras`, as an ONNX file with the input "images" and output "probabilities".

    The input is float32, or uint8 for raw images whose pixels are integers from 0 to 255. The
    metadata have the names of the classes. Raises MissingPackageError if onnx is not installed.
    """
    with require_extra_packages():
        import onnx
    model = onnx.helper.make_model(
        _make_onnx_graph(network, raw_pixels),
        opset_imports=[onnx.helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )
    onnx.helper.set_model_props(model, {"classes": json.dumps(network.classes)})
    onnx.checker.check_model(model, full_check=True)
    with atomic_write(path) as temporary:
        temporary.write_bytes(model.SerializeToString(deterministic=True))


def _make_onnx_graph(network, raw_pixels):
    """Return the ONNX graph of a network; for raw pixels, it includes preprocessing."""
    from onnx import TensorProto, helper, numpy_helper

    nodes, constants = [], []

    def add(operation, x, y, inputs=None, **attributes):
        """Add a node from the tensor named `x` to the one named `y`, and return `y`.

        `inputs` are further, constant inputs by name.
        """
        names = []
        for name, value in (inputs or {}).items():
            names.append(f"{y}.{name}")
            array = np.asarray(value, np.int64 if name == "shape" else np.float32)
            constants.append(numpy_helper.from_array(array, names[-1]))
        nodes.append(helper.make_node(operation, [x, *names], [y], **attributes))
        return y

    weights, convolutions = network.weights, network.convolutions
    operation, attributes = ONNX_ACTIVATIONS.get(network.activation, (None, {}))
    x, dtype, image_shape = "images", TensorProto.FLOAT, network.image_shape
    shape = image_shape if raw_pixels else [math.prod(image_shape)]
    if raw_pixels:
        if has_8_bit_pixels(network.manifest):
            dtype = TensorProto.UINT8
            x = add("Cast", x, "floats", to=TensorProto.FLOAT)
        x = add("Flatten", x, "pixels")
    offset, divisor = network.scaling(raw_pixels)
    if raw_pixels or (offset, divisor) != (0, 1):
        x = add("Sub", x, "shifted", {"offset": offset})
        x = add("Div", x, "scaled", {"divisor": divisor})
    if convolutions:  # ONNX has the channels before the height
        x = add("Reshape", x, "grid", {"shape": [-1, *block_shapes(image_shape, [])[0]]})
        x = add("Transpose", x, "channels", perm=[0, 3, 1, 2])
        for i, (W, block) in enumerate(zip(weights, convolutions)):
            filters = unfold_filters(W, block).transpose(3, 2, 0, 1)
            before, after = pad_widths(block["kernel"], block["padding"])
            pads = [before, before, after, after]
            x = add("Conv", x, f"convolution_{i}", {"W": filters, "b": W[:, -1]}, pads=pads)
            side = [block["pool"]] * 2
            x = add("MaxPool", x, f"pool_{i}", kernel_shape=side, strides=side)
            x = add(operation, x, f"block_{i}", **attributes)
        x = add("Transpose", x, "channels_last", perm=[0, 2, 3, 1])
        x = add("Flatten", x, "features")
    for i, W in enumerate(weights[len(convolutions) :]):
        if i:
            x = add(operation, x, f"activation_{i}", **attributes)
        x = add("Gemm", x, f"dense_{i}", {"W": W[:, :-1], "b": W[:, -1]}, transB=1)
    add("Softmax", x, "probabilities", axis=1)

    images = helper.make_tensor_value_info("images", dtype, ["n", *shape])
    probabilities = helper.make_tensor_value_info(
        "probabilities", TensorProto.FLOAT, ["n", len(weights[-1])]
    )
    return helper.make_graph(nodes, "scratchnet", [images], [probabilities], constants)


def export_npz(network, title, path, readme):
    """Write a TrainedNetwork as arrays (.npz), with a description `readme` (.md).

    `title` is its name in the description.
    """
    weights, convolutions, shape = network.weights, network.convolutions, network.image_shape
    arrays = {}  # name: (array, what it is)
    scaling = STANDARDIZATION if "std" in network.manifest else MIN_MAX_SCALING
    for (name, text), value in zip(scaling.items(), network.scaling(raw_pixels=True)):
        arrays[name] = value, text
    for i, (W, block) in enumerate(zip(weights, convolutions)):
        filters = unfold_filters(W, block)
        arrays[f"F{i}"] = filters, f"filters of convolution {i}, (height, width, channels, filters)"
        arrays[f"f{i}"] = W[:, -1], f"biases of convolution {i}"
    for i, W in enumerate(weights[len(convolutions) :]):
        arrays[f"W{i}"] = W[:, :-1], f"weights of layer {i}, (outputs, inputs)"
        arrays[f"b{i}"] = W[:, -1], f"biases of layer {i}"
    arrays["classes"] = network.classes, "names of the classes, in the order of P"
    arrays = {name: (np.asarray(value), text) for name, (value, text) in arrays.items()}
    with atomic_write(path) as temporary:
        np.savez(temporary, **{name: array for name, (array, _) in arrays.items()})
    rows = [f"| `{name}` | {array.shape} | {text} |" for name, (array, text) in arrays.items()]
    text = README.format(
        title=title,
        shape=" x ".join(map(str, shape)),
        dimensions=", ".join(map(str, shape)),
        k=len(weights[-1]),
        rows="\n".join(rows),
        functions=NUMPY_CONVOLUTION.lstrip("\n") if convolutions else "",
        steps="\n".join(
            _numpy_steps(len(weights), shape, convolutions, network.activation, *scaling)
        ),
    )
    write_text(readme, text)


def unfold_filters(W, block):
    """Return the filters of a convolution as (kernel, kernel, channels, filters), as in Keras."""
    return W[:, :-1].T.reshape(block["kernel"], block["kernel"], -1, len(W))


def _numpy_steps(n_layers, image_shape, convolutions, activation, offset, divisor):
    """Return the lines of NumPy code that compute the logits Z from raw images.

    `offset` and `divisor` are the names of the arrays that scale these.
    """
    steps = [f'X = (images.reshape(len(images), -1) - network["{offset}"]) / network["{divisor}"]']
    x = "X"
    if convolutions:
        height, width, channels = block_shapes(image_shape, [])[0]
        steps.append(f"X = X.reshape(-1, {height}, {width}, {channels})")
        for i, block in enumerate(convolutions):
            before, after = pad_widths(block["kernel"], block["padding"])
            pooled = f"max_pool(X, {block['pool']})"
            steps += [
                f'X = convolve(X, network["F{i}"], network["f{i}"], {before}, {after})',
                f"X = {NUMPY_ACTIVATIONS[activation].format(pooled)}",
            ]
        steps.append("X = X.reshape(len(X), -1)")
    n_dense = n_layers - len(convolutions)
    for i in range(n_dense):
        product = f'{x} @ network["W{i}"].T + network["b{i}"]'
        if i == n_dense - 1:
            steps.append(f"Z = {product}")
        else:
            x = f"H{i}"
            steps.append(f"{x} = {NUMPY_ACTIVATIONS[activation].format(product)}")
    return steps


def has_8_bit_pixels(manifest):
    """Return whether the raw pixels are integers from 0 to 255, judging by those of training."""
    minimum, maximum = manifest["minimum"], manifest["maximum"]
    return isinstance(minimum, int) and isinstance(maximum, int) and 0 <= minimum < maximum <= 255
