"""What a request asks for, read whole: everything that is wrong with it is said at once, each at its place."""

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from postroom.access.actor import Actor
from postroom.changes.errors import ChangeError, Problem, Problems
from postroom.changes.kind import KINDS, Kind
from postroom.changes.pipeline import dry_run
from postroom.changes.why import too_long

Params = dict[str, Any] | list[dict[str, Any]]


def as_why(why: str) -> str:
    """A reason, or a Problem."""
    if not why.strip():
        raise Problem("why", "say why: whoever looks at this later will ask")
    if wrong := too_long(why.strip()):
        raise Problem("why", wrong)
    return why.strip()


def one_change(name: str, params: Params, why: str, actor: Actor) -> tuple[list[Kind], str]:
    """The parts of one change, and why."""
    kinds, problems = read(name, params, actor)
    return kinds, _reason(problems, why)


def whole_batch(parts: Sequence[tuple[str, Params]], why: str, actor: Actor) -> tuple[list[list[Kind]], str]:
    """The changes of a batch, and why; a place begins with the change it is in."""
    found, problems = [], []
    for n, (name, params) in enumerate(parts):
        kinds, wrong = read(name, params, actor)
        found.append(kinds)
        problems += [at_change(n, one) for one in wrong]
    return found, _reason(problems, why)


def at_change(n: int, one: Problem) -> Problem:
    return type(one)(f"changes.{n}.{one.where}", one.what)


def in_changes(wrong: Problems) -> Problems:
    """What the core says of a batch, part by part, at the places of the request."""
    return Problems([
        type(one)(f"changes.{one.where}", one.what) if one.where[:1].isdecimal() else one for one in wrong.problems
    ])  # fmt: skip


def _reason(problems: list[Problem], why: str) -> str:
    try:
        said = as_why(why)
    except Problem as missing:
        problems = [*problems, missing]
    if problems:
        raise Problems(problems)
    return said


def read(name: str, params: Params, actor: Actor) -> tuple[list[Kind], list[Problem]]:
    """The kinds, and what is wrong with any; what the types let pass in a list is planned, so that it is said too."""
    kind = KINDS.get(name)
    if kind is None:
        return [], [Problem("kind", f"there is no kind {name[:80]!r}; GET /kinds lists them")]
    many = params if isinstance(params, list) else [params]
    good: dict[int, Kind] = {}
    problems: list[Problem] = []
    for n, one in enumerate(many):
        try:
            good[n] = kind.model_validate(one)
        except ValidationError as wrong:
            at = f"{n}." if isinstance(params, list) else ""
            problems += [Problem(at + _where(error["loc"]), _what(error["msg"])) for error in wrong.errors()]
    if problems and good:
        problems += _planned(good, actor)
    return list(good.values()), problems


def _planned(good: dict[int, Kind], actor: Actor) -> list[Problem]:
    """What is wrong with these beside the others, each at its own place in the whole list."""
    places = list(good)
    try:
        dry_run(list(good.values()), actor=actor)
    except Problems as found:
        if len(places) == 1:
            return [one.inside(places[0]) for one in found.problems]
        return [_moved(one, places) for one in found.problems]
    except ChangeError:
        pass  # that is for the whole, once the types are right
    return []


def _moved(one: Problem, places: list[int]) -> Problem:
    n, _, where = one.where.partition(".")
    return type(one)(f"{places[int(n)]}.{where}", one.what) if n.isdecimal() else one


def _where(loc: Sequence[int | str]) -> str:
    return ".".join(map(str, loc)) or "params"


def _what(message: str) -> str:
    return message.removeprefix("Value error, ")
