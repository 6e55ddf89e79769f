"""Fingerprints of made-up stages: they move with what results depend on, and with nothing else."""

import json

import pytest

from scratchnet.fingerprint.differences import (
    MAX_LENGTH,
    MAX_REASONS,
    describe_changes,
    differing_settings,
)
from scratchnet.fingerprint.stages import Stage, fingerprint, own_settings, stage_before
from scratchnet.fingerprint.values import canonical, digest


def before_clean(settings):
    """What is there already is not fetched."""
    return None if "there" in settings else "fetch"


STAGES = {
    "fetch": Stage(("source",)),
    "clean": Stage(("threshold", "unit"), after=before_clean),
    "fit": Stage(("rate",), after="clean"),
    "score": Stage(("metric",), after="fit"),
    "draw": Stage(("style",), after="score"),
    "note": Stage(("rate", "source")),
    "table": Stage(("rows",), after="score", each="runs"),
    "chart": Stage(("style",), after="table"),
}
CODE = {name: {f"{name}.py": f"{i:016x}"} for i, name in enumerate(STAGES)}
SETTINGS = {
    **{"source": "a.org", "threshold": 3, "unit": None, "rate": 0.1, "metric": "loss"},
    **{"style": "dark", "unread": 1},
}
CHAIN = ["fetch", "clean", "fit", "score", "draw"]


def make(stage, settings=SETTINGS, code=CODE):
    return fingerprint(STAGES, stage, settings, code.get)


def moved(stages, settings, other, code=CODE, other_code=CODE):
    """Which of `stages` have other fingerprints with other settings or other code."""
    return {
        stage for stage in stages if make(stage, settings, code) != make(stage, other, other_code)
    }


# ---- What a fingerprint is.


def test_a_fingerprint_is_canonical_json_of_settings_code_and_what_was_before():
    assert make("fetch") == canonical(
        {"after": None, "code": CODE["fetch"], "settings": {"source": "a.org"}}
    )


def test_it_has_a_hash_of_the_fingerprint_of_the_stage_before():
    found = json.loads(make("clean"))
    assert found["after"] == digest(canonical([digest(make("fetch"))]))
    assert found["code"] == CODE["clean"]
    assert found["settings"] == {"threshold": 3, "unit": None}


def test_the_order_of_the_settings_and_of_the_code_makes_no_difference():
    code = {"fetch": {"b.py": "1", "a.py": "2"}}, {"fetch": {"a.py": "2", "b.py": "1"}}
    assert make("fetch", SETTINGS, code[0]) == make("fetch", SETTINGS, code[1])
    backwards = dict(reversed(SETTINGS.items()))
    assert moved(CHAIN, SETTINGS, backwards) == set()


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("source", "b.org", {*CHAIN, "note"}),
        ("threshold", 4, {"clean", "fit", "score", "draw"}),
        ("threshold", "3", {"clean", "fit", "score", "draw"}),
        ("unit", "m", {"clean", "fit", "score", "draw"}),
        ("rate", 0.2, {"fit", "score", "draw", "note"}),
        ("metric", "accuracy", {"score", "draw"}),
        ("style", "light", {"draw"}),
        ("unread", 2, set()),
        ("new", 1, set()),
    ],
)
def test_a_setting_moves_the_stages_that_read_it_and_those_after_them(key, value, expected):
    assert moved([*CHAIN, "note"], SETTINGS, SETTINGS | {key: value}) == expected


@pytest.mark.parametrize(
    ("edited", "expected"),
    [
        ("fetch", {*CHAIN}),
        ("fit", {"fit", "score", "draw"}),
        ("draw", {"draw"}),
        ("note", {"note"}),
        ("table", set()),
    ],
)
@pytest.mark.parametrize(
    "files", [{"{}.py": "f" * 16}, {"{}.py": "{}", "new.py": "1"}, {"other.py": "1"}, {}]
)
def test_code_moves_the_stages_that_run_it_and_those_after_them(edited, expected, files):
    files = {name.format(edited): hash_ for name, hash_ in files.items()}
    code = CODE | {edited: files}
    assert moved([*CHAIN, "note"], SETTINGS, SETTINGS, other_code=code) == expected


def test_swapped_values_are_noticed():
    swapped = SETTINGS | {"threshold": None, "unit": 3}
    assert moved(CHAIN, SETTINGS, swapped) == {"clean", "fit", "score", "draw"}


# ---- Settings that do not apply.


