"""Somebody from outside, for two hours, at one domain: acts there, is nobody elsewhere; the role ends by itself while
they are signed in. The client's own admin reads all of it on her pages."""

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyotp
import pytest
from clock import Clock
from playwright.sync_api import Browser
from tab import Tab, chromium
from test_by_browser import printed

from world import Refused, Stack, until

pytestmark = [pytest.mark.server, pytest.mark.secrets]
PASSWORD = "two plain words"
WHY = "a contractor moves their mailboxes"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as launched:
        yield launched


@pytest.fixture(autouse=True)
def tidy(clock: Clock) -> Iterator[None]:
    """In place of the other stories' own, which would start a demo of its own too."""
    yield
    clock.stack.leave()


@dataclass
class Place:
    """A client with two domains, two mailboxes at each; its admin, and who is hired."""

    client: str
    mine: str
    other: str
    connie: str
    amy: str


@pytest.fixture
def place(clock: Clock) -> Place:
    stack, name = clock.stack, f"hired{uuid.uuid4().hex[:8]}"
    here = Place(name, f"{name}.example", f"{name}-other.example", f"connie.{name}@contractor.test", f"amy@{name}.test")
    owner = stack.person("owner@northlight.example")
    owner.change("clients.create", {"name": name})
    for domain in (here.mine, here.other):
        owner.verified(owner.change("domains.add", {"client": name, "name": domain, "hosting": "hosted"}))
    boxes = [{"address": f"{who}@{domain}"} for domain in (here.mine, here.other) for who in ("mia", "leo")]
    owner.verified(owner.change("mailboxes.create", boxes))
    owner.change("people.invite", {"name": "Amy Lind", "email": here.amy, "client": name})
    assert owner.change("grants.give", {"person": here.amy, "role": "client admin", "client": name})["version"]
    owner.change("people.invite", {"name": "Connie Fox", "email": here.connie})
    return here


def given_for_two_hours(clock: Clock, browser: Browser, place: Place) -> datetime:
    """By an owner on a page, and let through by the approver on another; when it ends."""
    ends = (clock.now() + timedelta(hours=2)).replace(second=0, microsecond=0)
    nora = Tab(browser, clock.stack.at["web"]).open(printed(clock.stack, "owner@northlight.example"))
    nora.open(f"/people/{place.connie}/").follow("Give a role")
    nora.plan(WHY, "T-6", role="operator", domain=place.mine, until=f"{ends:%Y-%m-%dT%H:%M}")
    held = nora.send()
    assert "held for a second person" in nora.text()
    ada = Tab(browser, clock.stack.at["web"]).open(printed(clock.stack, "approver@northlight.example"))
    ada.open(held)
    assert place.mine in ada.text() and f"{ends:%H:%M}" in ada.text(), "what she approves is two hours at one domain"
    ada.follow("Approve exactly this").verified(held)
    return ends


def joined(stack: Stack, browser: Browser, email: str) -> Tab:
    """By the mailed link: a password of one's own."""
    return (
        Tab(browser, stack.at["web"]).open(stack.mailed_link(email)).fill(password=PASSWORD).follow("Make my sign-in")
    )


def with_factor(tab: Tab, now: datetime) -> Tab:
    """Since an operator role asks for it, a second factor."""
    tab.open("/").follow("Set up the authenticator app")
    secret = tab.page.locator("#authenticator_secret").input_value()
    tab.fill(code=pyotp.TOTP(secret).at(now)).follow("Set it up")
    return tab.follow("I have put them where I will find them")


NOT_THERE, NOT_LET_IN = 404, 403


def refused(tab: Tab, address: str, code: int) -> None:
    """Not to be seen; and not because they would have to sign in again.

    code: whoever holds a role that opens such pages is told that what is not theirs is not there; whoever holds none is
    not let in, whatever there is.
    """
    answer = tab.page.goto(tab.base + address)
    assert answer is not None and answer.status == code, (address, answer and answer.status)
    assert "/sign-in/" not in tab.page.url


