"""The page of exceptions: all that let mail leave, who agreed, what rests on each, and the patterns beside."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from test_object_pages import plain
from visitors import visitor

from cast import MIA, House, agreed, at, do, the, with_consent
from postroom.access.acting import acting_as
from postroom.changes.errors import Problem
from postroom.models import RouteException, Transport
from postroom.queries.exceptions import Asked, listed
from routed import later, script

HOME, LEO = "mia@gmail.com", "leo@acme.example"
PAGE = "/exceptions/"


def shown(who: Any, path: str = PAGE) -> str:
    answer = visitor(who).get(path)
    assert answer.status_code == 200, answer.status_code
    return unescape(answer.content.decode())


def out(house: House, **more: Any) -> RouteException:
    asked = {"address": MIA, "to": HOME, "owner": "Mia Moss", "until": later(), **more}
    with_consent(house, do("forwards.create", house.olive, **asked))
    return the(RouteException, target=asked["to"])


def handed(house: House) -> Transport:
    do("mailboxes.create", house.olive, address=LEO)
    asked = {"address": LEO, "host": "mx.partner.test", "owner": "Leo Lee", "until": later(20)}
    agreed(house, do("transports.create", house.olive, **asked))
    return the(Transport)


def test_each_says_who_answers_why_who_asked_and_agreed_until_when_and_what_rests_on_it(house: House) -> None:
    one = out(house)
    script(MIA, {"to": HOME}, name="main")
    transport = handed(house)
    said = plain(visitor(house.olive).get(PAGE))
    for words in (
        MIA, HOME, "private provider", "Mia Moss", f"“{one.reason}”", "asked by Olive", "agreed by Ada", "review",
        "a forward; the filter “main”", "mx.partner.test:25", "handed to another server", "all mail of the address",
    ):  # fmt: skip
        assert words in said, (words, said)
    assert said.index("mx.partner.test:25") < said.index(HOME), "what ends first comes first"
    text = shown(house.olive)
    for url in (f"/do/exceptions.end/?exception={one.pk}", f"/do/transports.end/?transport={transport.pk}",
                f"/do/exceptions.create/?address={MIA}", f"/trace/?address={MIA}"):  # fmt: skip
        assert url in text, url
    assert re.search(r'href="/exceptions/" aria-current="page"', text)
    assert "/do/" not in shown(house.audrey).partition("<main")[2].replace('href="/do/"', "")


def test_the_list_of_ways_says_it_too(house: House) -> None:
    one = out(house)
    found = plain(visitor(house.olive).get("/forwards/"))
    assert f"Mia Moss answers for it: {one.reason}." in found and "agreed by Ada" in found and "Review " in found
    seen = plain(visitor(house.carl).get("/forwards/"))
    assert "agreed by Ada" in seen, "whoever acted at a client is named to its own people"


def test_only_what_may_be_seen(house: House) -> None:
    out(house)
    with_consent(house, do("forwards.create", house.olive, address="mia@globex.example", to="g@gmail.com",
                           until=later(), owner="Gina"))  # fmt: skip
    assert "g@gmail.com" in shown(house.olive)
    carls = shown(house.carl)
    assert HOME in carls and "g@gmail.com" not in carls and "globex" not in carls
    assert "g@gmail.com" not in shown(house.olive, f"{PAGE}?client=acme")
    assert "No exception like that" in shown(house.carl, f"{PAGE}?client=globex")


def test_it_is_narrowed_by_what_is_due_what_ends_soon_and_what_has_ended(house: House) -> None:
    one = out(house, until=later(60))
    handed(house)
    near, far = "mx.partner.test:25", HOME
    assert (near in (soon := shown(house.olive, f"{PAGE}?state=soon")), far in soon) == (True, False)
    assert HOME not in shown(house.olive, f"{PAGE}?state=review")
    with at(timezone.now() + timedelta(days=45)):
        due = shown(house.olive, f"{PAGE}?state=review")
        assert HOME in due and "review was due" in due and near not in due
        over = shown(house.olive, f"{PAGE}?state=ended")
        assert near in over and HOME not in over and "ended" in over
    do("exceptions.end", house.olive, exception=str(one.pk))
    assert HOME not in shown(house.olive) and HOME in shown(house.olive, f"{PAGE}?state=ended")
    assert HOME in shown(house.olive, f"{PAGE}?state=ended&q=gmail")
    assert HOME not in shown(house.olive, f"{PAGE}?state=ended&q=nothing-such")
    assert f"/do/exceptions.end/?exception={one.pk}" not in shown(house.olive, f"{PAGE}?state=ended")


def test_renewing_asks_anew_and_waits_for_a_second_person(house: House) -> None:
    one = out(house)
    url = re.search(r'href="(/do/exceptions.create/\?[^"]+)"', shown(house.olive))
    assert url
    form = unescape(visitor(house.olive).get(url[1]).content.decode())
    found = re.findall(r' value="([^"]*)"[^>]*? name="(row-0-[a-z_]+)"', form)
    typed = {name: value for value, name in found}
    assert (typed["row-0-address"], typed["row-0-target"], typed["row-0-owner"]) == (MIA, HOME, "Mia Moss")
    until = f"{typed['row-0-until']}:00Z"
    assert until[:10] > one.until.isoformat()[:10]
    held = do("exceptions.create", house.olive, address=MIA, target=HOME, owner="Mia Moss", until=until)
    assert held.stage == "held"


def test_pages_follow_each_other_and_cost_the_same_however_many_there_are(house: House) -> None:
    out(house)
    handed(house)
    browser = visitor(house.olive)
    browser.get(PAGE)
    few = asked(browser)
    for n in range(28):
        with_consent(house, do("exceptions.create", house.olive, address=MIA, target=f"x{n}@gmail.com", owner="Mia",
                               until=later(40 + n % 3)))  # fmt: skip
    browser.get(PAGE)
    many = asked(browser)
    assert many == few
    with acting_as(house.olive):
        first = listed(house.olive, Asked())
        rest = listed(house.olive, Asked(after=first.next or ""))
    assert len(first.items) == 25 and len(rest.items) == 5 and rest.next is None
    assert len({one.row.pk for one in (*first.items, *rest.items)}) == 30
    for wrong in ("x", "2026-13-01T00:00:00+00:00 " + "a" * 36):
        with pytest.raises(Problem), acting_as(house.olive):
            listed(house.olive, Asked(after=wrong))


def asked(browser: Any) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert browser.get(PAGE).status_code == 200
    return len(queries)


def test_patterns_stand_beside_and_the_private_providers_are_a_choice(house: House) -> None:
    do("clients.change", house.oskar, client="acme", forward_forbidden=["evil.test"])
    text = shown(house.oskar)
    assert "Forbidden whatever exception there is: evil.test." in text and "Every client" in text
    url = "/do/clients.change/?client=acme&forward_forbidden=evil.test&forward_forbidden=private+providers"
    assert url in text
    form = unescape(visitor(house.oskar).get(url).content.decode())
    values = re.findall(r' value="([^"]*)"[^>]*? name="forward_forbidden-\d"', form)
    assert values == ["evil.test", "private providers"]
    assert shown(house.oskar, f"{PAGE}?client=acme").count("Forbid private providers") == 2
    do("clients.change", house.oskar, client="acme", forward_forbidden=["evil.test", "private providers"])
    assert shown(house.oskar, f"{PAGE}?client=acme").count("Forbid private providers") == 1, "of every client's"
    assert "evil.test" not in shown(house.oskar, f"{PAGE}?client=globex")
    assert "/do/organization.change/" not in shown(house.carl) and "evil.test" in shown(house.carl)
