"""Forms of Python code, a stage for each, and whether the stage is stale after an edit.

A form has the library `lib.py` that its script imports, other files beside the script, and edits,
of the library unless they say otherwise. `stays` marks those that change neither what the stage
computes nor anything that it looked at. `value` is what the script writes to its result.
"""

import textwrap
from dataclasses import dataclass

from toys import append, both, delete, replace, write

FORMS = {}
AT_ONCE = 5  # edits of a form; for more, it is there again


@dataclass
class Form:
    files: dict
    edits: dict  # {what: (edit, whether the stage must run)}
    value: str
    imports: str
    before: str  # what stands before the block of the script
    main_guard: bool  # for scripts that a child process imports again


def form(name, *parts, value="lib.run()", imports="import lib", before="", main_guard=False):
    files, edits = {}, {}
    for part in parts:
        if isinstance(part, str):
            files["lib.py"] = part
        else:
            kind, key, what = part
            (files if kind == "file" else edits)[key] = what
    every = [*edits.items()]
    for n in range(0, len(every), AT_ONCE):
        own = dict(every[n : n + AT_ONCE])
        FORMS[f"{name}_{n}" if n else name] = Form(files, own, value, imports, before, main_guard)


def file(path, text):
    return "file", path, text


def runs(what, edit, new=None, in_file="lib.py"):
    """An edit, or an old text and a new one, after which the stage must run."""
    return "edit", what, (edit if new is None else replace(in_file, edit, new), True)


def stays(what, *edit, **in_file):
    """The same, after which the stage must not run."""
    return "edit", what, (runs(what, *edit, **in_file)[2][0], False)


# Functions

form(
    "function",
    '"""Help."""\ndef run():\n    """Help."""\n    return used()\ndef used():\n'
    "    return 1\ndef unused():\n    return 2\n",
    runs("a function that was executed", "return 1", "return 3"),
    stays("a function that was not executed", "return 2", "return 3"),
    stays("a new function", append("lib.py", "\ndef new():\n    return 4\n")),
    stays("a comment", append("lib.py", "# A comment.\n")),
    stays("a docstring", '"""Help."""\ndef', '"""Other help."""\ndef'),
    stays("formatting", "return 1", "return (\n        1\n    )"),
    stays(
        "a function moved within its module",
        write(
            "lib.py",
            "def used():\n    return 1\ndef unused():\n    return 2\ndef run():\n"
            "    return used()\n",
        ),
    ),
    stays("a function removed that was not executed", "def unused():\n    return 2\n", ""),
    runs(
        "a function renamed that was executed",
        both(
            replace("lib.py", "return used()", "return other()"),
            replace("lib.py", "def used()", "def other()"),
        ),
    ),
    runs("a statement without a name", append("lib.py", "\nprint(used())\n")),
)
form(
    "same_size_and_time",
    "def run():\n    return 1\n",
    runs("size and modification time kept", "return 1", "return 2"),
)
form(
    "script",
    "X = []\n",
    runs("the script itself", "[2, 1]", "[2, 3]", in_file="make.py"),
    stays("a comment in the script", append("make.py", "# A comment.\n")),
    value="sorted([2, 1]) + lib.X",
)
form(
    "helper_of_a_package",
    file("package/__init__.py", ""),
    file("package/model.py", "import helper\ndef run():\n    return helper.shift(1)\n"),
    file("helper.py", "def shift(x):\n    return x\ndef unused():\n    return 1\n"),
    runs("the helper", "return x", "return x + 1", in_file="helper.py"),
    stays("what nobody calls in the helper", "return 1", "return 2", in_file="helper.py"),
    runs("the package gains a statement", write("package/__init__.py", "print(1)\n")),
    value="run()",
    imports="from package.model import run",
)
form(
    "deleted",
    "import other\ndef run():\n    return other.X\n",
    file("other.py", "X = 1\n"),
    runs("a module deleted", delete("other.py")),
)
form(
    "raises",
    "def no():\n    raise ValueError\ndef run():\n    try:\n        return no()\n"
    "    except ValueError:\n        return 0\n",
    runs("whose exception is caught", "raise ValueError", "return 7"),
)
form(
    "lazy",
    "import asyncio\nimport threading\ndef numbers():\n    yield 1\nasync def later():\n"
    "    return 2\ndef in_thread(to):\n    to.append(3)\ndef outer():\n    def inner():\n"
    "        return 4\n    return inner()\ndef run():\n"
    "    found = [*numbers(), asyncio.run(later()), outer()]\n"
    "    thread = threading.Thread(target=in_thread, args=[found])\n    thread.start()\n"
    "    thread.join()\n    return found\n",
    runs("a generator", "yield 1", "yield 5"),
    runs("a coroutine", "return 2", "return 5"),
    runs("a function that runs in a thread", "append(3)", "append(5)"),
    runs("a function in a function", "return 4", "return 5"),
)
form(
    "defined_in_a_statement",
    "import contextlib\nfor _ in [1]:\n    def in_for():\n        return 1\nwhile True:\n"
    "    def in_while():\n        return 2\n    break\nmatch 1:\n    case 1:\n"
    "        def in_match():\n            return 3\nwith contextlib.nullcontext():\n"
    "    def in_with():\n        return 4\nif True:\n    def in_if():\n        return 5\n"
    "try:\n    def in_try():\n        return 6\nfinally:\n    def in_finally():\n"
    "        return 7\ndef run():\n"
    "    return [f() for f in (in_for, in_while, in_match, in_with, in_if, in_try, "
    "in_finally)]\n",
    runs("for", "return 1", "return 0"),
    runs("while", "return 2", "return 0"),
    runs("match", "return 3", "return 0"),
    runs("with", "return 4", "return 0"),
    runs("if", "return 5", "return 0"),
    runs("try", "return 6", "return 0"),
    runs("finally", "return 7", "return 0"),
)
form(
    "signature",
    "import inspect\nfrom typing import get_type_hints\nDEFAULT = 2\n"
    "def power(n=DEFAULT, *, m=1):\n    return n + m\ndef named(a: int, b=1):\n"
    "    return 3\ndef run():\n"
    "    return power(), str(inspect.signature(named)), str(get_type_hints(named))\n",
    runs("a constant in a default", "DEFAULT = 2", "DEFAULT = 3"),
    runs("a default of what was executed", "m=1", "m=2"),
    runs("a default of what was named", "b=1", "b=2"),
    runs("an annotation of what was named", "a: int", "a: str"),
    stays("the body of what was named only", "return 3", "return 4"),
)

