"""Somebody from outside, for two hours, at one domain: acts there, is nobody elsewhere; the role ends by itself."""

import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from playwright.sync_api import Browser
from tab import Tab, chromium

from world import Person, Refused, Stack, until

pytestmark = pytest.mark.server
PASSWORD = "two plain words"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as launched:
        yield launched


def given(owner: Person, approver: Person, email: str, domain: str, lasts: timedelta) -> None:
    until_then = (datetime.now(UTC) + lasts).isoformat()
    asked = {"person": email, "role": "operator", "domain": domain, "until": until_then}
    held = owner.change("grants.give", asked, "a contractor moves their mailboxes")
    assert held["stage"] == "held", held
    assert approver.approve(held)["stage"] == "verified"


def joined(stack: Stack, browser: Browser, email: str) -> Tab:
    """By the mailed link: a password, and since an operator asks for it, a second factor."""
    tab = Tab(browser, stack.at["web"]).open(stack.mailed_link(email))
    tab.fill(password=PASSWORD).follow("Make my sign-in")
    tab.open("/").follow("Set up the authenticator app")
    secret = tab.page.locator("#authenticator_secret").input_value()
    tab.fill(code=pyotp.TOTP(secret).now()).follow("Set it up")
    tab.follow("I have put them where I will find them")
    return tab


def test_two_hours_at_one_domain(stack: Stack, browser: Browser) -> None:
    owner, approver = stack.person("owner@northlight.example"), stack.person("approver@northlight.example")
    name = f"hired{uuid.uuid4().hex[:8]}"
    mine, other = f"{name}.example", f"{name}-other.example"
    connie, amy = f"connie.{name}@contractor.test", f"amy@{name}.test"
    owner.change("clients.create", {"name": name})
    for domain in (mine, other):
        owner.verified(owner.change("domains.add", {"client": name, "name": domain, "hosting": "hosted"}))
    boxes = [{"address": f"{who}@{domain}"} for domain in (mine, other) for who in ("mia", "leo")]
    owner.verified(owner.change("mailboxes.create", boxes))
    owner.change("people.invite", {"name": "Amy Lind", "email": amy, "client": name})
    assert owner.change("grants.give", {"person": amy, "role": "client admin", "client": name})["version"]
    owner.change("people.invite", {"name": "Connie Fox", "email": connie})
    given(owner, approver, connie, mine, timedelta(hours=2))

    tab = joined(stack, browser, connie)
    tab.open(f"/mailboxes/mia@{mine}/").follow("Suspend…").plan("moving it", "T-7")
    done = tab.send()
    tab.verified(done)
    for hidden in (f"/mailboxes/mia@{other}/", f"/domains/{other}/", f"/clients/{name}/"):
        assert tab.page.goto(stack.at["web"] + hidden).status == 404, hidden  # type: ignore[union-attr]
    theirs = owner.change("mailboxes.change", {"mailbox": f"mia@{other}", "name": "Quiet Plans"}, "nobody's business")
    tab.open("/changes/")
    assert f"mia@{mine}" in tab.text() and "Quiet Plans" not in tab.text() and other not in tab.text()
    assert tab.page.goto(f"{stack.at['web']}/changes/{theirs['id']}/").status == 404  # type: ignore[union-attr]

    program = stack.person(connie)
    with pytest.raises(Refused) as refused:
        program.change("mailboxes.suspend", {"mailbox": f"leo@{other}"})
    assert refused.value.status == 404
    assert program.change("domains.suspend", {"domain": mine})["stage"] in ("applied", "verified")
    with pytest.raises(Refused):
        program.change("clients.change", {"client": name, "notes": "x"})

    (grant,) = [one for one in owner.get(f"/grants?client={name}")["items"] if one["role"] == "operator"]
    owner.change("grants.end", {"grant": grant["id"]})
    assert tab.page.goto(f"{stack.at['web']}/mailboxes/mia@{mine}/").status != 200  # type: ignore[union-attr]
    given(owner, approver, connie, mine, timedelta(seconds=15))
    ends = time.monotonic() + 15
    tab.open(f"/mailboxes/mia@{mine}/")
    assert "Resume" in tab.text()
    time.sleep(max(0.0, ends - time.monotonic()) + 1)
    assert tab.page.goto(f"{stack.at['web']}/mailboxes/mia@{mine}/").status != 200  # type: ignore[union-attr]
    with pytest.raises(Refused):
        program.change("mailboxes.resume", {"mailbox": f"mia@{mine}"})

    seen = stack.person(amy)
    lines = seen.get(f"/changes?client={name}&limit=200")["items"]
    acts = {(one["kind"], (one["proposer"] or {}).get("name")) for one in lines}
    assert {("mailboxes.suspend", "Connie Fox"), ("domains.suspend", "Connie Fox")} <= acts, acts
    assert {"grants.give", "grants.end"} <= {kind for kind, _ in acts}, "who let them in, and that it ended"
    until("the ended role is tidied", lambda: all(
        one["ended_at"] for one in owner.get(f"/grants?client={name}")["items"] if one["role"] == "operator"
    ), within=60)  # fmt: skip
