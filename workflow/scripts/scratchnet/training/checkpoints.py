"""Checkpoints: all that training needs to go on, in one .npz file.

It holds nothing that differs from run to run: the same training gives the same bytes.
"""

from dataclasses import dataclass, field, fields

import numpy as np

from scratchnet.files import atomic_write


@dataclass
class Checkpoint:
    """The state of a training, as arrays and lists by name.

    `network` are the weights after the last epoch, `optimizer` is its state, `history` has a value
    for each epoch. `best` are the weights of the best epoch; without early stopping it is empty.
    """

    network: dict
    optimizer: dict
    history: dict
    best: dict = field(default_factory=dict)

    @property
    def trained(self):
        """The weights that the training came to: the best ones where they were kept."""
        return self.best or self.network


def save_checkpoint(path, checkpoint):
    """Write `checkpoint`; its arrays are called e.g. network.0.W and history.loss in the file."""
    arrays = {
        f"{part.name}.{name}": np.asarray(value)
        for part in fields(checkpoint)
        for name, value in getattr(checkpoint, part.name).items()
    }
    with atomic_write(path) as temporary:
        np.savez(temporary, **arrays)


def load_checkpoint(path):
    """The Checkpoint that `save_checkpoint` wrote."""
    parts = {part.name: {} for part in fields(Checkpoint)}
    with np.load(path, allow_pickle=False) as arrays:
        for name in arrays.files:
            part, _, rest = name.partition(".")
            parts[part][rest] = arrays[name]
    parts["history"] = {name: values.tolist() for name, values in parts["history"].items()}
    return Checkpoint(**parts)
