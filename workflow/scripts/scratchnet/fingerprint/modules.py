"""A module of Python as its definitions, each with a hash of what it says and the names it uses.

The hash is of the syntax tree, so comments, docstrings and formatting do not count, nor does the
order of the definitions. Whatever could have an effect when the module is imported is not taken for
a definition: it belongs to the statements of the module.
"""

import ast
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from scratchnet.fingerprint.values import digest

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
IMPORTS = (ast.Import, ast.ImportFrom)

# Calls and decorators of these have no effect on anything but their result. Any other call that is
# made when a module is imported may have one.
PURE = frozenset(
    {
        *("abs", "bool", "bytes", "classmethod", "dict", "float", "frozenset", "int", "len"),
        *("list", "max", "min", "property", "range", "set", "staticmethod", "str", "tuple"),
        *("abc.abstractmethod", "contextlib.contextmanager", "dataclasses.dataclass"),
        *("dataclasses.field", "functools.cache", "functools.cached_property"),
        *("functools.lru_cache", "functools.total_ordering", "functools.wraps"),
        *("logging.getLogger", "pathlib.Path", "re.compile", "typing.overload"),
    }
)
# Code with one of these words may use definitions that it does not name.
DYNAMIC = frozenset(
    {
        *("eval", "exec", "globals", "locals", "vars", "__import__", "pickle"),
        *("import_module", "exec_module", "metaclass"),
        *("__init_subclass__", "__set_name__", "__subclasses__"),
    }
)


@dataclass(frozen=True)
class Unit:
    """A definition, or all statements of a module that are not definitions.

    `hash` is "" if there is nothing. `names` are the dotted names in the unit, as written.
    `modules` are those that it imports, and `bindings` is {name: dotted path} for what imports
    inside it bind. `files` are texts in it that could be names of files.
    """

    hash: str
    names: frozenset
    modules: frozenset
    files: frozenset
    bindings: Mapping[str, str]


@dataclass(frozen=True)
class Module:
    """What a module consists of. `bindings` are those of the imports at its top level.

    `is_dynamic` says that the module may use definitions that it does not name.
    """

    definitions: Mapping[str, Unit]
    statements: Unit
    bindings: Mapping[str, str]
    is_dynamic: bool


def read_module(source, package, packages):
    """Return the Module with this `source` (bytes) in `package`, a tuple of names.

    `packages` are the names of the packages whose code counts. A script, whose `package` is None,
    has no definitions: all of it runs, in its order.
    """
    if package is None:
        return _read_script(source)
    body = _body(ast.parse(source), source)
    bindings = {}
    for node in body:
        if isinstance(node, IMPORTS):
            bindings |= _bindings(node, package)
    bound = Counter(name for node in body for name in _bound_names(node))
    order_matters = bound.total() > len(bound)
    definitions, statements = {}, []
    for node in body:
        if not order_matters and _is_definition(node, bindings):
            definitions |= dict.fromkeys(_bound_names(node), node)
        else:
            statements.append(node)
    readers = {name: _Reader(source, package) for name in definitions}
    units = {
        name: reader.unit([reader.read(definitions[name])], bindings)
        for name, reader in readers.items()
    }
    reader = _Reader(source, package)
    texts = [
        reader.read_import(node, packages)
        if isinstance(node, IMPORTS) and not order_matters
        else reader.read(node)
        for node in statements
    ]
    words = reader.words.union(*(other.words for other in readers.values()))
    return Module(units, reader.unit(texts, bindings), bindings, not DYNAMIC.isdisjoint(words))


def _read_script(source):
    reader = _Reader(source, ())
    unit = reader.unit([reader.read(node) for node in _body(ast.parse(source), source)], {})
    return Module({}, unit, {}, not DYNAMIC.isdisjoint(reader.words))


