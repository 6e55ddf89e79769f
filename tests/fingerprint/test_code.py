"""The code that a stage runs: what its script can reach, definition by definition."""

import os
import shutil
from pathlib import Path

import pytest

from project import EDIT, append
from scratchnet.fingerprint.code import Library
from scratchnet.fingerprint.values import digest

SCRIPTS = Path(__file__).parents[2] / "workflow" / "scripts"
PACKAGES = ("scratchnet",)
NAMES = sorted(path.stem for path in SCRIPTS.glob("*.py"))


# ---- The scripts of the workflow. What each imports: tests/planning/test_code_of_stages.py.


@pytest.fixture
def scripts(tmp_path):
    """A copy of the scripts and of the library."""
    folder = tmp_path / "scripts"
    shutil.copytree(SCRIPTS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def all_parts(folder):
    """The parts of the code in a folder, by script."""
    return {script: Library(folder, PACKAGES).read_code(f"{script}.py").parts for script in NAMES}


def differing(before, after):
    """The names of what is not in both, or with another hash."""
    return {name for name, _ in before.items() ^ after.items()}


def test_the_hashes_are_the_same_wherever_the_code_lies(scripts):
    assert all_parts(scripts) == all_parts(SCRIPTS)


def test_the_code_of_a_script_does_not_depend_on_what_was_read_before():
    library = Library(SCRIPTS, PACKAGES)
    for name in NAMES:
        alone = Library(SCRIPTS, PACKAGES)
        assert library.read_code(f"{name}.py") == alone.read_code(f"{name}.py")


def test_files_are_known_by_their_content(scripts):
    for name, known in Library(scripts, PACKAGES).read_code("make_demo.py").files.items():
        assert known == digest((scripts / name).read_bytes())


@pytest.mark.parametrize("package", ["scratchnet", "scratchnet/fingerprint"])
def test_a_statement_of_a_package_itself_is_a_part_of_each_script(scripts, package):
    before = all_parts(scripts)
    append(scripts / package / "__init__.py")
    after = all_parts(scripts)
    for script in NAMES:
        assert differing(before[script], after[script]) == {f"{package}/__init__.py"}, script


@pytest.mark.parametrize("name", ["stages", "differences", "tracker", "code", "modules"])
def test_what_only_planning_uses_is_no_part(scripts, name):
    before = all_parts(scripts)
    append(scripts / f"scratchnet/fingerprint/{name}.py")
    assert all_parts(scripts) == before


def test_a_touch_changes_nothing(scripts):
    before = all_parts(scripts)
    for path in scripts.rglob("*.py"):
        os.utime(path, (0, 0))
    assert all_parts(scripts) == before


# ---- A made-up library: a script that uses one function of one module.

LIBRARY = {
    "run.py": "from pack.tools import work\n\nwork(1)\n",
    "pack/__init__.py": "",
    "pack/other.py": "def helper(x):\n    return x\n\n\ndef unused():\n    pass\n",
    "pack/tools.py": '''"""Tools."""
import math
from pack import other
from pack.other import helper as help_out

LIMIT = 3
UNUSED_LIMIT = 4


class Base:
    """A base."""

    size = 1


class Worker(Base):
    def work(self, x):
        """Work."""
        return min(x, LIMIT)  # not more


def work(x):
    return Worker().work(help_out(x))


def unused(x):
    return other.helper(math.floor(x))
''',
}
REACHED = {
    "run.py",
    *(f"pack/tools.py:{name}" for name in ("work", "Worker", "Base", "LIMIT")),
    "pack/other.py:helper",
}


@pytest.fixture
def library(tmp_path):
    """A function that writes LIBRARY with replaced or additional files and reads its code."""

    def write(packages=("pack",), **files):
        for name, text in (LIBRARY | files).items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return Library(tmp_path, packages).read_code("run.py")

    write.folder = tmp_path
    return write


def tools(old, new):
    """The library's files with an edit of tools.py."""
    assert old in LIBRARY["pack/tools.py"]
    return {"pack/tools.py": LIBRARY["pack/tools.py"].replace(old, new)}


def test_the_parts_are_what_the_script_reaches(library):
    assert set(library().parts) == REACHED


def test_the_files_are_all_that_it_imports(library):
    assert set(library().files) == {"run.py", "pack/__init__.py", "pack/other.py", "pack/tools.py"}


FIRST = 'class Base:\n    """A base."""\n\n    size = 1\n\n\n'


@pytest.mark.parametrize(
    "files",
    [
        tools("# not more", "# at most\n"),
        tools('"""Tools."""', '"""Other words."""'),
        tools('"""A base."""', "'''Another\n    text.'''"),
        tools('        """Work."""\n', ""),
        tools("\n\n\n", "\n\n\n\n\n"),
        tools("min(x, LIMIT)", "min(\n            (x), LIMIT,\n        )"),
        tools("UNUSED_LIMIT = 4", "UNUSED_LIMIT = 5"),
        tools("UNUSED_LIMIT = 4\n", ""),
        tools("math.floor(x)", "math.ceil(x)"),
        tools("import math\n", "import math, json\nfrom itertools import chain\n"),
        tools("def unused(x):", "def new():\n    pass\n\n\ndef unused(x):"),
        tools("LIMIT = 3\nUNUSED_LIMIT = 4\n", "UNUSED_LIMIT = 4\nLIMIT = 3\n"),
        {"pack/tools.py": LIBRARY["pack/tools.py"].replace(FIRST, "") + f"\n\n{FIRST}"},
        {"run.py": "# A script.\nfrom pack.tools import work\nwork( 1 )\n"},
        {"pack/other.py": LIBRARY["pack/other.py"] + "\n\nclass Error(Exception):\n    pass\n"},
        {"pack/unknown.py": EDIT},
    ],
)
def test_what_changes_no_behaviour_changes_no_part(library, files):
    before = library().parts
    assert library(**files).parts == before


@pytest.mark.parametrize(
    ("files", "changed"),
    [
        (tools("LIMIT = 3\n", "LIMIT = 4\n"), {"LIMIT"}),
        (tools("size = 1", "size = 2"), {"Base"}),
        (tools("min(x", "max(x"), {"Worker"}),
        (tools("help_out(x)", "help_out(-x)"), {"work"}),
        (tools("work(self, x)", "work(self, x: int)"), {"Worker"}),
        # A name that stands for something else, in code that says the same.
        (tools("helper as help_out", "unused as help_out"), {"work"}),
        (tools("import math\n", "from math import pow as min\n"), {"Worker"}),
        (tools("UNUSED_LIMIT = 4", "min = max"), {"min"}),
    ],
)
def test_an_edited_definition_is_another_part(library, files, changed):
    before = library().parts
    found = {
        name.removeprefix("pack/tools.py:")
        for name in differing(before, library(**files).parts)
        if not name.startswith("pack/other.py")
    }
    assert found == changed


@pytest.mark.parametrize(
    "statement",
    [
        "len('text')",
        "if LIMIT:\n    pass",
        "for x in ():\n    pass",
        "Worker.work = unused",
        "REGISTRY = {}\nREGISTRY['a'] = unused",
        "FOUND = unknown()",
        "FIRST, SECOND = unknown",
        "@unknown\ndef decorated():\n    pass",
        "@unknown()\ndef decorated():\n    pass",
        "def decorated(x=unknown()):\n    pass",
        "class Decorated(Base, key=unknown()):\n    pass",
        "class Decorated:\n    x = unknown()",
        "class Decorated:\n    @unknown\n    def f(self):\n        pass",
        "class Decorated:\n    print()",
        "try:\n    import numpy\nexcept ImportError:\n    pass",
        "import numpy",
        "from matplotlib import figure",
        "del UNUSED_LIMIT",
    ],
)
def test_statements_that_may_have_an_effect_count_wherever_the_module_is_imported(
    library, statement
):
    before = set(library().parts)
    text = LIBRARY["pack/tools.py"] + f"\n{statement}\n"
    assert "pack/tools.py" in set(library(**{"pack/tools.py": text}).parts) - before


@pytest.mark.parametrize(
    "statement",
    [
        "import logging\nlog = logging.getLogger(__name__)",
        "from functools import cache\n@cache\ndef f():\n    pass",
        "from dataclasses import dataclass, field\n@dataclass(frozen=True)\nclass A:\n"
        "    x: list = field(default_factory=list)",
        "NAMES = frozenset({'a'})",
        "class A:\n    @property\n    def f(self):\n        return unknown()",
        "LATER = UNUSED_LIMIT + 1",
    ],
)
def test_definitions_without_an_effect_count_only_where_they_are_used(library, statement):
    before = library().parts
    text = LIBRARY["pack/tools.py"] + f"\n{statement}\n"
    assert library(**{"pack/tools.py": text}).parts == before


def test_what_a_statement_uses_counts_with_it(library):
    text = LIBRARY["pack/tools.py"] + "\nprint(unused)\n"
    found = library(**{"pack/tools.py": text}).parts
    assert {"pack/tools.py", "pack/tools.py:unused"} <= set(found)


def test_statements_of_a_module_that_a_function_imports_count(library):
    later = {"pack/later.py": f"{EDIT}\n\ndef f():\n    pass\n"}
    found = library(**tools("return Worker", "import pack.later\n    return Worker"), **later)
    assert "pack/later.py" in found.parts
    assert "pack/later.py:f" not in found.parts


def test_statements_of_the_packages_around_a_module_count(library):
    assert "pack/__init__.py" in library(**{"pack/__init__.py": EDIT}).parts


def test_where_a_name_is_bound_twice_the_order_of_the_module_matters(library):
    twice = LIBRARY["pack/tools.py"] + "\nLIMIT = 5\n"
    before = library(**{"pack/tools.py": twice}).parts
    assert set(before) == {"run.py", "pack/tools.py", "pack/other.py:helper"}
    moved = twice.replace("LIMIT = 3\n", "") + "\nLIMIT = 3\n"
    assert differing(before, library(**{"pack/tools.py": moved}).parts) == {"pack/tools.py"}


ALL_OF_OTHER = {"pack/other.py:helper", "pack/other.py:unused"}


@pytest.mark.parametrize(
    ("statement", "call", "expected"),
    [
        ("import pack.other", "pack.other.helper(1)", {"pack/other.py:helper"}),
        ("import pack.other as o", "o.helper(1)", {"pack/other.py:helper"}),
        ("import json, pack.other", "pack.other.unused()", {"pack/other.py:unused"}),
        ("from pack import other", "other.helper(1)", {"pack/other.py:helper"}),
        ("from pack import other as o", "o.helper.__name__", {"pack/other.py:helper"}),
        ("from pack.other import helper", "helper(1)", {"pack/other.py:helper"}),
        ("from pack.other import helper", "[helper]", {"pack/other.py:helper"}),
        ("from pack.other import helper, unused", "helper(1)", {"pack/other.py:helper"}),
        ("from pack.other import *", "helper(1)", ALL_OF_OTHER),
        ("from pack import other", "getattr(other, 'helper')(1)", ALL_OF_OTHER),
        ("from pack import other", "[other]", ALL_OF_OTHER),
        ("from pack import other", "other.__dict__", ALL_OF_OTHER),
        ("import pack.other", "eval('1')", ALL_OF_OTHER),
        ("import pack.other", "vars(pack)", ALL_OF_OTHER),
        ("import pack.other", "None", set()),
        ("import pack", "pack.other.helper(1)", {"pack/other.py:helper"}),
        ("import optimizers as other", "other.helper(1)", set()),
        ("from torch import other", "other.helper(1)", set()),
        ("# from pack import other", "None", set()),
        ("from pack import no_such_module", "None", set()),
    ],
)
def test_a_use_is_followed_in_whatever_form(library, statement, call, expected):
    for script in (f"{statement}\n{call}\n", f"def run():\n    {statement}\n    {call}\n"):
        if not ("*" in statement and "def" in script):  # which is a syntax error
            found = set(library(**{"run.py": script}).parts) - {"run.py", "pack/other.py"}
            assert {name for name in found if "other" in name} == expected


@pytest.mark.parametrize("statement", ["from .other import helper", "from . import other"])
def test_a_name_is_followed_through_another_module(library, statement):
    files = {"pack/__init__.py": statement, "run.py": "import pack\n\npack.helper(pack.other)\n"}
    assert "pack/other.py:helper" in library(**files).parts


def test_a_base_class_of_another_module_is_a_part_of_its_subclass(library):
    text = "from pack.tools import Base\n\n\nclass Sub(Base):\n    pass\n"
    found = library(**{"run.py": "from pack.sub import Sub\nSub()\n", "pack/sub.py": text})
    assert set(found.parts) == {"run.py", "pack/sub.py:Sub", "pack/tools.py:Base"}


@pytest.mark.parametrize(
    "text",
    [
        "class Base:\n    def __init_subclass__(cls):\n        pass\n",
        "import importlib\ndef run():\n    importlib.import_module('a')\n",
        "from importlib import import_module\ndef run():\n    import_module('a')\n",
        "def run():\n    from importlib import import_module\n",
        "def run():\n    return Base.__subclasses__()\n",
        "def run():\n    return globals()['f']()\n",
    ],
)
def test_where_code_may_use_what_it_does_not_name_all_that_is_imported_counts(library, text):
    files = {"run.py": "from pack import dynamic, other\n", "pack/dynamic.py": text}
    assert set(library(**files).parts) >= ALL_OF_OTHER


def test_docstrings_count_in_a_module_that_uses_them(library):
    text = '"""{}"""\n\n\ndef work(x):\n    print(__doc__)\n'
    before = library(**{"pack/tools.py": text.format("a")}).parts
    after = library(**{"pack/tools.py": text.format("b")}).parts
    assert differing(before, after) == {"pack/tools.py"}


def test_modules_that_import_each_other_are_followed_once(library):
    text = "from pack import tools\n\n\ndef helper(x):\n    return tools.work(x)\n"
    assert set(library(**{"pack/other.py": text}).parts) == REACHED


def test_only_the_named_packages_count(library):
    more = {"second.py": EDIT, **tools("import math", "import second")}
    assert "second.py" not in library(**more).parts
    assert "second.py" in library(packages=("pack", "second"), **more).parts


def test_a_folder_without_an_init_file_is_a_package_too(library):
    files = {
        "run.py": "from bare.mid import module\nmodule.f()\n",
        "bare/mid/module.py": "def f(): 1",
    }
    assert set(library(packages=("bare",), **files).parts) == {"run.py", "bare/mid/module.py:f"}


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("from . import other", "pack/mid/deep/other.py"),
        ("from .other import name", "pack/mid/deep/other.py"),
        ("from .. import other", "pack/mid/other.py"),
        ("from ... import other", "pack/other.py"),
        ("from ...other import name", "pack/other.py"),
    ],
)
def test_a_relative_import_is_followed_from_its_package(library, statement, expected):
    others = ("pack/other.py", "pack/mid/other.py", "pack/mid/deep/other.py")
    files = {name: EDIT for name in others}
    files |= {"pack/mid/__init__.py": "", "pack/mid/deep/__init__.py": ""}
    files |= {"pack/mid/deep/module.py": statement, "run.py": "import pack.mid.deep.module\n"}
    assert set(library(**files).parts) - {"run.py"} == {expected}


# ---- Data files.


@pytest.mark.parametrize(
    ("code", "name", "counts"),
    [
        ("open('page.html')", "page.html", True),
        ("Path(__file__).with_suffix('.html')", "tools.html", True),
        ("Path(__file__)", "tools.data.json", True),
        ("open('page.html')", "tools.html", False),
        ("open('page.html')", "page.css", False),
        ("Path(__file__)", "page.html", False),
        *(("Path(__file__)", f"tools.py{end}", False) for end in ("c", "i", "~", ".orig")),
    ],
)
def test_a_data_file_counts_if_a_definition_names_it(library, code, name, counts):
    edit = tools("return Worker", f"{code}\n    return Worker")
    before = library(**edit, **{f"pack/{name}": "a"}).parts
    after = library(**edit, **{f"pack/{name}": "b"}).parts
    assert differing(before, after) == ({f"pack/{name}"} if counts else set())


def test_a_data_file_may_have_any_bytes(library):
    files = tools("return Worker", "open('page.bin')\n    return Worker")
    library(**files)
    (library.folder / "pack/page.bin").write_bytes(bytes(range(256)))
    assert "pack/page.bin" in library(**files).parts
