"""Access reviews and rosters at the pages: signed and answered there, by who may, a page at a time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from visitors import visitor

from cast import MIA, House, do, do_all, person, the
from postroom.access.acting import SYSTEM, Actor, acting_as
from postroom.models import Change, Round, RoundLine

AMY = "amy@acme.example"


@pytest.fixture
def amy(house: House) -> Iterator[Actor]:
    do("people.invite", house.oskar, name="Amy", email=AMY, client="acme")
    do("grants.give", house.oskar, person=AMY, role="client admin", client="acme", reason="contract")
    yield person(AMY, house.oskar)


def page(answer: Any) -> str:
    assert answer.status_code == 200, answer.status_code
    return unescape(answer.content.decode())


def opened(house: House, sort: str, client: str = "acme") -> str:
    kind = "access_reviews.open" if sort == "access review" else "rosters.open"
    do(kind, house.oskar, client=client)
    base = "/access-reviews" if sort == "access review" else "/rosters"
    return f"{base}/{the(Round, sort=sort, client__slug=client).pk}/"


def line(name: str) -> str:
    return str(the(RoundLine, name=name, client__slug="acme").pk)


def answers() -> dict[str, str]:
    with acting_as(SYSTEM):
        return dict(RoundLine.objects.exclude(answer="").values_list("name", "answer"))


def post(browser: Client, address: str, act: str, names: list[str], **more: str) -> Any:
    return browser.post(address, {"act": act, "line": [line(name) for name in names], **more})


def test_a_delegation_is_a_line_with_who_asked_and_until_when(house: House) -> None:
    office, until = "office@acme.example", timezone.now().replace(microsecond=0) + timedelta(days=30)
    do("mailboxes.create", house.olive, address=office, kind="shared")
    do("delegations.ask", house.olive, mailbox=office, to=MIA, rights=["open"], until=until.isoformat())
    address, name = opened(house, "access review"), f"open at {office} by {MIA}"
    shown = page(visitor(house.ada).get(address))
    (row,) = [one for one in re.findall(r"<tr.*?</tr>", shown, re.DOTALL) if name in one]
    assert "Olive" in row and "not measured" in row and "never" not in row and f"{until:%d %b}".lstrip("0") in row
    sure = page(post(visitor(house.ada), address + "sign/", "end", [name], why="the office is closed"))
    assert name in sure and "ends everywhere" not in sure


def test_an_approver_signs_chosen_lines_with_a_reason_and_none_of_their_own(house: House, amy: Actor) -> None:
    address = opened(house, "access review")
    ada = visitor(house.ada)
    shown = page(ada.get(address))
    assert "9 lines" not in shown and "0 of 7 answered" in shown and "yours: somebody else signs it" in shown
    assert f'value="{line("approver of Ada")}"' not in shown and f'value="{line("helpdesk of Henry")}"' in shown
    assert "contract" in shown and "not signed" in shown
    two = ["helpdesk of Henry", "client admin of Amy"]
    without = post(ada, f"{address}sign/", "keep", two)
    assert without.status_code == 422 and "Say why" in without.content.decode() and answers() == {}
    none = ada.post(f"{address}sign/", {"act": "keep", "why": "x"})
    assert none.status_code == 422 and "Choose the lines" in none.content.decode()
    went = post(ada, f"{address}sign/?state=open", "keep", two, why="asked their leads")
    assert (went.status_code, went["Location"]) == (302, f"{address}?state=open")
    assert answers() == dict.fromkeys(two, "keep")
    assert post(ada, f"{address}sign/", "keep", two, why="asked their leads").status_code == 302, "pressed twice"
    again = page(ada.get(address))
    assert "2 of 7 answered" in again and "asked their leads · Ada" in again
    with acting_as(SYSTEM):
        assert Change.objects.filter(kind="access_reviews.sign").count() == 1


def test_a_token_whose_use_the_line_does_not_hold_is_not_called_unused(house: House) -> None:
    until = (timezone.now() + timedelta(days=30)).isoformat()
    do("tokens.create", house.olive, secrets={"token": "5" * 64}, name="CI", permissions=["domains.view"], until=until)
    tokens = page(visitor(house.ada).get(f"{opened(house, 'access review')}?q=token CI"))
    assert "token CI of Olive" in tokens and "not known here" in tokens and "never here" not in tokens


def test_who_sees_a_round_and_none_of_its_lines_is_not_told_that_it_is_done(house: House) -> None:
    opened(house, "roster")
    do("roles.create", house.oskar, name="watcher", permissions=["rounds.view", "clients.view"])
    do("people.invite", house.oskar, name="Wim", email="wim@northlight.example")
    do("grants.give", house.oskar, person="wim@northlight.example", role="watcher", client="acme")
    shown = page(visitor(person("wim@northlight.example", house.oskar)).get("/rosters/"))
    assert "lines not seen" in shown and "pb-good" not in shown and ">done<" not in shown


def test_what_ends_is_asked_for_once_more_by_name_and_client(house: House, amy: Actor) -> None:
    address = opened(house, "access review")
    ada, two = visitor(house.ada), ["helpdesk of Henry", "client admin of Amy"]
    sure = page(post(ada, f"{address}sign/", "end", two, why="nobody knows them"))
    assert "End 2 rights?" in sure and "At Acme: client admin of Amy, helpdesk of Henry." in sure
    assert "ends everywhere: helpdesk of Henry" in sure and answers() == {}
    went = post(ada, f"{address}sign/", "end", two, why="nobody knows them", step="send")
    assert went.status_code == 302 and answers() == dict.fromkeys(two, "end")
    shown = page(ada.get(f"{address}?state=end"))
    assert "to end" in shown and "and stands" in shown, "the worker did not come yet"


def test_who_reads_along_is_offered_no_answer_and_may_give_none(house: House, amy: Actor) -> None:
    review, roster = opened(house, "access review"), opened(house, "roster")
    for who, address, verb in ((house.olive, review, "sign"), (amy, review, "sign"), (house.ada, roster, "answer")):
        browser = visitor(who)
        shown = page(browser.get(address))
        assert "you read along" in shown and 'name="line"' not in shown
        refused = browser.post(f"{address}{verb}/", {"act": "keep", "why": "x", "line": [line(MIA)]})
        assert refused.status_code == 403
    hers = page(visitor(amy).get(review))
    assert "operator of Olive" in hers and "olive@northlight" not in hers and "not said" in hers
    assert answers() == {}


def test_a_client_admin_answers_the_roster_and_whoever_runs_the_service_says_who_told_them(
    house: House, amy: Actor
) -> None:
    address = opened(house, "roster")
    mine, olive = visitor(amy), visitor(house.olive)
    shown = page(mine.get(address))
    assert MIA in shown and "no answer" in shown and 'for="f-line-why">Note' in shown
    assert post(mine, f"{address}answer/", "unknown", [MIA, AMY]).status_code == 302
    assert "2 of 2 answered, 2 unknown" in page(mine.get(address)) and ">done<" not in page(mine.get(address))
    assert "2 unknown" in page(mine.get("/rosters/")), "unknown is never green"
    told = page(olive.get(address))
    assert "was told to you" in told and "Told by whom" in told
    without = post(olive, f"{address}answer/", "left", [MIA])
    assert without.status_code == 422 and "who of the client told you" in without.content.decode()
    assert post(olive, f"{address}answer/", "left", [MIA], why="Amy, on the phone").status_code == 302
    assert "Amy, on the phone · Olive, as told to them" in page(mine.get(address))
    assert post(mine, f"{address}answer/", "nonsense", [MIA]).status_code == 404
    do("mailboxes.suspend", house.olive, mailbox=MIA)
    assert "suspended" in page(mine.get(address))


def test_another_clients_round_is_not_there(house: House, amy: Actor) -> None:
    for sort in ("access review", "roster"):
        theirs = opened(house, sort, "globex")
        browser = visitor(amy)
        nowhere = browser.get(re.sub(r"[0-9a-f]{8}-", "00000000-", theirs))
        assert browser.get(theirs).status_code == nowhere.status_code == 404
        assert "Globex" not in page(browser.get(theirs.rsplit("/", 2)[0] + "/"))
    with acting_as(SYSTEM):
        row = RoundLine.objects.get(name="mia@globex.example")
    own = opened(house, "roster")
    answer = visitor(amy).post(f"{own}answer/", {"act": "left", "line": [str(row.pk)], "why": "x"})
    assert answer.status_code == 404 and answers() == {}


def test_the_rounds_are_led_to_from_where_one_looks(house: House, amy: Actor) -> None:
    assert "None yet" in page(visitor(house.ada).get("/clients/acme/"))
    review, roster = opened(house, "access review"), opened(house, "roster")
    ada, mine = visitor(house.ada), visitor(amy)
    home = page(ada.get("/"))
    assert "Access review of Acme" in home and f'href="{review}?state=open"' in home and "Roster of" not in home
    hers = page(mine.get("/"))
    assert "Roster of Acme" in hers and "Access review of" not in hers
    assert "Roster of Acme" not in page(visitor(house.olive).get("/")), "it is asked of the client"
    client = page(ada.get("/clients/acme/"))
    assert f'href="{review}"' in client and f'href="{roster}"' in client and "0 of 7 answered" in client
    access = page(ada.get("/access/?client=acme"))
    assert 'href="/access-reviews/?client=acme"' in access and 'href="/rosters/?client=acme"' in access
    post(mine, f"{roster}answer/", "here", [MIA, AMY])
    assert "Roster of Acme" not in page(mine.get("/"))


def test_hostile_text_in_a_note_stays_text(house: House) -> None:
    address = opened(house, "roster")
    nasty = "<script>alert(1)</script>\u202e{{ 7|add:7 }}"
    assert post(visitor(house.olive), f"{address}answer/", "left", [MIA], why=nasty).status_code == 302
    shown = visitor(house.olive).get(address).content.decode()
    assert "<script>alert(1)" not in shown and "&lt;script&gt;alert(1)" in shown and "{{ 7|add:7 }}" in shown
    assert (
        "NUL" in nasty or post(visitor(house.olive), f"{address}answer/", "left", [MIA], why="a\0b").status_code == 302
    )


def test_a_page_of_lines_costs_the_same_however_many_there_are(house: House, amy: Actor) -> None:
    def counted(addresses: list[str]) -> list[int]:
        found = []
        for who in (house.ada, amy):
            browser = visitor(who)
            for address in addresses:
                browser.get(address)
                with CaptureQueriesContext(connection) as queries:
                    assert browser.get(address).status_code == 200
                found.append(len(queries))
        return found

    few = counted([opened(house, "access review"), opened(house, "roster"), "/rosters/", "/access-reviews/"])
    for n in range(60):
        if n < 15:
            do("people.invite", house.oskar, name=f"P{n}", email=f"p{n}@northlight.example")
            do("grants.give", house.oskar, person=f"p{n}@northlight.example", role="auditor", client="globex")
    for at in range(0, 60, 20):
        do_all("mailboxes.create", house.olive, [{"address": f"b{at + n:02}@globex.example"} for n in range(20)])
    do("people.invite", house.oskar, name="Gil", email="gil@globex.example", client="globex")
    do("grants.give", house.oskar, person=AMY, role="client admin", client="acme")
    many = [opened(house, "access review", "globex"), opened(house, "roster", "globex")]
    browser = visitor(house.ada)
    for address, before in zip(many, few, strict=False):
        browser.get(address)
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(address).status_code == 200
        assert len(queries) == before, address
    assert max(few) <= 40


def test_every_line_is_on_one_page_and_the_next_starts_where_this_one_ends(house: House, amy: Actor) -> None:
    for at in range(0, 60, 20):
        do_all("mailboxes.create", house.olive, [{"address": f"b{at + n:02}@acme.example"} for n in range(20)])
    base = opened(house, "roster")
    browser, address, seen = visitor(amy), base, []
    while address:
        shown = page(browser.get(address))
        seen += re.findall(r'aria-label="Choose (\S+@\S+)"', shown)
        more = re.search(r'href="([^"]+)" rel="next"', shown)
        address = f"{base}{more[1]}" if more else ""
    assert len(seen) == len(set(seen)) == 62 and seen[:-1] == sorted(seen[:-1]) and seen[-1] == AMY
    assert "b07@acme.example" in page(browser.get(f"{base}?q=b07")) and "b08@" not in page(browser.get(f"{base}?q=b07"))
    odd = [f"{base}?after=%00&state=x", f"{base}?after=x", "/rosters/?after=x&client=%ff", "/rosters/x/"]
    assert {browser.get(one).status_code for one in odd} <= {200, 400, 404}
