"""The trained network for use elsewhere: as a Keras model, as ONNX, and as plain arrays.

The files outside have samples x features, as is usual there: images (n, pixels), or, with the
preprocessing in the network, raw images (n, height, width) or (n, height, width, 3).
"""

import json

import numpy as np

from scratchnet.files import atomic_write, read_json, write_text
from scratchnet.interop.keras_model import (
    connect,
    dense_layers,
    extra_packages,
    import_keras,
    set_weights,
)
from scratchnet.training.checkpoints import load_checkpoint

OPSET, IR_VERSION = 17, 8  # of ONNX, from 2022: what reads the newest also reads these
ONNX_ACTIVATIONS = {"relu": "Relu", "sigmoid": "Sigmoid", "tanh": "Tanh"}

README = """# A trained network, as arrays

`network.npz` holds the network {title}: it takes images of {shape} pixels for one of {k} classes.
Every array can be read without Python objects (`allow_pickle=False`).

| array | shape | what it is |
|---|---|---|
{rows}

A batch of raw images of shape (n, {dimensions}) goes through it like this:

```python
import numpy as np

network = np.load("network.npz")
images = np.zeros((1, {dimensions}))  # your own

{steps}
E = np.exp(Z - Z.max(axis=1, keepdims=True))
P = E / E.sum(axis=1, keepdims=True)  # (n, {k}): the probability of each class
print(network["classes"][P.argmax(axis=1)])
```
"""


def export_keras(checkpoint, manifest, activation, raw_pixels, path):
    """Write the network of a checkpoint as a .keras file, from images to probabilities (n, k).

    `checkpoint` and `manifest` are paths, `activation` is that of hidden layers. The model takes
    images (n, pixels) from 0 to 1, or, with `raw_pixels`, as they are before preprocessing. Raises
    MissingPackageError without TensorFlow.
    """
    keras = import_keras()
    weights = [*load_checkpoint(checkpoint).trained.values()]
    manifest = read_json(manifest)
    layers = dense_layers(keras, weights)
    if raw_pixels:
        minimum, span = scale(manifest)
        x = keras.Input(manifest["image_shape"], name="images")
        pixels = keras.layers.Rescaling(1 / span, -minimum / span)(keras.layers.Flatten()(x))
    else:
        x = pixels = keras.Input((weights[0].shape[1] - 1,), name="images")
    logits = connect(keras, layers, activation, pixels)
    model = keras.Model(x, keras.layers.Softmax(name="probabilities")(logits))
    set_weights(layers, weights)
    with atomic_write(path) as temporary:
        model.save(temporary)


def export_onnx(checkpoint, manifest, metrics, activation, raw_pixels, path):
    """Like `export_keras`, as an ONNX file: its input is "images", its output "probabilities".

    The names of the classes, from the file `metrics`, are in its metadata. Raises
    MissingPackageError without onnx.
    """
    with extra_packages():
        import onnx
        from onnx import TensorProto, helper, numpy_helper
    weights = [*load_checkpoint(checkpoint).trained.values()]
    manifest = read_json(manifest)
    nodes, constants = [], []

    def add(operation, x, y, constants_of_node=None, **attributes):
        """Add a node from the tensor called `x` to the one called `y`, which is returned."""
        names = []
        for name, value in (constants_of_node or {}).items():
            names.append(f"{y}.{name}")
            constants.append(numpy_helper.from_array(np.asarray(value, np.float32), names[-1]))
        nodes.append(helper.make_node(operation, [x, *names], [y], **attributes))
        return y

    x, shape = "images", [weights[0].shape[1] - 1]
    if raw_pixels:
        minimum, span = scale(manifest)
        shape = manifest["image_shape"]
        x = add("Flatten", x, "pixels")
        x = add("Sub", x, "above_minimum", {"minimum": minimum})
        x = add("Div", x, "scaled", {"span": span})
    for i, W in enumerate(weights):
        if i:
            x = add(ONNX_ACTIVATIONS[activation], x, f"activation_{i}")
        x = add("Gemm", x, f"dense_{i}", {"W": W[:, :-1], "b": W[:, -1]}, transB=1)
    add("Softmax", x, "probabilities", axis=1)
    graph = helper.make_graph(
        nodes,
        "scratchnet",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["n", *shape])],
        [
            helper.make_tensor_value_info(
                "probabilities", TensorProto.FLOAT, ["n", len(weights[-1])]
            )
        ],
        constants,
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION
    )
    helper.set_model_props(model, {"classes": json.dumps(class_names(metrics))})
    onnx.checker.check_model(model, full_check=True)
    with atomic_write(path) as temporary:
        temporary.write_bytes(model.SerializeToString(deterministic=True))


def export_npz(checkpoint, manifest, metrics, activation, title, path, readme):
    """Write the network of a checkpoint as arrays (.npz), and what they are (.md).

    `checkpoint`, `manifest` and `metrics`, which has the names of the classes, are paths; `title`
    is what the network is called.
    """
    weights = [*load_checkpoint(checkpoint).trained.values()]
    manifest = read_json(manifest)
    minimum, span = scale(manifest)
    arrays, rows, steps = {}, [], []

    def add(name, value, text):
        arrays[name] = np.asarray(value)
        rows.append(f"| `{name}` | {arrays[name].shape} | {text} |")

    add("minimum", minimum, "the smallest pixel of the training images")
    add("span", span, "how far the largest one is from it")
    steps.append('X = (images.reshape(len(images), -1) - network["minimum"]) / network["span"]')
    x = "X"
    for i, W in enumerate(weights):
        last = i == len(weights) - 1
        y = "Z" if last else f"H{i}"
        add(f"W{i}", W[:, :-1], f"weights, (outputs, inputs), of layer {i}")
        add(f"b{i}", W[:, -1], f"biases of layer {i}")
        product = f'{x} @ network["W{i}"].T + network["b{i}"]'
        steps.append(f"{y} = {product if last else NUMPY_ACTIVATIONS[activation].format(product)}")
        x = y
    add("classes", class_names(metrics), "the names of the classes, in the order of the outputs")
    with atomic_write(path) as temporary:
        np.savez(temporary, **arrays)
    shape = manifest["image_shape"]
    text = README.format(
        title=title,
        shape=" x ".join(map(str, shape)),
        dimensions=", ".join(map(str, shape)),
        k=len(weights[-1]),
        rows="\n".join(rows),
        steps="\n".join(steps),
    )
    write_text(readme, text)


NUMPY_ACTIVATIONS = {
    "relu": "np.maximum({}, 0)",
    "sigmoid": "1 / (1 + np.exp(-({})))",
    "tanh": "np.tanh({})",
}


def class_names(metrics):
    """The names of the classes in a metrics.json."""
    return [row["class"] for row in read_json(metrics)["per_class"]]


def scale(manifest):
    """The smallest training pixel, and how far the largest is from it: pixels / span are 0 to 1."""
    return manifest["minimum"], manifest["maximum"] - manifest["minimum"]