def test_own_settings_are_those_that_a_stage_reads_and_that_are_there():
    assert own_settings(STAGES, "clean", SETTINGS) == {"threshold": 3, "unit": None}
    assert own_settings(STAGES, "clean", {"unit": 1, "rate": 2}) == {"unit": 1}
    assert own_settings(STAGES, "clean", {}) == {}


def test_a_setting_that_is_not_there_is_another_than_one_that_is_none():
    without = {key: value for key, value in SETTINGS.items() if key != "unit"}
    assert moved(CHAIN, SETTINGS, without) == {"clean", "fit", "score", "draw"}


# ---- A stage before that depends on the settings.


def test_a_function_of_the_settings_says_which_stage_is_before():
    assert stage_before(STAGES, "clean", SETTINGS) == "fetch"
    assert stage_before(STAGES, "clean", SETTINGS | {"there": 1}) is None
    assert stage_before(STAGES, "fit", SETTINGS) == "clean"
    assert stage_before(STAGES, "fetch", SETTINGS) is None


def test_where_it_says_none_nothing_was_before():
    settings = SETTINGS | {"there": 1}
    assert json.loads(make("clean", settings))["after"] is None
    assert moved(CHAIN, settings, settings | {"source": "b.org"}) == {"fetch"}
    assert moved(CHAIN, settings, settings, other_code=CODE | {"fetch": {}}) == {"fetch"}


def test_another_stage_before_is_another_fingerprint_of_all_that_follows():
    assert moved(CHAIN, SETTINGS, SETTINGS | {"there": 1}) == {"clean", "fit", "score", "draw"}


def test_it_may_say_one_of_several_stages():
    stages = {
        "left": Stage(("a",)),
        "right": Stage(("b",)),
        "next": Stage(after=lambda settings: settings["side"]),
    }

    def next_one(**settings):
        return fingerprint(stages, "next", {"a": 1, "b": 1} | settings, lambda stage: {})

    assert next_one(side="left") != next_one(side="right")
    assert next_one(side="left", b=2) == next_one(side="left")
    assert next_one(side="right", b=2) != next_one(side="right")


# ---- A stage that puts several results together.

RUNS = [SETTINGS, SETTINGS | {"rate": 0.2}]


def together(runs=RUNS, **others):
    return SETTINGS | {"rows": ["first", "second"], "runs": runs} | others


def test_a_stage_of_several_results_has_a_hash_of_all_their_fingerprints():
    found = json.loads(make("table", together()))
    assert found["after"] == digest(canonical([digest(make("score", run)) for run in RUNS]))
    assert found["settings"] == {"rows": ["first", "second"]}


@pytest.mark.parametrize(
    "runs",
    [
        [RUNS[0], RUNS[1] | {"rate": 0.3}],
        [RUNS[0] | {"metric": "accuracy"}, RUNS[1]],
        [RUNS[0], RUNS[1] | {"source": "b.org"}],
        RUNS[::-1],
        RUNS[:1],
        [*RUNS, RUNS[0]],
        [],
    ],
)
def test_it_moves_with_each_of_the_results_with_their_order_and_with_their_number(runs):
    both = ["table", "chart"]
    assert moved(both, together(), together(runs)) == {*both}


@pytest.mark.parametrize("key", ["style", "unread"])
def test_it_does_not_move_with_what_the_stage_before_does_not_read(key):
    runs = [run | {key: "other"} for run in RUNS]
    assert moved(["table", "chart"], together(), together(runs)) == set()


@pytest.mark.parametrize("key", ["source", "rate", "metric"])
def test_what_the_results_depend_on_is_taken_from_their_settings_alone(key):
    assert moved(["table", "chart"], together(), together(**{key: "other"})) == set()


def test_a_stage_after_it_reads_the_shared_settings():
    assert moved(["table", "chart"], together(), together(style="light")) == {"chart"}


@pytest.mark.parametrize(
    ("edited", "expected"),
    [("fetch", {"table", "chart"}), ("table", {"table", "chart"}), ("chart", {"chart"})],
)
def test_code_before_it_counts_as_everywhere(edited, expected):
    other = CODE | {edited: {}}
    found = moved(["table", "chart"], together(), together(), other_code=other)
    assert found == expected


def test_without_results_nothing_was_before():
    assert json.loads(make("table", together([])))["after"] is None


def test_each_result_has_the_stage_before_that_its_own_settings_say():
    runs = [SETTINGS | {"there": 1}]
    other = [SETTINGS | {"there": 1, "source": "b.org"}]
    assert moved(["table"], together(runs), together(other)) == set()


# ---- What differs, in words.


