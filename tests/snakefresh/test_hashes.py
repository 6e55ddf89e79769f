"""The parts of a source file have the same hashes on every version of Python."""

from snakefresh.code import parts

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from gallery import FORMS
from toys import ENGINE

from project import CHECKOUT

PROGRAM = """
import json
import sys

from snakefresh.code import parts

for line in sys.stdin:
    print(json.dumps(parts(json.loads(line).encode()), default=sorted, sort_keys=True))
"""
TRICKY = {
    "nested f-strings": "def f(x, w):\n    return f'{x:>{w}}' f'a{x!r:{w}.{w}}b{{}}' f'' f'{x=}'\n",
    "strings side by side": "X = 'a' 'b' f'{1}' 'c'\n",
    "numbers": "X = 1_000, 0x10, 1e3, 1j, -1, 1e-300, float('nan'), 10**30\n",
    "bytes": "X = b'\\x00' rb'\\d'\n",
    "match": "match x:\n    case {'a': [1, *rest], **more} | P(x=1) as y if y:\n        pass\n"
    "    case _:\n        pass\n",
    "positional and keyword only": "def f(a, /, b, *, c=1, **d) -> int:\n    return a\n",
    "async": "async def f():\n    async with a as b, c:\n"
    "        return [x async for x in b if await x]\n",
    "decorators": "@a.b(1)\n@c[0]\nclass D(E, metaclass=F, **g):\n    x: int = 1\n",
    "walrus and lambda": "X = [y := 1, y**2, lambda z=y: (yield z)]\n",
    "try star": "try:\n    pass\nexcept* ValueError as e:\n    pass\n",
    "global": "def f():\n    global X\n    def g():\n        nonlocal_ = 1\n    del X\n",
    "slices": "X = a[1:2, ..., ::3]\n",
    "with": "with (a as b, c as d):\n    pass\n",
    "unicode": "ä = 'ü\\u2028\\ud800'\n",
    "type comments": "x = []  # type: list[int]\n",
    "docstrings": "'''A.'''\n\n\ndef f():\n    '''B.'''\n\n\nclass C:\n    '''D.'''\n",
}


def find_python(version):
    """An interpreter of this version that runs, below ~/.pyenv or on PATH, or None."""
    places = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python{version}"))
    for python in filter(None, [*places[::-1], shutil.which(f"python{version}")]):
        if not subprocess.run([python, "-c", ""], capture_output=True).returncode:
            return python
    return None


def hashes(python, sources):
    process = subprocess.run(
        [python, "-c", PROGRAM],
        input="".join(json.dumps(source) + "\n" for source in sources.values()),
        env={**os.environ, "PYTHONPATH": str(ENGINE), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(zip(sources, map(json.loads, process.stdout.splitlines()), strict=True))


@pytest.fixture(scope="module")
def sources():
    found = {str(path): path.read_text() for path in (CHECKOUT / "workflow").rglob("*.py")}
    for name, form in FORMS.items():
        found |= {f"{name}/{p}": text for p, text in form.files.items() if p.endswith(".py")}
    del found["module_that_cannot_be_read/modern.py"]
    return found | TRICKY


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13", "3.14"])
def test_hashes_are_those_of_this_python(version, sources):
    python = find_python(version)
    if not python:
        pytest.skip(f"there is no Python {version}: pyenv install {version}")
    here, there = hashes(sys.executable, sources), hashes(python, sources)
    assert [name for name in sources if here[name] != there[name]] == []


SAME = {
    "comments": ("X = 1\n", "# A comment.\n\n\nX = 1  # Another.\n"),
    "quotes": ("X = 'a'\n", 'X = "a"\n'),
    "parentheses": ("X = 1 + 2 * 3\n", "X = (1 +\n     (2 * 3))\n"),
    "docstrings": ("def f():\n    '''A.'''\n    return 1\n", "def f():\n    return 1\n"),
    "numbers": ("X = 1000\n", "X = 1_000\n"),
    "functions in another order": (
        "def f():\n    return 1\n\n\ndef g():\n    return 2\n",
        "def g():\n    return 2\n\n\ndef f():\n    return 1\n",
    ),
    "line ends": ("X = 1\nY = 2\n", "X = 1\r\nY = 2\r\n"),
}
DIFFERENT = {
    "a number and its text": ("X = 1\n", "X = '1'\n"),
    "an integer and a float": ("X = 1\n", "X = 1.0\n"),
    "true and one": ("X = True\n", "X = 1\n"),
    "bytes": ("X = 'a'\n", "X = b'a'\n"),
    "negative zero": ("X = 0.0\n", "X = -0.0\n"),
    "a tuple and a list": ("X = (1, 2)\n", "X = [1, 2]\n"),
    "operators": ("def f(a, b):\n    return a + b\n", "def f(a, b):\n    return a - b\n"),
    "comparisons": ("def f(a, b):\n    return a < b\n", "def f(a, b):\n    return a <= b\n"),
    "a default": ("def f(a=1):\n    return a\n", "def f(a=2):\n    return a\n"),
    "keyword only": ("def f(a, b):\n    return a\n", "def f(a, *, b):\n    return a\n"),
    "async": ("def f():\n    return 1\n", "async def f():\n    return 1\n"),
    "a string that is no docstring": ("def f():\n    return 'A'\n", "def f():\n    return 'B'\n"),
    "a format": ("X = f'{1:>3}'\n", "X = f'{1:<3}'\n"),
    "a conversion": ("X = f'{1!r}'\n", "X = f'{1!s}'\n"),
    "nested": ("X = ((1, 2), 3)\n", "X = (1, (2, 3))\n"),
    "strings that look like code": ("X = ['a', 'b']\n", "X = [\"a', 'b\"]\n"),
    "None and nothing": ("def f():\n    return None\n", "def f():\n    return\n"),
    "an except clause": (
        "try:\n    X = 1\nexcept ValueError:\n    X = 2\n",
        "try:\n    X = 1\nexcept:\n    X = 2\n",
    ),
    "else and after": (
        "def f(a):\n    for b in a:\n        pass\n    else:\n        c()\n",
        "def f(a):\n    for b in a:\n        pass\n    c()\n",
    ),
    "a relative import": ("from . import a\n", "import a\n"),
}


@pytest.mark.parametrize(("one", "other"), SAME.values(), ids=SAME)
def test_the_same_code_has_the_same_hashes(one, other):
    assert parts(one.encode()) == parts(other.encode())


@pytest.mark.parametrize(("one", "other"), DIFFERENT.values(), ids=DIFFERENT)
def test_other_code_has_other_hashes(one, other):
    assert parts(one.encode()) != parts(other.encode())
