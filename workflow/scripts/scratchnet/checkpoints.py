"""Checkpoints: all that training needs to go on, in one .npz file.

It holds network.* (weights), optimizer.* (state) and history.* (a value for each epoch), and
nothing that differs from run to run: the same training gives the same bytes.
"""

import numpy as np

from scratchnet.files import whole


def save_checkpoint(path, network, optimizer, history):
    """Write the weights of `network`, the state of `optimizer`, and `history` (lists by epoch)."""
    arrays = {f"network.{name}": parameter for name, parameter, _ in network.parameters()}
    arrays |= {f"optimizer.{name}": array for name, array in optimizer.state.items()}
    arrays |= {f"history.{name}": np.array(values) for name, values in history.items()}
    with whole(path) as temporary:
        np.savez(temporary, **arrays)


def load_checkpoint(path):
    """What `save_checkpoint` wrote: weights, optimizer state and history, each a dict by name."""
    parts = {"network": {}, "optimizer": {}, "history": {}}
    with np.load(path, allow_pickle=False) as arrays:
        for name in arrays.files:
            part, _, rest = name.partition(".")
            parts[part][rest] = arrays[name]
    history = {name: values.tolist() for name, values in parts["history"].items()}
    return parts["network"], parts["optimizer"], history
