"""Training of a network in Keras, batch by batch, for the parity check."""

import itertools

import numpy as np

from scratchnet.interop.keras_model import (
    apply_layers,
    get_weights,
    make_layers,
    set_precision,
    set_weights,
)
from scratchnet.nn.layers import Dropout


class KerasTraining:
    """A Keras network with the layers and weights of a Network, and Keras's own optimizer.

    The images have `n_in` pixels. `optimizer` is Scratchnet's optimizer for the same `settings`.
    All computations are in `precision`, "float32" or "float64".
    """

    def __init__(self, keras, network, settings, n_in, optimizer, steps_per_epoch, precision):
        set_precision(keras, precision)
        self.network, self.layers = network, make_layers(keras, network, precision)
        x = keras.Input((n_in,))
        widths = [
            after.params["W"].shape[1] - 1  # a Dense layer follows
            for layer, after in itertools.pairwise(network.layers)
            if isinstance(layer, Dropout)
        ]
        masks = [keras.Input((width,)) for width in widths]
        logits = apply_layers(keras, network, self.layers, x, masks)
        model = keras.Model([x, *masks], logits)
        set_weights(network, self.layers)
        # Keras treats a Python float as a float32, even if everything else is float64.
        number = np.float64 if precision == "float64" else float
        keras_optimizer = make_keras_optimizer(keras, optimizer, settings, steps_per_epoch, number)
        self._step = make_step(
            keras,
            model,
            keras_optimizer,
            label_smoothing=settings.get("training.label_smoothing", 0.0),
            l2=number(settings.get("training.l2", 0.0)),
        )
        without_dropout = apply_layers(keras, network, self.layers, x)
        self._predict = make_predict(keras.Model(x, keras.layers.Softmax()(without_dropout)))

    def train_batch(self, X, Y, masks, sample_weights=None):
        """Train on a batch X (n_in, b), Y (k, b), and return its loss before the update.

        `masks` are the masks (n, b) of the `Dropout` layers, if there are any, and `sample_weights`
        (b,) are the weights of the samples in the loss.
        """
        return float(self._step([array.T for array in (X, *masks)], Y.T, sample_weights))

    def predict(self, X):
        """Return the probabilities (k, n) for X (n_in, n)."""
        return self._predict(X.T).numpy().T

    def weights(self):
        """Return the weights as `Network.weights` has them, without their names."""
        return get_weights(self.network, self.layers)


def make_step(keras, model, optimizer, label_smoothing, l2):
    """Return a function that trains `model` on a batch and returns the loss before the update.

    Its arguments are the list of inputs, the labels (b, k), and the weights (b,) or None. What the
    penalty `l2` adds is no part of the loss that it returns.
    """
    import tensorflow

    crossentropy = keras.losses.CategoricalCrossentropy(
        from_logits=True, label_smoothing=label_smoothing
    )
    kernels = [layer.kernel for layer in model.layers if hasattr(layer, "kernel")]

    @tensorflow.function(reduce_retracing=True)
    def step(inputs, Y, sample_weights=None):
        with tensorflow.GradientTape() as tape:
            loss = crossentropy(Y, model(inputs, training=True), sample_weights)
            total = loss
            if l2:  # Keras's regularizer L2, which would round l2 to float32
                total += l2 * sum(keras.ops.sum(keras.ops.square(kernel)) for kernel in kernels)
        gradients = tape.gradient(total, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables))
        return loss

    return step


def make_predict(model):
    """Return a function from images (n, pixels) to probabilities (n, k)."""
    import tensorflow

    return tensorflow.function(model, reduce_retracing=True)


def make_keras_optimizer(keras, optimizer, settings, steps_per_epoch, number):
    """Return Keras's optimizer, with its schedule, for the same `settings` as `optimizer`.

    `number` is the type of its constants.
    """
    learning_rate = make_keras_schedule(keras, settings, steps_per_epoch, number)
    common = {
        "weight_decay": number(optimizer.weight_decay) if optimizer.weight_decay else None,
        "global_clipnorm": number(optimizer.clip_norm) if optimizer.clip_norm else None,
    }
    if settings["training.optimizer"] == "adam":
        return keras.optimizers.Adam(
            learning_rate,
            number(optimizer.beta_1),
            number(optimizer.beta_2),
            number(optimizer.epsilon),
            **common,
        )
    if settings["training.optimizer"] == "rmsprop":
        rho, epsilon = number(optimizer.rho), number(optimizer.epsilon)
        return keras.optimizers.RMSprop(learning_rate, rho, epsilon=epsilon, **common)
    momentum = number(optimizer.momentum)
    return keras.optimizers.SGD(learning_rate, momentum, optimizer.nesterov, **common)


def make_keras_schedule(keras, settings, steps_per_epoch, number):
    """Return the learning rate of `settings` for Keras: a number or a schedule."""
    schedules, schedule = keras.optimizers.schedules, settings["training.schedule"]
    rate = decayed = number(settings["training.learning_rate"])
    if schedule != "constant":
        decay_steps = settings["training.decay_epochs"] * steps_per_epoch
        decay_rate = number(settings["training.decay_rate"])
        if schedule == "cosine":
            decayed = schedules.CosineDecay(rate, decay_steps, alpha=decay_rate)
        else:
            is_staircase = schedule == "step"
            decayed = schedules.ExponentialDecay(rate, decay_steps, decay_rate, is_staircase)
    warmup_steps = settings.get("training.warmup_epochs", 0) * steps_per_epoch
    if not warmup_steps:
        return decayed
    rising = schedules.PolynomialDecay(number(0), warmup_steps, rate)  # of degree 1: a line

    class WarmUp(schedules.LearningRateSchedule):
        """Keras's own warm-up is a part of CosineDecay alone."""

        def __call__(self, step):
            after = decayed(step - warmup_steps) if callable(decayed) else decayed
            return keras.ops.where(step < warmup_steps, rising(step), after)

    return WarmUp()
