"""Which parts of Python code count, given what was executed, and what these parts are now.

A part is named "FILE:NAME", where NAME is one of
    ""        what runs when the file is imported and may have an effect, in its order
    "=NAME"   what binds a name at the top of the file: a constant, import or class, or the
              signature of a function
    "C.f"     a function, whole
    "<"       the order of classes whose bases may run code when a class is derived from them
    "?"       what follows `if __name__ == "__main__":`
"""

import ast
import builtins
import json
import re
import sys
from collections import namedtuple
from contextlib import suppress

from snakefresh.contents import CACHE, digest, read_json, write

VERSION = "1"  # of these rules: traces made by other rules are not comparable

FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)
MAY_HAVE_EFFECT = (
    ast.Call,
    ast.Await,
    ast.Yield,
    ast.YieldFrom,
    ast.NamedExpr,
    ast.ListComp,
    ast.SetComp,
    ast.DictComp,
)
# Decorators that neither call nor keep a function before it is called.
HARMLESS = {
    "property",
    "setter",
    "staticmethod",
    "classmethod",
    "abstractmethod",
    "cache",
    "lru_cache",
    "cached_property",
    "contextmanager",
    "dataclass",
    "overload",
    "override",
    "wraps",
}
# Bases that run nothing when a class is derived from them.
PLAIN_BASES = {*dir(builtins), "ABC", "Protocol", "NamedTuple", "TypedDict", "Enum", "IntEnum"}
# Who mentions one of these may use any name, or the text of the source.
ANY_NAME = {
    "*",
    "globals",
    "vars",
    "locals",
    "dir",
    "eval",
    "exec",
    "__dict__",
    "__globals__",
    "__subclasses__",
    "getmembers",
    "attrgetter",
    "methodcaller",
    "resolve_name",
    "__getattribute__",
    "getattr_static",
    "_getframe",
    "currentframe",
    "f_globals",
    "f_locals",
}
AS_TEXT = {"__doc__", "getdoc", "f_lineno", "tb_lineno", "co_firstlineno", "getframeinfo"}

# `bases` of a class, else None; `hooks` says whether code runs when a class is derived from it.
Part = namedtuple("Part", "hash names bases hooks", defaults=(None, False))


