"""Checkpoints: everything that training needs to continue, in one .npz file.

The same training always gives the same bytes.
"""

from dataclasses import dataclass, field, fields

import numpy as np

from scratchnet.errors import DivergenceError
from scratchnet.files import atomic_write


@dataclass
class Checkpoint:
    """The state of a training, as saved: arrays and lists by name.

    `network` has the weights after the last epoch, `optimizer` the optimizer's state, and `history`
    a list of values for each metric, one for each epoch. `best` has the weights of the best epoch;
    without early stopping it is empty. `diverged` is empty, or has `why`: then this is how a trial
    of a search ended in the epoch after those in `history`, and there are no weights.
    """

    network: dict
    optimizer: dict
    history: dict
    best: dict = field(default_factory=dict)
    diverged: dict = field(default_factory=dict)

    @property
    def trained(self):
        """The final weights: those of the best epoch if there are any, else those of the last."""
        return self.best or self.network


def save_checkpoint(path, checkpoint):
    """Write a Checkpoint to `path`; its arrays have names such as network.0.W and history.loss."""
    parts = {
        "network": checkpoint.network,
        "optimizer": checkpoint.optimizer,
        "history": checkpoint.history,
        "best": checkpoint.best,
        "diverged": checkpoint.diverged,
    }
    arrays = {
        f"{part}.{name}": np.asarray(value)
        for part, values in parts.items()
        for name, value in values.items()
    }
    with atomic_write(path) as temporary:
        np.savez(temporary, **arrays)


def load_checkpoint(path):
    """Return the Checkpoint in a file written by `save_checkpoint`.

    Raises DivergenceError if it is that of a training that diverged.
    """
    state = _read_checkpoint(path)
    if state.diverged:
        why, epoch = str(state.diverged["why"]), len(state.history["loss"]) + 1
        raise DivergenceError(
            f"training diverged in epoch {epoch}: {why}. Try a lower training.learning_rate.",
            why,
            state.history,
        )
    return state


def load_outcome(path):
    """Return (history, why) of a checkpoint; `why` says how training diverged, and is "" if not."""
    state = _read_checkpoint(path, ("history", "diverged"))
    return state.history, str(state.diverged.get("why", ""))


def _read_checkpoint(path, needed=None):
    """Return a Checkpoint with the parts that are `needed`, or all."""
    parts = {part.name: {} for part in fields(Checkpoint)}
    with np.load(path, allow_pickle=False) as arrays:
        for name in arrays.files:
            part, _, rest = name.partition(".")
            if needed is None or part in needed:
                parts[part][rest] = arrays[name]
    parts["history"] = {name: values.tolist() for name, values in parts["history"].items()}
    return Checkpoint(**parts)
