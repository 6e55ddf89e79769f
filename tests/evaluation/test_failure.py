"""A training that came to nothing is named, and a network that learns is not."""

import math

import pytest

from scratchnet.evaluation.evaluation import describe_failure

GUESSING = math.log(10)


@pytest.mark.parametrize(
    ("losses", "beginning"),
    [
        ([GUESSING] * 20, "learned nothing: the loss stayed at 2.30"),
        ([2.31, 2.27, 2.2701], "learned nothing: the loss stayed at 2.27"),
        ([2.3, 2.2], None),
        ([2.31, 0.4], None),
        ([1.9, 10.1 * GUESSING], "the loss rose to 23; it is 2.30 for a network that guesses"),
        ([1.9, 9.4e29], "the loss rose to 9.4e+29"),
        ([1.9, 9.9 * GUESSING], None),
    ],
)
def test_a_training_that_came_to_nothing_is_named(losses, beginning):
    found = describe_failure({"loss": losses}, 10)
    assert [note.startswith(beginning) for note in found] == [True] * bool(beginning)
