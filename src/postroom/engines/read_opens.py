"""Others' mailboxes: made open for who may, and read back. Dovecot itself says what each of them may do there, now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import opening
from .asking import Answer
from .expected import Expected

if TYPE_CHECKING:
    from .read_back import Round


MOST = 100  # a round: each question is a command of its own, and sessions that end wait for the round
AT_ONCE = 20  # logins, in one question


def judge(read: Round) -> None:
    """Those of the batch that somebody opens, or did. What Dovecot needs of each is made first, or once more."""
    these = [one for one in read.expected if one.opens or one.no_opens]
    for one in these[:MOST]:
        pairs = sorted(one.opens.keys() | one.no_opens)
        made = [_let(read, one, address) for address in sorted({address for address, _ in pairs})]
        if all(made):
            _judge(read, one, pairs)
    for one in these[MOST:]:
        read.results[one.todo.todo].unknown(f"{MOST} mailboxes that others open were asked about; it is another’s turn")


def _let(read: Round, one: Expected, address: str) -> bool:
    rights = next((rights for (of, _), rights in sorted(one.opens.items()) if of == address), "")
    answer = read.ask({"ask": "let", "address": address, "rights": rights})
    if answer.get("code") != 0:
        read.results[one.todo.todo].unknown(f"dovecot did not take rights of {address}: {_short(answer)}")
    return answer.get("code") == 0


def _judge(read: Round, one: Expected, pairs: list[tuple[str, str]]) -> None:
    result = read.results[one.todo.todo]
    said: dict[tuple[str, str], str] = {}
    for at in range(0, len(pairs), AT_ONCE):
        some = pairs[at : at + AT_ONCE]
        answer = read.ask({"ask": "opened", "pairs": some})
        rows = answer.get("rows", [])
        if answer.get("code") != 0 or len(rows) != len(some):
            result.unknown(f"dovecot did not say who opens what: {_short(answer)}")
            return
        said |= zip(some, rows, strict=True)
    for (address, login), may in said.items():
        wanted = one.opens.get((address, login), "")
        if sorted(may.split()) != sorted(opening.named(wanted)):
            result.differs(f"dovecot: {login} may {may or 'nothing'} in {address}")
        if not wanted and login in read.closing:
            result.differs(f"{login} still has sessions of before")
    for address in sorted({address for address, _ in pairs}):
        found = {login: may for (of, login), may in said.items() if of == address and may}
        read.add(result, f"doveadm acl rights {address}", found, "dovecot")


def _short(answer: Answer) -> str:
    return str(answer)[:200]
