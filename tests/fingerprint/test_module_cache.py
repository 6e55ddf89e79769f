"""Modules that were read before are read from the cache, which never changes what they are."""

import json

import pytest

from scratchnet.fingerprint import module_cache
from scratchnet.fingerprint.module_cache import ModuleCache
from scratchnet.fingerprint.modules import read_module

SOURCE = b"""
import json as j
from numpy import *

LIMIT = 3

def f(x):
    from .other import g
    return g(x, LIMIT, open("page.html"))

print(f)
"""
PACKAGES = ("pack",)


@pytest.fixture
def file(tmp_path):
    """The file of a cache that has SOURCE."""
    file = tmp_path / "state" / "modules.json"
    cache = ModuleCache(file)
    cache.read("pack/a.py", SOURCE, ["pack"], PACKAGES)
    cache.save()
    return file


@pytest.fixture
def read(monkeypatch):
    """The sources that were read anew."""
    sources = []

    def note(source, *arguments):
        sources.append(source)
        return read_module(source, *arguments)

    monkeypatch.setattr(module_cache, "read_module", note)
    return sources


def test_a_module_in_the_cache_is_not_read_anew_and_is_the_same(file, read):
    found = ModuleCache(file).read("pack/a.py", SOURCE, ["pack"], PACKAGES)
    assert read == []
    assert found == read_module(SOURCE, ["pack"], PACKAGES)


@pytest.mark.parametrize(
    "arguments",
    [
        ("pack/b.py", SOURCE, ["pack"], PACKAGES),
        ("pack/a.py", SOURCE + b"#", ["pack"], PACKAGES),
        ("pack/a.py", SOURCE, ["pack", "mid"], PACKAGES),
        ("pack/a.py", SOURCE, None, PACKAGES),
        ("pack/a.py", SOURCE, ["pack"], ("pack", "numpy")),
    ],
)
def test_what_is_not_the_same_is_read_anew(file, read, arguments):
    assert ModuleCache(file).read(*arguments) == read_module(*arguments[1:])
    assert read == [arguments[1]]


@pytest.mark.parametrize("what", [0, 1])
def test_with_another_reader_or_another_python_all_is_read_anew(file, read, monkeypatch, what):
    other = [*module_cache.READER]
    other[what] = 0
    monkeypatch.setattr(module_cache, "READER", other)
    ModuleCache(file).read("pack/a.py", SOURCE, ["pack"], PACKAGES)
    assert read == [SOURCE]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"pack/a.py": 1}', '{"pack/a.py": {}}', "\xff"]
)
def test_a_damaged_file_does_no_harm(file, read, text):
    file.write_bytes(text.encode("latin-1"))
    cache = ModuleCache(file)
    assert cache.read("pack/a.py", SOURCE, ["pack"], PACKAGES) == read_module(
        SOURCE, ["pack"], PACKAGES
    )
    cache.save()
    assert "pack/a.py" in json.loads(file.read_text())


def test_without_permission_to_write_nothing_is_saved(tmp_path):
    (tmp_path / "state").write_text("a file where the folder should be")
    cache = ModuleCache(tmp_path / "state" / "modules.json")
    cache.read("pack/a.py", SOURCE, ["pack"], PACKAGES)
    cache.save()
