"""The code that a stage runs: exactly the files that its script needs, each by its content."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from scratchnet.fingerprint import code
from scratchnet.fingerprint.code import changed_files, imported_files
from scratchnet.fingerprint.values import digest

SCRIPTS = Path(__file__).parents[2] / "workflow" / "scripts"
PACKAGES = ("scratchnet",)

NAMES = sorted(path.stem for path in SCRIPTS.glob("*.py"))


def forget():
    code.code_hashes.cache_clear()
    code._read.cache_clear()


def code_hashes(script, packages=PACKAGES):
    """The hashes of the code as it is on the disk now: nothing is remembered from earlier calls."""
    forget()
    return code.code_hashes(script, packages)


@pytest.fixture(autouse=True)
def forget_afterwards():
    yield
    forget()


# ---- The scripts of the workflow. What each runs: tests/planning/test_code_of_stages.py.


@pytest.fixture
def scripts(tmp_path):
    """A copy of the scripts and of the library."""
    folder = tmp_path / "scripts"
    shutil.copytree(SCRIPTS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def append(path, text="# A remark.\n"):
    path.write_text(path.read_text() + text)


def all_hashes(folder):
    """The hashes of the code in a folder, by script."""
    forget()
    return {script: code.code_hashes(folder / f"{script}.py", PACKAGES) for script in NAMES}


def differing(before, after):
    """The names of the files that are not in both, or with another hash."""
    return {name for name, _ in before.items() ^ after.items()}


def changed_by(edit, script, packages=PACKAGES):
    """The files of a script that are other ones, new or gone after `edit`, a function."""
    before = code_hashes(script, packages)
    edit()
    return differing(before, code_hashes(script, packages))


def test_the_hashes_are_the_same_wherever_the_code_lies(scripts):
    assert all_hashes(scripts) == all_hashes(SCRIPTS)


def test_a_hash_is_the_digest_of_the_content(scripts):
    for name, known in code_hashes(scripts / "make_demo.py").items():
        assert known == digest((scripts / name).read_bytes())


@pytest.mark.parametrize(
    "edited",
    [
        *("train.py", "scratchnet/training/loop.py", "scratchnet/nn/layers.py"),
        *("scratchnet/fingerprint/jobs.py", "scratchnet/fingerprint/values.py"),
    ],
)
def test_a_comment_changes_the_hash_of_its_file_alone(scripts, edited):
    assert changed_by(lambda: append(scripts / edited), scripts / "train.py") == {edited}


@pytest.mark.parametrize("package", ["scratchnet", "scratchnet/fingerprint"])
def test_an_edit_of_a_package_itself_changes_the_hashes_of_each_script(scripts, package):
    before = all_hashes(scripts)
    append(scripts / package / "__init__.py")
    after = all_hashes(scripts)
    for script in NAMES:
        assert differing(before[script], after[script]) == {f"{package}/__init__.py"}, script


@pytest.mark.parametrize("name", ["stages", "differences", "tracker"])
def test_an_edit_of_what_only_planning_uses_changes_no_hash(scripts, name):
    before = all_hashes(scripts)
    append(scripts / f"scratchnet/fingerprint/{name}.py")
    assert all_hashes(scripts) == before


def test_what_a_package_itself_imports_counts(scripts):
    append(scripts / "scratchnet/__init__.py", "\nfrom scratchnet import random_streams\n")
    for script, hashes in all_hashes(scripts).items():
        assert "scratchnet/random_streams.py" in hashes, script


def test_a_touch_changes_nothing(scripts):
    def touch():
        for path in scripts.rglob("*.py"):
            os.utime(path, (0, 0))

    assert changed_by(touch, scripts / "train.py") == set()


def test_an_edit_undone_changes_nothing(scripts):
    path = scripts / "scratchnet/nn/layers.py"
    before, text = code_hashes(scripts / "train.py"), path.read_text()
    append(path)
    assert code_hashes(scripts / "train.py") != before
    path.write_text(text)
    assert code_hashes(scripts / "train.py") == before


@pytest.mark.parametrize(
    "statement",
    [
        "import scratchnet.nn.optimizers",
        "import scratchnet.nn.optimizers as rules",
        "import json, scratchnet.nn.optimizers",
        "from scratchnet.nn import optimizers",
        "from scratchnet.nn import layers, optimizers as rules",
        "from scratchnet.nn.optimizers import SGD",
        "from scratchnet.nn.optimizers import *",
        "def later():\n    from scratchnet.nn.optimizers import SGD",
        "try:\n    import scratchnet.nn.optimizers\nexcept ImportError:\n    pass",
        "from ..nn import optimizers",
        "from ..nn.optimizers import SGD",
    ],
)
def test_an_import_is_followed_in_whatever_form(scripts, statement):
    append(scripts / "scratchnet/data/idx.py", f"\n{statement}\n")
    assert "scratchnet/nn/optimizers.py" in code_hashes(scripts / "download.py")


@pytest.mark.parametrize(
    "statement",
    [
        "import optimizers",
        "from optimizers import SGD",
        "from torch import optimizers",
        "import torch.optimizers",
        "import scratchnet",
        "from scratchnet import no_such_module",
        "# from scratchnet import optimizers",
        "'from scratchnet import optimizers'",
    ],
)
def test_what_only_looks_like_an_import_of_the_library_is_not_followed(scripts, statement):
    before = set(code_hashes(scripts / "download.py"))
    append(scripts / "scratchnet/data/idx.py", f"\n{statement}\n")
    assert set(code_hashes(scripts / "download.py")) == before


def test_modules_that_import_each_other_are_followed_once(scripts):
    before = set(code_hashes(scripts / "summarize.py"))
    append(scripts / "scratchnet" / "errors.py", "\nimport scratchnet.job\n")
    assert set(code_hashes(scripts / "summarize.py")) == before


# ---- Packages within packages, and what lies beside a module, in a made-up library.


@pytest.fixture
def toy(tmp_path):
    """A function that writes {path: text} into a folder of scripts; returns the folder."""

    def write(**files):
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path

    return write


def nested(**more):
    """The files of a package within a package within a package, and of a script."""
    empty = ("pack/__init__", "pack/other", "pack/mid/__init__", "pack/mid/other")
    empty += ("pack/mid/deep/__init__", "pack/mid/deep/other", "second/__init__", "second/other")
    files = {f"{name}.py": "" for name in empty}
    return (
        files | {"pack/mid/deep/module.py": "", "script.py": "import pack.mid.deep.module"} | more
    )


PACKS = {"pack/__init__.py", "pack/mid/__init__.py", "pack/mid/deep/__init__.py"}


def found(toy, packages=("pack",), **more):
    """The files of the script besides itself, the imported module and the packages around that."""
    files = code_hashes(toy(**nested(**more)) / "script.py", packages)
    assert {"script.py", "pack/mid/deep/module.py", *PACKS} <= set(files)
    return set(files) - {"script.py", "pack/mid/deep/module.py", *PACKS}


def test_a_module_brings_all_packages_around_it(toy):
    assert found(toy) == set()


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("from . import other", {"pack/mid/deep/other.py"}),
        ("from .other import name", {"pack/mid/deep/other.py"}),
        ("from .. import other", {"pack/mid/other.py"}),
        ("from ..other import name", {"pack/mid/other.py"}),
        ("from ... import other", {"pack/other.py"}),
        ("from ...other import name", {"pack/other.py"}),
        ("from ..deep import other", {"pack/mid/deep/other.py"}),
        ("from ..deep.other import name", {"pack/mid/deep/other.py"}),
        ("from . import module", set()),
        ("from . import no_such_module", set()),
        ("from .. import deep", set()),
    ],
)
def test_a_relative_import_is_followed_from_its_package(toy, statement, expected):
    assert found(toy, **{"pack/mid/deep/module.py": statement}) == expected


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("from . import other", {"pack/mid/other.py"}),
        ("from .other import name", {"pack/mid/other.py"}),
        ("from .. import other", {"pack/other.py"}),
        ("from .deep import other", {"pack/mid/deep/other.py"}),
    ],
)
def test_in_a_package_itself_one_dot_is_that_package(toy, statement, expected):
    assert found(toy, **{"pack/mid/__init__.py": statement}) == expected


def test_importing_a_package_alone_counts_the_package_and_not_its_modules(toy):
    folder = toy(**nested(**{"script.py": "import pack.mid"}))
    files = {"script.py", "pack/__init__.py", "pack/mid/__init__.py"}
    assert set(code_hashes(folder / "script.py", ("pack",))) == files


def test_only_the_named_packages_count(toy):
    more = {"pack/mid/deep/module.py": "import second.other"}
    assert found(toy, **more) == set()
    both = {"second/__init__.py", "second/other.py"}
    assert found(toy, packages=("pack", "second"), **more) == both


def test_a_module_that_is_no_package_may_be_named(toy):
    folder = toy(**{"script.py": "import tools", "tools.py": ""})
    assert set(code_hashes(folder / "script.py", ("tools",))) == {"script.py", "tools.py"}


def test_a_folder_without_an_init_file_is_a_package_too(toy):
    folder = toy(**{"script.py": "from pack.mid import module", "pack/mid/module.py": ""})
    files = {"script.py", "pack/mid/module.py"}
    assert set(code_hashes(folder / "script.py", ("pack",))) == files


def test_data_files_beside_a_module_count_if_they_have_its_name(toy):
    beside = {"pack/mid/deep/module.html": "a", "pack/mid/deep/module.data.json": "b"}
    others = {"pack/mid/deep/other.html": "", "pack/mid/module.html": "", "script.txt": ""}
    assert found(toy, **beside, **others) == set(beside)


def test_an_edited_data_file_has_another_hash(toy):
    beside = "pack/mid/deep/module.html"
    folder = toy(**nested(**{beside: "a"}))
    assert changed_by(lambda: append(folder / beside), folder / "script.py", ("pack",)) == {beside}


@pytest.mark.parametrize("is_new", [True, False])
def test_a_new_and_a_deleted_data_file_are_noticed(toy, is_new):
    name = "pack/mid/deep/module.html"
    folder = toy(**nested() if is_new else nested(**{name: "a"}))
    edit = (folder / name).touch if is_new else (folder / name).unlink
    assert changed_by(edit, folder / "script.py", ("pack",)) == {name}


def test_a_data_file_may_have_any_bytes(toy):
    folder = toy(**nested())
    (folder / "pack/mid/deep/module.bin").write_bytes(bytes(range(256)))
    assert "pack/mid/deep/module.bin" in code_hashes(folder / "script.py", ("pack",))


@pytest.mark.parametrize("ending", ["pyc", "pyi", "py~", "pyx", "py.orig", "py.bak", "py.rej"])
def test_what_python_and_editors_put_beside_a_module_does_not_count(toy, ending):
    assert found(toy, **{f"pack/mid/deep/module.{ending}": "a"}) == set()


def test_a_folder_with_the_name_of_a_data_file_does_not_count(toy):
    assert found(toy, **{"pack/mid/deep/module.files/a.txt": "a"}) == set()


# ---- What is compared when a job runs.


def test_changed_files_are_those_with_another_content_or_none(toy):
    folder = toy(**{"a.py": "1", "b.py": "2", "c.py": "3", "in/d.py": "4"})
    hashes = {name: digest((folder / name).read_bytes()) for name in ("a.py", "b.py", "in/d.py")}
    assert changed_files(folder, hashes) == []
    (folder / "a.py").unlink()
    append(folder / "in/d.py")
    append(folder / "c.py")  # which is none of them
    os.utime(folder / "b.py", (0, 0))
    assert changed_files(folder, hashes) == ["a.py", "in/d.py"]


def test_imported_files_are_those_of_the_modules_of_the_packages(toy, monkeypatch):
    folder = toy(
        **{"pack_x/__init__.py": "", "pack_x/a.py": "", "pack_x/b.py": "", "pack_xy.py": ""}
    )
    monkeypatch.syspath_prepend(folder)
    import pack_x.a  # noqa: F401
    import pack_xy  # noqa: F401

    try:
        assert imported_files(("pack_x",)) == {
            "pack_x": (folder / "pack_x/__init__.py").resolve(),
            "pack_x.a": (folder / "pack_x/a.py").resolve(),
        }
    finally:
        for name in ("pack_x", "pack_x.a", "pack_xy"):
            del sys.modules[name]
