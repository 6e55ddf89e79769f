"""Forms of Python code, a stage for each, and whether the stage is stale after an edit.

Each entry has the expression that the script of the stage writes to its result, the files beside
the script, and edits: {what: (edit, whether the stage must run)}. An edit that is marked as
harmless changes neither what the stage computes nor anything that it looked at.
"""

import textwrap
from dataclasses import dataclass

from toys import append, both, delete, replace, write

RUNS, STAYS = True, False


@dataclass
class Form:
    value: str
    files: dict
    edits: dict
    imports: str = "import lib"
    before: str = ""  # what stands before the block of the script
    main_guard: bool = False  # for scripts that a child process imports again


def change(path, old, new):
    return (replace(path, old, new), RUNS)


def harmless(path, old, new):
    return (replace(path, old, new), STAYS)


PLAIN = {
    "function": Form(
        "lib.run()",
        {
            "lib.py": '"""Help."""\n\n\ndef run():\n    """Help."""\n    return used()\n\n\n'
            "def used():\n    return 1\n\n\ndef unused():\n    return 2\n",
        },
        {
            "a function that was executed": change("lib.py", "return 1", "return 3"),
            "a function that was not executed": harmless("lib.py", "return 2", "return 3"),
            "a new function": (append("lib.py", "\n\ndef new():\n    return 4\n"), STAYS),
            "a comment": (append("lib.py", "# A comment.\n"), STAYS),
            "a docstring": harmless("lib.py", '"""Help."""\n\n\n', '"""Other help."""\n\n\n'),
            "formatting": harmless("lib.py", "return 1", "return (\n        1\n    )"),
            "a function moved within its module": (
                write(
                    "lib.py",
                    "def used():\n    return 1\n\n\ndef unused():\n    return 2\n\n\n"
                    "def run():\n    return used()\n",
                ),
                STAYS,
            ),
            "a function removed that was not executed": harmless(
                "lib.py", "def unused():\n    return 2\n", ""
            ),
            "a function renamed that was executed": (
                both(
                    replace("lib.py", "return used()", "return other()"),
                    replace("lib.py", "def used()", "def other()"),
                ),
                RUNS,
            ),
            "a statement without a name": (append("lib.py", "\nprint(used())\n"), RUNS),
        },
    ),
    "same_size_and_time": Form(
        "lib.run()",
        {"lib.py": "def run():\n    return 1\n"},
        {"size and modification time kept": change("lib.py", "return 1", "return 2")},
    ),
    "script": Form(
        "sorted([2, 1]) + lib.X",
        {"lib.py": "X = []\n"},
        {
            "the script itself": change("make.py", "[2, 1]", "[2, 3]"),
            "a comment in the script": (append("make.py", "# A comment.\n"), STAYS),
        },
    ),
    "helper_of_a_package": Form(
        "run()",
        {
            "package/__init__.py": "",
            "package/model.py": "import helper\n\n\ndef run():\n    return helper.shift(1)\n",
            "helper.py": "def shift(x):\n    return x\n\n\ndef unused():\n    return 1\n",
        },
        {
            "the helper": change("helper.py", "return x", "return x + 1"),
            "what nobody calls in the helper": harmless("helper.py", "return 1", "return 2"),
            "the package gains a statement": (write("package/__init__.py", "print(1)\n"), RUNS),
        },
        imports="from package.model import run",
    ),
    "deleted": Form(
        "lib.run()",
        {"lib.py": "import other\n\n\ndef run():\n    return other.X\n", "other.py": "X = 1\n"},
        {"a module deleted": (delete("other.py"), RUNS)},
    ),
    "raises": Form(
        "lib.run()",
        {
            "lib.py": "def no():\n    raise ValueError\n\n\ndef run():\n    try:\n"
            "        return no()\n    except ValueError:\n        return 0\n"
        },
        {"whose exception is caught": change("lib.py", "raise ValueError", "return 7")},
    ),
    "lazy": Form(
        "lib.run()",
        {
            "lib.py": "import asyncio\nimport threading\n\n\ndef numbers():\n    yield 1\n\n\n"
            "async def later():\n    return 2\n\n\ndef in_thread(to):\n    to.append(3)\n\n\n"
            "def outer():\n    def inner():\n        return 4\n\n    return inner()\n\n\n"
            "def run():\n    found = [*numbers(), asyncio.run(later()), outer()]\n"
            "    thread = threading.Thread(target=in_thread, args=[found])\n"
            "    thread.start()\n    thread.join()\n    return found\n"
        },
        {
            "a generator": change("lib.py", "yield 1", "yield 5"),
            "a coroutine": change("lib.py", "return 2", "return 5"),
            "a function that runs in a thread": change("lib.py", "append(3)", "append(5)"),
            "a function in a function": change("lib.py", "return 4", "return 5"),
        },
    ),
    "defined_in_a_statement": Form(
        "lib.run()",
        {
            "lib.py": "import contextlib\n\nfor _ in [1]:\n\n    def in_for():\n"
            "        return 1\n\nwhile True:\n\n    def in_while():\n        return 2\n\n    break\n"
            "\nmatch 1:\n    case 1:\n\n        def in_match():\n            return 3\n\n"
            "with contextlib.nullcontext():\n\n    def in_with():\n        return 4\n\n"
            "if True:\n\n    def in_if():\n        return 5\n\ntry:\n\n    def in_try():\n"
            "        return 6\n\nfinally:\n\n    def in_finally():\n        return 7\n\n\n"
            "def run():\n    return [f() for f in (in_for, in_while, in_match, in_with, in_if,"
            " in_try, in_finally)]\n"
        },
        {
            "for": change("lib.py", "return 1", "return 0"),
            "while": change("lib.py", "return 2", "return 0"),
            "match": change("lib.py", "return 3", "return 0"),
            "with": change("lib.py", "return 4", "return 0"),
            "if": change("lib.py", "return 5", "return 0"),
            "try": change("lib.py", "return 6", "return 0"),
            "finally": change("lib.py", "return 7", "return 0"),
        },
    ),
    "signature": Form(
        "lib.run()",
        {
            "lib.py": "import inspect\nfrom typing import get_type_hints\n\nDEFAULT = 2\n\n\n"
            "def power(n=DEFAULT, *, m=1):\n    return n + m\n\n\ndef named(a: int, b=1):\n"
            "    return 3\n\n\ndef run():\n"
            "    return power(), str(inspect.signature(named)), str(get_type_hints(named))\n"
        },
        {
            "a constant in a default": change("lib.py", "DEFAULT = 2", "DEFAULT = 3"),
            "a default of what was executed": change("lib.py", "m=1", "m=2"),
            "a default of what was named": change("lib.py", "b=1", "b=2"),
            "an annotation of what was named": change("lib.py", "a: int", "a: str"),
            "the body of what was named only": harmless("lib.py", "return 3", "return 4"),
        },
    ),
}

