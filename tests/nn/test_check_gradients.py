"""The command `make check-gradients` finds a wrong gradient of any layer or loss, and names it."""

import numpy as np
import pytest

import check_gradients
from scratchnet.nn import layers, losses
from scratchnet.nn.layers import ACTIVATIONS, Dense, ReLU, Tanh


def run(capsys):
    """Return what the command prints, and how many gradients are wrong."""
    n_wrong = check_gradients.main()
    return capsys.readouterr().out, n_wrong


def test_every_layer_activation_and_loss_is_checked_and_right(capsys):
    output, n_wrong = run(capsys)
    assert n_wrong == 0
    names = [kind.__name__ for kind in ACTIVATIONS.values()]
    names += ["Dense", "Conv2D", "MaxPool2D", "Dropout", "Softmax"]
    for name in (*names, "categorical_crossentropy", "softmax_crossentropy"):
        assert f"\n{name}(" in output
    assert "balanced_class_weights" not in output and "Layer(" not in output


class WrongTanh(Tanh):
    def backward(self, dY):
        dX = super().backward(dY)
        dX[2, 1] *= 1.001
        return dX


class WrongDense(Dense):
    def fill_grads(self, dY):
        super().fill_grads(dY)
        self.grads["W"][:, -1] = 0  # the bias is forgotten


class Transposed(Dense):
    def backward(self, dY):
        return super().backward(dY).T


class NotANumber(ReLU):
    def backward(self, dY):
        return super().backward(dY) * np.nan


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (WrongTanh, "dX[2, 1]: backward gives "),
        (WrongDense, "dW[3, 40]: backward gives 0, finite differences give "),
        (Transposed, "dX has the shape (3, 40), and should have (40, 3)"),
        (NotANumber, "and 115 more"),
    ],
)
def test_the_wrong_entry_of_ones_own_layer_is_named(capsys, monkeypatch, kind, words):
    monkeypatch.setattr(layers, kind.__name__, kind, raising=False)
    output, n_wrong = run(capsys)
    assert n_wrong == 1
    assert words in output and output.count("WRONG") == 1
    assert output.splitlines()[-1] == "1 wrong"


def test_a_wrong_loss_is_named(capsys, monkeypatch):
    def squared_error(A, Y):
        return float(np.square(A - Y).sum()), A - Y  # without the factor 2

    monkeypatch.setattr(losses, "squared_error", squared_error, raising=False)
    output, n_wrong = run(capsys)
    assert n_wrong == 1 and "dA[0, 0]: backward gives " in output


def test_entries_at_a_kink_are_left_out():
    X = np.array([[0.0, 1.0], [1e-8, -2.0]])
    ((_, compared),) = check_gradients.check_layer(ReLU(), X)
    assert (compared.n, compared.n_kinks, compared.wrong) == (2, 2, [])
    ((_, compared),) = check_gradients.check_layer(ReLU(), X * 0)
    assert "nothing was compared" in compared.wrong[0]


def test_an_argument_without_values_is_named(monkeypatch):
    class Scaled(ReLU):
        def __init__(self, factor=2):
            super().__init__()

    monkeypatch.setattr(layers, "Scaled", Scaled, raising=False)
    with pytest.raises(SystemExit, match=r"Scaled cannot be checked: its argument factor has no"):
        check_gradients.main()