# Imports

form(
    "import_that_falls_back",
    "try:\n    from fast import f\nexcept ImportError:\n    from slow import f\ndef run():\n"
    "    return f()\n",
    file("slow.py", "def f():\n    return 6\n"),
    runs("the module in use", "return 6", "return 5", in_file="slow.py"),
    runs("a new module that takes precedence", write("fast.py", "def f():\n    return 3\n")),
)
form(
    "import_that_does_not_fall_back",
    "try:\n    from quick import f\nexcept ImportError:\n    from slow import f\n"
    "def run():\n    return f()\n",
    file("quick.py", "def f():\n    return 3\n"),
    file("slow.py", "def f():\n    return 6\n"),
    runs("the module in use", "return 3", "return 4", in_file="quick.py"),
    stays("the module that was never imported", "return 6", "return 5", in_file="slow.py"),
    runs("the module in use deleted", delete("quick.py")),
)
form(
    "branches_that_import_one_name",
    "def run(flag):\n    if flag:\n        from one import f\n    else:\n"
    "        from two import f\n    return f()\n",
    file("one.py", "def f():\n    return 1\n"),
    file("two.py", "def f():\n    return 2\n"),
    runs("the branch taken", "return 2", "return 3", in_file="two.py"),
    stays("the other branch", "return 1", "return 3", in_file="one.py"),
    value="lib.run(False)",
)
form(
    "branches_of_a_module",
    "import sys\nif sys.maxsize > 1:\n    from one import f\nelse:\n    from two import f\n"
    "def run():\n    return f()\n",
    file("one.py", "def f():\n    return 1\n"),
    file("two.py", "def f():\n    return 2\n"),
    runs("the branch taken", "return 1", "return 3", in_file="one.py"),
    stays("the other branch", "return 2", "return 3", in_file="two.py"),
)
form(
    "methods_that_import_one_name",
    "class C:\n    def first(self):\n        from one import f\n        return f()\n"
    "    def second(self):\n        from two import f\n        return f()\n",
    file("one.py", "from numbers_of_one import N\ndef f():\n    return N\n"),
    file("numbers_of_one.py", "N = 1\n"),
    file("two.py", "def f():\n    return 2\n"),
    runs("the first", "N = 1", "N = 5", in_file="numbers_of_one.py"),
    runs("the second", "return 2", "return 5", in_file="two.py"),
    value="lib.C().first() + lib.C().second()",
)
form(
    "star",
    "from api import *\ndef run():\n    return scale(1), round(1.6)\n",
    file("api.py", "from deep import scale\nOTHER = 1\n"),
    file("deep.py", "def scale(x):\n    return x\n"),
    runs("what is re-exported", "return x", "return x + 1", in_file="deep.py"),
    runs(
        "a name that now shadows a built-in one",
        append("api.py", "\ndef round(x):\n    return 0\n"),
    ),
    runs(
        "a new __all__",
        both(
            append("api.py", '\n__all__ = ["scale", "round"]\n'),
            append("api.py", "\ndef round(x):\n    return 1\n"),
        ),
    ),
)
form(
    "name_of_a_submodule",
    "from package import scale\ndef run():\n    return scale(1)\n",
    file("package/__init__.py", "from package.scale import scale\n"),
    file("package/scale.py", "def scale(x):\n    return x + FACTOR\nFACTOR = 1\n"),
    runs("the function", "return x", "return x + x", in_file="package/scale.py"),
    runs("a constant that it names", "FACTOR = 1", "FACTOR = 2", in_file="package/scale.py"),
    runs(
        "the package binds another",
        append("package/__init__.py", "\ndef scale(x):\n    return 9\n"),
    ),
)
form(
    "precedence",
    "import tool\ndef run():\n    return tool.X\n",
    file("tool.py", "X = 1\n"),
    runs("a package that precedes a module", write("tool/__init__.py", "X = 2\n")),
)
form(
    "import_order",
    "import registry\nimport one\nimport two\ndef run():\n    return registry.KNOWN\n",
    file("registry.py", "KNOWN = []\ndef add(name):\n    KNOWN.append(name)\n"),
    file("one.py", 'import registry\nregistry.add("one")\n'),
    file("two.py", 'import registry\nregistry.add("two")\n'),
    runs("two imports swapped", "one\nimport two", "two\nimport one"),
    runs("an import that does something", '"one"', '"three"', in_file="one.py"),
    runs("an import taken away", "import one\n", ""),
)
form(
    "patched_on_import",
    "import base\nimport patch\ndef run():\n    return base.f()\n",
    file("base.py", "def f():\n    return 1\n"),
    file("patch.py", "import base\ndef g():\n    return 2\nbase.f = g\n"),
    runs("the patch", "return 2", "return 3", in_file="patch.py"),
    stays("what was patched away", "return 1", "return 3", in_file="base.py"),
    runs("the statement that patches", "base.f = g\n", "", in_file="patch.py"),
)
form(
    "main_block",
    "def run():\n    return 1\ndef main():\n    return 2\nLIMIT = 3\n"
    'if __name__ == "__main__":\n    main()\n    print(LIMIT)\n',
    stays("what only the block calls", "return 2", "return 3"),
    stays("a constant that only the block names", "LIMIT = 3", "LIMIT = 4"),
    stays("the block itself", "print(LIMIT)", "print(LIMIT + 1)"),
    runs("what was executed", "return 1", "return 5"),
)
form(
    "asks_whether_it_is_run_by_snakemake",
    "def run():\n    return 1\ndef unused():\n    return 2\n",
    stays("what was not executed", "return 2", "return 3"),
    runs("what was executed", "return 1", "return 3"),
    before='if "snakemake" not in globals():\n    raise SystemExit("by Snakemake only")\n',
)
form(
    "module_that_cannot_be_read",
    "try:\n    from modern import f\nexcept SyntaxError:\n    from plain import f\n"
    "def run():\n    return f()\n",
    file("modern.py", "def f(:\n    return 1\n"),
    file("plain.py", "def f():\n    return 2\n"),
    runs("it now can be", "(:", "():", in_file="modern.py"),
    runs("the module in its place", "return 2", "return 3", in_file="plain.py"),
)
form(
    "path_of_the_script",
    "import far\ndef run():\n    return far.X\n",
    file("vendor/far.py", "X = 1\n"),
    runs("a module in a folder put on the path", "X = 1", "X = 2", in_file="vendor/far.py"),
    imports="import sys\nsys.path.insert(0, str(Path(__file__).parent / 'vendor'))\nimport lib",
)
form(
    "link_to_a_module",
    file("real/lib.txt", "def run():\n    return 1\n"),
    file("lib.py -> ", "real/lib.txt"),
    runs("the file that it leads to", "return 1", "return 2", in_file="real/lib.txt"),
)