IMPORTS = {
    "import_that_falls_back": Form(
        "lib.run()",
        {
            "lib.py": "try:\n    from fast import f\nexcept ImportError:\n    from slow import f\n"
            "\n\ndef run():\n    return f()\n",
            "slow.py": "def f():\n    return 6\n",
        },
        {
            "the module in use": change("slow.py", "return 6", "return 5"),
            "a new module that takes precedence": (
                write("fast.py", "def f():\n    return 3\n"),
                RUNS,
            ),
        },
    ),
    "import_that_does_not_fall_back": Form(
        "lib.run()",
        {
            "lib.py": "try:\n    from quick import f\nexcept ImportError:\n    from slow import f\n"
            "\n\ndef run():\n    return f()\n",
            "quick.py": "def f():\n    return 3\n",
            "slow.py": "def f():\n    return 6\n",
        },
        {
            "the module in use": change("quick.py", "return 3", "return 4"),
            "the module that was never imported": harmless("slow.py", "return 6", "return 5"),
            "the module in use deleted": (delete("quick.py"), RUNS),
        },
    ),
    "branches_that_import_one_name": Form(
        "lib.run(False)",
        {
            "lib.py": "def run(flag):\n    if flag:\n        from one import f\n    else:\n"
            "        from two import f\n    return f()\n",
            "one.py": "def f():\n    return 1\n",
            "two.py": "def f():\n    return 2\n",
        },
        {
            "the branch taken": change("two.py", "return 2", "return 3"),
            "the other branch": harmless("one.py", "return 1", "return 3"),
        },
    ),
    "branches_of_a_module": Form(
        "lib.run()",
        {
            "lib.py": "import sys\n\nif sys.maxsize > 1:\n    from one import f\nelse:\n"
            "    from two import f\n\n\ndef run():\n    return f()\n",
            "one.py": "def f():\n    return 1\n",
            "two.py": "def f():\n    return 2\n",
        },
        {
            "the branch taken": change("one.py", "return 1", "return 3"),
            "the other branch": harmless("two.py", "return 2", "return 3"),
        },
    ),
    "methods_that_import_one_name": Form(
        "lib.C().first() + lib.C().second()",
        {
            "lib.py": "class C:\n    def first(self):\n        from one import f\n\n"
            "        return f()\n\n    def second(self):\n        from two import f\n\n"
            "        return f()\n",
            "one.py": "from numbers_of_one import N\n\n\ndef f():\n    return N\n",
            "numbers_of_one.py": "N = 1\n",
            "two.py": "def f():\n    return 2\n",
        },
        {
            "the first": change("numbers_of_one.py", "N = 1", "N = 5"),
            "the second": change("two.py", "return 2", "return 5"),
        },
    ),
    "star": Form(
        "lib.run()",
        {
            "lib.py": "from api import *\n\n\ndef run():\n    return scale(1), round(1.6)\n",
            "api.py": "from deep import scale\n\nOTHER = 1\n",
            "deep.py": "def scale(x):\n    return x\n",
        },
        {
            "what is re-exported": change("deep.py", "return x", "return x + 1"),
            "a name that now shadows a built-in one": (
                append("api.py", "\n\ndef round(x):\n    return 0\n"),
                RUNS,
            ),
            "a new __all__": (
                both(
                    append("api.py", '\n__all__ = ["scale", "round"]\n'),
                    append("api.py", "\n\ndef round(x):\n    return 1\n"),
                ),
                RUNS,
            ),
        },
    ),
    "name_of_a_submodule": Form(
        "lib.run()",
        {
            "lib.py": "from package import scale\n\n\ndef run():\n    return scale(1)\n",
            "package/__init__.py": "from package.scale import scale\n",
            "package/scale.py": "def scale(x):\n    return x + FACTOR\n\n\nFACTOR = 1\n",
        },
        {
            "the function": change("package/scale.py", "return x", "return x + x"),
            "a constant that it names": change("package/scale.py", "FACTOR = 1", "FACTOR = 2"),
            "the package binds another": (
                append("package/__init__.py", "\n\ndef scale(x):\n    return 9\n"),
                RUNS,
            ),
        },
    ),
    "precedence": Form(
        "lib.run()",
        {
            "lib.py": "import tool\n\n\ndef run():\n    return tool.X\n",
            "tool.py": "X = 1\n",
        },
        {"a package that precedes a module": (write("tool/__init__.py", "X = 2\n"), RUNS)},
    ),
    "import_order": Form(
        "lib.run()",
        {
            "lib.py": "import registry\nimport one\nimport two\n\n\ndef run():\n"
            "    return registry.KNOWN\n",
            "registry.py": "KNOWN = []\n\n\ndef add(name):\n    KNOWN.append(name)\n",
            "one.py": 'import registry\n\nregistry.add("one")\n',
            "two.py": 'import registry\n\nregistry.add("two")\n',
        },
        {
            "two imports swapped": change("lib.py", "one\nimport two", "two\nimport one"),
            "an import that does something": change("one.py", '"one"', '"three"'),
            "an import taken away": change("lib.py", "import one\n", ""),
        },
    ),
    "patched_on_import": Form(
        "lib.run()",
        {
            "lib.py": "import base\nimport patch\n\n\ndef run():\n    return base.f()\n",
            "base.py": "def f():\n    return 1\n",
            "patch.py": "import base\n\n\ndef g():\n    return 2\n\n\nbase.f = g\n",
        },
        {
            "the patch": change("patch.py", "return 2", "return 3"),
            "what was patched away": harmless("base.py", "return 1", "return 3"),
            "the statement that patches": change("patch.py", "base.f = g\n", ""),
        },
    ),
    "main_block": Form(
        "lib.run()",
        {
            "lib.py": "def run():\n    return 1\n\n\ndef main():\n    return 2\n\n\nLIMIT = 3\n\n"
            'if __name__ == "__main__":\n    main()\n    print(LIMIT)\n'
        },
        {
            "what only the block calls": harmless("lib.py", "return 2", "return 3"),
            "a constant that only the block names": harmless("lib.py", "LIMIT = 3", "LIMIT = 4"),
            "the block itself": harmless("lib.py", "print(LIMIT)", "print(LIMIT + 1)"),
            "what was executed": change("lib.py", "return 1", "return 5"),
        },
    ),
    "asks_whether_it_is_run_by_snakemake": Form(
        "lib.run()",
        {"lib.py": "def run():\n    return 1\n\n\ndef unused():\n    return 2\n"},
        {
            "what was not executed": harmless("lib.py", "return 2", "return 3"),
            "what was executed": change("lib.py", "return 1", "return 3"),
        },
        before='if "snakemake" not in globals():\n    raise SystemExit("by Snakemake only")\n\n',
    ),
    "module_that_cannot_be_read": Form(
        "lib.run()",
        {
            "lib.py": "try:\n    from modern import f\nexcept SyntaxError:\n"
            "    from plain import f\n\n\ndef run():\n    return f()\n",
            "modern.py": "def f(:\n    return 1\n",
            "plain.py": "def f():\n    return 2\n",
        },
        {
            "it now can be": change("modern.py", "(:", "():"),
            "the module in its place": change("plain.py", "return 2", "return 3"),
        },
    ),
    "path_of_the_script": Form(
        "lib.run()",
        {"lib.py": "import far\n\n\ndef run():\n    return far.X\n", "vendor/far.py": "X = 1\n"},
        {"a module in a folder put on the path": change("vendor/far.py", "X = 1", "X = 2")},
        imports="import sys\n\nsys.path.insert(0, str(Path(__file__).parent / 'vendor'))\n"
        "import lib",
    ),
    "link_to_a_module": Form(
        "lib.run()",
        {"real/lib.txt": "def run():\n    return 1\n", "lib.py -> ": "real/lib.txt"},
        {"the file that it leads to": change("real/lib.txt", "return 1", "return 2")},
    ),
}

