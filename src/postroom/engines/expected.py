"""What the daemons must answer for one compiled object, and no longer. Data only; nobody is asked here."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from postroom.protocols.dkim import family

from .postfix_maps import handed_to
from .source import Compiled, Todo

Pair = tuple[str, str]
Signing = tuple[str, str, int]  # selector, rsa or ed25519, since when: seconds since 1970
Gone = dict[str, list[tuple[Any, ...]]]  # table → rows that left the files with this object


@dataclass
class Expected:
    """Of one object: pairs (key, answer) per map, accounts that are there or not, keys that sign or not; app passwords
    and consents by their addresses, and those that are there no longer; keys that tokens are signed by."""

    todo: Todo
    has: dict[str, set[Pair]] = field(default_factory=dict)
    lacks: dict[str, set[Pair]] = field(default_factory=dict)
    accounts: set[str] = field(default_factory=set)
    no_accounts: set[str] = field(default_factory=set)
    logins: set[str] = field(default_factory=set)
    no_logins: set[str] = field(default_factory=set)
    closed: set[str] = field(default_factory=set)
    apps: dict[str, set[str]] = field(default_factory=dict)  # address → app passwords
    ended: set[Pair] = field(default_factory=set)  # address, app password
    consents: dict[str, set[str]] = field(default_factory=dict)  # address → consents
    withdrawn: set[Pair] = field(default_factory=set)  # address, consent
    behalf: set[Pair] = field(default_factory=set)  # address, login that may write on its behalf
    no_behalf: set[Pair] = field(default_factory=set)
    opens: dict[Pair, str] = field(default_factory=dict)  # mailbox, login that opens it → with which rights
    no_opens: set[Pair] = field(default_factory=set)
    token_keys: dict[str, str] = field(default_factory=dict)  # kid → public key
    no_token_keys: set[str] = field(default_factory=set)
    allowed: set[Pair] = field(default_factory=set)  # mailbox or @domain, to where filters may pass mail on
    not_allowed: set[Pair] = field(default_factory=set)
    forbidden: set[Pair] = field(default_factory=set)  # the same, to where they may not whatever is allowed
    not_forbidden: set[Pair] = field(default_factory=set)
    open: set[str] = field(default_factory=set)
    signing: dict[str, set[Signing]] = field(default_factory=dict)  # domain → its keys here
    not_signing: set[Pair] = field(default_factory=set)  # domain, selector


def of(todo: Todo, gone: Gone, now: float | None = None) -> Expected:
    """`gone`: what the files had of this object before and lost, for as long as we have run."""
    now = time.time() if now is None else now
    compiled: Compiled = todo.compiled or {}
    expected = Expected(todo)
    for table, rows in compiled.get("maps", {}).items():
        for row in rows:
            _add(expected, table, row, _live(row, now))
    for row in compiled.get("secrets", {}).get("password", []):
        (expected.logins if _live(row, now) else expected.no_logins).add(row["address"])
    for row in compiled.get("secrets", {}).get("app", []):
        expected.apps.setdefault(row["address"], set()).add(row["cred"])
    for row in compiled.get("maps", {}).get("consent", []):
        expected.consents.setdefault(row["address"], set()).add(row["cred"])
    for row in compiled.get("maps", {}).get("behalf", []):
        (expected.behalf if _live(row, now) else expected.no_behalf).add((row["sender"], row["login"]))
    opens = compiled.get("maps", {}).get("opens", [])
    expected.opens = {(row["address"], row["login"]): row["rights"] for row in opens if _live(row, now)}
    expected.no_opens = {(row["address"], row["login"]) for row in opens} - expected.opens.keys()
    for row in compiled.get("maps", {}).get("token_key", []):
        if _live(row, now):
            expected.token_keys[row["kid"]] = row["public"]
        else:
            expected.no_token_keys.add(row["kid"])
    for row in compiled.get("maps", {}).get("allowed", []):
        (expected.allowed if _live(row, now) else expected.not_allowed).add((row["source"], row["target"]))
    expected.forbidden = {(row["source"], row["target"]) for row in compiled.get("maps", {}).get("forbidden", [])}
    for row in compiled.get("keys", {}).get("key", []):
        key = (row["selector"], family(row["algorithm"]), row.get("since") or 0)
        expected.signing.setdefault(row["domain"], set()).add(key)
    _add_gone(expected, gone)
    sign_in = compiled.get("maps", {}).get("login", [])
    can = {row["address"] for row in sign_in if row.get("sign_in") and _live(row, now)}
    for row in sign_in:
        expected.apps.setdefault(row["address"], set())
        expected.consents.setdefault(row["address"], set())
    expected.closed |= {row["address"] for row in sign_in} - can
    expected.open |= can
    expected.no_logins |= {row["address"] for row in sign_in} - expected.logins
    return expected


def _live(row: dict[str, Any], now: float) -> bool:
    return row.get("until") is None or float(row["until"]) > now


def _add(expected: Expected, table: str, row: dict[str, Any], live: bool) -> None:
    for name, pair in _pairs(table, row):
        (expected.has if live else expected.lacks).setdefault(name, set()).add(pair)
    if table == "mailbox":
        (expected.accounts if live else expected.no_accounts).add(row["address"])


def _pairs(table: str, row: dict[str, Any]) -> Iterable[tuple[str, Pair]]:
    """(map, (key, answer)) that this row stands for."""
    match table:
        case "domain":
            yield "domain", (row["name"], row["name"])
            yield "hosted", (row["name"], "REJECT 5.7.1 sign in to send as this domain")
        case "mailbox":
            yield "mailbox", (row["address"], row["address"])
        case "route":
            yield "route", (row["source"], row["destination"])
        case "handed":
            yield "handed", (row["address"], handed_to(row))
        case "alias_domain":
            yield "alias_domain", (row["name"], row["target"])
        case "sender":
            yield "sender", (row["sender"], row["login"])
        case "pool":
            yield "pool", ("@" + row["domain"], row["transport"])


GONE_COLUMNS = {
    "domain": ("name",),
    "mailbox": ("address",),
    "route": ("source", "destination"),
    "handed": ("address", "host", "port", "tls"),
    "alias_domain": ("name", "target"),
    "sender": ("sender", "login"),
    "pool": ("domain", "transport"),
}


def _add_gone(expected: Expected, gone: Gone) -> None:
    """What is still asserted by a row that stays (a new `until`, a new quota) is not gone."""
    for table, rows in gone.items():
        for values in rows:
            row = dict(zip(GONE_COLUMNS.get(table, ()), values, strict=False))
            for name, pair in _pairs(table, row):
                if pair not in expected.has.get(name, set()):
                    expected.lacks.setdefault(name, set()).add(pair)
            if table == "mailbox" and values[0] not in expected.accounts:
                expected.no_accounts.add(values[0])
            if table == "password" and values[0] not in expected.logins:
                expected.no_logins.add(values[0])
            if table == "login":
                expected.closed.add(values[0])
            if table == "app" and values[1] not in expected.apps.get(values[0], set()):
                expected.ended.add((values[0], values[1]))
            if table == "consent" and values[1] not in expected.consents.get(values[0], set()):
                expected.withdrawn.add((values[0], values[1]))
            if table == "behalf" and values[:2] not in expected.behalf:
                expected.no_behalf.add((values[0], values[1]))
            if table == "opens" and values[:2] not in expected.opens:
                expected.no_opens.add((values[0], values[1]))
            if table == "token_key" and values[0] not in expected.token_keys:
                expected.no_token_keys.add(values[0])
            if table == "allowed" and (values[0], values[1]) not in expected.allowed:
                expected.not_allowed.add((values[0], values[1]))
            if table == "forbidden" and (values[0], values[1]) not in expected.forbidden:
                expected.not_forbidden.add((values[0], values[1]))
            if table == "key" and values[1] not in {one[0] for one in expected.signing.get(values[0], set())}:
                expected.not_signing.add((values[0], values[1]))
    still = {row["address"] for row in (expected.todo.compiled or {}).get("maps", {}).get("login", [])}
    expected.closed -= still  # those are judged by what their row says now
