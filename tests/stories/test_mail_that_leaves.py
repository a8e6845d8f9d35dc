"""Mail that leaves: agreed to by two, found wherever it does, and kept here where nobody agreed.

By the API, the program and the pages. What lands where is asked of IMAP and of the sink; filters come by ManageSieve.
"""

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser
from tab import chromium
from test_by_api import SECRET, owner_sets
from test_by_browser import signed_in

from world import Person, Refused, Stack, received, until

pytestmark = pytest.mark.server
FOUND = 300  # seconds in which a filter that redirects is found


@dataclass(frozen=True)
class Firm:
    """A client of the story's own: who works there, and who looks after it."""

    stack: Stack
    olive: Person
    ada: Person
    slug: str
    mia: str
    leo: str

    def ways(self, **narrowed: str) -> list[dict[str, Any]]:
        asked = urlencode({"client": self.slug, **narrowed})
        return list(self.olive.get(f"/forwards-leaving?{asked}")["items"])

    def left(self, subject: str) -> list[str]:
        """To whom mail with this subject left, and under which sender."""
        return [
            f"{one['Delivered-To']} from {one['Return-Path']}" for one in self.stack.sink() if one["Subject"] == subject
        ]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as launched:
        yield launched


@pytest.fixture
def firm(stack: Stack) -> Firm:
    name = f"leaves{uuid.uuid4().hex[:8]}"
    olive, ada = stack.person("operator@northlight.example"), stack.person("approver@northlight.example")
    olive.verified(olive.change("clients.create", {"name": name}))
    olive.verified(olive.change("domains.add", {"client": name, "name": f"{name}.example", "hosting": "hosted"}))
    until("the domain is proven", lambda: olive.get(f"/domains/{name}.example")["proof"] == "read")
    boxes = [f"{who}@{name}.example" for who in ("mia", "leo")]
    people = [{"address": box, "contact": box.replace(".example", ".home.test")} for box in boxes]
    olive.verified(olive.change("mailboxes.create", people))
    for one in people:
        owner_sets(stack, stack.mailed_link(one["contact"]))
        until("its owner signs in", lambda box=one["address"]: stack.may_sign_in(box, SECRET))
    return Firm(stack, olive, ada, name, *boxes)


def later(days: int = 30) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).isoformat(timespec="seconds")


def test_a_forward_leaves_when_two_agreed_and_never_before_or_after(firm: Firm, browser: Browser) -> None:
    stack, home, first, second, third = firm.stack, f"mia.{firm.slug}@gmail.com", *(f"{n} {firm.slug}" for n in "123")
    asked = {"address": firm.mia, "to": home, "until": later(), "owner": "Mia Moss"}
    held = firm.olive.change("forwards.create", asked, "she travels")
    assert held["stage"] == "held" and "a private mailbox" in json.dumps(held["verdicts"])
    with pytest.raises(Refused) as own:
        firm.olive.approve(held)
    assert own.value.status == 403
    stack.from_outside(firm.mia, first)
    received(stack.imap(firm.mia, SECRET), first)
    assert firm.left(first) == [], "held is not done"
    firm.ada.approve(held)
    firm.olive.verified(held)
    stack.from_outside(firm.mia, second)
    (sender,) = until("it left", lambda: firm.left(second))
    assert sender.startswith(home) and "SRS0=" in sender and "elsewhere.test=somebody@" in sender
    assert received(stack.imap(firm.mia, SECRET), second), "and a copy stayed"
    (way,) = firm.ways()
    assert (way["address"], way["target"], way["mechanism"], way["keeps_copy"]) == (firm.mia, home, "forward", True)
    assert way["private"] and way["exception"]["owner"] == "Mia Moss" and way["last_hit"] is None
    typed = json.loads(stack.run("leaving", "--client", firm.slug, "--json", token=firm.olive.token))
    assert [one["target"] for one in typed["items"]] == [home]
    olive = signed_in(stack, browser, "operator@northlight.example", 1440, "light")
    assert home in olive.open(f"/forwards/?client={firm.slug}").text()
    traced = firm.olive.get(f"/addresses/{firm.mia}/trace")
    assert {one["address"] for one in traced["landings"]} == {firm.mia, home}
    assert traced["hops"][0]["exception"]["owner"] == "Mia Moss"
    firm.olive.verified(firm.olive.change("exceptions.end", {"exception": way["exception"]["id"]}, "she is back"))
    (forward,) = firm.olive.get(f"/forwards?client={firm.slug}")["items"]
    assert forward["disabled_at"] and not forward["removed_at"], "disabled and not deleted"
    stack.from_outside(firm.mia, third)
    received(stack.imap(firm.mia, SECRET), third)
    assert firm.left(third) == []


