"""Where every random number comes from: a seed, and a stream of its own for each purpose.

Streams do not touch one another: drawing more numbers from one never moves another. The stream of
an epoch derives from the seed and the epoch alone, so a resumed run needs no saved generator.
"""

import numpy as np

# In the order in which they came to be: a purpose's place is part of its numbers.
PURPOSES = ("weights", "shuffling", "validation", "pictures", "dropout", "test")


def random_stream(seed, purpose, epoch=0):
    """A `numpy.random.Generator` for one of `PURPOSES`, and for one epoch where that matters."""
    spawn_key = (PURPOSES.index(purpose), epoch)
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=spawn_key))