# Constants and new names

form(
    "constants",
    "import plain\nfrom consts import LIMIT as TOP, B, LATE\ndef run():\n"
    "    return TOP, B, LATE, plain.FIRST, plain.SECOND\n",
    file("consts.py", "LIMIT = 1\nA = 1\nB = A + 1\nSIZE = 1\nLATE = SIZE\nSIZE = 2\nUNUSED = 1\n"),
    file("plain.py", "FIRST = 1\nSECOND = 2\nUNUSED = 3\n"),
    runs("imported under another name", "LIMIT = 1", "LIMIT = 2", in_file="consts.py"),
    runs("of which another is computed", "A = 1", "A = 2", in_file="consts.py"),
    runs(
        "the order, where one is bound twice",
        "LATE = SIZE\nSIZE = 2\n",
        "SIZE = 2\nLATE = SIZE\n",
        in_file="consts.py",
    ),
    stays("one that nobody names", "UNUSED = 3", "UNUSED = 4", in_file="plain.py"),
    stays(
        "the order of others",
        "FIRST = 1\nSECOND = 2\n",
        "SECOND = 2\nFIRST = 1\n",
        in_file="plain.py",
    ),
)
form(
    "constants_with_effects",
    "TOTAL = 1\nTOTAL += 1\nX, (Y, *Z) = 1, (2, 3)\nif TOTAL > 1:\n    MORE = 1\nelse:\n"
    "    MORE = 2\nfor EACH in [1, 2]:\n    LAST = EACH\nTABLE = {}\nTABLE['a'] = 1\n"
    "SQUARES = [n * n for n in range(3)]\nDOUBLE = lambda n: 2 * n\ndef run():\n"
    "    return TOTAL, X, Y, Z, MORE, LAST, TABLE, SQUARES, DOUBLE(1)\n",
    runs("augmented", "+= 1", "+= 2"),
    runs("unpacked", "(2, 3)", "(4, 3)"),
    runs("in a branch", "MORE = 1", "MORE = 3"),
    runs("in a loop", "[1, 2]", "[1, 3]"),
    runs("an item", "['a'] = 1", "['a'] = 2"),
    runs("a comprehension", "n * n for", "n + n for"),
    runs("a lambda", "2 * n", "3 * n"),
)
form(
    "tables_of_functions",
    "from functools import partial\ndef one():\n    return 1\ndef two():\n    return 2\n"
    "def add(a, b):\n    return a + b\nTABLE = {'one': one, 'two': two}\n"
    "ADD = partial(add, 3)\ndef run(name):\n    return TABLE[name](), ADD(4)\n",
    runs("the function taken", "return 1", "return 5"),
    stays("the function not taken", "return 2", "return 5"),
    runs("the table", "'one': one", "'one': two"),
    runs("a partial function", "a + b", "a - b"),
    runs("an argument of a partial function", "add, 3", "add, 5"),
    value="lib.run('one')",
)
form(
    "new_names",
    "import other\ndef run():\n"
    "    found = hasattr(other, 'turbo'), getattr(other, 'absent', 0)\n"
    "    return round(1.26, 1), *found\n",
    file("other.py", "X = 1\n"),
    runs(
        "a function with the name of a built-in one",
        append("lib.py", "\ndef round(x, n=0):\n    return 0\n"),
    ),
    runs("hasattr(module, name), now there", append("other.py", "\ndef turbo():\n    return 1\n")),
    runs("getattr(module, name, default), now there", append("other.py", "absent = 1\n")),
    runs(
        "a module gains __getattr__", append("other.py", "\ndef __getattr__(name):\n    return 5\n")
    ),
    stays("a name that nobody mentions", append("other.py", "\nUNUSED = 1\n")),
)
form(
    "global_statement",
    "COUNT = 0\ndef step():\n    global COUNT\n    COUNT += 1\ndef run():\n    step()\n"
    "    return COUNT\n",
    runs("its first value", "COUNT = 0", "COUNT = 1"),
)

