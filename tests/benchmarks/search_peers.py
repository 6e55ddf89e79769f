"""Optuna and Keras Tuner in search.py: each searches the same space with its own Hyperband.

    python search_peers.py NAME ARRAYS FOLDER CONFIG SEED BUDGET EPOCHS

writes a line of JSON with the validation loss of each epoch to FOLDER/losses, and ends when BUDGET
epochs were trained. EPOCHS are the most that one trial is trained for. CONFIG is search.yaml as
JSON.
"""

import fcntl
import json
import multiprocessing
import os
import sys
from pathlib import Path

import numpy as np

PROCESSES = 2


class Budget:
    """The epochs that all processes have trained, as lines of a file."""

    def __init__(self, path, epochs):
        self.path, self.epochs = path, epochs

    def spend(self, loss):
        """Write the loss of an epoch; end this process if it was the last, or one too many."""
        with self.path.open("a+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            spent = len(file.readlines())
            if spent < self.epochs:
                file.write(json.dumps({"val_loss": loss}) + "\n")
                file.flush()
        if spent + 1 >= self.epochs:
            os._exit(0)


def suggest(space, choose, draw):
    """Return a value for each key of a search space."""
    values = {}
    for key, distribution in space.items():
        ((kind, bounds),) = distribution.items()
        is_log = kind == "log_uniform"
        values[key] = choose(key, bounds) if kind == "choice" else draw(key, *bounds, is_log)
    return values


def run_optuna(arrays, folder, config, seed, budget, epochs):
    """Two processes that share a study. The network is trained by this project's library."""
    workers = [
        multiprocessing.Process(
            target=work_for_optuna, args=(arrays, folder, config, seed, i, budget, epochs)
        )
        for i in range(PROCESSES)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def work_for_optuna(arrays, folder, config, seed, worker, budget, epochs):
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    from scratchnet.errors import DivergenceError
    from scratchnet.planning.config import resolve_runs
    from scratchnet.training.from_settings import make_initial_weights, make_training
    from scratchnet.training.loop import train

    data = {path.stem: np.load(path, mmap_mode="r") for path in Path(arrays).glob("*_*.npy")}
    shape, (n_out, n) = (28, 28), data["Y_train"].shape
    manifest = {"image_shape": shape, "minimum": 0, "maximum": 255}
    base = {name: part for name, part in config.items() if name not in ("sweep", "search")}

    def objective(trial):
        values = suggest(
            config["search"]["space"],
            # Its categories are text or numbers.
            lambda key, values: json.loads(
                trial.suggest_categorical(key, [*map(json.dumps, values)])
            ),
            lambda key, low, high, log: trial.suggest_float(key, low, high, log=log),
        )
        (settings,) = resolve_runs(
            base | {"sweep": {key: [value] for key, value in values.items()}}
        )
        weights = make_initial_weights(settings, shape, n_out)
        training = make_training(weights, settings, manifest, n)
        for epoch in range(1, epochs + 1):
            try:
                train(training, data, settings, epoch)
            except DivergenceError as error:
                raise optuna.TrialPruned from error
            loss = training.history["val_loss"][-1]
            budget.spend(loss)
            trial.report(loss, epoch)
            if trial.should_prune():
                raise optuna.TrialPruned
        return loss

    study = optuna.create_study(
        study_name="search",
        storage=JournalStorage(JournalFileBackend(str(folder / "journal"))),
        load_if_exists=True,
        sampler=optuna.samplers.TPESampler(seed=PROCESSES * seed + worker),
        pruner=optuna.pruners.HyperbandPruner(1, epochs, 3),
    )
    study.optimize(objective)


def run_keras_tuner(arrays, folder, config, seed, budget, epochs):
    """One process, as Keras trains on all cores. The network is the same one, in Keras."""
    import keras
    import keras_tuner

    data = {path.stem: np.load(path).T for path in Path(arrays).glob("*_*.npy")}
    space, momentum = config["search"]["space"], config["training"]["momentum"]

    class Network(keras_tuner.HyperModel):
        def values(self, hp):
            return suggest(
                space,
                lambda key, values: json.loads(hp.Choice(key, [*map(json.dumps, values)])),
                lambda key, low, high, log: hp.Float(
                    key, low, high, sampling="log" if log else "linear"
                ),
            )

        def build(self, hp):
            values = self.values(hp)
            layers = [keras.Input((784,))]
            for units in values["model.hidden"]:
                layers.append(keras.layers.Dense(units, "relu", kernel_initializer="he_uniform"))
                layers.append(keras.layers.Dropout(values["model.dropout"]))
            layers.append(keras.layers.Dense(10, "softmax", kernel_initializer="he_uniform"))
            model = keras.Sequential(layers)
            optimizer = keras.optimizers.SGD(values["training.learning_rate"], momentum)
            model.compile(optimizer, "categorical_crossentropy")
            return model

        def fit(self, hp, model, *arguments, **options):
            batch_size = self.values(hp)["training.batch_size"]
            return model.fit(*arguments, batch_size=batch_size, **options)

    class Spend(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs):
            budget.spend(logs["val_loss"])

    tuner = keras_tuner.Hyperband(
        Network(),
        "val_loss",
        max_epochs=epochs,
        factor=3,
        seed=seed,
        hyperband_iterations=100,
        directory=str(folder),
    )
    tuner.search(
        data["X_train"],
        data["Y_train"],
        validation_data=(data["X_validation"], data["Y_validation"]),
        callbacks=[Spend()],
        verbose=0,
    )


CONTENDERS = {"optuna": run_optuna, "keras_tuner": run_keras_tuner}


def main():
    name, arrays, folder, config, seed, budget, epochs = sys.argv[1:]
    budget = Budget(Path(folder) / "losses", int(budget))
    CONTENDERS[name](arrays, Path(folder), json.loads(config), int(seed), budget, int(epochs))


if __name__ == "__main__":
    main()
