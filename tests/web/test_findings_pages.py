"""Findings at the pages: the list, one of them, its acts, and what Overview says when nothing was read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from test_doing import page
from visitors import found_at_acme, visitor

from cast import House, do, the
from postroom import catalogue
from postroom.access.acting import SYSTEM, acting_as
from postroom.models import Client, Finding, Node
from postroom.posture.findings import Found, not_read, observed
from postroom.posture.run import run

UNTIL = (datetime.now(UTC) + timedelta(days=30)).strftime("%Y-%m-%dT%H:%M")


def sent(browser, address: str, **typed: str) -> int:
    """The form, its plan, and what was seen of it."""
    import re
    from html import unescape

    plan = browser.post(address, typed).content.decode()
    hidden = {
        name: unescape(value) for name, value in re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', plan)
    }
    assert "seen" in hidden, re.sub(r"<[^>]+>", " ", plan)[:3000]
    return int(browser.post(address, {**hidden, "step": "send"}).status_code)


def test_from_the_menu_to_a_finding_to_its_plan_and_what_was_decided(house: House) -> None:
    finding = found_at_acme()
    browser, at = visitor(house.olive), f"/findings/{finding}/"
    assert ">1<" in page(browser.get("/")).replace(" ", "") and 'href="/findings/"' in page(browser.get("/"))
    listed = page(browser.get("/findings/"))
    assert f'href="{at}"' in listed and "A TTL moved" in listed and "high" in listed
    assert page(browser.get("/findings/?severity=low")).count(at) == 0
    one = page(browser.get(at))
    assert "3600" in one and "60" in one and "ns1.acme.example" in one and 'href="/domains/' in one
    assert 'href="/do/domains.change/?domain=acme.example"' in one
    assert 'value="acme.example"' in page(browser.get("/do/domains.change/?domain=acme.example"))
    assert sent(browser, "/do/findings.acknowledge/", finding=str(finding), why="x", reason="calling <them>") == 302
    assert "calling &lt;them&gt; · Olive" in browser.get(at).content.decode()
    assert sent(browser, "/do/findings.accept/", finding=str(finding), why="x", reason="planned", until=UNTIL) == 302
    assert f'href="{at}"' not in page(browser.get("/findings/")) and "1 accepted" in page(browser.get("/"))
    assert f'href="{at}"' in page(browser.get("/findings/?state=accepted"))
    assert f'href="/do/findings.reopen/?finding={finding}"' in page(browser.get(at))
    changes = page(browser.get("/changes/"))
    assert "Decision about a finding" in changes and "A TTL moved" in changes
    observed("t.sample", [])
    gone = page(browser.get(at))
    assert "gone " in gone and "/do/findings" not in gone and "/do/domains" not in gone
    back = page(browser.get(f"/findings/{found_at_acme()}/"))
    assert "The same cause before" in back and f'href="{at}"' in back and "accepted" in back


ACTS = {"olive": {"acknowledge", "accept"}, "ada": {"accept"}, "audrey": set(), "carl": {"acknowledge"}}


@pytest.mark.parametrize("who", ACTS)
def test_each_is_offered_what_they_may(house: House, who: str) -> None:
    finding = found_at_acme()
    one = page(visitor(getattr(house, who)).get(f"/findings/{finding}/"))
    assert {act for act in ("acknowledge", "accept", "reopen") if f"/do/findings.{act}/" in one} == ACTS[who]
    assert ("/do/domains.change/" in one) == (who == "olive") and "Change what is known of a domain" in one


def test_a_client_sees_its_own_and_no_letter_to_an_owner(house: House) -> None:
    ours, globex = found_at_acme(), the(Client, slug="globex").pk
    observed("t.theirs", [Found("critical", "clients", globex, "globex", "Their trouble", client=globex)])
    run(catalogue.OWNERS)
    with acting_as(SYSTEM):
        theirs, organization = Finding.objects.get(client=globex), Finding.objects.get(client=None)
        Finding.objects.update(told_to={"owner@northlight.example": {"answer": "250 queued as 4XyZ"}})
    carl, oskar = visitor(house.carl), visitor(house.oskar)
    listed = page(carl.get("/findings/"))
    assert "A TTL moved" in listed and "Their trouble" not in listed and organization.title not in listed
    for other in (theirs, organization):
        answer, nowhere = carl.get(f"/findings/{other.pk}/"), carl.get(f"/findings/{globex}/")
        assert answer.status_code == nowhere.status_code == 404 and answer.content == nowhere.content
        assert oskar.get(f"/findings/{other.pk}/").status_code == 200
    assert "4XyZ" not in page(carl.get(f"/findings/{ours}/")) and "4XyZ" in page(oskar.get(f"/findings/{ours}/"))
    assert "1 open" in page(carl.get("/clients/acme/"))


def test_a_frozen_client_s_finding_says_so_and_what_is_decided_waits(house: House) -> None:
    finding = found_at_acme()
    do("freezes.start", house.olive, scope="acme", reason="dispute")
    browser = visitor(house.olive)
    assert "dispute" in page(browser.get(f"/findings/{finding}/"))
    assert do("findings.acknowledge", house.olive, finding=str(finding)).stage == "refused"


def test_nothing_is_well_before_all_was_read(house: House) -> None:
    browser = visitor(house.oskar)
    for address in ("/", "/findings/"):
        assert "Nothing is wrong" not in page(browser.get(address)), address
    unread = f"{len(catalogue.CHECKS)} checks not read"
    assert unread in page(browser.get("/")) and "Nothing is known" in page(browser.get("/findings/"))
    for check in catalogue.CHECKS:
        observed(check.name, [])
    assert "Nothing is wrong" in page(browser.get("/")) and "Nothing is wrong" in page(browser.get("/findings/"))
    not_read("access.owners", "down")
    assert "1 check not read" in page(browser.get("/")) and "Nothing is known" in page(browser.get("/findings/"))
    run(catalogue.OWNERS)
    not_read("access.owners", "the <database>")
    with acting_as(SYSTEM):
        one = Finding.objects.get()
    shown = page(browser.get(f"/findings/{one.pk}/"))
    assert (
        "What is so now is unknown" in shown
        and "the &lt;database&gt;" in browser.get(f"/findings/{one.pk}/").content.decode()
    )
    assert "1 unknown" in page(browser.get("/"))
    observed("access.owners", [], at=datetime.now(UTC) - timedelta(hours=1))
    with acting_as(SYSTEM):
        assert Finding.objects.get().closed_at is None


def test_what_stands_on_a_node_leads_to_that_node(house: House) -> None:
    """Whatever it is called: what somebody put there is nobody's, and is called by its address."""
    node = the(Node, name="mx1").pk
    for check, label, evidence in (("nodes.maps", "x@acme.example", {"node": "mx1"}), ("nodes.engines", "mx1", {})):
        observed(check, [Found("critical", "nodes", node, label, "Put there", evidence=evidence)])
    with acting_as(SYSTEM):
        found = list(Finding.objects.values_list("pk", flat=True))
    for one in found:
        assert 'href="/nodes/mx1/"' in page(visitor(house.oskar).get(f"/findings/{one}/"))