# Classes and decorators

form(
    "inheritance",
    "from base import Base, Left, Right\nclass Child(Base):\n    size = 1\n"
    "    def other(self):\n        return 2\nclass Mixed(Left, Right):\n    pass\n"
    "class Unused:\n    def nothing(self):\n        return 3\ndef run():\n"
    "    child = Child()\n"
    "    return child.forward(), bool(child), child == Child(), child.size, "
    "hasattr(child, 'more'), Mixed().side()\n",
    file(
        "base.py",
        "class Base:\n    def forward(self):\n        return 1\nclass Left:\n"
        "    def side(self):\n        return 'left'\nclass Right:\n    def side(self):\n"
        "        return 'right'\n",
    ),
    runs("a method that it inherited", "return 1", "return 2", in_file="base.py"),
    runs(
        "it gains a method that it inherited",
        "    size = 1",
        "    size = 1\n    def forward(self):\n        return 7",
    ),
    runs(
        "its base gains a special method",
        "class Base:",
        "class Base:\n    def __len__(self):\n        return 0\n",
        in_file="base.py",
    ),
    runs(
        "its base gains __eq__",
        "class Base:",
        "class Base:\n    def __eq__(self, other):\n        return True\n",
        in_file="base.py",
    ),
    runs(
        "it gains __getattr__",
        "    size = 1",
        "    size = 1\n    def __getattr__(self, name):\n        return 7",
    ),
    runs("an attribute of the class", "size = 1", "size = 2"),
    runs("the order of its bases", "Left, Right):", "Right, Left):"),
    runs("another base", "Child(Base)", "Child(Left)"),
    stays("a method that did not run", "return 2", "return 5"),
    stays("a method of a class that nobody names", "return 3", "return 5"),
    stays(
        "a class that nobody names gains a method",
        "class Unused:",
        "class Unused:\n    def more(self):\n        return 7\n",
    ),
    stays("a method whose object nobody makes", "'right'", "'other'", in_file="base.py"),
)
form(
    "registered_by_subclassing",
    "from base import Plugin\nclass First(Plugin):\n    kind = 'one'\n    value = 1\n"
    "class Second(Plugin):\n    kind = 'two'\n    value = 2\ndef run():\n"
    "    return Plugin.known['one'].value, [*Plugin.known]\n",
    file(
        "base.py",
        "class Plugin:\n    known = {}\n    def __init_subclass__(cls):\n"
        "        Plugin.known[cls.kind] = cls\n",
    ),
    runs("one takes the key of another", "kind = 'two'", "kind = 'one'"),
    runs(
        "a new one", append("lib.py", "\nclass Third(Plugin):\n    kind = 'one'\n    value = 9\n")
    ),
    runs(
        "their order",
        write(
            "lib.py",
            "from base import Plugin\nclass Second(Plugin):\n    kind = 'two'\n"
            "    value = 2\nclass First(Plugin):\n    kind = 'one'\n    value = 1\n"
            "def run():\n    return Plugin.known['one'].value, [*Plugin.known]\n",
        ),
    ),
    runs("how they register", "[cls.kind] = cls", "['one'] = cls", in_file="base.py"),
)
form(
    "registered_by_a_metaclass",
    "import base\nclass First(base.Base):\n    pass\ndef run():\n    return base.Meta.known\n",
    file(
        "base.py",
        "class Meta(type):\n    known = []\n    def __new__(meta, name, bases, body):\n"
        "        cls = super().__new__(meta, name, bases, body)\n"
        "        meta.known.append(name)\n        return cls\nclass Base(metaclass=Meta):\n"
        "    pass\n",
    ),
    runs("a new one", append("lib.py", "\nclass Second(base.Base):\n    pass\n")),
    runs("how they register", "append(name)", "append(name * 2)", in_file="base.py"),
)
form(
    "registered_by_a_decorator",
    "KNOWN = {}\ndef register(function):\n    KNOWN[function.__name__] = function\n"
    "    return function\n@register\ndef one():\n    return 1\ndef run():\n"
    "    return {k: f() for k, f in KNOWN.items()}\n",
    runs("a new one", append("lib.py", "\n@register\ndef two():\n    return 2\n")),
    runs("the function", "return 1", "return 2"),
    runs("no longer registered", "@register\ndef one", "def one"),
)
form(
    "subclasses_listed",
    "class Base:\n    pass\nclass One(Base):\n    pass\ndef run():\n"
    "    return [cls.__name__ for cls in Base.__subclasses__()]\n",
    runs("a new one", append("lib.py", "\nclass Two(Base):\n    pass\n")),
)
form(
    "decorated",
    "from tools import keep, KEPT, scaled\n@keep\ndef kept():\n    return 77\n@scaled(2)\n"
    "def used():\n    return 1\ndef run():\n    return str(KEPT), used()\n",
    file(
        "tools.py",
        "from functools import wraps\nKEPT = []\ndef keep(function):\n"
        "    KEPT.append(function.__code__.co_consts)\n    return function\n"
        "def scaled(factor):\n    def decorate(function):\n        @wraps(function)\n"
        "        def inner():\n            return factor * function()\n"
        "        return inner\n    return decorate\n",
    ),
    runs("a function that the decorator keeps", "return 77", "return 78"),
    runs("the decorator", "return factor *", "return factor +", in_file="tools.py"),
    runs("its argument", "scaled(2)", "scaled(3)"),
    runs("the decorator taken away", "@scaled(2)\n", ""),
)
form(
    "dataclass",
    "from dataclasses import dataclass, field, fields\nfrom enum import Enum\n"
    "from typing import NamedTuple, get_type_hints\nBASE = 3\n@dataclass\nclass Size:\n"
    "    width: int = BASE\n    more: list = field(default_factory=list)\n    @property\n"
    "    def double(self):\n        return self.width * 2\nclass Point(NamedTuple):\n"
    "    x: int = 1\nclass Kind(Enum):\n    ONE = 'one'\nclass Tagged:\n    tag: int\n"
    "def run():\n"
    "    return Size().double, Point().x, Kind.ONE.value, str(get_type_hints(Tagged)), "
    "len(fields(Size)), repr(Size())[:5]\n",
    runs("a constant in a default", "BASE = 3", "BASE = 4"),
    runs("a default", "width: int = BASE", "width: int = 5"),
    runs("a property", "self.width * 2", "self.width * 3"),
    runs("a field of a named tuple", "x: int = 1", "x: int = 2"),
    runs("a member of an enumeration", "ONE = 'one'", "ONE = 'two'"),
    runs("an annotation", "tag: int", "tag: str"),
    runs("a new field", "BASE\n    more", "BASE\n    less: int = 1\n    more"),
    runs("the decorator", "@dataclass\n", "@dataclass(repr=False)\n"),
)
form(
    "special_methods",
    "class Named:\n    def __set_name__(self, owner, name):\n"
    "        self.name = name + 'a'\n    def __get__(self, instance, owner):\n"
    "        return self.name\nclass Box:\n    field = Named()\n"
    "    def __add__(self, other):\n        return 2\n    def __enter__(self):\n"
    "        return 3\n    def __exit__(self, *args):\n        return True\n"
    "    @staticmethod\n    def plain():\n        return 4\n    @classmethod\n"
    "    def of_class(cls):\n        return 5\n    def __class_getitem__(cls, item):\n"
    "        return 6\ndef run():\n    with Box() as value:\n        pass\n"
    "    return Box().field, Box() + 1, value, Box.plain(), Box.of_class(), Box[0]\n",
    runs("__set_name__", "name + 'a'", "name + 'b'"),
    runs("__add__", "return 2", "return 0"),
    runs("__enter__", "return 3", "return 0"),
    runs("a static method", "return 4", "return 0"),
    runs("a class method", "return 5", "return 0"),
    runs("__class_getitem__", "return 6", "return 0"),
)

