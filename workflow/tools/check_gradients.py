"""Compare the gradients of every layer and every loss in scratchnet/nn with finite differences.

A layer is any subclass of Layer, so activations are layers, too; a loss is any function of
predictions and labels Y. All is computed in float64, with random numbers from a fixed seed. Where a
function has a kink, such as ReLU at 0, finite differences say nothing: such entries are left out.
"""

import importlib
import inspect
import itertools
import pkgutil
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

import scratchnet.nn
from scratchnet.nn import losses
from scratchnet.nn.layers import Layer, softmax

STEP = 1e-6
MAX_ERROR = 1e-5  # relative
SMALL = 1e-3  # smaller numbers count as this one in a relative error: they have few exact digits
MAX_BEND = 1e-4  # a change of the slope within a step, above which there is a kink
MAX_NAMED = 5  # wrong entries in a message
SHAPE, N, B, K = (5, 4, 2), 40, 3, 4  # of images, their pixels, the batch, and the classes

# The values of the arguments of layers and losses, by name: each combination of them is checked.
# An argument that has a default needs values, too.
EXAMPLES = {
    "shape": [SHAPE],
    "padding": ["valid", "same"],
    "stride": [1, 2],
    "window": [(2, 2), (5, 4)],
    "gamma": [np.array([0.5, 2.0])],
    "beta": [np.array([-1.0, 1.0])],
    "mean": [np.array([0.1, 0.2])],
    "variance": [np.array([1.0, 3.0])],
    "rate": [0.4],
    "class_weights": [None, np.linspace(0.5, 2, K)],
    "label_smoothing": [0, 0.1],
}
NOT_SHOWN = ("shape", "gamma", "beta", "mean", "variance")


def central_differences(function, A, dY=1.0, step=STEP):
    """Return dA for L = sum(dY * function()), and for each entry whether there is a kink nearby.

    `function` reads A, of which each entry is moved both ways. The difference is taken before the
    sum, so what an entry has no part in cancels exactly.
    """
    middle = function()
    dA, is_kink = np.empty_like(A), np.zeros(A.shape, bool)
    for i in np.ndindex(A.shape):
        value = A[i]
        A[i] = value + step
        above = function()
        A[i] = value - step
        below = function()
        A[i] = value
        dA[i] = np.sum(dY * (above - below)) / (2 * step)
        is_kink[i] = np.max(abs((above - middle) - (middle - below))) > MAX_BEND * step
    return dA, is_kink


def relative_errors(A, B):
    """Return |a - b| / max(|a|, |b|) for each entry of two arrays (CS231n, Gradient checks)."""
    return abs(A - B) / np.maximum(np.maximum(abs(A), abs(B)), SMALL)


class Comparison(NamedTuple):
    """How many entries of a gradient were compared, how many have a kink and so were not, the
    largest relative error, and what is wrong with each entry that is: a list of texts.
    """

    n: int
    n_kinks: int
    error: float
    wrong: list[str]


def check_gradient(function, A, gradient, dY=1.0):
    """Return the Comparison of `gradient` with finite differences of sum(dY * function()).

    The derivatives are those to A, which `function` reads.
    """
    if gradient.shape != A.shape:
        wrong = [f" has the shape {gradient.shape}, and should have {A.shape}"]
        return Comparison(0, 0, np.inf, wrong)
    numeric, is_kink = central_differences(function, A, dY)
    errors = np.where(is_kink, 0, relative_errors(gradient, numeric))
    wrong = [
        f"[{', '.join(map(str, i))}]: backward gives {gradient[i]:.9g}, finite differences give "
        f"{numeric[i]:.9g}"
        for i in map(tuple, np.argwhere(~(errors <= MAX_ERROR)))  # NaN is wrong
    ]
    if is_kink.all():
        wrong = [": there is a kink at each entry, so nothing was compared"]
    return Comparison(np.sum(~is_kink), np.sum(is_kink), errors.max(), wrong)


