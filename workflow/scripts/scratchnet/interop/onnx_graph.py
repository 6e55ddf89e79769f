"""A trained network as a graph of ONNX operators."""

import math

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from scratchnet.interop.keras_model import unfold_filters
from scratchnet.nn.convolution import AvgPool2D, Conv2D, MaxPool2D
from scratchnet.nn.layers import ELU, GELU, Dense, Dropout, LeakyReLU, ReLU, Sigmoid, Tanh
from scratchnet.nn.normalization import EPSILON, BatchNormalization, LayerNormalization

# With their attributes: without its own, ONNX takes a default. ONNX has Gelu from version 20 on.
ONNX_ACTIVATIONS = {
    ReLU: ("Relu", {}),
    LeakyReLU: ("LeakyRelu", {"alpha": 0.2}),
    ELU: ("Elu", {"alpha": 1.0}),
    Sigmoid: ("Sigmoid", {}),
    Tanh: ("Tanh", {}),
}


def make_graph(networks, raw_pixels):
    """Return the ONNX graph of TrainedNetworks, from the input "images" to "probabilities".

    These are the mean of what the networks predict. For raw pixels, the graph includes
    preprocessing, which is that of all networks.
    """
    operators, network = Operators(), networks[0]
    is_8_bit = raw_pixels and has_8_bit_pixels(network.manifest)
    x = _add_preprocessing(operators, network, raw_pixels, is_8_bit)
    if len(networks) == 1:
        _add_network(operators, network, x)
    else:
        members = [
            _add_network(operators, member, x, f"member_{i}/") for i, member in enumerate(networks)
        ]
        operators.add("Mean", members, "probabilities")

    shape = network.image_shape if raw_pixels else [math.prod(network.image_shape)]
    dtype = TensorProto.UINT8 if is_8_bit else TensorProto.FLOAT
    images = helper.make_tensor_value_info("images", dtype, ["n", *shape])
    probabilities = helper.make_tensor_value_info(
        "probabilities", TensorProto.FLOAT, ["n", len(network.classes)]
    )
    return helper.make_graph(
        operators.nodes, "scratchnet", [images], [probabilities], operators.constants
    )


class Operators:
    """The nodes of a graph in their order, and the constants that they take."""

    def __init__(self):
        self.nodes, self.constants = [], []

    def add(self, operation, x, y, inputs=None, **attributes):
        """Add a node from the tensor named `x`, or several, to the one named `y`; return `y`.

        `inputs` are further, constant inputs by name.
        """
        names = [x] if isinstance(x, str) else [*x]
        for name, value in (inputs or {}).items():
            names.append(f"{y}.{name}")
            array = np.asarray(value, np.int64 if name == "shape" else np.float32)
            self.constants.append(numpy_helper.from_array(array, names[-1]))
        self.nodes.append(helper.make_node(operation, names, [y], **attributes))
        return y


def _add_preprocessing(operators, network, raw_pixels, is_8_bit):
    """Add what makes images pixels as the network reads them, and return their name."""
    x = "images"
    if is_8_bit:
        x = operators.add("Cast", x, "floats", to=TensorProto.FLOAT)
    if raw_pixels:
        x = operators.add("Flatten", x, "pixels")
    offset, divisor = network.scaling(raw_pixels)
    if raw_pixels or (offset, divisor) != (0, 1):
        x = operators.add("Sub", x, "shifted", {"offset": offset})
        x = operators.add("Div", x, "scaled", {"divisor": divisor})
    return x


def _add_network(operators, network, x, prefix=""):
    """Add a TrainedNetwork that takes the tensor named `x`; return the name of its probabilities.

    Names of tensors begin with `prefix`.
    """
    grid = None  # the shape of images: ONNX has the channels before the height
    for i, layer in enumerate(network.build().layers):
        if isinstance(layer, Conv2D) and not grid:
            x = operators.add("Reshape", x, f"{prefix}grid", {"shape": [-1, *layer.shape]})
            x = operators.add("Transpose", x, f"{prefix}channels_first", perm=[0, 3, 1, 2])
        if isinstance(layer, Dense) and grid:
            x = operators.add("Transpose", x, f"{prefix}channels_last", perm=[0, 2, 3, 1])
            x, grid = operators.add("Flatten", x, f"{prefix}features"), None
        y = f"{prefix}{type(layer).__name__.lower()}_{i}"
        x = _add_layer(operators, layer, x, y, grid)
        grid = getattr(layer, "output_shape", grid)
    return operators.add("Softmax", x, f"{prefix}probabilities", axis=1)


def _add_layer(operators, layer, x, y, grid):
    """Add a layer from the tensor named `x` to the one named `y`; return the name of its output.

    `grid` is the shape of its images (height, width, channels), or None after a `Dense` layer.
    """
    match layer:
        case Conv2D():
            (top, bottom), (left, right) = layer.pads
            arrays = {"W": unfold_filters(layer).transpose(3, 2, 0, 1)}
            arrays["b"] = layer.params["W"][:, -1]
            pads, strides = [top, left, bottom, right], [layer.stride] * 2
            return operators.add("Conv", x, y, arrays, pads=pads, strides=strides)
        case MaxPool2D() | AvgPool2D():
            operation = "MaxPool" if isinstance(layer, MaxPool2D) else "AveragePool"
            return operators.add(operation, x, y, kernel_shape=layer.window, strides=layer.window)
        case BatchNormalization():
            arrays = layer.params | layer.state
            return operators.add("BatchNormalization", x, y, arrays, epsilon=EPSILON)
        case LayerNormalization():
            # In ONNX, gamma and beta have an entry for each unit.
            sides = grid[:2] if grid else ()
            arrays = {
                name: np.broadcast_to(array.reshape(-1, *[1] * len(sides)), (len(array), *sides))
                for name, array in layer.params.items()
            }
            return operators.add("LayerNormalization", x, y, arrays, axis=1, epsilon=EPSILON)
        case Dense():
            W = layer.params["W"]
            return operators.add("Gemm", x, y, {"W": W[:, :-1], "b": W[:, -1]}, transB=1)
        case Dropout():
            return x  # nothing is dropped for predictions
        case GELU():
            return _add_gelu(operators, x, y)
        case _:
            operation, attributes = ONNX_ACTIVATIONS[type(layer)]
            return operators.add(operation, x, y, **attributes)


def _add_gelu(operators, x, y):
    """Add the activation GELU in its tanh form."""
    # (1 + tanh(u)) / 2 = sigmoid(2 * u), and u = x * (c + c * 0.044715 * x**2)
    c = math.sqrt(2 / math.pi)
    square = operators.add("Mul", [x, x], f"{y}.square")
    u = operators.add("Mul", square, f"{y}.scaled", {"factor": 2 * c * 0.044715})
    u = operators.add("Add", u, f"{y}.shifted", {"summand": 2 * c})
    u = operators.add("Mul", [u, x], f"{y}.u")
    share = operators.add("Sigmoid", u, f"{y}.share")
    return operators.add("Mul", [x, share], y)


def has_8_bit_pixels(manifest):
    """Return whether the raw pixels are integers from 0 to 255, judging by those of training."""
    minimum, maximum = manifest["minimum"], manifest["maximum"]
    return isinstance(minimum, int) and isinstance(maximum, int) and 0 <= minimum < maximum <= 255
