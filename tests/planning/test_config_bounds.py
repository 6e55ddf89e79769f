"""A configuration beyond any use is refused in a moment, whatever is wrong with it."""

import time

import pytest

from configs import message_of, problems_of
from scratchnet.errors import ConfigError
from scratchnet.planning.config import resolve_runs
from scratchnet.planning.yaml_file import read_yaml


def doubled(first, level):
    """Eight anchors in YAML, each of which is ten times the one before."""
    lines = [f"a0: &a0 {first}"]
    lines += [f"a{i}: &a{i} {level(', '.join([f'*a{i - 1}'] * 10))}" for i in range(1, 8)]
    return "\n".join(lines)


SUMMED = "\n".join(f"a{i}: &a{i} [*a{i - 1}]" for i in range(1, 200))
TEXTS = {
    "open lists": ("classes: " + "[" * 200_000, "line 1: more than 20 levels"),
    "lists": ("a:\n  " + "[" * 900 + "]" * 900, "line 2: more than 20 levels"),
    "sections": ("".join(f"{' ' * i}a:\n" for i in range(900)), "line 21: more than 20 levels"),
    "levels of aliases": (f"a0: &a0 []\n{SUMMED}", "more than 20 levels"),
    "a list in itself": ("classes:\n  &a [1, *a]", "line 2: *a is a part of itself"),
    "a section in itself": ("sweep: &a {training.seed: *a}", "line 1: *a is a part of itself"),
    "a merge with itself": ("sweep: &a {<<: *a}", "line 1: *a is a part of itself"),
    "lists of aliases": (doubled("[x, y]", "[{}]".format), "line 6: more than 50000 values"),
    "merged aliases": (doubled("{x: 1}", "{{<<: [{}]}}".format), "line 6: more than 50000 values"),
    "values": (f"classes: [{'a, ' * 60_000}]", "line 1: more than 50000 values"),
    "a large file": ("#" * 1_000_001, "more than 1000000 characters"),
    "decimal digits": (f"a: {'9' * 5000}", "line 1: a value has more than 3500 characters"),
    "hexadecimal digits": (f"? 0x{'f' * 5000}", "line 1: a value has more than 3500 characters"),
    "a long text": (f"a: 1\nb: '{'x' * 3501}'", "line 2: a value has more than 3500 characters"),
}


@pytest.mark.parametrize(("text", "problem"), TEXTS.values(), ids=TEXTS)
def test_a_file_beyond_the_bounds_is_refused_in_a_moment(tmp_path, text, problem):
    path = tmp_path / "config.yaml"
    path.write_text(text)
    started = time.monotonic()
    with pytest.raises(ConfigError) as caught:
        read_yaml(path)
    assert str(caught.value).startswith(str(path))
    assert problem in str(caught.value)
    assert len(str(caught.value)) < 200 + len(str(path))
    assert time.monotonic() - started < 2


@pytest.mark.parametrize(
    "value",
    [
        *('!!int ""', "!!bool maybe", "!!timestamp x", "!!float abc", "!!set {a}", "!!binary aGk="),
        *("!!python/object/apply:os.getcwd []", "!mine 5", "! 5", "!!str 5", "!!omap [a: 1]"),
    ],
)
def test_a_tag_is_refused_with_its_line(tmp_path, value):
    path = tmp_path / "config.yaml"
    path.write_text(f"training:\n  seed: {value}\n")
    with pytest.raises(ConfigError, match=r"config.yaml: line 2: the tag !\S* is not supported"):
        read_yaml(path)


def test_aliases_and_merge_keys_within_the_bounds_are_followed(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(
        "sweep:\n"
        "- &a {training.seed: &seeds [0, 1], training.momentum: 0.5}\n"
        "- {<<: *a, training.momentum: 0.9}\n"
        "- {training.seed: *seeds, training.epochs: 5}\n"
    )
    assert read_yaml(path) == {
        "sweep": [
            {"training.seed": [0, 1], "training.momentum": 0.5},
            {"training.seed": [0, 1], "training.momentum": 0.9},
            {"training.seed": [0, 1], "training.epochs": 5},
        ]
    }
    assert len(resolve_runs(read_yaml(path))) == 6


@pytest.mark.parametrize("name", ["nowhere.yaml", ".", "x" * 300, "config.yaml/below"])
def test_a_file_that_cannot_be_read_is_named_with_the_reason(tmp_path, name):
    (tmp_path / "config.yaml").touch()
    with pytest.raises(ConfigError) as caught:
        read_yaml(tmp_path / name)
    assert str(caught.value).startswith(f"{tmp_path / name} cannot be read: ")


def with_itself():
    """Return a list that contains itself."""
    values = []
    values.append(values)
    return values


def multiplied(n_levels):
    """Return lists of ten times the same list, as aliases on the command line give them."""
    values = ["x"] * 10
    for _ in range(n_levels):
        values = [values] * 10
    return values


@pytest.mark.parametrize("key", ["classes", "training", "sweep", "unknown"])
@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (with_itself(), "more than 20 levels of lists and sections"),
        ({"training.seed": with_itself()}, "more than 20 levels of lists and sections"),
        (multiplied(8), "more than 50000 values"),
    ],
    ids=["itself", "itself in a section", "many"],
)
def test_the_values_of_the_command_line_have_the_same_bounds(key, value, problem):
    started = time.monotonic()
    assert message_of({key: value}) == f"the configuration has {problem}"
    assert time.monotonic() - started < 2


def test_of_many_problems_the_first_are_listed():
    started = time.monotonic()
    problems = problems_of({f"key{i}": 1 for i in range(20_000)})
    assert len(problems) == 21
    assert problems[-1] == "and more"
    assert time.monotonic() - started < 2


def test_twenty_problems_are_all_listed():
    assert len(problems_of({f"key{i}": 1 for i in range(20)})) == 20


def test_a_long_name_of_an_unknown_key_is_shortened():
    (problem,) = problems_of({"x" * 3000: 1})
    assert len(problem) < 300


def test_more_runs_than_anybody_can_train_are_refused_before_they_are_made():
    sweep = {f"training.{key}": list(range(1, 101)) for key in ("seed", "epochs", "batch_size")}
    assert message_of({"sweep": sweep}) == (
        "the sweep has 1000000 runs; at most 10000 are possible"
    )