def reason(stage, settings=None, code=None, before=SETTINGS):
    """What differs in `stage` with other settings, or other code of some stages."""
    after = before | (settings or {})
    now = make(stage, after, CODE | (code or {}))
    return describe_changes(make(stage, before), now, stage_before(STAGES, stage, after))


@pytest.mark.parametrize(
    ("stage", "settings", "expected"),
    [
        ("fit", {"rate": 0.2}, "rate: 0.1 -> 0.2"),
        ("clean", {"unit": "m"}, "unit: null -> m"),
        ("clean", {"threshold": [1, 2]}, "threshold: 3 -> [1, 2]"),
        ("clean", {"unit": 1, "threshold": 2}, "threshold: 3 -> 2, unit: null -> 1"),
        ("fit", {"threshold": 4}, "follows clean"),
        ("fit", {"source": "b.org"}, "follows clean"),
        ("fit", {"rate": 0.2, "source": "b.org"}, "rate: 0.1 -> 0.2"),
        ("clean", {"source": "b.org"}, "follows fetch"),
    ],
)
def test_settings_that_differ_are_named_with_both_values_and_else_the_stage_before(
    stage, settings, expected
):
    assert reason(stage, settings) == expected


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"lib/a.py": "1", "lib/b.py": "3"}, "b.py changed"),
        ({"lib/a.py": "1", "lib/b.py": "2", "c.html": "3"}, "c.html is new"),
        ({"lib/a.py": "1"}, "b.py is no longer used"),
        ({"lib/a.py": "1", "lib/b.py:f": "1"}, "b.py changed, b.f is new"),
        ({"lib/a.py": "2", "lib/b.py": "2", "lib/b.py:F": "1"}, "a.py changed, b.F is new"),
    ],
)
def test_files_that_differ_are_named_without_their_folder(files, expected):
    code = {"fit": {"lib/a.py": "1", "lib/b.py": "2"}}
    before, now = make("fit", SETTINGS, CODE | code), make("fit", SETTINGS, CODE | {"fit": files})
    assert describe_changes(before, now, "clean") == expected


def test_definitions_that_differ_are_named_with_their_module():
    code = {"fit": {"lib/a.py:f": "1", "lib/a.py:g": "1"}}
    now = {"fit": {"lib/a.py:f": "2", "lib/a.py:H": "1"}}
    before, now = make("fit", SETTINGS, CODE | code), make("fit", SETTINGS, CODE | now)
    expected = "a.H is new, a.f changed, a.g is no longer used"
    assert describe_changes(before, now, "clean") == expected


def test_settings_come_before_code_and_the_stage_before_is_then_left_out():
    code = {"fit": {"fit.py": "f"}, "clean": {}}
    assert reason("fit", {"rate": 0.2}, code) == "rate: 0.1 -> 0.2, fit.py changed"


def test_of_many_reasons_the_first_are_named():
    files = {f"{letter}.py:f": "1" for letter in "abcdefgh"}
    expected = ", ".join(f"{letter}.f is new" for letter in "abcdefgh"[:MAX_REASONS])
    code = {"fit": CODE["fit"] | files}
    assert reason("fit", None, code) == f"{expected}, {8 - MAX_REASONS} more"


def test_values_that_are_too_long_are_left_out():
    shortest = "x" * (MAX_LENGTH - len("a.org"))
    assert reason("fetch", {"source": shortest}) == f"source: a.org -> {shortest}"
    assert reason("fetch", {"source": f"{shortest}x"}) == "source changed"


def test_other_rows_are_named_as_every_setting_is():
    few, many = together(), together(rows=[{"folder": "x" * MAX_LENGTH}])
    assert reason("table", {"rows": ["first"]}, before=few) == (
        'rows: ["first", "second"] -> ["first"]'
    )
    assert reason("table", many, before=few) == "rows changed"
    assert reason("table", {"runs": RUNS[:1]}, before=few) == "follows score"


@pytest.mark.parametrize("record", ["", "{", "null", "[]", "{}", '{"settings": {}, "code": {}}'])
def test_a_damaged_record_is_a_reason(record):
    assert describe_changes(record, make("fit"), "clean") == "its record is damaged"


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, []),
        ({"a": 1}, {"a": None}, ["a: 1 -> null"]),
        ({"a": 1, "b": 2}, {"a": 2, "c": 3}, ["a: 1 -> 2"]),
        ({"a": 1, "b": 2}, {"a": 1, "c": 3}, ["b: 2 -> null", "c: null -> 3"]),
        ({}, {"c": "text"}, ["c: null -> text"]),
    ],
)
def test_settings_of_one_alone_are_named_only_if_nothing_else_differs(before, now, expected):
    assert differing_settings(before, now) == expected
