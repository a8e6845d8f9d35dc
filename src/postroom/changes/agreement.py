"""Whether what a node read back for a change is what the change's objects ought to serve: the node's word is not taken.

The agent compares before it acknowledges; here its answers are compared once more, with the objects as they are
compiled now. Of an object only the newest answers count, and one that is on the node's list again is left to the
change that put it there.
"""

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import connection

from postroom.engines.postfix_maps import handed_to
from postroom.engines.read_signing import SIGNING, in_use
from postroom.engines.read_signing import said as signing
from postroom.models.filters import SCRIPT
from postroom.protocols.dkim import family

Row = Mapping[str, Any]
Line = Mapping[str, Any]

PASSING = "filters of {source} may pass mail on to {target}"
OPENS = "doveadm acl rights "
NEVER = "filters of {source} never pass mail on to {target}"
OWN = (
    "mailbox",
    "route",
    "domain",
    "alias_domain",
    "handed",
)  # maps in which a key belongs to one object, so that nothing else may stand there


def read_back(change: UUID, node: UUID) -> Iterator[tuple[str, UUID, Sequence[Line], list[str]]]:
    """(object, its id, what was said of it for this change, what of that is not as it should be), one an object."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM postroom_read_back(%s, %s)", [change, node])
        for object, id, *read, overtaken in cursor.fetchall():
            said, newest, compiled = (json.loads(text) if text else None for text in read)
            wrong = [] if said else ["nothing was asked"]
            yield object, id, said or [], wrong if overtaken else list(differs(compiled, newest or []))


def differs(compiled: Row | None, found: Iterable[Line]) -> Iterator[str]:
    """What the answers say otherwise than `compiled`, or leave out; None is an object that is served no more."""
    lines = [line for line in found if isinstance(line, dict)]  # a node may say anything
    answers = {str(line.get("question", "")): line.get("answer") for line in lines}
    if not any(question.startswith("generation of ") for question in answers):
        yield "nobody was asked how far the daemons have read"
    maps = (compiled or {}).get("maps", {})
    yield from _maps(maps, answers)
    passwords = {row["address"] for row in (compiled or {}).get("secrets", {}).get("password", ())}
    yield from _accounts(maps, passwords, answers)
    yield from _credentials("app passwords", maps, (compiled or {}).get("secrets", {}).get("app", ()), answers)
    yield from _credentials("consents", maps, maps.get("consent", ()), answers)
    yield from _token_keys(maps, answers)
    yield from _behalf(maps, answers)
    yield from _opens(maps, answers)
    yield from _allowed(maps, answers)
    yield from _scripts((compiled or {}).get("secrets", {}).get("filter", ()), answers)
    for row in (compiled or {}).get("keys", {}).get("key", ()):
        signs = answers.get(SIGNING.format(**row))
        if not in_use((row["selector"], family(row["algorithm"]), row.get("since") or 0), signs):
            yield f"{row['domain']} signs with {signing(signs)}, not with {row['selector']}"


def _maps(maps: Row, answers: Row) -> Iterator[str]:
    wanted = {
        "mailbox": [(row["address"], row["address"]) for row in maps.get("mailbox", ())],
        "route": [(row["source"], row["destination"]) for row in _live(maps.get("route", ()))],
        "alias_domain": [(row["name"], row["target"]) for row in _live(maps.get("alias_domain", ()))],
        "sender": [(row["sender"], row["login"]) for row in _live(maps.get("sender", ()))],
        "handed": [(row["address"], handed_to(row)) for row in _live(maps.get("handed", ()))],
        "domain": [(row["name"], row["name"]) for row in maps.get("domain", ())],
    }
    for name, pairs in wanted.items():
        said = answers.get(f"postmap -q {name}")
        said = said.items() if isinstance(said, dict) else ()
        there = {(key, str(value)) for key, values in said if isinstance(values, list) for value in values}
        for key, value in sorted(set(pairs) - there):
            yield f"{name} {key}: {value} is missing"
        for key, value in sorted(there - set(pairs)) if name in OWN else ():
            yield f"{name} {key}: {value} is still there"


def _allowed(maps: Row, answers: Row) -> Iterator[str]:
    """To where filters may pass mail on: the milter says so of each, and of no other."""
    wanted = {PASSING.format(**row) for row in _live(maps.get("allowed", ()))}
    wanted |= {NEVER.format(**row) for row in maps.get("forbidden", ())}
    for question in sorted(wanted):
        if answers.get(question) is not True:
            yield f"{question}: it does not say so"
    for question in sorted(answers.keys() - wanted):
        if question.startswith("filters of ") and answers[question]:
            yield f"{question}: it still says so"


def _scripts(rows: Iterable[Row], answers: Row) -> Iterator[str]:
    """The node read back that this very script was in force once it was put, or that ours was not, or that none was."""
    for row in rows:
        said = answers.get(f"sieve script of {row['address']}, revision {row['revision']}")
        read = said if isinstance(said, dict) else {}
        active = read.get("active")
        if row["active"]:
            agrees = active == SCRIPT and read.get("digest") == row["digest"]
        else:
            agrees = active == "" if row["clears"] else bool(read) and active != SCRIPT
        if not agrees:
            yield f"the script of {row['address']} is not the one that was put, or it was not asked about"


def _credentials(which: str, maps: Row, rows: Iterable[Row], answers: Row) -> Iterator[str]:
    """Those an address has are those that are in what the node reads: no look-up shows one, so their names are
    compared."""
    wanted: dict[str, set[str]] = {row["address"]: set() for row in maps.get("login", ())}
    for row in rows:
        wanted.setdefault(row["address"], set()).add(row["cred"])
    for address, creds in sorted(wanted.items()):
        said = answers.get(f"{which} of {address}")
        if not isinstance(said, list) or set(map(str, said)) != creds:
            yield f"{which} of {address} are not those it has, or were not asked about"
    for question, answer in answers.items():
        address = question.removeprefix(f"{which} of ")
        if address != question and answer and address not in wanted:
            yield f"{address} still has {which}"


def _token_keys(maps: Row, answers: Row) -> Iterator[str]:
    """Each is answered by the process that looks at tokens: the key itself while it is good, nothing once it is not."""
    for row in maps.get("token_key", ()):
        question, ending = f"token key {row['kid']}", row.get("until") is not None
        if question not in answers or answers[question] not in (row["public"], *([None] if ending else [])):
            yield f"tokens signed by {row['kid']} are not taken as they should be, or it was not asked about"


def _live(rows: Iterable[Row]) -> Iterator[Row]:
    """Those whose time is not over: of the others nobody answers any more."""
    now = time.time()
    yield from (row for row in rows if row.get("until") is None or float(row["until"]) > now)


def _behalf(maps: Row, answers: Row) -> Iterator[str]:
    """Who writes on whose behalf is answered by the milter."""
    for row in _live(maps.get("behalf", ())):
        said = answers.get(f"milter behalf of {row['sender']}")
        if not isinstance(said, list) or row["login"] not in said:
            yield f"{row['login']} may not write for {row['sender']} yet, or it was not asked about"


def _opens(maps: Row, answers: Row) -> Iterator[str]:
    """Who may do something in another's mailbox is answered by Dovecot: everybody who may, nobody whose row is
    gone."""
    had: dict[str, set[str]] = {}
    for row in maps.get("opens", ()):
        had.setdefault(f"{OPENS}{row['address']}", set()).add(row["login"])
    now = {(f"{OPENS}{row['address']}", row["login"]) for row in _live(maps.get("opens", ()))}
    for question in sorted(had.keys() | {one for one in answers if one.startswith(OPENS)}):
        said = answers.get(question)
        there = {login for login, may in said.items() if may} if isinstance(said, dict) else set()
        for login in sorted({login for of, login in now if of == question} - there):
            yield f"{question}: {login} may not yet, or it was not asked about"
        for login in sorted(there - had.get(question, set())):
            yield f"{question}: {login} still may"


def _accounts(maps: Row, passwords: set[str], answers: Row) -> Iterator[str]:
    may = {row["address"]: bool(row["sign_in"]) for row in maps.get("login", ())}
    for row in maps.get("mailbox", ()):
        if not isinstance(answers.get(f"doveadm user {row['address']}"), dict):
            yield f"{row['address']} has no place for its mail"
    for address, sign_in in sorted(may.items()):
        there = isinstance(answers.get(f"doveadm login {address}"), dict)
        if there != (sign_in and address in passwords) or f"doveadm login {address}" not in answers:
            yield f"{address} {'can' if there else 'cannot'} sign in, or was not asked about"
        if sign_in and answers.get(f"sessions of before {address}") != []:
            yield f"{address} may have sessions of before"
        if not sign_in and answers.get(f"who {address}") != []:
            yield f"{address} may have sessions"
    there_still = {row["address"] for row in maps.get("mailbox", ())}
    for question, answer in answers.items():
        what, _, address = question.rpartition(" ")
        if what in ("doveadm user", "doveadm login") and isinstance(answer, dict) and address not in there_still:
            yield f"{address} is still known"
        if what == "who" and answer and address not in may:
            yield f"{address} still has sessions"
