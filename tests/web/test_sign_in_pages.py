"""Who is in and who was, on the mailbox's page and its own: never *nobody* where it is not known."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from visitors import visitor

from cast import MIA, House, app_password, do, let_in, person, redeemed, the
from postroom.models import Mailbox
from sign_ins import listed, sign_in

HOSTILE = '<script>alert("x")</script>'


def plain(answer: Any) -> str:
    assert answer.status_code == 200
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())


def of_mia(who: Any) -> str:
    return plain(visitor(who).get(f"/mailboxes/{MIA}/"))


def test_never_listed_is_unknown_and_nobody_is_said_only_when_just_listed(house: House) -> None:
    assert "unknown who is signed in now: its node has never listed them" in of_mia(house.olive)
    listed()
    assert "Nobody is signed in: as listed at" in of_mia(house.olive)
    listed(ago=70)
    said = of_mia(house.olive)
    assert "unknown who is signed in now: its node last listed them" in said and "Nobody" not in said


def test_sessions_and_sign_ins_stand_there_with_from_where_and_by_what(house: House) -> None:
    listed("198.51.100.24")
    sign_in(address="198.51.100.24", credential="main", program=HOSTILE)
    sign_in(address="2001:db8::1", success=False, refused=True, times=4)
    said = of_mia(house.olive)
    assert "198.51.100.24 main" in said, "by which it was opened follows from who signed in from there"
    assert "refused: too many" in said and "4 times within an hour" in said and "2001:db8::1" in said
    page = visitor(house.olive).get(f"/mailboxes/{MIA}/").content.decode()
    assert HOSTILE not in page and "End all…" in page


def test_beside_each_credential_stands_when_it_was_used_last(house: House) -> None:
    do("invites.send", house.olive, mailbox=MIA, contact="mia@home.test")
    redeemed(MIA)
    phone, tablet = app_password(MIA, "phone"), app_password(MIA, "tablet")
    sign_in(address="192.0.2.1", credential=f"app:{phone.pk}")
    sign_in(address="192.0.2.9", credential=f"app:{phone.pk}", protocol="submission")
    sign_in(address="192.0.2.8", credential=f"app:{tablet.pk}", success=False)
    said = plain(visitor(house.olive).get(f"/mailboxes/{MIA}/"))
    assert "192.0.2.9 phone" in said and f"app:{phone.pk}" not in said, "by its device's name"
    assert "submission from 192.0.2.9" in said and "imap from 192.0.2.8" not in said
    assert said.count("none seen in 90 days") == 2, "the tablet, which never got in, and the password"


def test_an_app_that_was_let_in_is_called_as_its_owner_calls_it(house: House) -> None:
    do("invites.send", house.olive, mailbox=MIA, contact="mia@home.test")
    redeemed(MIA)
    laptop = let_in(house, MIA, "Laptop")
    listed("192.0.2.7")
    sign_in(address="192.0.2.7", credential=f"oauth:{laptop.pk}")
    for page in (of_mia(house.olive), plain(visitor(house.olive).get(f"/mailboxes/{MIA}/sign-ins/"))):
        assert "192.0.2.7 Laptop" in page and "oauth:" not in page
    assert "imap from 192.0.2.7" in of_mia(house.olive), "its last use"


def test_the_whole_history_is_paged_newest_first(house: House) -> None:
    assert "None was told of" in plain(visitor(house.olive).get(f"/mailboxes/{MIA}/sign-ins/"))
    for n in range(60):
        sign_in(address=f"192.0.2.{n}")
    browser, address, seen = visitor(house.olive), f"/mailboxes/{MIA}/sign-ins/", []
    while address:
        page = unescape(browser.get(address).content.decode())
        seen += re.findall(r"192\.0\.2\.(\d+)", page)
        more = re.search(r'href="([^"]+)" rel="next"', page)
        address = f"/mailboxes/{MIA}/sign-ins/{more[1]}" if more else ""
    assert [int(n) for n in seen] == list(range(59, -1, -1))


@pytest.mark.parametrize("after", ["x", "-1", "99999999999999999999999", "²"])
def test_an_after_that_is_none_is_no_fault_of_ours(house: House, after: str) -> None:
    assert visitor(house.olive).get(f"/mailboxes/{MIA}/sign-ins/?after={after}").status_code == 200


def test_who_may_see_mailboxes_and_no_sign_ins_sees_none(house: House) -> None:
    sign_in(address="198.51.100.24")
    do("roles.create", house.oskar, name="desk", permissions=["mailboxes.view", "clients.view"])
    do("people.invite", house.oskar, name="Dee", email="dee@northlight.example")
    do("grants.give", house.oskar, person="dee@northlight.example", role="desk", client="acme")
    dee = person("dee@northlight.example", house.oskar)
    said = of_mia(dee)
    assert "Sign-ins" not in said and "198.51.100.24" not in said
    assert visitor(dee).get(f"/mailboxes/{MIA}/sign-ins/").status_code == 403


def test_ending_all_is_asked_by_the_ordinary_form(house: House) -> None:
    answer = visitor(house.olive).get(f"/do/mailboxes.end_sessions/?mailbox={MIA}")
    assert "End sessions of a mailbox" in plain(answer)
    do("mailboxes.end_sessions", house.olive, mailbox=MIA)
    assert the(Mailbox, address__address=MIA).access_epoch == 1