def test_who_leads_mail_to_a_way_out_waits_for_a_second_person(firm: Firm) -> None:
    stack, home, team = firm.stack, f"mia@{firm.slug}.test", f"team@{firm.slug}.example"
    first, second = (f"{n} by way {firm.slug}" for n in ("one", "two"))
    held = firm.olive.change(
        "forwards.create", {"address": firm.mia, "to": home, "until": later(), "owner": "Mia Moss"}
    )
    firm.ada.approve(held)
    firm.olive.verified(held)
    firm.olive.verified(firm.olive.change("aliases.create", {"address": team, "targets": [firm.leo]}))
    led = firm.olive.change("aliases.change", {"alias": team, "targets": [firm.leo, firm.mia]})
    assert led["stage"] == "held" and f"mail to {team} would leave by way of another" in json.dumps(led["verdicts"])
    stack.from_outside(team, first)
    received(stack.imap(firm.leo, SECRET), first)
    assert firm.left(first) == [] and len(firm.ways()) == 1, "held is not done"
    firm.ada.approve(led)
    firm.olive.verified(led)
    stack.from_outside(team, second)
    assert until("it left", lambda: firm.left(second))[0].startswith(home)
    (by_way,) = firm.ways(mechanism="by way")
    assert (by_way["address"], by_way["via"], by_way["target"]) == (team, firm.mia, home)


def test_a_filter_that_redirects_is_kept_here_found_and_let_go_by_an_exception_alone(
    firm: Firm, browser: Browser
) -> None:
    stack, spy, kept, let = firm.stack, f"spy@{firm.slug}.test", f"kept {firm.slug}", f"let {firm.slug}"
    stack.upload(firm.leo, SECRET, f'require ["copy"];\nif size :over 10 {{ redirect :copy "{spy}"; }}\n')
    stack.from_outside(firm.leo, kept)
    received(stack.imap(firm.leo, SECRET), kept)
    way = until("the filter is found", lambda: firm.ways(), within=FOUND, every=2)[0]
    assert (way["mechanism"], way["address"], way["target"]) == ("sieve redirect", firm.leo, spy)
    assert way["conditional"] and way["keeps_copy"] and way["blocked"] and way["exception"] is None
    assert firm.left(kept) == [], "nobody agreed: it did not leave, and is not lost"
    finding = until("it is a finding", lambda: [
        one for one in firm.olive.get(f"/findings?client={firm.slug}")["items"] if one["check"] == "sieve.redirect"
    ], every=1)  # fmt: skip
    assert spy in json.dumps(finding)
    asked = {"address": firm.leo, "target": spy, "owner": "Leo Long", "until": later()}
    held = firm.olive.change("exceptions.create", asked, "a partner reads along")
    assert held["stage"] == "held"
    firm.ada.approve(held)
    firm.olive.verified(held)
    stack.from_outside(firm.leo, let)
    assert until("it leaves now", lambda: firm.left(let))[0].startswith(spy)
    _stopped_at_the_port(firm, browser, spy)


def _stopped_at_the_port(firm: Firm, browser: Browser, spy: str) -> None:
    """Though the exception stands: the script is as it was, the list says so, and the mail stays."""
    stack, stopped, again = firm.stack, f"stopped {firm.slug}", f"again {firm.slug}"
    both = {"mailbox": firm.leo, "target": spy}
    firm.olive.verified(firm.olive.change("redirects.stop", both, "nobody knows the partner"))
    (way,) = firm.ways()
    assert way["stopped"] and way["blocked"] and way["off"] and way["script"], way
    olive = signed_in(stack, browser, "operator@northlight.example", 390, "dark")
    assert "stopped at the port" in olive.open(f"/forwards/?client={firm.slug}").text()
    assert "stopped at the port" in stack.run("leaving", "--client", firm.slug, token=firm.olive.token)
    stack.from_outside(firm.leo, stopped)
    received(stack.imap(firm.leo, SECRET), stopped)
    assert firm.left(stopped) == []
    firm.olive.verified(firm.olive.change("redirects.resume", both, "it was the partner"))
    stack.from_outside(firm.leo, again)
    assert until("it leaves again", lambda: firm.left(again))[0].startswith(spy)


def test_a_forward_gives_way_to_access_once_that_stands(firm: Firm) -> None:
    stack, team, home = firm.stack, f"team@{firm.slug}.example", f"leo@{firm.slug}.test"
    before, after = (f"{when} {firm.slug}" for when in ("before", "after"))
    firm.olive.verified(firm.olive.change("mailboxes.create", {"address": team, "kind": "shared"}))
    held = firm.olive.change("forwards.create", {"address": team, "to": home, "until": later(), "owner": "Leo Long"})
    firm.ada.approve(held)
    firm.olive.verified(held)
    stack.from_outside(team, before)
    assert until("it left", lambda: firm.left(before))[0].startswith(home)
    asked = {"address": team, "target": home, "to": firm.leo, "until": later()}
    with pytest.raises(Refused, match="caught for a whole domain"):
        firm.olive.change("forwards.replace", [asked, {**asked, "address": f"@{firm.slug}.example"}])
    typed = [word for name, value in asked.items() for word in ("-p", f"{name}={value}")]
    made = json.loads(stack.run("change", "forwards.replace", *typed, "--why", "he works here", "--json",
                                token=firm.olive.token))  # fmt: skip
    firm.olive.verified(made)
    (forward,) = firm.olive.get(f"/forwards?client={firm.slug}")["items"]
    assert forward["disabled_at"] and not forward["removed_at"]
    stack.from_outside(team, after)

    def opened() -> bool:
        box = stack.imap(firm.leo, SECRET)
        return box.select(f'"shared/{team}"', readonly=True)[0] == "OK" and bool(
            box.search(None, "SUBJECT", f'"{after}"')[1][0]
        )

    assert until("Leo reads it in the team's mailbox", opened, every=1) and firm.left(after) == []
