"""Export of a trained network: as a Keras model, as ONNX, and as plain NumPy arrays.

Exported networks take samples x features, as is usual elsewhere: images of shape (n, pixels) with
values from 0 to 1 or, if preprocessing is included, raw images of shape (n, height, width) or
(n, height, width, 3).
"""

import json
import math
import zipfile
from collections import Counter

import numpy as np

from scratchnet.files import atomic_write, write_text
from scratchnet.interop.keras_model import (
    apply_layers,
    import_keras,
    make_layers,
    require_extra_packages,
    set_weights,
    unfold_filters,
)
from scratchnet.nn.convolution import AvgPool2D, Conv2D, MaxPool2D
from scratchnet.nn.layers import ELU, GELU, Dense, Dropout, LeakyReLU, ReLU, Sigmoid, Tanh
from scratchnet.nn.normalization import (
    EPSILON,
    BatchNormalization,
    Normalization,
)

PRECISION = "float32"
OPSET, IR_VERSION = 17, 8  # ONNX versions of 2022, which current readers also support
NUMPY_ACTIVATIONS = {
    ReLU: "np.maximum(X, 0)",
    LeakyReLU: "np.where(X > 0, X, 0.2 * X)",
    ELU: "np.where(X > 0, X, np.expm1(np.minimum(X, 0)))",
    GELU: "X * (1 + np.tanh(np.sqrt(2 / np.pi) * (X + 0.044715 * X**3))) / 2",
    Sigmoid: "1 / (1 + np.exp(-X))",
    Tanh: "np.tanh(X)",
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

# What the code in the description may need, by name.
NUMPY_FUNCTIONS = {
    "convolve": """
def convolve(X, F, f, pads, stride):  # X (n, height, width, channels)
    X = np.pad(X, ((0, 0), *pads, (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(X, F.shape[:2], axis=(1, 2))
    return np.tensordot(windows[:, ::stride, ::stride], F, axes=((4, 5, 3), (0, 1, 2))) + f
""",
    "windows": """
def windows(X, h, w):  # (n, rows, h, columns, w, channels): pixels that are pooled
    n, height, width, channels = X.shape
    X = X[:, : height // h * h, : width // w * w]
    return X.reshape(n, height // h, h, width // w, w, channels)
""",
    "normalize": f"""
def normalize(X):  # each image
    axes = tuple(range(1, X.ndim))
    N = X - X.mean(axis=axes, keepdims=True)
    return N / np.sqrt((N**2).mean(axis=axes, keepdims=True) + {EPSILON})
""",
}


def export_keras(network, raw_pixels, path):
    """Write a TrainedNetwork as a .keras file, from images to probabilities (n, k).

    The model takes images (n, pixels) with values from 0 to 1 or, with `raw_pixels`, raw images.
    Raises MissingPackageError if TensorFlow is not installed.
    """
    keras = import_keras()
    shape, layers = network.image_shape, network.build()
    theirs = make_layers(keras, layers, PRECISION)
    offset, divisor = network.scaling(raw_pixels)
    if raw_pixels:
        x = keras.Input(shape, name="images", dtype=PRECISION)
        pixels = keras.layers.Flatten(data_format="channels_last", dtype=PRECISION)(x)
    else:
        x = pixels = keras.Input((math.prod(shape),), name="images", dtype=PRECISION)
    if raw_pixels or (offset, divisor) != (0, 1):
        rescaling = keras.layers.Rescaling(1 / divisor, -offset / divisor, dtype=PRECISION)
        pixels = rescaling(pixels)
    logits = apply_layers(keras, layers, theirs, pixels)
    softmax = keras.layers.Softmax(name="probabilities", dtype=PRECISION)
    model = keras.Model(x, softmax(logits))
    set_weights(layers, theirs)
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


def export_onnx(networks, raw_pixels, path):
    """Like `export_keras`, as an ONNX file with the input "images" and output "probabilities".

    Of several `networks`, which were trained on the same images, these are the mean.

    The input is float32, or uint8 for raw images whose pixels are integers from 0 to 255. The
    metadata have the names of the classes. Raises MissingPackageError if onnx is not installed.
    """
    with require_extra_packages():
        import onnx

        from scratchnet.interop.onnx_graph import make_graph
    model = onnx.helper.make_model(
        make_graph(networks, raw_pixels),
        opset_imports=[onnx.helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )
    onnx.helper.set_model_props(model, {"classes": json.dumps(networks[0].classes)})
    onnx.checker.check_model(model, full_check=True)
    with atomic_write(path) as temporary:
        temporary.write_bytes(model.SerializeToString(deterministic=True))


def export_npz(network, title, path, readme):
    """Write a TrainedNetwork as arrays (.npz), with a description `readme` (.md).

    `title` is its name in the description.
    """
    shape = network.image_shape
    scaling = STANDARDIZATION if "std" in network.manifest else MIN_MAX_SCALING
    offset, divisor = scaling
    layer_arrays, steps = _write_in_numpy(network.build().layers)
    arrays = {  # name: (array, what it is)
        **{name: (x, scaling[name]) for name, x in zip(scaling, network.scaling(raw_pixels=True))},
        **layer_arrays,
        "classes": (network.classes, "names of the classes, in the order of P"),
    }
    arrays = {name: (np.asarray(value), text) for name, (value, text) in arrays.items()}
    with atomic_write(path) as temporary:
        np.savez(temporary, **{name: array for name, (array, _) in arrays.items()})
    rows = [f"| `{name}` | {array.shape} | {text} |" for name, (array, text) in arrays.items()]
    scaled = f'X = (images.reshape(len(images), -1) - network["{offset}"]) / network["{divisor}"]'
    code = "\n".join([scaled, *steps])
    functions = [text for name, text in NUMPY_FUNCTIONS.items() if f"{name}(X" in code]
    text = README.format(
        title=title,
        shape=" x ".join(map(str, shape)),
        dimensions=", ".join(map(str, shape)),
        k=len(network.classes),
        rows="\n".join(rows),
        functions="\n\n".join([*functions, ""]).lstrip("\n") if functions else "",
        steps=code,
    )
    write_text(readme, text)


def _write_in_numpy(layers):
    """Return the arrays of `layers`, {name: (array, what it is)}, and lines of NumPy code.

    The code computes the logits Z (n, k) from scaled pixels X (n, pixels).
    """
    arrays, lines, is_grid, counts = {}, [], False, Counter()
    for layer in layers:
        i, W = counts[type(layer)], layer.params.get("W")
        counts[type(layer)] += 1
        match layer:
            case Conv2D():
                if not is_grid:
                    lines.append(f"X = X.reshape(-1, {', '.join(map(str, layer.shape))})")
                is_grid = True
                what = f"filters of convolution {i}, (height, width, channels, filters)"
                arrays[f"F{i}"] = unfold_filters(layer), what
                arrays[f"f{i}"] = W[:, -1], f"biases of convolution {i}"
                options = f'network["F{i}"], network["f{i}"], {layer.pads}, {layer.stride}'
                lines.append(f"X = convolve(X, {options})")
            case MaxPool2D() | AvgPool2D():
                h, w = layer.window
                reduce = "max" if isinstance(layer, MaxPool2D) else "mean"
                lines.append(f"X = windows(X, {h}, {w}).{reduce}(axis=(2, 4))")
            case Normalization():
                scale, shift, x = layer.params["gamma"], layer.params["beta"], "normalize(X)"
                if isinstance(layer, BatchNormalization):
                    mean, variance = layer.state["mean"], layer.state["variance"]
                    scale = scale / np.sqrt(variance + EPSILON)
                    shift, x = shift - mean * scale, "X"
                arrays[f"scale{i}"] = scale, f"factors of normalisation {i}, one for each channel"
                arrays[f"shift{i}"] = shift, f"what normalisation {i} adds to each channel"
                lines.append(f'X = {x} * network["scale{i}"] + network["shift{i}"]')
            case Dense():
                if is_grid:
                    lines.append("X = X.reshape(len(X), -1)")
                is_grid = False
                arrays[f"W{i}"] = W[:, :-1], f"weights of layer {i}, (outputs, inputs)"
                arrays[f"b{i}"] = W[:, -1], f"biases of layer {i}"
                lines.append(f'X = X @ network["W{i}"].T + network["b{i}"]')
            case Dropout():
                pass  # nothing is dropped for predictions
            case _:
                lines.append(f"X = {NUMPY_ACTIVATIONS[type(layer)]}")
    lines[-1] = lines[-1].replace("X", "Z", 1)
    return arrays, lines
