"""scikit-learn; see worker.py."""

from sklearn.neural_network import MLPClassifier


def scikit_learn(X, Y, batch_size, threads):
    """scikit-learn's MLPClassifier, an epoch a call of partial_fit()."""
    samples, labels = X.T, Y.argmax(axis=0)

    def start(weights, learning_rate, seed):
        model = MLPClassifier(
            hidden_layer_sizes=[len(W) for W in weights[:-1]],
            solver="sgd",
            alpha=0.0,
            batch_size=batch_size,
            learning_rate_init=learning_rate,
            momentum=0.0,
            random_state=seed,
        )
        model.partial_fit(samples[:batch_size], labels[:batch_size], classes=range(len(Y)))
        for i, W in enumerate(weights):  # in place: the optimizer holds on to these arrays
            model.coefs_[i][:] = W[:, :-1].T
            model.intercepts_[i][:] = W[:, -1]

        def epoch():
            model.partial_fit(samples, labels)
            return model.loss_

        return epoch

    return start