CONSTANTS = {
    "constants": Form(
        "lib.run()",
        {
            "consts.py": "LIMIT = 1\nA = 1\nB = A + 1\nSIZE = 1\nLATE = SIZE\nSIZE = 2\n"
            "UNUSED = 1\n",
            "plain.py": "FIRST = 1\nSECOND = 2\nUNUSED = 3\n",
            "lib.py": "import plain\nfrom consts import LIMIT as TOP, B, LATE\n\n\ndef run():\n"
            "    return TOP, B, LATE, plain.FIRST, plain.SECOND\n",
        },
        {
            "imported under another name": change("consts.py", "LIMIT = 1", "LIMIT = 2"),
            "of which another is computed": change("consts.py", "A = 1", "A = 2"),
            "the order, where one is bound twice": change(
                "consts.py", "LATE = SIZE\nSIZE = 2\n", "SIZE = 2\nLATE = SIZE\n"
            ),
            "one that nobody names": harmless("plain.py", "UNUSED = 3", "UNUSED = 4"),
            "the order of others": harmless(
                "plain.py", "FIRST = 1\nSECOND = 2\n", "SECOND = 2\nFIRST = 1\n"
            ),
        },
    ),
    "constants_with_effects": Form(
        "lib.run()",
        {
            "lib.py": "TOTAL = 1\nTOTAL += 1\nX, (Y, *Z) = 1, (2, 3)\nif TOTAL > 1:\n    MORE = 1\n"
            "else:\n    MORE = 2\nfor EACH in [1, 2]:\n    LAST = EACH\nTABLE = {}\n"
            "TABLE['a'] = 1\nSQUARES = [n * n for n in range(3)]\nDOUBLE = lambda n: 2 * n\n\n\n"
            "def run():\n    return TOTAL, X, Y, Z, MORE, LAST, TABLE, SQUARES, DOUBLE(1)\n"
        },
        {
            "augmented": change("lib.py", "+= 1", "+= 2"),
            "unpacked": change("lib.py", "(2, 3)", "(4, 3)"),
            "in a branch": change("lib.py", "MORE = 1", "MORE = 3"),
            "in a loop": change("lib.py", "[1, 2]", "[1, 3]"),
            "an item": change("lib.py", "['a'] = 1", "['a'] = 2"),
            "a comprehension": change("lib.py", "n * n for", "n + n for"),
            "a lambda": change("lib.py", "2 * n", "3 * n"),
        },
    ),
    "tables_of_functions": Form(
        "lib.run('one')",
        {
            "lib.py": "from functools import partial\n\n\ndef one():\n    return 1\n\n\n"
            "def two():\n    return 2\n\n\ndef add(a, b):\n    return a + b\n\n\n"
            "TABLE = {'one': one, 'two': two}\nADD = partial(add, 3)\n\n\n"
            "def run(name):\n    return TABLE[name](), ADD(4)\n"
        },
        {
            "the function taken": change("lib.py", "return 1", "return 5"),
            "the function not taken": harmless("lib.py", "return 2", "return 5"),
            "the table": change("lib.py", "'one': one", "'one': two"),
            "a partial function": change("lib.py", "a + b", "a - b"),
            "an argument of a partial function": change("lib.py", "add, 3", "add, 5"),
        },
    ),
    "new_names": Form(
        "lib.run()",
        {
            "lib.py": "import other\n\n\ndef run():\n    found = hasattr(other, 'turbo'), "
            "getattr(other, 'absent', 0)\n    return round(1.26, 1), *found\n",
            "other.py": "X = 1\n",
        },
        {
            "a function with the name of a built-in one": (
                append("lib.py", "\n\ndef round(x, n=0):\n    return 0\n"),
                RUNS,
            ),
            "hasattr(module, name), now there": (
                append("other.py", "\n\ndef turbo():\n    return 1\n"),
                RUNS,
            ),
            "getattr(module, name, default), now there": (append("other.py", "absent = 1\n"), RUNS),
            "a module gains __getattr__": (
                append("other.py", "\n\ndef __getattr__(name):\n    return 5\n"),
                RUNS,
            ),
            "a name that nobody mentions": (append("other.py", "\nUNUSED = 1\n"), STAYS),
        },
    ),
    "global_statement": Form(
        "lib.run()",
        {
            "lib.py": "COUNT = 0\n\n\ndef step():\n    global COUNT\n    COUNT += 1\n\n\n"
            "def run():\n    step()\n    return COUNT\n"
        },
        {"its first value": change("lib.py", "COUNT = 0", "COUNT = 1")},
    ),
}

