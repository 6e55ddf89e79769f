"""Optimizers: each updates a network's parameters in place, with the rules and names of Keras 3."""

import math
from abc import ABC, abstractmethod

import numpy as np


class Optimizer(ABC):
    """The base class: it counts steps and applies what all optimizers have in common.

    `learning_rate` is a number, or a function of the number of steps taken so far. Weight decay is
    decoupled from the gradient (AdamW; Loshchilov and Hutter 2019): each step begins with
    parameter -= learning_rate * weight_decay * parameter, including the biases. With `clip_norm`,
    gradients are clipped first, see `clip_gradients`. `state` has the arrays, by name, that are
    needed to continue training.
    """

    def __init__(self, learning_rate, weight_decay=0.0, clip_norm=None):
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.clip_norm = clip_norm
        self.state = {"iterations": np.zeros((), np.int64)}

    def current_learning_rate(self):
        """Return the learning rate of the next step."""
        rate = self.learning_rate
        return rate(int(self.state["iterations"])) if callable(rate) else rate

    def step(self, network):
        """Update each parameter of `network` with the gradient of its last `backward`."""
        learning_rate = self.current_learning_rate()
        self.state["iterations"] += 1
        if self.clip_norm:
            clip_gradients(network, self.clip_norm)
        for name, parameter, gradient in network.parameters():
            if self.weight_decay:
                parameter *= 1 - learning_rate * self.weight_decay
            self.update(name, parameter, gradient, learning_rate)

    @abstractmethod
    def update(self, name, parameter, gradient, learning_rate):
        """Update one parameter, an array called `name`, in place."""

    def slot(self, kind, name, parameter):
        """Return the array of `state` for a parameter, e.g. its velocity; zeros at first."""
        key = f"{kind}.{name}"
        if key not in self.state:
            self.state[key] = np.zeros_like(parameter)
        return self.state[key]


def clip_gradients(network, clip_norm):
    """Scale all gradients by one factor so that their norm, as one vector, is at most `clip_norm`.

    This keeps the direction of the step (Pascanu et al. 2013). Keras: global_clipnorm, not
    clipnorm, which clips each array by itself; PyTorch: clip_grad_norm_.
    """
    gradients = [gradient for _, _, gradient in network.parameters()]
    norm = math.sqrt(sum(np.square(each, dtype=np.float64).sum() for each in gradients))
    if norm > clip_norm:
        for gradient in gradients:
            gradient *= clip_norm / norm


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum as Keras defines it:

        velocity = momentum * velocity - learning_rate * gradient
        parameter += velocity                                        (or, with nesterov,
        parameter += momentum * velocity - learning_rate * gradient)

    PyTorch applies the learning rate to the velocity instead, at each update. The two agree if the
    rate is constant; when it changes, PyTorch's steps change at once and Keras's gradually.
    """

    def __init__(self, learning_rate=0.01, momentum=0.0, nesterov=False, **common):
        super().__init__(learning_rate, **common)
        self.momentum = momentum
        self.nesterov = nesterov

    def update(self, name, parameter, gradient, learning_rate):
        step = learning_rate * gradient
        if not self.momentum:
            parameter -= step
            return
        velocity = self.slot("velocity", name, parameter)
        velocity *= self.momentum
        velocity -= step
        if self.nesterov:
            parameter += self.momentum * velocity
            parameter -= step
        else:
            parameter += velocity


class Adam(Optimizer):
    """Adam (Kingma and Ba 2015), in the form of its section 2 that Keras uses. At step t:

        m += (1 - beta_1) * (gradient - m)
        v += (1 - beta_2) * (gradient**2 - v)
        alpha = learning_rate * sqrt(1 - beta_2**t) / (1 - beta_1**t)
        parameter -= alpha * m / (sqrt(v) + epsilon)

    PyTorch corrects the bias of v before adding epsilon: epsilon then has less effect at first.
    """

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, **common):
        super().__init__(learning_rate, **common)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon

    def update(self, name, parameter, gradient, learning_rate):
        t = int(self.state["iterations"])
        m, v = self.slot("m", name, parameter), self.slot("v", name, parameter)
        m += (1 - self.beta_1) * (gradient - m)
        v += (1 - self.beta_2) * (gradient * gradient - v)
        alpha = learning_rate * math.sqrt(1 - self.beta_2**t) / (1 - self.beta_1**t)
        parameter -= alpha * m / (np.sqrt(v) + self.epsilon)


class RMSprop(Optimizer):
    """RMSprop (Tieleman and Hinton 2012): the gradient over the root of its mean square.

        v += (1 - rho) * (gradient**2 - v)
        parameter -= learning_rate * gradient / sqrt(v + epsilon)

    This is the form of Keras. PyTorch adds epsilon to the root. Unlike in `Adam`, v is not
    corrected for its start at 0: the first steps are up to 1 / sqrt(1 - rho) times as long.
    """

    def __init__(self, learning_rate=0.001, rho=0.9, epsilon=1e-7, **common):
        super().__init__(learning_rate, **common)
        self.rho = rho
        self.epsilon = epsilon

    def update(self, name, parameter, gradient, learning_rate):
        v = self.slot("v", name, parameter)
        v += (1 - self.rho) * (gradient * gradient - v)
        parameter -= learning_rate * gradient / np.sqrt(v + self.epsilon)


OPTIMIZERS = {"sgd": SGD, "adam": Adam, "rmsprop": RMSprop}
