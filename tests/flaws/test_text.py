"""Text that somebody typed (rows 14, 15, 18): in a filter it finds, stored it stays text, one validator judges it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from click.testing import CliRunner
from django.conf import settings
from django.db import connection
from django.utils import timezone
from pydantic import ValidationError
from visitors import visitor

from cast import House, do, holds, kind, the, tick
from postroom import catalogue
from postroom.access.acting import SYSTEM, acting_as
from postroom.api.urls import api
from postroom.changes import carry
from postroom.changes.carry import Outcome, movable, retry, settle
from postroom.cli import changes as cli
from postroom.cli import remote
from postroom.models import Client, Finding, Mailbox
from postroom.posture.findings import Found, observed
from postroom.posture.run import run
from postroom.worker import checkpoints, mail, watch
from postroom.worker.alarms import Alarms

Ask = Callable[[str], Any]
TRICKS = ("' OR '1'='1", "') OR ('1'='1", '" OR ""="', "x' UNION SELECT usename FROM pg_user --",
          "'; SELECT pg_sleep(9); --",          "%%%", "___", "%s%s%s", "%(a)s", "\\\\'", "*)(uid=*))(|(uid=*",
          "eq 'x' or true", "((((", "))))", "$$;$$",
          "{}{0}", "\x01\x02\x03", "a" * 5000, "💥💥💥", "[[[", "NULL", "../../..", "\r\nSet-Cookie: x=1")  # fmt: skip
NUL = ("%00", "a%00b")
SEARCHED = ("/clients", "/mailboxes", "/grants")  # each of the three ways in which a search is asked


def filters() -> Iterator[tuple[str, list[str]]]:
    """(path, what it may be narrowed by) of every list of the API, as its own description says."""
    for path, operations in api.get_openapi_schema()["paths"].items():
        for one in operations.get("parameters", operations.get("get", {}).get("parameters", ())) and [
            operations["get"]
        ]:
            names = [p["name"] for p in one["parameters"] if p["in"] == "query"]
            if names and "{" not in path:
                yield path.removeprefix("/api/v1"), names


def test_row_14_a_quote_in_a_filter_finds_nothing_more(house: House, at_api: Ask) -> None:
    """No trick breaks a list of the API, makes it slow, or finds what does not hold those very letters."""
    olive, tried = at_api("olive"), 0
    for path, names in filters():
        for n, name in enumerate(names):
            for trick in TRICKS if name == "search" and path in SEARCHED else TRICKS[n % 11 :: 11]:
                along = "&client=acme" if path == "/access" and name != "client" else ""
                answer = olive.get(f"{path}?{name}={quote(trick)}{along}")
                assert answer.status_code in (200, 404, 422), (path, name, trick, answer.content[:300])
                if answer.status_code == 200 and name in ("search", "client", "object", "person"):
                    found = json.dumps(answer.json()["items"], ensure_ascii=False).lower()
                    assert answer.json()["items"] == [] or trick.lower() in found, (path, name, trick)
                answer.close()  # one of them is a file, which a trick is reason enough to be given
                tried += 1
        for nul in NUL:
            assert olive.get(f"{path}?{names[0]}={nul}").status_code in (400, 422)
    assert tried > 200, tried


LISTS = ("/clients/", "/domains/", "/mailboxes/", "/people/", "/invites/", "/changes/", "/findings/", "/audit/",
         "/approvals/", "/access/", "/roles/", "/nodes/")  # fmt: skip
NARROWED_BY = ("q", "client", "domain", "state", "kind", "after", "object", "person", "since", "until", "stage",
               "severity",               "check", "role", "batch")  # fmt: skip


def test_row_14_nor_at_the_pages(house: House) -> None:
    browser = visitor(house.olive)
    for n, page in enumerate(LISTS):
        for trick in TRICKS[n % 8 :: 8]:
            answer = browser.get(page, dict.fromkeys(NARROWED_BY, trick))
            assert answer.status_code in (200, 404), (page, trick)
    for trick in (one for one in TRICKS[::2] if one.isprintable()):
        listed = browser.get("/mailboxes/", {"q": trick}).content.decode().split("<main")[1]
        assert "/mailboxes/mia@" not in listed, trick
        assert browser.get("/find/", {"q": trick}).status_code == 200


# Row 15: stored, then met by everything that runs by itself

MARK = "Hst7"
STORED = (
    f"{MARK}'); DROP TABLE clients; -- %s %(a)s $1 \\' \" {{0.__class__}} {{{{7*7}}}}"
    " `touch {ran}` $(touch {ran}) ; touch {ran} |"
)


def stored_everywhere(house: House, text: str) -> None:
    """The text in every field that takes text."""
    do("clients.create", house.oskar, name=text, notes=text, security_contact="sec@home.test")
    do("clients.change", house.oskar, client="acme", name=text, notes=text, security_contact="sec@home.test")
    do("people.invite", house.oskar, name=text, email="nasty@northlight.example")
    do("people.change", house.oskar, person="olive@northlight.example", name=text)
    do("organization.change", house.oskar, name=text)
    do("mailboxes.create", house.olive, address="nasty@acme.example", name=text, contact="n@home.test")
    do("domains.change", house.oskar, domain="acme.example", registrar=text, registrar_account=text,
       registrar_account_holder=text,
       registrar_holder=text, second_holder=text, dns_holder=text)  # fmt: skip
    holds(house, "acme.example", {("acme.example", "TXT"): [text], ("www.acme.example", "TXT"): [text]})
    do(
        "record_sets.set",
        house.olive,
        domain="acme.example",
        name="txt.acme.example",
        type="TXT",
        values=["x" + text.replace('"', "")],
    )
    soon = (datetime.now(UTC) + timedelta(days=2)).isoformat()
    do("grants.give", house.oskar, person="nasty@northlight.example", role="auditor", reason=text, until=soon)
    do("roles.create", house.oskar, name=text[:60].lower(), permissions=["clients.view"])
    do("tokens.create", house.olive, secrets={"token": "9" * 64}, name=text, permissions=["domains.view"], until=soon)
    do("freezes.start", house.olive, scope="globex", reason=text)
    whose = the(Client, slug="acme").pk
    evidence = {"before": {text: text}, text: [text]}
    observed("t.hostile", [Found("critical", "clients", whose, text, text, text, client=whose, evidence=evidence)])
    with acting_as(SYSTEM):
        finding = str(Finding.objects.get(check_name="t.hostile").pk)
    do("findings.acknowledge", house.olive, finding=finding, reason=text)


class Watched:
    """Statements as they are sent, their values apart; and what was handed in as mail."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.statements: list[str] = []
        self.mailed: list[EmailMessage] = []
        monkeypatch.setattr(mail, "hand_in", self.hand_in)
        monkeypatch.setitem(settings.POSTROOM.values, "SUBMISSION", ("127.0.0.1", 2587))
        monkeypatch.setitem(settings.POSTROOM.values, "MAIL_HOST", "mx.postroom.example")
        monkeypatch.setattr(carry, "SENDERS", {"zone": lambda *_: Outcome({"seen": True}), "mail": mail.send})

    def hand_in(self, to: str, letter: EmailMessage) -> Outcome:
        letter["To"] = to
        self.mailed.append(letter)
        return Outcome([{"answer": "250 taken", "server": "x", "at": "now"}])

    def __call__(self, execute: Any, statement: str, values: Any, many: bool, context: Any) -> Any:
        self.statements.append(str(statement))
        return execute(statement, values, many, context)