CLASSES = {
    "inheritance": Form(
        "lib.run()",
        {
            "lib.py": "from base import Base, Left, Right\n\n\nclass Child(Base):\n"
            "    size = 1\n\n    def other(self):\n        return 2\n\n\n"
            "class Mixed(Left, Right):\n    pass\n\n\nclass Unused:\n    def nothing(self):\n"
            "        return 3\n\n\ndef run():\n    child = Child()\n"
            "    return child.forward(), bool(child), child == Child(), child.size,"
            " hasattr(child, 'more'), Mixed().side()\n",
            "base.py": "class Base:\n    def forward(self):\n        return 1\n\n\nclass Left:\n"
            "    def side(self):\n        return 'left'\n\n\nclass Right:\n    def side(self):\n"
            "        return 'right'\n",
        },
        {
            "a method that it inherited": change("base.py", "return 1", "return 2"),
            "it gains a method that it inherited": change(
                "lib.py", "    size = 1", "    size = 1\n\n    def forward(self):\n        return 7"
            ),
            "its base gains a special method": change(
                "base.py", "class Base:", "class Base:\n    def __len__(self):\n        return 0\n"
            ),
            "its base gains __eq__": change(
                "base.py",
                "class Base:",
                "class Base:\n    def __eq__(self, other):\n        return True\n",
            ),
            "it gains __getattr__": change(
                "lib.py",
                "    size = 1",
                "    size = 1\n\n    def __getattr__(self, name):\n        return 7",
            ),
            "an attribute of the class": change("lib.py", "size = 1", "size = 2"),
            "the order of its bases": change("lib.py", "Left, Right):", "Right, Left):"),
            "another base": change("lib.py", "Child(Base)", "Child(Left)"),
            "a method that did not run": harmless("lib.py", "return 2", "return 5"),
            "a method of a class that nobody names": harmless("lib.py", "return 3", "return 5"),
            "a class that nobody names gains a method": harmless(
                "lib.py", "class Unused:", "class Unused:\n    def more(self):\n        return 7\n"
            ),
            "a method whose object nobody makes": harmless("base.py", "'right'", "'other'"),
        },
    ),
    "registered_by_subclassing": Form(
        "lib.run()",
        {
            "base.py": "class Plugin:\n    known = {}\n\n    def __init_subclass__(cls):\n"
            "        Plugin.known[cls.kind] = cls\n",
            "lib.py": "from base import Plugin\n\n\nclass First(Plugin):\n    kind = 'one'\n"
            "    value = 1\n\n\nclass Second(Plugin):\n    kind = 'two'\n    value = 2\n\n\n"
            "def run():\n    return Plugin.known['one'].value, [*Plugin.known]\n",
        },
        {
            "one takes the key of another": change("lib.py", "kind = 'two'", "kind = 'one'"),
            "a new one": (
                append("lib.py", "\n\nclass Third(Plugin):\n    kind = 'one'\n    value = 9\n"),
                RUNS,
            ),
            "their order": (
                write(
                    "lib.py",
                    "from base import Plugin\n\n\nclass Second(Plugin):\n    kind = 'two'\n"
                    "    value = 2\n\n\nclass First(Plugin):\n    kind = 'one'\n    value = 1\n\n\n"
                    "def run():\n    return Plugin.known['one'].value, [*Plugin.known]\n",
                ),
                RUNS,
            ),
            "how they register": change("base.py", "[cls.kind] = cls", "['one'] = cls"),
        },
    ),
    "registered_by_a_metaclass": Form(
        "lib.run()",
        {
            "base.py": "class Meta(type):\n    known = []\n\n    def __new__(meta, name, bases, "
            "body):\n        cls = super().__new__(meta, name, bases, body)\n"
            "        meta.known.append(name)\n        return cls\n\n\n"
            "class Base(metaclass=Meta):\n    pass\n",
            "lib.py": "import base\n\n\nclass First(base.Base):\n    pass\n\n\ndef run():\n"
            "    return base.Meta.known\n",
        },
        {
            "a new one": (append("lib.py", "\n\nclass Second(base.Base):\n    pass\n"), RUNS),
            "how they register": change("base.py", "append(name)", "append(name * 2)"),
        },
    ),
    "registered_by_a_decorator": Form(
        "lib.run()",
        {
            "lib.py": "KNOWN = {}\n\n\ndef register(function):\n"
            "    KNOWN[function.__name__] = function\n    return function\n\n\n@register\n"
            "def one():\n    return 1\n\n\n"
            "def run():\n    return {k: f() for k, f in KNOWN.items()}\n"
        },
        {
            "a new one": (append("lib.py", "\n\n@register\ndef two():\n    return 2\n"), RUNS),
            "the function": change("lib.py", "return 1", "return 2"),
            "no longer registered": change("lib.py", "@register\ndef one", "def one"),
        },
    ),
    "subclasses_listed": Form(
        "lib.run()",
        {
            "lib.py": "class Base:\n    pass\n\n\nclass One(Base):\n    pass\n\n\ndef run():\n"
            "    return [cls.__name__ for cls in Base.__subclasses__()]\n"
        },
        {"a new one": (append("lib.py", "\n\nclass Two(Base):\n    pass\n"), RUNS)},
    ),
    "decorated": Form(
        "lib.run()",
        {
            "lib.py": "from tools import keep, KEPT, scaled\n\n\n@keep\ndef kept():\n"
            "    return 77\n\n\n@scaled(2)\ndef used():\n    return 1\n\n\ndef run():\n"
            "    return str(KEPT), used()\n",
            "tools.py": "from functools import wraps\n\nKEPT = []\n\n\ndef keep(function):\n"
            "    KEPT.append(function.__code__.co_consts)\n    return function\n\n\n"
            "def scaled(factor):\n    def decorate(function):\n        @wraps(function)\n"
            "        def inner():\n            return factor * function()\n\n"
            "        return inner\n\n    return decorate\n",
        },
        {
            "a function that the decorator keeps": change("lib.py", "return 77", "return 78"),
            "the decorator": change("tools.py", "return factor *", "return factor +"),
            "its argument": change("lib.py", "scaled(2)", "scaled(3)"),
            "the decorator taken away": change("lib.py", "@scaled(2)\n", ""),
        },
    ),
    "dataclass": Form(
        "lib.run()",
        {
            "lib.py": "from dataclasses import dataclass, field, fields\nfrom enum import Enum\n"
            "from typing import NamedTuple, get_type_hints\n\nBASE = 3\n\n\n@dataclass\n"
            "class Size:\n    width: int = BASE\n    more: list = field(default_factory=list)\n\n"
            "    @property\n    def double(self):\n        return self.width * 2\n\n\n"
            "class Point(NamedTuple):\n    x: int = 1\n\n\nclass Kind(Enum):\n    ONE = 'one'\n\n\n"
            "class Tagged:\n    tag: int\n\n\ndef run():\n    return Size().double, Point().x,"
            " Kind.ONE.value, str(get_type_hints(Tagged)), len(fields(Size)), repr(Size())[:5]\n"
        },
        {
            "a constant in a default": change("lib.py", "BASE = 3", "BASE = 4"),
            "a default": change("lib.py", "width: int = BASE", "width: int = 5"),
            "a property": change("lib.py", "self.width * 2", "self.width * 3"),
            "a field of a named tuple": change("lib.py", "x: int = 1", "x: int = 2"),
            "a member of an enumeration": change("lib.py", "ONE = 'one'", "ONE = 'two'"),
            "an annotation": change("lib.py", "tag: int", "tag: str"),
            "a new field": change("lib.py", "BASE\n    more", "BASE\n    less: int = 1\n    more"),
            "the decorator": change("lib.py", "@dataclass\n", "@dataclass(repr=False)\n"),
        },
    ),
    "special_methods": Form(
        "lib.run()",
        {
            "lib.py": "class Named:\n    def __set_name__(self, owner, name):\n"
            "        self.name = name + 'a'\n\n    def __get__(self, instance, owner):\n"
            "        return self.name\n\n\nclass Box:\n    field = Named()\n\n"
            "    def __add__(self, other):\n        return 2\n\n    def __enter__(self):\n"
            "        return 3\n\n    def __exit__(self, *args):\n        return True\n\n"
            "    @staticmethod\n    def plain():\n        return 4\n\n    @classmethod\n"
            "    def of_class(cls):\n        return 5\n\n    def __class_getitem__(cls, item):\n"
            "        return 6\n\n\ndef run():\n    with Box() as value:\n        pass\n"
            "    return Box().field, Box() + 1, value, Box.plain(), Box.of_class(), Box[0]\n"
        },
        {
            "__set_name__": change("lib.py", "name + 'a'", "name + 'b'"),
            "__add__": change("lib.py", "return 2", "return 0"),
            "__enter__": change("lib.py", "return 3", "return 0"),
            "a static method": change("lib.py", "return 4", "return 0"),
            "a class method": change("lib.py", "return 5", "return 0"),
            "__class_getitem__": change("lib.py", "return 6", "return 0"),
        },
    ),
}