# Names that are computed

form(
    "getattr_of_a_computed_name",
    "import sys\ndef fit_1():\n    return 1\nLIMIT_1 = 5\ndef run():\n"
    "    me = sys.modules[__name__]\n"
    "    return [getattr(me, f'fit_{1}')(), getattr(me, f'LIMIT_{1}'), hasattr(me, "
    "'step_' + str(9))]\n",
    file("classes.py", "class C:\n    def no(self):\n        return 'unused'\n"),
    runs("the function", "return 1\n", "return 2\n"),
    runs("the constant", "LIMIT_1 = 5", "LIMIT_1 = 6"),
    runs("a computed name that is now there", append("lib.py", "\ndef step_9():\n    return 1\n")),
    stays("a method that did not run", "'unused'", "'other'", in_file="classes.py"),
    imports="import classes\nimport lib",
)
# Ways to a constant of a module without its name.
for name, way in {
    "way_globals": "globals()['LIM' + 'IT']",
    "way_vars": "vars(sys.modules[__name__])['LIM' + 'IT']",
    "way_module_dict": "sys.modules[__name__].__dict__['LIM' + 'IT']",
    "way_function_globals": "run.__globals__['LIM' + 'IT']",
    "way_resolve_name": "pkgutil.resolve_name(__name__ + ':' + 'LIM' + 'IT')",
    "way_attrgetter": "operator.attrgetter('LIM' + 'IT')(sys.modules[__name__])",
    "way_eval": "eval('LIM' + 'IT')",
    "way_getmembers": "dict(inspect.getmembers(sys.modules[__name__]))['LIM' + 'IT']",
    "way_getattribute": "sys.modules[__name__].__getattribute__('LIM' + 'IT')",
    "way_import_module": "getattr(importlib.import_module('l' + 'ib'), 'LIM' + 'IT')",
    "way_getattr_static": "inspect.getattr_static(sys.modules[__name__], 'LIM' + 'IT')",
    "way_getattr_under_another_name": "GET(sys.modules[__name__], 'LIM' + 'IT')",
    "way_map_of_getattr": "[*map(getattr, [sys.modules[__name__]], ['LIM' + 'IT'])]",
    "way_dir": "len([each for each in dir(sys.modules[__name__]) if each.isupper()])",
    "way_frame": "sys._getframe().f_globals['LIM' + 'IT']",
}.items():
    form(
        name,
        "import importlib\nimport inspect\nimport operator\nimport pkgutil\nimport sys\nLIMIT = 1\n"
        f"GET = getattr\ndef run():\n    return {way}\n",
        runs("a new constant", append("lib.py", "MORE = 1\n"))
        if name == "way_dir"
        else runs("the constant", "LIMIT = 1", "LIMIT = 2"),
    )

