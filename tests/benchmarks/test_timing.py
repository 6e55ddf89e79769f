"""The measurements compare like with like."""

import pytest

from pipelines import Prepared, prepared, write_empty_jobs
from project import Project
from ratios import Ratio
from timing import check_losses, environment, take_turns


def test_contenders_take_turns_and_rounds_to_warm_up_are_not_timed():
    turns = []

    def contender(name, seconds):
        turns.append(name)
        return seconds.pop(0), [len(turns)]

    slow, fast = [9, 3, 4], [8, 1, 2]
    seconds, losses = take_turns(
        {"slow": lambda: contender("slow", slow), "fast": lambda: contender("fast", fast)}, 2
    )
    assert turns == ["slow", "fast"] * 3
    assert seconds == {"slow": [3, 4], "fast": [1, 2]}
    assert losses == {"slow": [1, 3, 5], "fast": [2, 4, 6]}


def test_losses_have_to_agree():
    tolerances = {"ours": 0.0, "theirs": 0.01}
    check_losses({"ours": [1.0, 0.5], "theirs": [1.009, None]}, "ours", tolerances)
    for wrong in (1.011, 0.989, float("nan")):
        with pytest.raises(SystemExit, match="theirs came to a loss of"):
            check_losses({"ours": [0.5, 1.0], "theirs": [0.5, wrong]}, "ours", tolerances)
    with pytest.raises(ValueError):  # someone has trained less
        check_losses({"ours": [1.0, 0.5], "theirs": [1.0]}, "ours", tolerances)


def test_contenders_have_the_memory_settings_of_jobs():
    found = environment()
    assert found["MALLOC_TRIM_THRESHOLD_"] == "134217728"
    assert found["MALLOC_MMAP_THRESHOLD_"] == "33554432"


def test_a_ratio_is_taken_to_the_fastest_that_was_measured():
    seconds = {"ours": [3, 2, 9], "a": [4, 4, 4], "b": [2, 2, 1]}
    ratio = Ratio("work", "ours", ("a", "b", "c"), 1.0)
    assert ratio.fastest(seconds) == "b"
    assert ratio.of(seconds) == 1.5


def test_the_empty_jobs_of_a_clean_run_has_its_jobs():
    empty = Project(write_empty_jobs(prepared()))
    assert empty.plan() == Prepared({}).project.plan()