COMPUTED = {
    "getattr_of_a_computed_name": Form(
        "lib.run()",
        {
            "lib.py": "import sys\n\n\ndef fit_1():\n    return 1\n\n\nLIMIT_1 = 5\n\n\n"
            "def run():\n    me = sys.modules[__name__]\n    return [getattr(me, f'fit_{1}')(), "
            "getattr(me, f'LIMIT_{1}'), hasattr(me, 'step_' + str(9))]\n",
            "classes.py": "class C:\n    def no(self):\n        return 'unused'\n",
        },
        {
            "the function": change("lib.py", "return 1\n", "return 2\n"),
            "the constant": change("lib.py", "LIMIT_1 = 5", "LIMIT_1 = 6"),
            "a computed name that is now there": (
                append("lib.py", "\n\ndef step_9():\n    return 1\n"),
                RUNS,
            ),
            "a method that did not run": harmless("classes.py", "'unused'", "'other'"),
        },
        imports="import classes\nimport lib",
    ),
}
# Ways to a constant of a module without its name: each must see an edit of it, and a new one.
for name, way in {
    "globals": "globals()['LIM' + 'IT']",
    "vars": "vars(sys.modules[__name__])['LIM' + 'IT']",
    "module_dict": "sys.modules[__name__].__dict__['LIM' + 'IT']",
    "function_globals": "run.__globals__['LIM' + 'IT']",
    "resolve_name": "pkgutil.resolve_name(__name__ + ':' + 'LIM' + 'IT')",
    "attrgetter": "operator.attrgetter('LIM' + 'IT')(sys.modules[__name__])",
    "eval": "eval('LIM' + 'IT')",
    "getmembers": "dict(inspect.getmembers(sys.modules[__name__]))['LIM' + 'IT']",
    "getattribute": "sys.modules[__name__].__getattribute__('LIM' + 'IT')",
    "import_module": "getattr(importlib.import_module('l' + 'ib'), 'LIM' + 'IT')",
    "getattr_static": "inspect.getattr_static(sys.modules[__name__], 'LIM' + 'IT')",
    "getattr_under_another_name": "GET(sys.modules[__name__], 'LIM' + 'IT')",
    "map_of_getattr": "[*map(getattr, [sys.modules[__name__]], ['LIM' + 'IT'])]",
    "dir": "len([each for each in dir(sys.modules[__name__]) if each.isupper()])",
    "frame": "sys._getframe().f_globals['LIM' + 'IT']",
    "format": "('{0.LIM' + 'IT}').format(sys.modules[__name__])",
}.items():
    COMPUTED[f"way_{name}"] = Form(
        "lib.run()",
        {
            "lib.py": "import importlib\nimport inspect\nimport operator\nimport pkgutil\n"
            f"import sys\n\nLIMIT = 1\nGET = getattr\n\n\ndef run():\n    return {way}\n"
        },
        {"a new constant": (append("lib.py", "\nMORE = 1\n"), RUNS)}
        if name == "dir"
        else {"the constant": change("lib.py", "LIMIT = 1", "LIMIT = 2")},
    )

