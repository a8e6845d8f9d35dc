"""Read back who may write on whose behalf: the milter's own word, pair by pair."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .asking import Answer
from .expected import Expected

if TYPE_CHECKING:
    from .read_back import Round


def judge(read: Round, one: Expected, status: Answer) -> None:
    """status: what the milter answered, who of the pairs it was asked about may write on whose behalf among it."""
    result, may = read.results[one.todo.todo], {tuple(pair) for pair in status.get("behalf", ())}
    for pair in sorted(one.behalf | one.no_behalf):
        if (pair in may) != (pair in one.behalf):
            result.differs(f"milter: {pair[1]} may {'still' if pair in may else 'not yet'} write for {pair[0]}")
    for sender in sorted({sender for sender, _ in one.behalf | one.no_behalf}):
        read.add(result, f"milter behalf of {sender}", sorted(who for of, who in may if of == sender), "milter")
