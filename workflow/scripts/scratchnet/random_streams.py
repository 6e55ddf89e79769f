"""Random numbers: a separate stream for each purpose, derived from a seed.

Streams are independent: drawing more numbers from one does not change another. The stream of an
epoch depends on the seed and the epoch alone, so a resumed run needs no saved generator.
"""

import numpy as np

# Append new purposes at the end: the position of a purpose decides its numbers.
PURPOSES = ("weights", "shuffling", "validation", "pictures", "dropout", "test", "augmentation")


def random_stream(seed, purpose, epoch=0):
    """Return the `numpy.random.Generator` for one of PURPOSES, and for one epoch where needed."""
    spawn_key = (PURPOSES.index(purpose), epoch)
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=spawn_key))
