"""`snakemake.config` in a script: a dict that notes which of its keys are read."""

from snakefresh.tracing import Noted

import copy
import json

import pytest
import yaml

CONFIG = {"a": 1, "b": {"c": [2]}}
# {what a script does: (function of the config, its result, the keys that count)}
READS = {
    "a key": (lambda config: config["b"]["c"], [2], "b"),
    "a default": (lambda config: config.get("z", 3), 3, "z"),
    "whether a key is there": (lambda config: "a" in config, True, "a"),
    "a key in a copy": (lambda config: copy.deepcopy(config)["a"], 1, "a"),
    "a key in a format": (lambda config: "{a}".format_map(config), "1", "a"),
    "a key, after it was assigned": (lambda config: config.update(a=5) or config["a"], 5, "a"),
    "a key in its place": (lambda config: config.__ior__({"a": 5})["a"], 5, "a"),
    "the keys": (sorted, ["a", "b"], "*"),
    "their number": (len, 2, "*"),
    "all values": (lambda config: list(config.values()), list(CONFIG.values()), "*"),
    "a plain dict": (dict, CONFIG, "*"),
    "a merged dict": (lambda config: {**config, "z": 3}, CONFIG | {"z": 3}, "*"),
    "a union": (lambda config: config | {"z": 3}, CONFIG | {"z": 3}, "*"),
    "arguments": (lambda config: "{a}".format(**config), "1", "*"),
    "JSON": (json.dumps, json.dumps(CONFIG), "*"),
    "text": (str, str(CONFIG), "*"),
    "equality": (lambda config: config == CONFIG, True, "*"),
    "inequality": (lambda config: config != CONFIG, False, "*"),
}


@pytest.mark.parametrize(("read", "result", "counts"), READS.values(), ids=READS)
def test_what_is_read_counts(read, result, counts):
    config = Noted(CONFIG)
    assert isinstance(config, dict)
    assert read(config) == result
    assert counts in config.read
    assert counts == "*" or set(config.read) == {counts}


def test_the_value_counts_that_it_had_at_first():
    one, other = Noted(CONFIG), Noted(CONFIG)
    one["a"] = 7
    assert one["a"] == 7 and other["a"] == 1
    assert one.read == other.read


def test_what_would_write_it_as_another_object_says_what_to_do():
    with pytest.raises(TypeError, match=r"use dict\(snakemake.config\)"):
        yaml.dump(Noted(CONFIG))
