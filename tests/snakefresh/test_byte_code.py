"""Code that runs is the code on the disk: byte code of another time is never taken."""

import os
import py_compile

import pytest

pytestmark = pytest.mark.slow

EDITS = {
    "a module of one stage": ("scripts/mylib/model.py", "sum(y * x", "sum(y + x"),
    "a module of three stages": ("scripts/mylib/points.py", 'float(row["y"])', 'float(row["x"])'),
    "a script": ("scripts/fit.py", "json.dump(coefficients", "json.dump([*range(33)]"),
}


@pytest.mark.parametrize(("path", "old", "new"), EDITS.values(), ids=EDITS)
def test_an_edit_that_keeps_size_and_time_is_seen_and_run(toy, path, old, new):
    before, result = (toy / path).stat(), toy.read("results/model.json")
    toy.replace(path, old, new)
    os.utime(toy / path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (toy / path).stat().st_size == before.st_size
    assert "fit" in toy.run()
    assert toy.read("results/model.json") != result
    assert toy.plan() == {}


def test_byte_code_beside_a_module_is_not_taken(toy):
    path = toy / "scripts/mylib/model.py"
    before = path.stat()
    source = path.read_text()
    path.write_text(source.replace("sum(y * x", "sum(y + x"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    py_compile.compile(str(path), doraise=True)
    path.write_text(source)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert toy.plan() == {}
    old = toy.results()
    toy.run("--forceall")
    assert toy.results() == old


def test_an_edit_of_a_second_time_is_seen_as_well(toy):
    """Byte code that the engine keeps itself is named by content."""
    path, seen = "scripts/mylib/model.py", []
    source = toy.read(path)
    for sign in ("+", "-", "*", "+"):
        toy.write(path, source.replace("sum(y * x", f"sum(y {sign} x"))
        os.utime(toy / path, (1_000_000_000,) * 2)
        toy.run()
        seen.append(toy.read("results/model.json"))
    assert seen[0] == seen[3] and len({*seen}) == 3
