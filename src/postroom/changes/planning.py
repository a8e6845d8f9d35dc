"""The edits of all parts of a change; everything that is wrong with any of them, at once."""

from collections.abc import Collection, Sequence

from .errors import NotRead, Problem, Problems
from .kind import Kind
from .plan import Planned
from .state import State
from .taken import Part, clashes, may_hear


def planned_all(kinds: Sequence[Kind], state: State) -> list[Planned]:
    """Every part's edits, in their order; or Problems, each at its part and parameter."""
    if len(kinds) > 1:
        state.load(ref for kind in kinds for ref in kind.reads())
        state.expect(zone for kind in kinds for zone in kind.needs())
    state.parts = kinds
    parts: list[Part] = []
    problems: list[Problem] = []
    for n, kind in enumerate(kinds):
        place = (str(n) if len(kinds) > 1 else "", kind)
        try:
            parts.append((place, list(kind.plan(state))))
        except (Problem, Problems) as stopped:
            wrong = _with_missing(kind, state, stopped)
            problems += [one.inside(n) for one in wrong] if len(kinds) > 1 else wrong
            claimed: Part = (place, list(kind.claims(state)))
            parts += [claimed] if may_hear(state.access, kind.permission, [claimed]) else []
    taken = list(clashes(parts)) if may_hear(state.access, kinds[0].permission, parts) else []
    if taken or problems:
        raise Problems([*_but_unread(problems, {one.where for one in taken}), *taken])
    return [one for _, planned in parts for one in planned]


def _but_unread(problems: Sequence[Problem], taken: Collection[str]) -> list[Problem]:
    """What somebody else has is not read for whoever asks for it too: that it is taken says all."""
    return [one for one in problems if not (isinstance(one, NotRead) and one.where in taken)]


def _with_missing(kind: Kind, state: State, stopped: Problem | Problems) -> list[Problem]:
    """A plan ends at the first thing it misses: what else its parameters name, and is not there, is said with it."""
    found = list(stopped.problems) if isinstance(stopped, Problems) else [stopped]
    told = {str(one) for one in found}
    others = [one for one in state.missing(kind.names()) if str(one) not in told]
    order = {field: n for n, field in enumerate(type(kind).model_fields)}
    return sorted([*found, *others], key=lambda one: order.get(one.where, len(order)))