TEXT = {
    "docstrings": Form(
        "lib.run()",
        {
            "lib.py": "import other\n\n\ndef f():\n    '''Help.'''\n    return 1\n\n\n"
            "def run():\n    return f.__doc__\n",
            "other.py": "'''Help.'''\n\nX = 1\n",
        },
        {
            "a docstring that is read": change("lib.py", "Help.", "More help."),
        },
    ),
    "docstring_of_a_module": Form(
        "lib.run()",
        {"lib.py": "'''Help.'''\n\n\ndef run():\n    return __doc__\n"},
        {"it is read": change("lib.py", "Help.", "More help.")},
    ),
    "getdoc": Form(
        "lib.run()",
        {
            "lib.py": "import inspect\n\n\nclass Some:\n    '''Help.'''\n\n\ndef run():\n"
            "    return inspect.getdoc(Some)\n"
        },
        {"the docstring of a class": change("lib.py", "Help.", "More help.")},
    ),
    "getsource": Form(
        "lib.run()",
        {
            "lib.py": "import inspect\n\nimport other\n\n\ndef run():\n"
            "    return inspect.getsource(other.f)\n",
            "other.py": "def f():\n    '''Help.'''\n    return 1  # A comment.\n",
        },
        {
            "a comment": change("other.py", "# A comment.", "# Another."),
            "a docstring": change("other.py", "Help.", "More help."),
        },
    ),
    "line_numbers": Form(
        "lib.run()",
        {
            "lib.py": "import sys\n\n\ndef run():\n    return sys._getframe().f_lineno\n",
        },
        {"a line more": change("lib.py", "\n\n\ndef", "\n\n\n\ndef")},
    ),
    "reads_its_own_file": Form(
        "lib.run()",
        {
            "lib.py": "from pathlib import Path\n\n\ndef run():\n"
            "    return len(Path(__file__).read_text())\n"
        },
        {"a comment": (append("lib.py", "# A comment.\n"), RUNS)},
    ),
}