def everything_by_itself() -> None:
    """One turn of all that the worker does, checks included, without a network; and again a fortnight later."""
    for ahead in (timedelta(seconds=1), timedelta(days=14)):
        tick(datetime.now(UTC) + ahead)
        retry(timezone.now() + ahead)
        for change in movable():
            settle(change)
        for check in catalogue.CHECKS:
            run(check)
        for work in Alarms().due():
            work()
        for work in checkpoints.weekly(timezone.now() + ahead):
            work()
        watch.look_around()
        watch.forget()


def test_row_15_what_was_stored_runs_nowhere(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sql: Callable[..., Any]
) -> None:
    ran = tmp_path / "ran"
    watched = Watched(monkeypatch)
    stored_everywhere(house, STORED.replace("{ran}", str(ran))[:190])
    monkeypatch.setattr(watch, "read", lambda zone, hosting: house.zones.get(zone) or pytest.fail(f"reads {zone}"))
    before = sql("SELECT count(*) FROM clients")
    for zone in ("acme.example", "globex.example"):
        if zone not in house.zones:
            holds(house, zone, {})
    with connection.execute_wrapper(watched):
        everything_by_itself()
    assert len(watched.statements) > 100 and watched.mailed
    assert [one for one in watched.statements if MARK in one] == [], "a value stands in a statement"
    assert not ran.exists() and sql("SELECT count(*) FROM clients") == before
    for letter in watched.mailed:
        headers = "\n".join(f"{name}: {value}" for name, value in letter.items())
        assert MARK not in headers and "{{7*7}}" not in headers and ">49<" not in str(letter.get_content())
    assert sql("SELECT count(*) FROM findings WHERE unknown_why LIKE 'the check failed%'") == [(0,)]


