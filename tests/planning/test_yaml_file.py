"""Reading a YAML file: what YAML would do silently is refused, with the line."""

import re

import pytest

from configs import problems_of
from hostile import assert_is_harmless
from scratchnet.errors import ConfigError
from scratchnet.planning.yaml_file import read_yaml


def read(tmp_path, text):
    path = tmp_path / "config.yaml"
    path.write_text(text)
    return read_yaml(path)


REFUSED = {
    "a tab": ("training:\n\tepochs: 3\n", " is not valid YAML: line 2, column 1: found character"),
    "an open list": ("a: 1\nb: [1, 2\nc: d: e\n", " is not valid YAML: line 3, column 2: did not"),
    "two keys in a line": ("a: b: c\n", " is not valid YAML: line 1, column 5: mapping values"),
    "an open quote": ('a: "b\n', " is not valid YAML: line 2, column 1: found unexpected end"),
    "a control character": ("a: \0\n", " is not valid YAML: "),
    "a tag": ("a: !!python/name:os.getcwd 1", " is not valid YAML: line 1, column 4: could not"),
    "an unknown alias": ("a: *b", " is not valid YAML: line 1, column 4: found undefined alias"),
    "a date that is none": ("dataset: 2024-13-45\n", " is not valid YAML: month must be in 1..12"),
    "a number without digits": ("seed: 0b_\n", " is not valid YAML: invalid literal"),
    "a list in itself": ("classes: &a [1, *a]", " is not valid YAML: maximum recursion depth"),
    "many levels": (f"a: {'[' * 2000 + ']' * 2000}", " is not valid YAML: maximum recursion depth"),
    "a list": ("[1, 2]\n", " must consist of keys and values: training: {epochs: 5}"),
    "text": ("training\n", " must consist of keys and values"),
    "a section twice": ("training: {}\nmodel: {}\ntraining: {}\n", "training is given twice, in"),
    "a key twice": ("a:\n  b: 5\n  c: 1\n  b: 6\n", ": b is given twice, in lines 2 and 4"),
    "a key twice in a list": ("a:\n  - {b: 1,\n   b: 2}\n", "b is given twice, in lines 2 and 3"),
    "a key in quotes": ("a: {b: 1}\n'a': {b: 2}\n", ": a is given twice, in lines 1 and 2"),
    "a key twice, and an alias": ("a: &x {b: 1, b: 2}\nc: *x\n", ": b is given twice, in lines 1"),
}


@pytest.mark.parametrize(("text", "problem"), REFUSED.values(), ids=REFUSED)
def test_what_is_wrong_with_a_file_is_said_in_one_line(tmp_path, text, problem):
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text)
    (line,) = str(caught.value).splitlines()
    assert line.startswith(f"{tmp_path}/config.yaml")
    assert problem in line


REWRITTEN = {
    "classes: [010, '011']": ("010", 8),
    "classes: [a,\n 1.10]": ("1.10", 1.1),
    "classes: [1_0]": ("1_0", 10),
    "classes: [1:30]": ("1:30", 90),
    "dataset: 007": ("007", 7),
    "sweep: [{dataset: [a, 0x10]}]": ("0x10", 16),
    "training: {batch_size: 010}": ("010", 8),
    "model: {hidden: [128, 064]}": ("064", 52),
    "model: {hidden: [-0_7_0]}": ("-0_7_0", -56),
    "training: {decay_epochs: 1:30}": ("1:30", 90),
    "training: {learning_rate: 1:30.5}": ("1:30.5", 90.5),
    "training: {seed: 0x10}": ("0x10", 16),
    "training: {seed: 0b10}": ("0b10", 2),
}


@pytest.mark.parametrize("text", REWRITTEN)
def test_a_number_that_yaml_would_rewrite_is_refused(tmp_path, text):
    written, value = REWRITTEN[text]
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text)
    line = text.count("\n") + 1
    assert f": {written} in line {line} would be read as {value}. Write a dec" in str(caught.value)
    assert str(caught.value).endswith(f'a name in quotes: "{written}"')


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ("classes: ['010', \"011\"]", {"classes": ["010", "011"]}),
        ("classes: [8, 9.5, -1]", {"classes": [8, 9.5, -1]}),
        ("a: [1.10, +5, 1_000, 1.0e+3, .5, 0, 0.0]", {"a": [1.1, 5, 1000, 1000.0, 0.5, 0, 0]}),
        ("a: 1\nb: {a: 2}\nc: [{a: 1}, {a: 1}]", {"a": 1, "b": {"a": 2}, "c": [{"a": 1}] * 2}),
        (
            "a: &x {b: [1], c: 2}\nd: {<<: *x, c: 3}",
            {"a": {"b": [1], "c": 2}, "d": {"b": [1], "c": 3}},
        ),
        *((text, {}) for text in ("", "\n", "# training:\n#   epochs: 5\n", "---\n", "null\n")),
    ],
)
def test_all_else_is_read_as_it_is_written(tmp_path, text, content):
    assert read(tmp_path, text) == content


def test_all_problems_are_listed(tmp_path):
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, "a: 1\na: {b: 010, b: 2}\n")
    assert len(str(caught.value).splitlines()) == 3


@pytest.mark.parametrize("name", ["nowhere.yaml", ".", "x" * 300, "config.yaml/below"])
def test_a_file_that_cannot_be_read_is_named_with_the_reason(tmp_path, name):
    (tmp_path / "config.yaml").touch()
    with pytest.raises(ConfigError, match=re.escape(f"{tmp_path / name} cannot be read: ")):
        read_yaml(tmp_path / name)


def test_a_file_in_another_encoding_is_explained(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_bytes("classes: [größer, kleiner]\n".encode("latin-1"))
    with pytest.raises(
        ConfigError, match="is not valid YAML: 'utf-8' codec can't decode byte 0xf6"
    ):
        read_yaml(path)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("classes: [2024-01-01]", 'classes[0]: "2024-01-01" is not allowed'),
        ("classes: [yes]", "classes[0]: true is not allowed"),
        ("training: {seed: !!binary aGk=}", "training.seed: \"b'hi'\" is not allowed"),
        ("training: !!set {epochs}", "training: \"{'epochs'}\" is not allowed"),
        ("training: {seed: {2024-01-01: 1}}", "training.seed: {datetime.date(2024, 1, 1): 1} is"),
        ("2024-01-01: 1", "2024-01-01: unknown key"),
        ("1: 1", "1: unknown key"),
    ],
)
def test_what_json_does_not_have_is_named_by_the_schema(tmp_path, text, problem):
    (found,) = problems_of(read(tmp_path, text))
    assert found.startswith(problem)


@pytest.mark.parametrize(
    "text",
    [
        r'{"\e[2J": 1, "\e[2J": 2}',
        r'"\e[2J"',
        r'{"a": !!"\e[2J" 1}',
        r'*"\e[2J"',
        '{"\\e[2J": 010}',
    ],
)
def test_no_message_about_a_file_has_control_characters(tmp_path, text):
    path = tmp_path / "a\x1b[2J.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_yaml(path)
    assert_is_harmless(str(caught.value))
