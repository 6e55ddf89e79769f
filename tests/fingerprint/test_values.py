"""The same value is the same text and the same hash, and another value is another one."""

import hashlib
import json
import re

import pytest

from scratchnet.fingerprint.values import canonical, digest, short_hash


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ({"a": {"b": 1, "c": [2]}}, {"a": {"c": [2], "b": 1}}),
        ([{"a": 1, "b": 2}], [{"b": 2, "a": 1}]),
        (0.001, 1e-3),
        ((1, 2), [1, 2]),
    ],
)
def test_the_same_value_is_the_same_text(one, other):
    assert canonical(one) == canonical(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": 1, "b": 2}, {"a": 2, "b": 1}),
        ([1, 2], [2, 1]),
        (1, "1"),
        (None, "null"),
        (0.1, 0.1 + 1e-16),
        ([[1], 2], [[1, 2]]),
        ({"a": None}, {}),
    ],
)
def test_another_value_is_another_text(one, other):
    assert canonical(one) != canonical(other)


def test_the_text_is_json():
    value = {"b": [1, 2.5, None, True], "a": {"é": "ü"}}
    assert json.loads(canonical(value)) == value


def test_a_digest_is_the_first_16_digits_of_the_sha256():
    assert digest(b"abc") == hashlib.sha256(b"abc").hexdigest()[:16] == "ba7816bf8f01cfea"


@pytest.mark.parametrize("text", ["", "abc", "é\n", "\x00"])
def test_text_has_the_digest_of_its_utf_8_bytes(text):
    assert digest(text) == digest(text.encode("utf-8"))


@pytest.mark.parametrize(("one", "other"), [("a", "b"), ("a", "a\n"), ("a\n", "a\r\n"), ("", " ")])
def test_other_data_have_another_digest(one, other):
    assert digest(one) != digest(other)


def test_any_bytes_have_a_digest():
    assert re.fullmatch("[0-9a-f]{16}", digest(bytes(range(256))))


@pytest.mark.parametrize("value", [None, "", 0, {}, [1.5, "text"], {"a": {"b": None}}], ids=str)
def test_a_short_hash_is_eight_hexadecimal_digits(value):
    assert re.fullmatch("[0-9a-f]{8}", short_hash(value))


def test_a_short_hash_is_the_same_today_and_tomorrow():
    # The first digits of the sha256 of {"a": [1, 2.5, null], "b": "x"}.
    assert short_hash({"b": "x", "a": [1, 2.5, None]}) == "e80ae95b"