class _Reader:
    """Turns nodes of a syntax tree into text, and collects what a Unit has of them."""

    def __init__(self, source, package):
        self.source, self.package = source, package
        self.names, self.words, self.files = set(), set(), set()
        self.modules, self.bindings = set(), {}

    def unit(self, texts, bindings):
        """Return the Unit of all that was read, in a module with these `bindings`."""
        roots = {name.partition(".")[0] for name in self.names} - self.bindings.keys()
        used = [f"{name} is {bindings[name]}" for name in sorted(roots & bindings.keys())]
        for name in roots & bindings.keys():
            self.words.update(bindings[name].split("."))
        lines = [*filter(None, texts), *used]
        sets = map(frozenset, (self.names, self.modules, self.files))
        return Unit(digest("\n".join(lines)) if lines else "", *sets, self.bindings)

    def read_import(self, node, packages):
        """Return the text of an import at the top level: the modules from elsewhere that it runs.

        Importing them may have an effect. What the names stand for counts where they are used.
        """
        self.modules |= _imported_modules(node, self.package)
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            names = [] if node.level else [node.module]
        known = sys.stdlib_module_names.union(packages)
        return " ".join(sorted(name for name in names if name.partition(".")[0] not in known))

    def read(self, node):
        if isinstance(node, list):
            return f"[{','.join(map(self.read, node))}]"
        if not isinstance(node, ast.AST):
            return repr(node)
        if isinstance(node, IMPORTS):
            self.modules |= _imported_modules(node, self.package)
            self.bindings |= _bindings(node, self.package)
            self.words.update(part for path in self.bindings.values() for part in path.split("."))
        elif isinstance(node, ast.Name):
            self.names.add(node.id)
            self.words.add(node.id)
        elif isinstance(node, ast.Attribute):
            self.words.add(node.attr)
            if name := _dotted(node):
                self.names.add(name)
                self.words.add(name.partition(".")[0])
                return f"{name} {type(node.ctx).__name__}"
        elif isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            self.names.add(node.name)
            self.words.add(node.name)
        elif isinstance(node, ast.keyword) and node.arg:
            self.words.add(node.arg)
        elif isinstance(node, ast.Constant) and _may_be_a_file_name(node.value):
            self.files.add(node.value)
        parts = (
            f"{name}={self.read(value)}"
            for name in node._fields
            if (value := self.field(node, name)) not in (None, [])
        )
        return f"{type(node).__name__}({','.join(parts)})"

    def field(self, node, name):
        if name == "body" and isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            return _body(node, self.source)
        return getattr(node, name, None)  # later versions of Python have fields more


def _body(node, source):
    """Return the statements of a node without its docstring, unless the module uses docstrings."""
    if b"__doc__" not in source and ast.get_docstring(node, clean=False) is not None:
        return node.body[1:]
    return node.body


def _may_be_a_file_name(value):
    return isinstance(value, str) and "." in value and len(value) < 100 and "\0" not in value


def _dotted(node):
    """Return "a.b.c" for an expression that is just that, or None."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else None


# ---- Imports.


def _source_of(node, package):
    """Return the module that `from ... import` names, in full."""
    base = package[: len(package) + 1 - node.level] if node.level else ()
    return ".".join([*base, *([node.module] if node.module else [])])


def _bindings(node, package):
    """Return {name: dotted path} for the names that an import statement binds."""
    if isinstance(node, ast.Import):
        return {
            alias.asname or alias.name.partition(".")[0]: (
                alias.name if alias.asname else alias.name.partition(".")[0]
            )
            for alias in node.names
        }
    source = _source_of(node, package)
    return {alias.asname or alias.name: f"{source}.{alias.name}" for alias in node.names}


def _imported_modules(node, package):
    """Return the modules that an import statement runs, and what may be one: `from a import b`."""
    if isinstance(node, ast.Import):
        return {alias.name for alias in node.names}
    source = _source_of(node, package)
    return {source, *(f"{source}.{alias.name}" for alias in node.names)}


# ---- Definitions.


def _bound_names(node):
    """Return the names that a statement at the top level binds."""
    if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
        return {node.name}
    names = set()
    for part in ast.walk(node):
        if isinstance(part, ast.Name) and isinstance(part.ctx, (ast.Store, ast.Del)):
            names.add(part.id)
        elif isinstance(part, (*FUNCTIONS, ast.ClassDef)):
            names.add(part.name)
        elif isinstance(part, ast.alias):
            names.add(part.asname or part.name.partition(".")[0])
    return names


def _is_definition(node, bindings):
    """Return whether all that a statement does is to give a name to something."""
    if isinstance(node, (ast.Assign, ast.AnnAssign)):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if not all(isinstance(target, ast.Name) for target in targets):
            return False
    elif not isinstance(node, (*FUNCTIONS, ast.ClassDef)):
        return False
    return all(_is_pure(part, bindings) for part in _run_at_import(node))


def _run_at_import(node):
    """Yield the expressions and statements of a definition that run when it is made."""
    if isinstance(node, FUNCTIONS):
        yield from (ast.Call(decorator, [], []) for decorator in node.decorator_list)
        yield node.args
    elif isinstance(node, ast.ClassDef):
        yield from (ast.Call(decorator, [], []) for decorator in node.decorator_list)
        yield from [*node.bases, *node.keywords]
        for statement in node.body:
            yield from _run_at_import(statement)
    else:
        yield node


def _is_pure(node, bindings):
    """Return whether all calls in a node are of PURE functions."""
    return all(
        _function_name(part.func, bindings) in PURE
        for part in ast.walk(node)
        if isinstance(part, ast.Call)
    )


def _function_name(node, bindings):
    """Return the full name of the function that is called; of `@cache(maxsize=1)` that of cache."""
    name = _dotted(node.func if isinstance(node, ast.Call) else node)
    if name is None:
        return None
    root, dot, rest = name.partition(".")
    return bindings.get(root, root) + dot + rest