# The text of the source as data

form(
    "docstrings",
    "import other\ndef f():\n    '''Help.'''\n    return 1\ndef run():\n    return f.__doc__\n",
    file("other.py", "'''Help.'''\nX = 1\n"),
    runs("a docstring that is read", "Help.", "More help."),
)
form(
    "docstring_of_a_module",
    "'''Help.'''\ndef run():\n    return __doc__\n",
    runs("it is read", "Help.", "More help."),
)
form(
    "getdoc",
    "import inspect\nclass Some:\n    '''Help.'''\ndef run():\n    return inspect.getdoc(Some)\n",
    runs("the docstring of a class", "Help.", "More help."),
)
form(
    "getsource",
    "import inspect\nimport other\ndef run():\n    return inspect.getsource(other.f)\n",
    file("other.py", "def f():\n    '''Help.'''\n    return 1  # A comment.\n"),
    runs("a comment", "# A comment.", "# Another.", in_file="other.py"),
    runs("a docstring", "Help.", "More help.", in_file="other.py"),
)
form(
    "line_numbers",
    "import sys\ndef run():\n    return sys._getframe().f_lineno\n",
    runs("a line more", "\ndef", "\n\ndef"),
)
form(
    "reads_its_own_file",
    "from pathlib import Path\ndef run():\n    return len(Path(__file__).read_text())\n",
    runs("a comment", append("lib.py", "# A comment.\n")),
)

