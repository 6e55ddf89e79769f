"""Grading of the lesson: right, wrong, damaged and hostile notebooks."""

import json
import os
import re

import pytest

import grade
from project import CHECKOUT

LESSON = CHECKOUT / "docs/lesson.ipynb"
N = sum(tag == "answer" for tag, _ in grade.read_cells(LESSON))
TAGS = ("answer", "solution")


@pytest.fixture
def submission(tmp_path):
    """A function that writes a notebook with the solutions, but for `answers` by exercise."""

    def write(answers=(), name="ada.ipynb"):
        cells = json.loads(LESSON.read_text())["cells"]
        found = {tag: [c for c in cells if c["metadata"].get("tags") == [tag]] for tag in TAGS}
        texts = ["".join(cell["source"]) for cell in found["solution"]]
        solutions = [text for text in texts if "Solution</summary>" in text]
        for cell, text in zip(found["answer"], solutions):
            (cell["source"],) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
        for number, source in dict(answers).items():
            found["answer"][number - 1]["source"] = source
        path = tmp_path / name
        path.write_text(json.dumps({"cells": cells}))
        return path

    return write


def test_all_solutions_are_right_wherever_their_cells_are(submission):
    path = submission()
    cells = json.loads(path.read_text())["cells"]
    path.write_text(json.dumps({"cells": [*reversed(cells)]}))
    assert grade.grade(path) == {
        "right": N,
        "exercises": N,
        "wrong": "",
        "note": "",
    }


def test_without_answers_nothing_is_right():
    row = grade.grade(LESSON)
    assert (row["right"], row["wrong"]) == (0, " ".join(map(str, range(1, N + 1))))


def test_wrong_and_hostile_answers_cost_their_own_points_only(submission, tmp_path):
    precious = tmp_path / "precious"
    answers = {
        1: "def row_of_pixel(r, c, width):\n    r * width + c",
        2: "def scale(train, test):\n    return (train",
        3: "print('Right.')\n\n\ndef one_hot(labels, k):\n    return bytearray(10**11)",
        5: "import sys\n\nsys.exit()\n\n\ndef bias_gradient(dY):\n    return dY.sum(axis=1)",
        6: f"open({str(precious)!r}, 'wb').write(b'x' * 10**8)\n\n\ndef input_gradient(W, dY):\n"
        "    return W",
        7: "def logits_of_80_percent():\n    while True:\n        pass",
    }
    row = grade.grade(submission(answers))
    assert (row["right"], row["wrong"], row["note"]) == (N - 6, "1 2 3 5 6 7", "")
    assert precious.stat().st_size <= grade.FILE_SIZE


def test_an_answer_that_ends_the_process_is_said(submission):
    ending = "import os\n\n\ndef scale(train, test):\n    os._exit(0)"
    row = grade.grade(submission({2: ending}))
    assert row["right"] == 1
    assert row["note"].startswith("an answer ended the process")


@pytest.mark.parametrize("content", [b"{", b"[1]", b'{"cells": 3}', b"\xff", b'{"cells": [{}]}'])
def test_a_damaged_notebook_has_no_points(tmp_path, content):
    (tmp_path / "bob.ipynb").write_bytes(content)
    row = grade.grade(tmp_path / "bob.ipynb")
    assert (row["right"], row["wrong"]) == (0, "all")
    assert row["note"].startswith("no notebook: ")


def test_what_is_no_file_is_not_read(tmp_path):
    os.mkfifo(tmp_path / "eve.ipynb")
    assert grade.grade(tmp_path / "eve.ipynb")["note"].startswith("no notebook: ")


def test_there_is_a_table_of_all_that_was_handed_in(submission, tmp_path, monkeypatch, capsys):
    submission(name="ada.ipynb")
    (tmp_path / "b\x1bob.ipynb").write_text("[]")
    (tmp_path / "eve.csv").write_text("run\n")
    monkeypatch.setattr("sys.argv", ["grade.py", str(tmp_path)])
    for _ in range(2):  # the table is not taken for homework
        assert grade.main() is None
    _, ada, bob, eve = (tmp_path / "grades.csv").read_text().splitlines()
    assert ada == f"ada,{N},{N},,,,,,"
    assert "no notebook: " in bob
    assert eve.endswith(",no table of runs: eve.csv has no run with a validation accuracy")
    shown = capsys.readouterr().out
    assert re.search(rf"^ada +{N} +{N}$", shown, re.MULTILINE)
    assert "\x1b" not in shown


def test_without_files_it_says_how_to_call_it(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.argv", ["grade.py", str(tmp_path)])
    assert grade.main().endswith("has no files that end in .ipynb, .csv, .yaml")