FILES = {
    "data_in_a_folder": Form(
        "lib.run()",
        {
            "lib.py": "from pathlib import Path\n\nHERE = Path(__file__).parent\n\n\ndef run():\n"
            "    found = []\n    if (HERE / 'scales' / 'override.txt').exists():\n"
            "        found = ['override']\n"
            "    return [(HERE / 'scales' / 'normal.txt').read_text(), *found]\n",
            "scales/normal.txt": "1\n",
            "scales/unread.txt": "1\n",
        },
        {
            "the file": change("scales/normal.txt", "1", "2"),
            "a file that nobody reads": harmless("scales/unread.txt", "1", "2"),
            "the file deleted": (delete("scales/normal.txt"), RUNS),
            "a file whose absence was looked at": (write("scales/override.txt"), RUNS),
            "a new file that nobody looks for": (write("scales/new.txt"), STAYS),
        },
    ),
    "absence": Form(
        "lib.run()",
        {
            "lib.py": "import os\nfrom pathlib import Path\n\nHERE = os.path.dirname(__file__)\n"
            "\n\ndef at(name):\n    return os.path.join(HERE, name)\n\n\ndef tried():\n    try:\n"
            "        return open(at('by_open')).read()\n    except OSError:\n"
            "        return None\n\n\ndef run():\n    return [os.path.exists(at('by_exists')), "
            "os.path.isfile(at('by_isfile')), os.access(at('by_access'), os.R_OK), "
            "os.path.lexists(at('by_lexists')), os.path.isdir(at('by_isdir')), "
            "Path(at('by_path')).is_file(), os.path.islink(at('by_islink')), tried()]\n",
        },
        {
            f"looked for by {name}": (write(f"by_{name}"), RUNS)
            for name in ("exists", "isfile", "access", "lexists", "path", "open")
        }
        | {"looked for by isdir": (write("by_isdir/file"), RUNS)},
    ),
    "size_of_a_file": Form(
        "lib.run()",
        {
            "lib.py": "import os\n\n\ndef run():\n    there = os.path.dirname(__file__)\n"
            "    return os.path.getsize(os.path.join(there, 'data.txt'))\n",
            "data.txt": "1\n",
        },
        {"longer": (append("data.txt", "2\n"), RUNS)},
    ),
    "listings": Form(
        "lib.run()",
        {
            "lib.py": "import glob\nimport os\nimport pkgutil\nfrom pathlib import Path\n\n"
            "import plugins\n\nHERE = Path(__file__).parent\n\n\ndef run():\n"
            "    return [sorted(m.name for m in pkgutil.iter_modules(plugins.__path__)), "
            "sorted(os.listdir(HERE / 'listed')), "
            "sorted(p.name for p in (HERE / 'iterated').iterdir()), "
            "sorted(p.name for p in (HERE / 'globbed').glob('*.txt')), "
            "sorted(os.path.basename(p) for p in glob.glob(str(HERE / 'old_globbed' / '*'))), "
            "sorted(each for *_, files in os.walk(HERE / 'walked') for each in files)]\n",
            "plugins/__init__.py": "",
            "plugins/a.py": "N = 1\n",
            **{
                f"{name}/a.txt": ""
                for name in ("listed", "iterated", "globbed", "old_globbed", "walked/deep")
            },
        },
        {
            "a new plugin": (write("plugins/b.py", "N = 2\n"), RUNS),
            "listdir": (write("listed/b.txt"), RUNS),
            "iterdir": (write("iterated/b.txt"), RUNS),
            "Path.glob": (write("globbed/b.txt"), RUNS),
            "glob.glob": (write("old_globbed/b.txt"), RUNS),
            "walk": (write("walked/deep/b.txt"), RUNS),
            "a file deleted": (delete("listed/a.txt"), RUNS),
            "a file where nobody looks": (write("elsewhere/b.txt"), STAYS),
            "a module that was listed, not imported": harmless("plugins/a.py", "N = 1", "N = 2"),
        },
    ),
    "resources": Form(
        "lib.run()",
        {
            "lib.py": "from importlib.resources import files\n\n\ndef run():\n"
            "    return (files('package') / 'table.txt').read_text()\n",
            "package/__init__.py": "",
            "package/table.txt": "1\n",
        },
        {"the file": change("package/table.txt", "1", "2")},
    ),
    "opened_in_other_ways": Form(
        "lib.run()",
        {
            "lib.py": "import mmap\nimport os\nimport shutil\nimport tempfile\nfrom pathlib import "
            "Path\n\nHERE = Path(__file__).parent\n\n\ndef low():\n"
            "    number = os.open(HERE / 'low.txt', os.O_RDONLY)\n"
            "    data = os.read(number, 9)\n    os.close(number)\n    return data\n\n\n"
            "def mapped():\n    with open(HERE / 'mapped.txt', 'rb') as file:\n"
            "        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)[:]\n\n\n"
            "def copied():\n    with tempfile.TemporaryDirectory() as folder:\n"
            "        return Path(shutil.copyfile(HERE / 'copied.txt', f'{folder}/a')).read_text()"
            "\n\n\ndef descriptor():\n    number = os.open(HERE, os.O_RDONLY)\n"
            "    file = os.open('relative.txt', os.O_RDONLY, dir_fd=number)\n"
            "    data = os.read(file, 9)\n    os.close(file)\n    os.close(number)\n"
            "    return data\n\n\ndef run():\n"
            "    return low(), mapped(), copied(), descriptor()\n",
            **{f"{name}.txt": "1\n" for name in ("low", "mapped", "copied", "relative")},
        },
        {
            "os.open": change("low.txt", "1", "2"),
            "mmap": change("mapped.txt", "1", "2"),
            "shutil.copyfile": change("copied.txt", "1", "2"),
            "dir_fd": change("relative.txt", "1", "2"),
        },
    ),
    "loaded_by_path": Form(
        "lib.run()",
        {
            "lib.py": "import importlib.util\nimport runpy\nfrom pathlib import Path\n\n"
            "HERE = Path(__file__).parent\n\n\ndef by_spec():\n"
            "    spec = importlib.util.spec_from_file_location('anything', HERE / 'by_spec.py')\n"
            "    module = importlib.util.module_from_spec(spec)\n"
            "    spec.loader.exec_module(module)\n    return module.value()\n\n\ndef run():\n"
            "    found = {}\n    exec((HERE / 'by_exec.py').read_text(), found)\n"
            "    return by_spec(), runpy.run_path(str(HERE / 'by_runpy.py'))['X'], found['X']\n",
            "by_spec.py": "def value():\n    return 55\n",
            "by_runpy.py": "X = 1\n",
            "by_exec.py": "X = 1\n",
        },
        {
            "spec_from_file_location": change("by_spec.py", "55", "56"),
            "runpy": change("by_runpy.py", "X = 1", "X = 2"),
            "exec": change("by_exec.py", "X = 1", "X = 2"),
        },
    ),
    "undeclared_file": Form(
        "open('notes.txt').read()",
        {"lib.py": ""},
        {
            "a file of the project that the rule does not name": (
                lambda toy, folder: toy.write("notes.txt", "other\n"),
                RUNS,
            )
        },
    ),
}

