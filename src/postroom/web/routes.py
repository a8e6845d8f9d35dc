"""Every route there is, and what its methods say of themselves: for `postroom routes`, and for tests that walk them.

Asks no database; it reads the URLs as the server does.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

from postroom.access.declared import Declared, declared

NOTHING = "NOTHING SAID: answers 403"
HEAD = """# Routes

Made from code by `{command}`; a test compares.

Every address of the pages and the API, method by method: what it takes to be let in (`public`: whoever asks; `own`:
whoever is signed in, of themselves; else a permission, see [permissions](permissions.md)), when a fresh second factor
comes before it, and what of it stands in the record. A refusal always does. A method that says nothing answers 403.
"""
COMMAND = "postroom routes > docs/routes.md"


@dataclass(frozen=True)
class Route:
    """One method of one address. said: None where nothing was."""

    method: str
    path: str
    name: str
    said: Declared | None
    view: Any

    def as_json(self) -> dict[str, str | None]:
        said = asdict(self.said) if self.said else {"permission": None, "step_up": None, "recorded": None}
        return {"method": self.method, "path": self.path, "name": self.name, **said}


def routes(resolver: URLResolver | None = None) -> list[Route]:
    """In the order in which addresses are tried; a view that says nothing at all is one route of any method."""
    return list(_under("/", resolver or get_resolver()))


def _under(prefix: str, resolver: URLResolver) -> Iterator[Route]:
    seen: set[str] = set()
    for one in resolver.url_patterns:
        path = prefix + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from _under(path, one)
        elif path not in seen:  # the library has a pattern an operation, all of them with the same view
            seen.add(path)
            yield from _of(path, one)


def _of(path: str, pattern: URLPattern) -> Iterator[Route]:
    methods = declared(pattern.callback) or {"*": None}
    for method, said in sorted(methods.items()):
        yield Route(method, path, pattern.name or "", said, pattern.callback)


def page() -> str:
    """The page of the docs, as Markdown."""
    lines = [HEAD.format(command=COMMAND), "| Method | Address | Permission | Fresh factor | Recorded |",
             "| --- | --- | --- | --- | --- |"]  # fmt: skip
    return "\n".join([*lines, *map(_line, routes()), ""])


def _line(route: Route) -> str:
    said = route.said
    permission = NOTHING if said is None else f"`{said.permission}`"
    step_up, recorded = (said.step_up, said.recorded) if said else ("", "")
    return f"| {route.method} | `{route.path}` | {permission} | {step_up} | {recorded} |"
