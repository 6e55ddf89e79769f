"""Batches: each sample once per epoch, in an order that depends on seed and epoch only."""

import itertools

import numpy as np
import pytest

from scratchnet.nn.batches import generate_batch_indices, generate_batches
from scratchnet.random_streams import PURPOSES, random_stream


def epoch_of(n, batch_size, seed=0, epoch=1):
    """Return the batches of indices of one epoch."""
    return list(generate_batch_indices(n, batch_size, random_stream(seed, "shuffling", epoch)))


def samples(n):
    """Return X (4, n) and Y (3, n), in which no two columns are equal."""
    rng = np.random.default_rng(n)
    X, Y = rng.standard_normal((4, n), np.float32), rng.standard_normal((3, n))
    return X, Y


def copies(batches):
    """Return a list of copies, because each batch overwrites the one before."""
    return [(X.copy(), Y.copy()) for X, Y in batches]


def memory_mapped(path, array):
    np.save(path, array)
    return np.load(path, mmap_mode="r")


SIZES = [(1, 1), (7, 3), (12, 4), (12, 1), (5, 5), (5, 8)]  # n, batch_size


@pytest.mark.parametrize(("n", "batch_size"), SIZES)
def test_an_epoch_has_each_index_once_in_batches_of_which_only_the_last_may_be_smaller(
    n, batch_size
):
    *full, last = epoch_of(n, batch_size)
    assert sorted(np.concatenate([*full, last])) == list(range(n))
    assert {len(indices) for indices in full} <= {batch_size}
    assert 0 < len(last) <= batch_size


def test_the_order_depends_on_the_seed_and_the_epoch_and_not_on_the_batch_size():
    orders = [epoch_of(100, 100, seed, epoch)[0] for seed in (0, 1) for epoch in (1, 2)]
    assert len({tuple(order) for order in [*orders, range(100)]}) == 5
    assert np.array_equal(np.concatenate(epoch_of(100, 3)), orders[0])


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("mapped", [False, True], ids=["in memory", "memory-mapped"])
@pytest.mark.parametrize(("n", "batch_size"), SIZES)
def test_batches_are_the_columns_at_the_indices(tmp_path, n, batch_size, mapped, order):
    X, Y = samples(n)
    given = [np.array(array, order=order) for array in (X, Y)]
    if mapped:
        given = [memory_mapped(tmp_path / f"{i}.npy", array) for i, array in enumerate(given)]
    batches = copies(generate_batches(*given, batch_size, random_stream(0, "shuffling", 1)))
    for (batch_X, batch_Y), indices in zip(batches, epoch_of(n, batch_size), strict=True):
        assert np.array_equal(batch_X, X[:, indices])
        assert np.array_equal(batch_Y, Y[:, indices])


@pytest.mark.parametrize("order", ["C", "F"])
def test_batches_keep_the_dtypes_and_are_sample_contiguous(order):
    given = [np.array(array, order=order) for array in samples(7)]
    for X, Y in generate_batches(*given, 3, np.random.default_rng(0)):
        assert (X.dtype, Y.dtype) == (np.float32, np.float64)
        assert X.flags.f_contiguous and Y.flags.f_contiguous


def test_batches_do_not_change_the_samples():
    X, Y = (np.asfortranarray(array) for array in samples(7))
    X_before, Y_before = X.copy(), Y.copy()
    for batch_X, batch_Y in generate_batches(X, Y, 7, np.random.default_rng(0)):
        batch_X[...] = 0
        batch_Y[...] = 0
    assert np.array_equal(X, X_before)
    assert np.array_equal(Y, Y_before)


# Streams


def draws(*stream):
    return tuple(random_stream(*stream).integers(2**63, size=4))


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_stream_starts_anew_and_is_independent_of_draws_from_the_others(purpose):
    expected = draws(0, purpose)
    stream = random_stream(0, purpose)
    for other in PURPOSES:
        random_stream(0, other).random(1000)
    assert tuple(stream.integers(2**63, size=4)) == expected


def test_all_streams_are_different():
    # With small numbers, seed, purpose and epoch would collide if they were added.
    streams = list(itertools.product(range(4), PURPOSES, range(4)))
    assert len({draws(*stream) for stream in streams}) == len(streams)


def test_a_stream_needs_a_known_purpose():
    with pytest.raises(ValueError):
        random_stream(0, "coffee")