# Files

form(
    "data_in_a_folder",
    "from pathlib import Path\nHERE = Path(__file__).parent\ndef run():\n    found = []\n"
    "    if (HERE / 'scales' / 'override.txt').exists():\n        found = ['override']\n"
    "    return [(HERE / 'scales' / 'normal.txt').read_text(), *found]\n",
    file("scales/normal.txt", "1\n"),
    file("scales/unread.txt", "1\n"),
    runs("the file", "1", "2", in_file="scales/normal.txt"),
    stays("a file that nobody reads", "1", "2", in_file="scales/unread.txt"),
    runs("the file deleted", delete("scales/normal.txt")),
    runs("a file whose absence was looked at", write("scales/override.txt")),
    stays("a new file that nobody looks for", write("scales/new.txt")),
)
form(
    "absence",
    "import os\nfrom pathlib import Path\nHERE = os.path.dirname(__file__)\ndef at(name):\n"
    "    return os.path.join(HERE, name)\ndef tried():\n    try:\n"
    "        return open(at('by_open')).read()\n    except OSError:\n        return None\n"
    "def run():\n"
    "    return [os.path.exists(at('by_exists')), os.path.isfile(at('by_isfile')), "
    "os.access(at('by_access'), os.R_OK), os.path.lexists(at('by_lexists')), "
    "os.path.isdir(at('by_isdir')), Path(at('by_path')).is_file(), "
    "os.path.islink(at('by_islink')), tried()]\n",
    runs("looked for by exists", write("by_exists")),
    runs("looked for by isfile", write("by_isfile")),
    runs("looked for by access", write("by_access")),
    runs("looked for by lexists", write("by_lexists")),
    runs("looked for by path", write("by_path")),
    runs("looked for by open", write("by_open")),
    runs("looked for by isdir", write("by_isdir/file")),
)
form(
    "size_of_a_file",
    "import os\ndef run():\n    there = os.path.dirname(__file__)\n"
    "    return os.path.getsize(os.path.join(there, 'data.txt'))\n",
    file("data.txt", "1\n"),
    runs("longer", append("data.txt", "2\n")),
)
form(
    "listings",
    "import glob\nimport os\nimport pkgutil\nfrom pathlib import Path\nimport plugins\n"
    "HERE = Path(__file__).parent\ndef run():\n"
    "    return [sorted(m.name for m in pkgutil.iter_modules(plugins.__path__)), "
    "sorted(os.listdir(HERE / 'listed')), sorted(p.name for p in (HERE / "
    "'iterated').iterdir()), sorted(p.name for p in (HERE / 'globbed').glob('*.txt')), "
    "sorted(os.path.basename(p) for p in glob.glob(str(HERE / 'old_globbed' / '*'))), "
    "sorted(each for *_, files in os.walk(HERE / 'walked') for each in files)]\n",
    file("plugins/__init__.py", ""),
    file("plugins/a.py", "N = 1\n"),
    file("listed/a.txt", ""),
    file("iterated/a.txt", ""),
    file("globbed/a.txt", ""),
    file("old_globbed/a.txt", ""),
    file("walked/deep/a.txt", ""),
    runs("a new plugin", write("plugins/b.py", "N = 2\n")),
    runs("listdir", write("listed/b.txt")),
    runs("iterdir", write("iterated/b.txt")),
    runs("Path.glob", write("globbed/b.txt")),
    runs("glob.glob", write("old_globbed/b.txt")),
    runs("walk", write("walked/deep/b.txt")),
    runs("a file deleted", delete("listed/a.txt")),
    stays("a file where nobody looks", write("elsewhere/b.txt")),
    stays("a module that was listed, not imported", "N = 1", "N = 2", in_file="plugins/a.py"),
)
form(
    "resources",
    "from importlib.resources import files\ndef run():\n"
    "    return (files('package') / 'table.txt').read_text()\n",
    file("package/__init__.py", ""),
    file("package/table.txt", "1\n"),
    runs("the file", "1", "2", in_file="package/table.txt"),
)
form(
    "opened_in_other_ways",
    "import mmap\nimport os\nimport shutil\nimport tempfile\nfrom pathlib import Path\n"
    "HERE = Path(__file__).parent\ndef low():\n"
    "    number = os.open(HERE / 'low.txt', os.O_RDONLY)\n    data = os.read(number, 9)\n"
    "    os.close(number)\n    return data\ndef mapped():\n"
    "    with open(HERE / 'mapped.txt', 'rb') as file:\n"
    "        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)[:]\ndef copied():\n"
    "    with tempfile.TemporaryDirectory() as folder:\n"
    "        return Path(shutil.copyfile(HERE / 'copied.txt', f'{folder}/a')).read_text()\n"
    "def run():\n    return low(), mapped(), copied()\n",
    file("low.txt", "1\n"),
    file("mapped.txt", "1\n"),
    file("copied.txt", "1\n"),
    runs("os.open", "1", "2", in_file="low.txt"),
    runs("mmap", "1", "2", in_file="mapped.txt"),
    runs("shutil.copyfile", "1", "2", in_file="copied.txt"),
)
form(
    "loaded_by_path",
    "import importlib.util\nimport runpy\nfrom pathlib import Path\n"
    "HERE = Path(__file__).parent\ndef by_spec():\n"
    "    spec = importlib.util.spec_from_file_location('anything', HERE / 'by_spec.py')\n"
    "    module = importlib.util.module_from_spec(spec)\n"
    "    spec.loader.exec_module(module)\n    return module.value()\ndef run():\n"
    "    found = {}\n    exec((HERE / 'by_exec.py').read_text(), found)\n"
    "    return by_spec(), runpy.run_path(str(HERE / 'by_runpy.py'))['X'], found['X']\n",
    file("by_spec.py", "def value():\n    return 55\n"),
    file("by_runpy.py", "X = 1\n"),
    file("by_exec.py", "X = 1\n"),
    runs("spec_from_file_location", "55", "56", in_file="by_spec.py"),
    runs("runpy", "X = 1", "X = 2", in_file="by_runpy.py"),
    runs("exec", "X = 1", "X = 2", in_file="by_exec.py"),
)
form(
    "undeclared_file",
    "",
    runs("a file of the project that the rule does not name", write("../../notes.txt", "other\n")),
    value="open('notes.txt').read()",
)

