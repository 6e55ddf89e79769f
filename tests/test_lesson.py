"""The lesson runs from a clean kernel, shows the present code, and its solutions are right."""

import ast
import inspect
import json
import os
import re
import sys
from pathlib import Path

import nbformat
import numpy as np
import pytest

from project import CHECKOUT, copy_workflow
from samples import write_idx
from scratchnet import lesson
from scratchnet.errors import DataError, MissingPackageError
from scratchnet.lesson import execute_notebook, make_lesson, render_notebook
from scratchnet.nn import (
    augmentation,
    batches,
    convolution,
    layers,
    losses,
    metrics,
    normalization,
    optimizers,
)
from scratchnet.nn import network as networks
from scratchnet.training import loop

LESSON = CHECKOUT / "docs/lesson.ipynb"
SCRIPTS = CHECKOUT / "workflow/scripts"
MODULES = {
    "augmentation": augmentation,
    "batches": batches,
    "convolution": convolution,
    "layers": layers,
    "losses": losses,
    "metrics": metrics,
    "optimizers": optimizers,
    "networks": networks,
    "loop": loop,
    "normalization": normalization,
}


def test_the_workflow_renders_the_lesson_that_learners_open():
    assert lesson.NOTEBOOK.samefile(LESSON)


def read_lesson():
    return nbformat.read(LESSON, as_version=4)


def tagged(notebook, tag):
    return [cell for cell in notebook.cells if tag in cell.metadata.get("tags", [])]


def solutions(notebook):
    """The cells with the solutions of exercises; others answer questions."""
    return [cell for cell in tagged(notebook, "solution") if "Solution</summary>" in cell.source]


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def text_of(cell):
    return "".join(output.get("text", "") for output in cell.get("outputs", []))


def solve(notebook):
    """Put the code of each solution in place of the answer."""
    for answer, solution in zip(tagged(notebook, "answer"), solutions(notebook)):
        (answer.source,) = re.findall(r"```python\n(.*?)```", solution.source, re.DOTALL)


def check_solutions(notebook):
    verdicts = [text_of(cell) for cell in tagged(notebook, "check")]
    assert verdicts == ["Right.\n"] * len(verdicts)


@pytest.fixture
def arrays(tmp_path):
    """The folder of the arrays of a small dataset."""
    rng = np.random.default_rng(0)
    for split, n in (("train", 120), ("test", 20)):
        np.save(tmp_path / f"X_{split}.npy", rng.random((30, n), np.float32))
        Y = np.eye(3, dtype=np.float32)[np.arange(n) % 3].T
        np.save(tmp_path / f"Y_{split}.npy", Y)
    write_manifest(tmp_path, "float32")
    return tmp_path


def write_manifest(folder, dtype):
    manifest = {"image_shape": [6, 5], "classes": ["a", "b", "c"], "minimum": 0, "maximum": 255}
    manifest["arrays"] = {"X_train": {"dtype": dtype}}
    (folder / "manifest.json").write_text(json.dumps(manifest))


# ---- As it is committed.


def test_it_was_executed_from_top_to_bottom_without_errors():
    cells = code_cells(read_lesson())
    assert [cell.execution_count for cell in cells] == [*range(1, len(cells) + 1)]
    for cell in cells:
        assert all(output.output_type in ("stream", "display_data") for output in cell.outputs)
    assert LESSON.stat().st_size < 1_000_000


def test_it_shows_the_present_code_of_the_library():
    shown = []
    for cell in code_cells(read_lesson()):
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "show":
                for argument in map(ast.unparse, node.args):
                    shown.append(argument)
                    source = inspect.getsource(eval(argument, MODULES))
                    assert source in text_of(cell), f"{argument} has changed: make pictures"
    assert len(shown) >= 15


