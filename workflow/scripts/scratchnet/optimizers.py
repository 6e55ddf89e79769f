"""How a gradient becomes a step. An optimizer updates the parameters of a network in place."""

import numpy as np


class SGD:
    """Stochastic gradient descent; with momentum, as Keras defines it:

        velocity = momentum * velocity - learning_rate * gradient
        parameter = parameter + velocity

    `state` holds the velocities by parameter name, and is empty without momentum; it is all that
    a checkpoint needs to continue.
    """

    def __init__(self, learning_rate=0.01, momentum=0.0):
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.state = {}

    def step(self, network):
        """Update each parameter of `network` with the gradient that its last `backward` left."""
        for name, parameter, gradient in network.parameters():
            if self.momentum:
                if name not in self.state:
                    self.state[name] = np.zeros_like(parameter)
                velocity = self.state[name]
                velocity *= self.momentum
                velocity -= self.learning_rate * gradient
                parameter += velocity
            else:
                parameter -= self.learning_rate * gradient


OPTIMIZERS = {"sgd": SGD}