def line(tab: Tab, words: str) -> str:
    """What stands in a timeline from these words on: what, its stage, when, and by whom."""
    said = tab.text()
    assert words in said, said
    return "\n".join(said[said.index(words) :].splitlines()[:4])


def row(tab: Tab, words: str) -> str:
    """The row of a table that holds these words."""
    return tab.page.locator("main tr", has_text=words).first.inner_text()


def test_two_hours_at_one_domain(clock: Clock, place: Place, browser: Browser) -> None:
    stack, mine, other = clock.stack, place.mine, place.other
    ends = given_for_two_hours(clock, browser, place)
    connie = with_factor(joined(stack, browser, place.connie), clock.now())
    amy = joined(stack, browser, place.amy)
    rights = row(amy.open(f"/access/?client={place.client}"), "Connie Fox")
    assert "operator" in rights and mine in rights and f"{ends:%H:%M}" in rights, "who may act here, where, how long"

    connie.open(f"/mailboxes/mia@{mine}/").follow("Suspend…").plan("moving it", "T-7")
    connie.verified(connie.send())
    for hidden in (f"/mailboxes/mia@{other}/", f"/domains/{other}/", f"/clients/{place.client}/"):
        refused(connie, hidden, NOT_THERE)
    owner, program = stack.person("owner@northlight.example"), stack.person(place.connie)
    theirs = owner.change("mailboxes.change", {"mailbox": f"mia@{other}", "name": "Quiet Plans"}, "nobody's business")
    connie.open("/changes/")
    assert f"mia@{mine}" in connie.text() and "Quiet Plans" not in connie.text() and other not in connie.text()
    refused(connie, f"/changes/{theirs['id']}/", NOT_THERE)
    for kind, params in (
        ("mailboxes.suspend", {"mailbox": f"leo@{other}"}),
        ("clients.change", {"client": place.client, "notes": "x"}),
    ):
        with pytest.raises(Refused) as told:
            program.change(kind, params)
        assert told.value.status == 404
    more = program.change("grants.give", {"person": place.connie, "role": "approver", "domain": mine}, "for longer")
    assert more["stage"] == "refused", more
    assert program.change("domains.suspend", {"domain": mine})["stage"] in ("applied", "verified")

    for minutes in (50, 50):
        clock.on(minutes=minutes)
        assert "Resume" in connie.open(f"/mailboxes/mia@{mine}/").text(), "an hour without a click would end a sign-in"
    assert clock.now() < ends
    clock.on(minutes=22)
    refused(connie, f"/mailboxes/mia@{mine}/", NOT_LET_IN)
    assert place.connie in connie.open("/account/").page.content(), "still signed in: the role ended, not the session"
    with pytest.raises(Refused):
        program.change("mailboxes.resume", {"mailbox": f"mia@{mine}"})

    reads_all_of_it(amy, place)


def reads_all_of_it(amy: Tab, place: Place) -> None:
    """Her own pages, in her own browser: who was let in and why, what they did and were refused, and that it ended."""
    changes = f"/changes/?client={place.client}"
    until("the ended role is tidied", lambda: "End the role" in amy.open(changes).text(), within=60, every=2)
    ended = line(amy, "End the role")
    assert "the clock" in ended, ended
    given = line(amy, f"Give {place.connie} the role operator")
    assert "Nora Light" in given and WHY in given, given
    for act in (f"Suspend mailbox mia@{place.mine}", f"Suspend domain {place.mine}"):
        assert "Connie Fox" in line(amy, act)
    asked = line(amy, f"Give {place.connie} the role approver")
    assert "refused" in asked and "Connie Fox" in asked
    assert "Connie Fox" not in amy.open(f"/access/?client={place.client}").text(), "nobody of theirs may act here"

    amy.open(changes).page.get_by_role("link", name=re.compile("^End the role")).first.click()
    amy.page.wait_for_url("**/changes/*/")
    assert "the clock" in amy.look().text(), "no person ended it"
    log = amy.open(f"/audit/?client={place.client}")
    assert "the clock" in row(log, "End the role")
    assert "refused" in row(log, f"Give {place.connie} the role approver")