# Row 18: one validator

BAD_ADDRESSES = ("two@@ats.example", "a b@acme.example", "a\nb@acme.example", "x@", "@acme.example", "x@acme..example",
                 "аlice@acme.example", "x@xn--.example", '"q"@acme.example', "x,y@acme.example", "-x@acme.example",
                 "a" * 65 + "@acme.example", "x%y@acme.example", "x@[127.0.0.1]", "../x@acme.example",
                 "x@acme.example\x00", "\u202ex@acme.example", "x+y z@acme.example")  # fmt: skip


SEND = 'aria-labelledby="h-send"'  # the part of a plan's page that sends it


@pytest.mark.parametrize("bad", BAD_ADDRESSES, ids=range(len(BAD_ADDRESSES)))
def test_row_18_what_one_door_refuses_every_door_refuses(
    house: House, at_api: Ask, monkeypatch: pytest.MonkeyPatch, bad: str
) -> None:
    with pytest.raises(ValidationError):
        kind("mailboxes.create", address=bad)
    olive = at_api("olive")
    answer = olive.change("mailboxes.create", {"address": bad})
    said = {one["where"]: one["what"] for one in answer.json()["errors"]}
    assert answer.status_code == 422 and "address" in said

    page = visitor(house.olive).post("/do/mailboxes.create/", {"row-0-address": bad, "why": "x"})
    text = unescape(page.content.decode())
    assert SEND not in text, "no plan of it is shown"
    shown = bad.replace("\x00", "").replace("\n", "")
    assert shown != bad or said["address"].lower() in text.lower(), "and the page says the same"

    monkeypatch.setattr(remote, "ask", lambda method, path, body=None, **_: asked(olive, method, path, body))
    typed = CliRunner().invoke(cli.change, ["mailboxes.create", "-p", f"address={bad}", "--why", "x"])
    assert typed.exit_code == 1 and said["address"] in typed.output, typed.output
    with acting_as(SYSTEM):
        assert Mailbox.objects.count() == 2


def asked(caller: Any, method: str, path: str, body: Any) -> Any:
    answer = caller.get(path) if method == "GET" else caller.post(path, body)
    if answer.status_code >= 400:
        raise remote.Refused(answer.status_code, answer.json())
    return answer.json()


def test_row_18_what_one_door_takes_every_door_takes_alike(
    house: House, at_api: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And keeps in one form: the same letters, however they were typed, are one address."""
    olive = at_api("olive")
    monkeypatch.setattr(remote, "ask", lambda method, path, body=None, **_: asked(olive, method, path, body))
    for typed in ("Zoe@ACME.example", " zoe@acme.example ", "zoe@acme.example"):
        shown = olive.change("mailboxes.create", {"address": typed}, dry_run=True).json()
        by_hand = ["mailboxes.create", "-p", f"address={typed}", "--why", "x", "--dry-run", "--json"]
        told = json.loads(CliRunner().invoke(cli.change, by_hand).output)
        page = visitor(house.olive).post("/do/mailboxes.create/", {"row-0-address": typed, "why": "x"}).content.decode()
        plan = [part for part in page.split("<section") if SEND not in part]
        for words in (json.dumps(shown["edits"]), json.dumps(told["edits"])):
            assert "zoe@acme.example" in words and not re.search("Zoe@|ACME", words)
        assert SEND in page and any("zoe@acme.example" in part for part in plan)
