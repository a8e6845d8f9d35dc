"""Read back to where filters may pass mail on, and where never: asked of the milter, which judges it (sieve_out.py)."""

from typing import TYPE_CHECKING

from .expected import Expected, Pair
from .milter_status import milter_said

if TYPE_CHECKING:
    from .read_back import Round

WHO = "milter"
# What it is asked for → in words.
SORTS = {"allowed": "filters of {0} may pass mail on to {1}", "forbidden": "filters of {0} never pass mail on to {1}"}


def judge(round: "Round") -> None:
    pairs = {sort: sorted({p for one in round.expected for half in _of(one, sort) for p in half}) for sort in SORTS}
    touched = [one for one in round.expected if any(half for sort in SORTS for half in _of(one, sort))]
    if not touched:
        return
    said = milter_said(round.config, dict(pairs))
    generation = said.get("maps")
    known = generation if isinstance(generation, int) and pairs.keys() <= said.keys() else -1
    round.judge_generation(WHO, "maps", known, said, touched)
    for sort in SORTS if known >= 0 else ():
        there = {(source, target) for source, target in said[sort]}
        for one in touched:
            _judge(round, one, sort, there)


def _of(one: Expected, sort: str) -> tuple[set[Pair], set[Pair]]:
    """Those that are to stand, and those that are not."""
    return (one.allowed, one.not_allowed) if sort == "allowed" else (one.forbidden, one.not_forbidden)


def _judge(round: "Round", one: Expected, sort: str, there: set[Pair]) -> None:
    result, (wanted, unwanted) = round.results[one.todo.todo], _of(one, sort)
    for pair in sorted(wanted | unwanted):
        words = SORTS[sort].format(*pair)
        if (pair in there) != (pair in wanted):
            result.differs(f"it is {'' if pair in there else 'not '}so that {words}")
        round.add(result, words, pair in there, WHO)
