"""Every form of code that hides what a result depends on: gallery.py.

All stages are run once; then all first edits are made at once and planned, all second ones, and so
on. A stage knows its own code only, so each plan answers for many edits.
"""

import json
import os
import shutil
from itertools import zip_longest

import pytest
from gallery import FORMS, files_of, snakefile_of
from toys import Toy, copy_toy

from project import share_project

ROUNDS = [*zip_longest(*([(name, what) for what in form.edits] for name, form in FORMS.items()))]
CASES = [
    pytest.param(number, *each, id=f"{each[0]}: {each[1]}")
    for number, edits in enumerate(ROUNDS)
    for each in filter(None, edits)
]


def make_gallery(folder):
    toy = Toy(folder)
    toy.write("Snakefile", snakefile_of())
    toy.write("notes.txt", "note\n")
    for name in FORMS:
        for path, text in files_of(name).items():
            if path.endswith(" -> "):
                (folder / path.removesuffix(" -> ")).symlink_to(text)
            else:
                toy.write(path, text)
    return toy


def edit(toy, number):
    """Make one edit of each form; where it must not show, size and time stay as they were."""
    for name, what in filter(None, ROUNDS[number]):
        folder = toy / "scripts" / name
        times = {path: path.stat() for path in folder.glob("lib.py")}
        change, _ = FORMS[name].edits[what]
        change(toy, f"scripts/{name}")
        if name == "same_size_and_time":
            for path, before in times.items():
                assert path.stat().st_size == before.st_size
                os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.fixture(scope="session")
def gallery(tmp_path_factory):
    """The gallery, finished."""

    def make(folder):
        process = make_gallery(folder).snakemake("--keep-going", "--cores", "2")
        (folder / "output").write_text(process.stdout + process.stderr)

    return Toy(share_project(tmp_path_factory, "gallery", make).folder)


@pytest.fixture(scope="session")
def edited(gallery, tmp_path_factory):
    """A function of a round: the gallery after its edits, and what is planned then."""

    def edited(number):
        def make(folder):
            toy = copy_toy(gallery.folder, folder)
            edit(toy, number)
            toy.write("plan.json", json.dumps(toy.plan()))

        toy = Toy(share_project(tmp_path_factory, f"gallery after edit {number}", make).folder)
        return toy, json.loads(toy.read("plan.json"))

    return edited


def test_each_form_runs_and_is_current_afterwards(gallery):
    unfinished = [name for name in FORMS if not (gallery / f"results/{name}.txt").exists()]
    assert not unfinished, gallery.read("output")
    assert gallery.plan() == {}


@pytest.mark.parametrize(("number", "name", "what"), CASES)
def test_an_edit_runs_a_stage_if_and_only_if_it_matters(edited, number, name, what):
    toy, plan = edited(number)
    assert (toy / f"results/{name}.txt").exists(), "it did not run in the first place"
    assert (name in plan) == FORMS[name].edits[what][1], plan.get(name, "it is taken for current")


@pytest.mark.slow
@pytest.mark.parametrize("number", range(len(ROUNDS)))
def test_after_one_more_run_each_result_is_what_it_is_when_all_is_made_again(
    edited, number, tmp_path
):
    toy = copy_toy(edited(number)[0].folder, tmp_path / "a gallery")
    forms = [name for name, _ in filter(None, ROUNDS[number])]
    toy.snakemake("--keep-going", "--cores", "2")  # some forms fail after an edit, as they should
    kept = toy.results()
    shutil.rmtree(toy / ".snakemake")
    shutil.rmtree(toy / "results")
    toy.snakemake("--keep-going", "--cores", "2", *[f"results/{name}.txt" for name in forms])
    fresh = toy.results()
    assert {path: kept.get(path) for path in fresh} == fresh