def test_each_exercise_has_an_answer_a_check_and_a_folded_solution():
    notebook = read_lesson()
    answers = [cell for cell in tagged(notebook, "solution") if cell not in solutions(notebook)]
    exercises = [cell for cell in notebook.cells if cell not in answers]
    kinds = [kind for cell in exercises for kind in cell.metadata.get("tags", [])]
    assert kinds == ["answer", "check", "solution"] * (len(kinds) // 3)
    titles = re.findall(
        r"^\*\*Exercise (\d+)\.", "\n\n".join(c.source for c in notebook.cells), re.M
    )
    assert [int(number) for number in titles] == [*range(1, len(kinds) // 3 + 1)]
    assert len(titles) >= 10
    for cell in tagged(notebook, "solution"):
        assert re.match(r"<details><summary>(Solution|Answer)</summary>\n\n", cell.source)
        assert cell.source.endswith("\n\n</details>")
    assert {text_of(cell) for cell in tagged(notebook, "check")} == {"Not answered yet.\n"}


def test_each_chapter_has_something_to_predict_and_something_to_explain_or_vary():
    text = "\n\n".join(cell.source for cell in read_lesson().cells if cell.cell_type == "markdown")
    *chapters, _ = re.split(r"(?m)^## (?=\d+\.)", text)[1:]  # the last one is what to try next
    assert len(chapters) == 18
    for chapter in chapters:
        title = chapter.partition("\n")[0]
        assert re.search(r"\*\*(Predict\b|Find the mistake)", chapter), title
        assert re.search(r"(?m)^\*\*(Explain|Vary):\*\*.*\n\n<details>", chapter), title


# ---- Executed.


def test_it_works_on_small_images_and_every_solution_is_right(arrays):
    notebook = read_lesson()
    solve(notebook)
    execute_notebook(notebook, arrays, EPOCHS="2")
    check_solutions(notebook)


def test_without_a_pipeline_it_downloads_mnist_and_prepares_it(tmp_path, monkeypatch):
    (source,) = (c.source for c in code_cells(read_lesson()) if "def prepare_mnist" in c.source)
    functions = source.partition("ARRAYS = ")[0]
    monkeypatch.delenv("LESSON_ARRAYS", raising=False)
    monkeypatch.setattr(
        "scratchnet.data.sources.download",
        lambda dataset, destination, user_folder, timeout: write_idx(destination),
    )
    names = {"os": os, "Path": Path, "PROJECT": tmp_path}
    exec(functions, names)
    assert names["find_arrays"]() == tmp_path / "lesson-data"
    X = np.load(tmp_path / "lesson-data/X_train.npy")
    assert (X.min(), X.max()) == (0, 1)
    monkeypatch.setattr("scratchnet.data.sources.download", None)
    assert names["find_arrays"]() == tmp_path / "lesson-data"  # as they are there


def answered(arrays, body):
    """What the checks say if the body of each function to be written is `body`."""
    notebook = read_lesson()
    for answer in tagged(notebook, "answer"):
        tree = ast.parse(answer.source)
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                node.body = ast.parse(body).body
        answer.source = ast.unparse(tree)
    execute_notebook(notebook, arrays, EPOCHS="1")
    return [text_of(cell) for cell in tagged(notebook, "check")]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        ("return np.float64(0)", "Not yet: the answer "),
        ("return np.zeros((9, 8, 7))", "Not yet: the answer has shape ("),
        ("0", "Not yet: there is no answer. Is a `return` missing?"),
        ("return undefined", "Not yet: NameError: "),
    ],
)
def test_what_is_wrong_with_an_answer_is_said(arrays, body, verdict):
    verdicts = answered(arrays, body)
    found = [text for text in verdicts if not text.startswith(verdict)]
    # In exercise 7, any two numbers may be given, and the check takes their softmax.
    assert len(found) <= 1, found
    assert all(text.startswith("Not yet: ") for text in verdicts)


# Answers by exercise that are right in another form, and such that are nearly right.
OTHER_FORMS = {
    4: "def bias_gradient(dY):\n    return dY.sum(axis=1, keepdims=True)",
    6: "def logits_of_80_percent():\n    return np.array([[1.0], [1 - np.log(4)]])",
}
NEARLY_RIGHT = {
    # It does not put the entries back.
    13: """def numeric_gradient(f, A, h=1e-6):
    dA = np.zeros_like(A)
    for index in np.ndindex(A.shape):
        A[index] += h
        above = f()
        A[index] -= 2 * h
        dA[index] = (above - f()) / (2 * h)
    return dA""",
    14: "class FixedSoftmax(NotebookSoftmax):\n    pass",
}


def test_answers_in_another_form_are_right_and_nearly_right_ones_are_not(arrays):
    notebook = read_lesson()
    solve(notebook)
    answers, checks = tagged(notebook, "answer"), tagged(notebook, "check")
    for i, source in (OTHER_FORMS | NEARLY_RIGHT).items():
        assert source.split("(")[0].split()[1] in answers[i].source
        answers[i].source = source
    execute_notebook(notebook, arrays, EPOCHS="1")
    assert {text_of(checks[i]) for i in OTHER_FORMS} == {"Right.\n"}
    assert all(text_of(checks[i]).startswith("Not yet: ") for i in NEARLY_RIGHT)


def numbers(text):
    return [float(number) for number in re.findall(r"(?<![\w.])\d+\.\d+", text)]


@pytest.mark.slow
def test_on_the_real_images_its_numbers_are_those_that_are_committed(tmp_path):
    project = copy_workflow(tmp_path)
    downloaded = CHECKOUT / "results/data/mnist"
    folder = [f"download={{folder: {downloaded}}}"] if downloaded.is_dir() else []
    project.run("--until", "preprocess", *(["--config", *folder] if folder else []))
    (manifest,) = project.results.glob("data/mnist-*/manifest.json")
    committed, notebook = read_lesson(), read_lesson()
    solve(notebook)
    execute_notebook(notebook, manifest.parent)
    check_solutions(notebook)
    for cell, expected in zip(code_cells(notebook), code_cells(committed)):
        found, wanted = numbers(text_of(cell)), numbers(text_of(expected))
        np.testing.assert_allclose(found, wanted, rtol=0, atol=0.01, err_msg=cell.source)
    (losses,) = re.findall(
        r"after 20 epochs: right (\S+), wrong (\S+)\n", "".join(map(text_of, code_cells(notebook)))
    )
    np.testing.assert_allclose([float(loss) for loss in losses], [0.382, 0.524], atol=0.001)


# ---- As a page.


def test_the_page_has_everything_in_it_and_formulas_without_scripts():
    page = render_notebook(read_lesson(), "A title")
    assert "<title>A title</title>" in page
    assert page.count("<math") > 50
    assert "$" not in re.sub(r"(?s)<pre>.*?</pre>", "", page)
    assert "<script" not in page
    sources = re.findall(r"(?:src|href)=\"([^\"]+)\"", page)
    assert all(source.startswith(("data:", "#")) for source in sources)
    figures = re.findall(r"<img[^>]*>", page)
    assert len(figures) >= 5
    for figure in figures:
        (text,) = re.findall(r'alt="([^"]*)"', figure)
        assert re.fullmatch(r".{30,}\.", text), f"the metadata of its cell has no `alt`: {text}"


def test_a_cell_that_fails_is_said_and_leaves_no_page(arrays):
    (arrays / "X_test.npy").unlink()
    with pytest.raises(DataError, match=f"does not work on {arrays.name}: FileNotFoundError: "):
        make_lesson(arrays / "manifest.json", arrays / "lesson.html")
    assert not (arrays / "lesson.html").exists()


def test_images_that_stay_bytes_are_too_many_for_it(arrays):
    write_manifest(arrays, "uint8")
    with pytest.raises(DataError, match="the lesson is for smaller datasets"):
        make_lesson(arrays / "manifest.json", arrays / "lesson.html")


@pytest.mark.parametrize(
    "package", ["nbformat", "nbclient", "ipykernel", "nbconvert", "latex2mathml"]
)
def test_without_jupyter_the_error_says_what_to_install(arrays, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingPackageError, match=rf"{package} is not installed\. .* make lesson"):
        make_lesson(arrays / "manifest.json", arrays / "lesson.html")