def check_layer(layer, X):
    """Yield (name of an array, its Comparison) for X and each parameter of `layer`.

    A random layer has the same random numbers each time.
    """

    def forward():
        return layer.forward(X, np.random.default_rng(3))

    dY = np.random.default_rng(1).standard_normal(forward().shape)
    dX = layer.backward(dY)
    gradients = {name: layer.grads[name].copy() for name in layer.params}
    yield "X", check_gradient(forward, X, dX, dY)
    for name, W in layer.params.items():
        yield name, check_gradient(forward, W, gradients[name], dY)


def check_loss(loss, name, options):
    """Yield (`name`, its Comparison) for the first argument of a loss."""
    rng = np.random.default_rng(0)
    A, Y = rng.standard_normal((K, B)), np.eye(K)[:, rng.integers(K, size=B)]
    if name == "P":  # probabilities
        A = softmax(A)
    _, gradient = loss(A, Y, **options)
    yield name, check_gradient(lambda: loss(A, Y, **options)[0], A, gradient)


def find_layers():
    """Return the classes of all layers in the modules of scratchnet.nn."""
    found = {}
    for module in pkgutil.iter_modules(scratchnet.nn.__path__):
        for value in vars(importlib.import_module(f"scratchnet.nn.{module.name}")).values():
            is_layer = inspect.isclass(value) and issubclass(value, Layer)
            if is_layer and not inspect.isabstract(value):
                found[value] = None
    return [*found]


def find_losses():
    """Return the losses, each with the name of its first argument."""
    found = inspect.getmembers(losses, inspect.isfunction)
    arguments = [(loss, [*inspect.signature(loss).parameters]) for _, loss in found]
    return [(loss, names[0]) for loss, names in arguments if names[1:2] == ["Y"]]


def example_options(function, given=()):
    """Yield each combination of EXAMPLES for the arguments of `function` that are not `given`."""
    names = [name for name in inspect.signature(function).parameters if name not in given]
    for name in names:
        if name not in EXAMPLES:
            raise SystemExit(
                f"{function.__name__} cannot be checked: its argument {name} has no values. Add "
                "some to EXAMPLES in workflow/tools/check_gradients.py"
            )
    for values in itertools.product(*(EXAMPLES[name] for name in names)):
        yield dict(zip(names, values))


def make_layer(kind, options):
    """Return a layer of the class `kind`, with a random matrix W if it takes one."""
    if "W" not in inspect.signature(kind).parameters:
        return kind(**options)
    n_in = 3 * 3 * SHAPE[2] if "shape" in options else N  # a convolution has 3 x 3 pixels
    return kind(np.random.default_rng(2).standard_normal((K, n_in + 1)), **options)


def check_all():
    """Yield (what was checked, the name of an array, its Comparison)."""
    X = np.random.default_rng(0).standard_normal((N, B))
    for kind in find_layers():
        for options in example_options(kind, given=["W"]):
            for name, compared in check_layer(make_layer(kind, options), X.copy()):
                yield describe(kind, options), name, compared
    for loss, argument in find_losses():
        for options in example_options(loss, given=[argument, "Y"]):
            for name, compared in check_loss(loss, argument, options):
                yield describe(loss, options), name, compared


def describe(function, options):
    shown = (f"{name}={value}" for name, value in options.items() if name not in NOT_SHOWN)
    return f"{function.__name__}({', '.join(shown)})"


def main():
    """Print a table of all gradients, and the wrong entries; return how many rows have some."""
    n_wrong = 0
    print(f"{'layer or loss':74} {'gradient':10} {'entries':>7} {'kinks':>6} {'largest error':>14}")
    for title, name, (n, n_kinks, error, wrong) in check_all():
        verdict = "  WRONG" if wrong else ""
        print(f"{title:74} {'d' + name:10} {n:7} {n_kinks:6} {error:14.1e}{verdict}")
        for text in wrong[:MAX_NAMED]:
            print(f"    d{name}{text}")
        if len(wrong) > MAX_NAMED:
            print(f"    and {len(wrong) - MAX_NAMED} more")
        n_wrong += bool(wrong)
    print(f"{n_wrong} wrong" if n_wrong else f"all agree: no relative error is above {MAX_ERROR}")
    return n_wrong


if __name__ == "__main__":
    sys.exit(bool(main()))
