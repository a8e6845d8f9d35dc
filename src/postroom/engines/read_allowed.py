"""Read back to where filters may pass mail on: asked of the milter, which judges what they send (sieve_out.py)."""

from typing import TYPE_CHECKING

from .expected import Expected
from .milter_status import milter_said

if TYPE_CHECKING:
    from .read_back import Round

WHO = "milter"


def judge(round: "Round") -> None:
    touched = [one for one in round.expected if one.allowed or one.not_allowed]
    pairs = sorted({pair for one in touched for pair in one.allowed | one.not_allowed})
    if not pairs:
        return
    said = milter_said(round.config, {"allowed": pairs})
    generation = said.get("maps")
    known = generation if isinstance(generation, int) and "allows" in said else -1
    round.judge_generation(WHO, "maps", known, said, touched)
    if known >= 0:
        there = {(source, target) for source, target in said["allows"]}
        for one in touched:
            _judge(round, one, there)


def _judge(round: "Round", one: Expected, there: set[tuple[str, str]]) -> None:
    result = round.results[one.todo.todo]
    for pair in sorted(one.allowed | one.not_allowed):
        if (pair in there) != (pair in one.allowed):
            result.differs(f"filters of {pair[0]} may {'' if pair in there else 'not '}pass mail on to {pair[1]}")
        round.add(result, f"filters of {pair[0]} may pass mail on to {pair[1]}", pair in there, WHO)
