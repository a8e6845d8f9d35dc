"""What holds in this house, each as a function over a folder that lists what breaks it: empty is good.

The tests run each twice: over the code as it is, and over a folder in which the rule is broken on purpose.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

# Bottom first; what stands in one line may import each other. (design: imports point down and never up)
LAYERS = (
    ("protocols",),
    ("models",),
    ("access", "engines", "dns", "resolve", "record", "host"),
    ("changes",),
    ("changes.policies", "offboarding"),
    ("changes.kinds",),
    ("posture", "reports", "probes", "mail_import"),
    ("queries",),
    ("web", "api", "cli", "worker"),
)
LEVEL = {name: level for level, line in enumerate(LAYERS) for name in line}
LIBRARIES = ("protocols", "engines", "dns", "resolve", "record", "host")  # dataclasses in, dataclasses out
OBSERVERS = ("posture", "reports", "probes", "mail_import")  # they suggest; a person or a job submits
DOORS = ("web", "api", "cli")
FORBIDDEN = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "managers"}
FILE, FUNCTION = 300, 40
SENDING = ("execute", "executemany", "raw", "extra")
MANAGERS = ("objects", "_base_manager", "_default_manager")

Found = Iterator[str]


def modules(root: Path, *under: str) -> Iterator[tuple[str, ast.Module, str]]:
    """(path from root, tree, text) of each module (under these folders); migrations are Django's own writing."""
    yield from ((name, parsed(text), text) for name, text in texts(root, *under))


def texts(root: Path, *under: str) -> Iterator[tuple[str, str]]:
    """The same, where nobody needs the tree."""
    for path in sorted(root.rglob("*.py")):
        name = path.relative_to(root).as_posix()
        if "/migrations/" not in f"/{name}" and (not under or name.split("/")[0] in under):
            yield name, path.read_text()


parsed = cache(ast.parse)  # every rule reads the same house


@cache
def nodes(tree: ast.AST) -> tuple[ast.AST, ...]:
    """All of it, walked once for all rules."""
    return tuple(ast.walk(tree))


def layer_of(dotted: str) -> str | None:
    """`changes.kinds.mailboxes` → changes.kinds; None for what stands above all layers (catalogue, settings)."""
    parts = dotted.split(".")
    return next((name for n in (2, 1) if (name := ".".join(parts[:n])) in LEVEL), None)