CHILD = "def work(*args):\n    return 44\n"
CHILDREN = {
    f"pool_by_{method}": Form(
        "lib.run()",
        {
            "lib.py": "import multiprocessing\n\nimport child\n\n\ndef run():\n"
            f"    context = multiprocessing.get_context('{method}')\n"
            "    with context.Pool(1) as pool:\n        return pool.apply(child.work)\n",
            "child.py": CHILD,
        },
        {"a function that runs in the child": change("child.py", "return 44", "return 45")},
        main_guard=True,
    )
    for method in ("fork", "spawn", "forkserver")
}
CHILDREN["executor"] = Form(
    "lib.run()",
    {
        "lib.py": "from concurrent.futures import ProcessPoolExecutor\n\nimport child\n\n\n"
        "def run():\n    with ProcessPoolExecutor(1) as pool:\n"
        "        return [*pool.map(child.work, [1])]\n",
        "child.py": CHILD,
    },
    {"a function that runs in the child": change("child.py", "return 44", "return 45")},
    main_guard=True,
)
CHILDREN["programs"] = Form(
    "lib.run()",
    {
        "lib.py": "import os\nimport subprocess\nimport sys\nfrom pathlib import Path\n\n"
        "HERE = Path(__file__).parent\n\n\ndef run():\n"
        "    output = subprocess.check_output([sys.executable, HERE / 'program.py'], text=True)\n"
        "    return output\n",
        "program.py": "import part\n\nprint(part.X)\n",
        "part.py": "X = 1\n",
    },
    {
        "the program": change("program.py", "print(part.X)", "print(part.X + 1)"),
        "a module of the program": change("part.py", "X = 1", "X = 2"),
    },
)
CHILDREN["os_system"] = Form(
    "lib.run()",
    {
        "lib.py": "import os\nimport sys\nfrom pathlib import Path\n\n"
        "HERE = Path(__file__).parent\n\n\ndef run():\n    program = HERE / 'program.py'\n"
        '    return os.system(f\'"{sys.executable}" "{program}"\') >> 8\n',
        "program.py": "raise SystemExit(3)\n",
    },
    {"the program": change("program.py", "(3)", "(4)")},
)
CHILDREN["reads_a_file_for_us"] = Form(
    "lib.run()",
    {
        "lib.py": "import subprocess\nfrom pathlib import Path\n\nHERE = Path(__file__).parent\n\n"
        "\ndef run():\n    output = subprocess.check_output(['cat', HERE / 'table.txt'])\n"
        "    return output.decode()\n",
        "table.txt": "1\n",
    },
    {"the file that is its argument": change("table.txt", "1", "2")},
)
CHILDREN["harmless_children"] = Form(
    "lib.run()",
    {
        "lib.py": "import platform\nimport subprocess\nimport sys\n\nimport other\n\n\ndef run():\n"
        "    platform.processor()\n    subprocess.check_output(['true'])\n"
        "    subprocess.check_output([sys.executable, '-I', '-c', '1'])\n    return 1\n",
        "other.py": "def unused():\n    return 1\n",
    },
    {"what nobody executes": harmless("other.py", "return 1", "return 2")},
)

FORMS = PLAIN | IMPORTS | CONSTANTS | CLASSES | COMPUTED | TEXT | FILES | CHILDREN


def files_of(name):
    """{path: text} of the stage `name`: its script, and what lies beside it."""
    form = FORMS[name]
    block = (
        "with recorded(snakemake) as settings:\n"
        f"    Path(snakemake.output[0]).write_text(repr({form.value}) + '\\n')\n"
    )
    if form.main_guard:
        block = 'if __name__ == "__main__":\n' + textwrap.indent(block, "    ")
    script = (
        "from snakefresh import recorded  # first\n\nfrom pathlib import Path\n\n"
        f"{form.imports}\n\n{form.before}{block}"
    )
    files = {"make.py": script} | form.files
    return {f"scripts/{name}/{path}": text for path, text in files.items()}


def snakefile_of():
    """Rules as a person would write them, one for each form."""
    rules = [
        f'rule {name}:\n    output:\n        "results/{name}.txt",\n'
        f'    message:\n        "{name}{{params.why}}"\n'
        f'    script:\n        "scripts/{name}/make.py"\n'
        for name in FORMS
    ]
    targets = "".join(f'        "results/{name}.txt",\n' for name in FORMS)
    start = f"from snakefresh import watch\n\n\nrule all:\n    input:\n{targets}"
    return "\n\n".join([start, *rules, "watch(workflow, settings={}, reads={})\n"])