# Child processes

for method in ("fork", "spawn", "forkserver"):
    form(
        f"pool_by_{method}",
        "import multiprocessing\nimport child\ndef run():\n"
        f"    context = multiprocessing.get_context('{method}')\n"
        "    with context.Pool(1) as pool:\n"
        "        return pool.apply(child.work)\n",
        file("child.py", "def work(*args):\n    return 44\n"),
        runs("a function that runs in the child", "return 44", "return 45", in_file="child.py"),
        main_guard=True,
    )
form(
    "executor",
    "from concurrent.futures import ProcessPoolExecutor\nimport child\ndef run():\n"
    "    with ProcessPoolExecutor(1) as pool:\n        return [*pool.map(child.work, [1])]\n",
    file("child.py", "def work(*args):\n    return 44\n"),
    runs("a function that runs in the child", "return 44", "return 45", in_file="child.py"),
    main_guard=True,
)
form(
    "programs",
    "import os\nimport subprocess\nimport sys\nfrom pathlib import Path\n"
    "HERE = Path(__file__).parent\ndef run():\n"
    "    output = subprocess.check_output([sys.executable, HERE / 'program.py'], "
    "text=True)\n    return output\n",
    file("program.py", "import part\nprint(part.X)\n"),
    file("part.py", "X = 1\n"),
    runs("the program", "print(part.X)", "print(part.X + 1)", in_file="program.py"),
    runs("a module of the program", "X = 1", "X = 2", in_file="part.py"),
)
form(
    "os_system",
    "import os\nimport sys\nfrom pathlib import Path\nHERE = Path(__file__).parent\n"
    "def run():\n    program = HERE / 'program.py'\n"
    '    return os.system(f\'"{sys.executable}" "{program}"\') >> 8\n',
    file("program.py", "raise SystemExit(3)\n"),
    runs("the program", "(3)", "(4)", in_file="program.py"),
)
form(
    "reads_a_file_for_us",
    "import subprocess\nfrom pathlib import Path\nHERE = Path(__file__).parent\ndef run():\n"
    "    output = subprocess.check_output(['cat', HERE / 'table.txt'])\n"
    "    return output.decode()\n",
    file("table.txt", "1\n"),
    runs("the file that is its argument", "1", "2", in_file="table.txt"),
)
form(
    "harmless_children",
    "import platform\nimport subprocess\nimport sys\nimport other\ndef run():\n"
    "    platform.processor()\n    subprocess.check_output(['true'])\n"
    "    subprocess.check_output([sys.executable, '-I', '-c', '1'])\n    return 1\n",
    file("other.py", "def unused():\n    return 1\n"),
    stays("what nobody executes", "return 1", "return 2", in_file="other.py"),
)


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
    return "\n\n".join([start, *rules, "watch(workflow)\n"])