def definitions(node, prefix=""):
    """Yield (qualified name, node) of the functions below a node that are in no other function."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, FUNCTION):
            yield prefix + child.name, child
        elif not isinstance(child, ast.expr):
            inner = f"{prefix}{child.name}." if isinstance(child, ast.ClassDef) else prefix
            yield from definitions(child, inner)


def remembered_parts(source, tree=None):
    """Return `parts(source)`, from a file in the cache if there is one."""
    memory = CACHE / f"parts-{VERSION}" / digest(source)
    with suppress(AttributeError, TypeError):  # there is none, or it is damaged
        return {name: Part(*part) for name, part in read_json(memory).items()}
    found = parts(source, tree)
    with suppress(OSError):
        write(memory, json.dumps(found, default=sorted))
    return found


def parts(source, tree=None):
    """Return {name: Part} of the source text of a module, as bytes. Raises SyntaxError.

    `tree` is the syntax tree, if it is known already.
    """
    tree, found, order, bound, names = tree or ast.parse(source), {}, [], [], set()
    for name, node in definitions(tree):
        found.setdefault(name, []).append(node)
    found = {name: _part(nodes) for name, nodes in found.items()}
    for node in _statements(tree):
        if _is_main_guard(node):
            found["?"] = _part(node)
            continue
        own = _bindings(node)
        if own is None:  # it runs; who decorates a function may use all of it
            stored = (each for each in ast.walk(node) if isinstance(each, ast.Name))
            bound += [(n.id, None) for n in stored if isinstance(n.ctx, ast.Store)]
            inner = [node] if isinstance(node, FUNCTION) else [f for _, f in definitions(node)]
            whole = any(not _is_harmless(decorators=f.decorator_list) for f in inner)
            order.append(_text(node, names, bodies=whole))
            continue
        bound += own
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            order += _imported(node)
        order.append([each.hash for _, each in own])
    every = [name for name, _ in bound]
    if len({*every}) == len(every) and "*" not in every:
        # Each name is bound once, so the order of what only binds decides nothing.
        order = [each for each in order if isinstance(each, str)]
    for name, own in bound:
        if own:
            before = found.get(f"={name}", own)
            merged = digest(before.hash + own.hash)
            found[f"={name}"] = own._replace(hash=merged, names=before.names | own.names)
    return found | {"": Part(digest(order), frozenset(names))}


def select(executed, script, sources, more, whole=False):
    """Return ({part: hash}, names): what counts if `executed`, {(file, function)}, was.

    `script` is the file that runs as `__main__`. `sources` is {file: its parts}. With `whole`,
    every function counts that counting code names, and so do the modules that it names, which
    `more`, a function from a name to {file: parts}, finds.
    """
    sources = dict(sources)
    found, names, queue, bound, classes = {}, set(), [], {}, {}

    def choose(file, name):
        if (key := f"{file}:{name}") not in found:
            part = sources.get(file, {}).get(name)
            found[key] = part and part.hash
            queue.extend(part.names if part else ())

    def may_run_code(base, seen=()):
        """Whether deriving a class from a base may: of one that is not known here, it may."""
        return base not in classes or (
            base not in seen
            and any(
                each.hooks or any(may_run_code(other, (*seen, base)) for other in each.bases)
                for each in classes[base]
            )
        )

    def add(files):
        for file, own in files.items():
            for name, part in own.items():
                if name.startswith("="):
                    bound.setdefault(name[1:], []).append((file, name))
                elif whole:
                    bound.setdefault(name.rsplit(".", 1)[-1], []).append((file, name))
                if part.bases is not None:
                    classes.setdefault(name[1:], []).append(part)
        for file, own in files.items():
            deriving = [n for n, part in own.items() if any(map(may_run_code, part.bases or ()))]
            if len(deriving) > 1:
                found[f"{file}:<"] = digest(deriving)
            for name in deriving:
                choose(file, name)
            for name in own:
                is_special = re.fullmatch(r"(.*\.)?__\w+__", name)  # used without being named
                runs = name == "" or (name == "?" and file == script)
                if runs or name.startswith("=__") or (whole and is_special):
                    choose(file, name)

    add(sources)
    for file, function in executed:
        choose(file, function)
        choose(file, f"={function.split('.')[0]}")  # its signature, or its class
    while queue:
        if (name := queue.pop()) in names:
            continue
        names.add(name)
        for new, own in more(name).items():
            if new not in sources:
                sources[new] = own
                add({new: own})
                for each in names & {n.lstrip("=").rsplit(".", 1)[-1] for n in own}:
                    queue.append(each)
                    names.discard(each)
        for each in bound if name in ANY_NAME else [name]:
            for file, own in bound.get(each, ()):
                choose(file, own)
    return found, names


def words(source):
    """Return the names that may occur in a source text that cannot be parsed."""
    return frozenset(re.findall(r"\w+", source.decode(errors="replace")))


def _part(nodes, bodies=True, bases=None, hooks=False):
    text = _text(nodes, names := set(), bodies)
    return Part(digest(text), frozenset(names), bases, hooks)


def _statements(node):
    """The statements in a body, without its docstring."""
    return node.body[ast.get_docstring(node, clean=False) is not None :]


def _imported(node):
    """Names of the modules that a statement imports, which may do anything by that.

    Those of the standard library do nothing. What is taken from a module counts if it is used.
    """
    names = [alias.name for alias in node.names]
    if isinstance(node, ast.Import):
        return [n for n in names if n.partition(".")[0] not in sys.stdlib_module_names]
    if not node.level and node.module.partition(".")[0] in sys.stdlib_module_names:
        return []
    taken = names if not node.module or "*" in names else []  # they may be modules, or all names
    return [" ".join(["." * node.level + (node.module or ""), *taken])]


def _is_main_guard(node):
    match node:
        case ast.If(
            test=ast.Compare(
                left=ast.Name("__name__"), ops=[ast.Eq()], comparators=[ast.Constant("__main__")]
            ),
            orelse=[],
        ):
            return True
    return False


def _text(node, names, bodies):
    """A syntax tree as text, equal in all versions of Python; `names` gets what it mentions.

    It is without docstrings, and without the bodies of functions unless `bodies`.
    """
    if isinstance(node, list):
        return f"[{','.join(_text(each, names, bodies) for each in node)}]"
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = {name: getattr(node, name, None) for name in node._fields}
    match node:
        case ast.Compare(
            left=ast.Constant(value=str(name)),
            ops=[ast.In() | ast.NotIn()],
            comparators=[ast.Call(func=ast.Name(id="globals"), args=[])],
        ):
            names.add(name)
            return f"{type(node.ops[0]).__name__} globals: {name}"
        case ast.Name(id="getattr"):  # not called with a constant, which is below
            names.add("*")
        case ast.Name(id=name) | ast.Attribute(attr=name):
            names.add(name)
        case ast.Constant(value=str(name)) if name.isidentifier():
            names.add(name)
        case ast.Constant(value=str(name)) if "{" in name or re.fullmatch(r"[\w.:]+", name):
            names.update(re.findall(r"\w+", name))  # "{0.name}", or a path for resolve_name
        case ast.alias():
            names.update(node.name.split("."))
        case ast.JoinedStr():  # Python 3.12 has more empty strings
            fields["values"] = [v for v in node.values if getattr(v, "value", None) != ""]
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            fields["body"] = _statements(node) if bodies else []
        case ast.ClassDef():
            fields["body"] = _statements(node)
        case ast.Call(func=ast.Name(id="getattr" | "hasattr"), args=[_, ast.Constant(), *_]):
            fields["func"] = node.func.id
        case ast.Call(func=ast.Name(id="hasattr")):
            names.add("*")
    kept = {name: value for name, value in fields.items() if value not in (None, [])}
    inner = ",".join(f"{name}={_text(value, names, bodies)}" for name, value in kept.items())
    return f"{type(node).__name__}({inner})"


def _is_harmless(*nodes, decorators=()):
    """Whether expressions have no effect, and decorators do no more than is known."""
    called = [each.func if isinstance(each, ast.Call) else each for each in decorators]
    return not any(
        isinstance(each, MAY_HAVE_EFFECT) for node in nodes if node for each in ast.walk(node)
    ) and all((getattr(d, "attr", None) or getattr(d, "id", None)) in HARMLESS for d in called)


def _bindings(node):
    """[(name, Part), ...] that a statement binds without any other effect, or None."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            if _is_harmless(node.args, decorators=node.decorator_list):
                return [(node.name, _part(node, bodies=False))]
        case ast.ClassDef() if _is_harmless(decorators=node.decorator_list):
            inner = _statements(node)
            if all(isinstance(each, ast.Pass) or _bindings(each) for each in inner):
                bases = {getattr(base, "attr", getattr(base, "id", "?")) for base in node.bases}
                hooks = "__init_subclass__" in [name for name, _ in definitions(node)]
                part = _part(
                    node, False, frozenset(bases - PLAIN_BASES), hooks or bool(node.keywords)
                )
                return [(node.name, part)]
        case ast.Assign(targets=to) if _is_harmless(node.value):
            if all(isinstance(each, ast.Name) for each in to):
                return [(each.id, _part(node)) for each in to]
        case ast.AnnAssign(target=ast.Name(id=name)) if _is_harmless(node.value):
            return [(name, _part(node))]
        case ast.Import():
            return [
                (alias.asname or alias.name.split(".")[0], _part(ast.Import([alias])))
                for alias in node.names
            ]
        case ast.ImportFrom():
            return [
                (
                    alias.asname or alias.name,
                    _part(ast.ImportFrom(node.module, [alias], node.level)),
                )
                for alias in node.names
            ]
    return None