def imported(name: str, tree: ast.Module) -> Iterator[tuple[int, str]]:
    """(line, dotted name) of everything a module imports; relative ones worked out; ours without `postroom.`"""
    package = ["postroom", *name.removesuffix(".py").split("/")[:-1]]
    for node in nodes(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            dotted = ".".join([*base, *([node.module] if node.module else [])])
            yield node.lineno, dotted
            yield from ((node.lineno, f"{dotted}.{alias.name}") for alias in node.names)


def imports_that_point_up(root: Path) -> Found:
    for name, tree, _ in modules(root):
        mine = layer_of(name.removesuffix(".py").replace("/", "."))
        for line, dotted in imported(name, tree):
            theirs = layer_of(dotted.removeprefix("postroom.")) if dotted.startswith("postroom.") else None
            if mine and dotted.startswith("postroom.catalogue"):
                yield f"{name}:{line} imports the catalogue, which is handed to it"
            if mine and theirs and LEVEL[theirs] > LEVEL[mine]:
                yield f"{name}:{line} imports {dotted}, which stands above {mine}"
            if mine in OBSERVERS and theirs and theirs.startswith("changes"):
                yield f"{name}:{line} imports {dotted}; observers suggest, they do not submit"


def libraries_that_know_django(root: Path) -> Found:
    for name, tree, _ in modules(root, *LIBRARIES):
        for line, dotted in imported(name, tree):
            if dotted.split(".")[0] == "django" or dotted.startswith("postroom.models"):
                yield f"{name}:{line} imports {dotted}; it takes dataclasses"


def sizes(root: Path) -> Found:
    for name, tree, text in modules(root):
        if (lines := text.count("\n")) > FILE:
            yield f"{name} has {lines} lines"
        for node in nodes(tree):
            is_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            if is_function and (lines := (node.end_lineno or 0) - node.lineno + 1) > FUNCTION:
                yield f"{name}:{node.lineno} {node.name} has {lines} lines"


def names_that_say_nothing(root: Path) -> Found:
    for path in sorted([*root.rglob("*.py"), *(p for p in root.rglob("*") if p.is_dir())]):
        if path.stem in FORBIDDEN:
            yield path.relative_to(root).as_posix()


def modules_that_do_not_say_what_they_are(root: Path) -> Found:
    for name, tree, text in modules(root):
        if text.strip() and not ast.get_docstring(tree):
            yield name


def catches_of_everything(root: Path) -> Found:
    for name, tree, _ in modules(root):
        for node in nodes(tree):
            if isinstance(node, ast.ExceptHandler) and not _goes_on(node.body[-1]):
                caught = [ast.unparse(node.type)] if node.type else ["everything"]
                if {"Exception", "BaseException", "everything"} & set(re.findall(r"\w+", caught[0])):
                    yield name


def _goes_on(last: ast.stmt) -> bool:
    """The error is raised again: nothing was swallowed, something was only put in order on the way."""
    return isinstance(last, ast.Raise) and last.exc is None


def asynchronous_defers(root: Path) -> Found:
    """`defer_async` does not vanish with the transaction that applied a change; the synchronous one does."""
    yield from (name for name, text in texts(root) if "defer_async" in text)


WRITES = {"create", "update", "delete", "bulk_create", "bulk_update", "get_or_create", "update_or_create"}


def queries_that_write(root: Path) -> Found:
    """Queries only read; what a door writes beside a change stands with the changes. By the managers' own words."""
    for name, tree, _ in modules(root, "queries"):
        for call in (n for n in nodes(tree) if isinstance(n, ast.Call)):
            if isinstance(call.func, ast.Attribute) and call.func.attr in WRITES:
                yield f"{name} {call.func.attr}"


def truncates(root: Path) -> Found:
    """A test that empties tables leaves locks, sequences and other tests' rows in doubt; a fresh database does not."""
    yield from (name for name, text in texts(root) if re.search(r"\bTRUNCATE\b", text, re.IGNORECASE))


def built_sql(root: Path) -> Found:
    """`file function` of every statement put together from strings: each is read by a person once (REVIEWED)."""
    for name, tree, _ in modules(root):
        for function in (n for n in nodes(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)):
            for call in (n for n in ast.walk(function) if isinstance(n, ast.Call)):
                sends = isinstance(call.func, ast.Attribute) and call.func.attr in (
                    "execute",
                    "executemany",
                    "raw",
                    "extra",
                )
                if sends and call.args and _is_built(call.args[0]):
                    yield f"{name} {function.name}"


def _is_built(statement: ast.expr) -> bool:
    match statement:
        case ast.JoinedStr(values=values):
            return any(isinstance(value, ast.FormattedValue) for value in values)
        case ast.BinOp():
            return True
        case ast.Call(func=ast.Attribute(attr="format" | "join")):
            return True
    return False


def rows_behind_the_back_of_visible(root: Path, state: set[str]) -> Found:
    """In doors and queries a row of state is reached through `visible(actor, Model)` alone; by hand-made SQL never."""
    for name, tree, _ in modules(root, *DOORS, "queries"):
        for node in nodes(tree):
            if not isinstance(node, ast.Attribute):
                continue
            if node.attr in MANAGERS and ast.unparse(node.value).split(".")[-1] in state:
                yield f"{name} {ast.unparse(node)}"
            if ast.unparse(node) == "connection.cursor":
                yield f"{name} connection.cursor"
