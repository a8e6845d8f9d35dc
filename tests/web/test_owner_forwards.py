"""Owners ask on their own page that their mail goes on: inside at once, outside when agreed; never another's."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone
from visitors import visitor

from cast import MIA, House, agreed, do, owner_of, the
from mail_nodes import Node
from mailbox_owner import LEO, WORDS, owner
from postroom.access.acting import SYSTEM, acting_as
from postroom.changes.approvals import approve, withdraw
from postroom.changes.errors import ChangeError, NotAllowed, NotThere, OwnChange, Problems
from postroom.models import Address, Change, Forward, Mailbox, RouteException
from postroom.queries.owning import lately
from routed import looked

NEW, HOME = "/mailbox/forwards/new/", "mia@gmail.com"


@pytest.fixture
def leo(mia: Mailbox, house: House, mx1: Node) -> Mailbox:
    do("mailboxes.create", house.olive, address=LEO)
    return the(Mailbox, address__address=LEO)


def later(days: int = 30) -> str:
    return (timezone.now() + timedelta(days=days)).replace(microsecond=0).isoformat()


def typed(to: str, /, **more: str) -> dict[str, str]:
    said = {"to": to, "until": later()[:10], "keep_copy": "on", "why": "while I travel", "old": WORDS, **more}
    return {name: value for name, value in said.items() if value}


def mias() -> Mailbox:
    return the(Mailbox, address__address=MIA)


def page(browser: Client) -> str:
    return str(browser.get("/mailbox/").content.decode())


def text(answer: Any) -> str:
    return str(answer.content.decode().replace("&#x27;", "'"))


def last() -> Change:
    with acting_as(SYSTEM):
        return Change.objects.filter(kind="forwards.create").order_by("-id").all()[0]


def none() -> bool:
    with acting_as(SYSTEM):
        return not (Forward.objects.exists() or RouteException.objects.exists())


def test_inside_it_goes_through_at_once_and_she_stops_and_ends_it(leo: Mailbox) -> None:
    browser = owner()
    assert "Ask for it" in page(browser) and browser.get(NEW).status_code == 200
    assert browser.post(NEW, typed(LEO))["Location"] == "/mailbox/"
    one = the(Forward)
    address = the(Address, address=MIA)
    assert (one.to, one.address_id, last().actor, last().mailbox_id) == (
        LEO,
        address.pk,
        "owner",
        the(Mailbox, address__address=MIA).pk,
    )
    assert one.until.isoformat()[:19] == f"{later()[:10]}T23:59:59" and address.keep_copy
    assert LEO in page(browser) and "a copy stays here" in page(browser)
    assert browser.post("/mailbox/forwards/disable/", {"forward": str(one.pk)})["Location"] == "/mailbox/"
    assert the(Forward).disabled_at and "disabled: nothing goes there now" in page(browser)
    assert browser.post("/mailbox/forwards/end/", {"forward": str(one.pk)})["Location"] == "/mailbox/"
    looked()
    assert the(Forward).removed_at and "Nothing passes your mail on" in page(browser)
    assert browser.post("/mailbox/forwards/end/", {"forward": str(one.pk)})["Location"] == "/mailbox/", "it has"


def test_outside_it_waits_for_somebody_who_may_agree(mia: Mailbox, house: House) -> None:
    browser = owner()
    told = browser.post(NEW, typed(HOME))
    assert told.status_code == 200 and "It waits for a second person" in text(told) and none()
    change = last()
    assert (change.stage, change.why) == ("held", "while I travel")
    assert HOME in page(browser) and "nothing goes there before somebody agreed" in page(browser)
    assert "lets mail leave to mia@gmail.com, a private mailbox" in str(change.verdicts)
    approve(change.pk, actor=house.ada, plan_hash=change.plan_hash)
    let = the(RouteException)
    assert (let.target, let.owner, let.reason) == (HOME, mias().name or f"the owner of {MIA}",
                                                   "while I travel")  # fmt: skip
    assert the(Forward).to == HOME and "your mail goes there" in page(browser)
    assert "nothing goes there before somebody agreed" not in page(browser)


def test_she_takes_back_what_waits_and_nobody_else_does(leo: Mailbox, house: House) -> None:
    browser = owner()
    browser.post(NEW, typed(HOME))
    change = last()
    for other in (owner_of(LEO), owner_of("mia@globex.example")):
        with pytest.raises(ChangeError):
            withdraw(change.pk, actor=other, why="x")
    for which in (str(uuid4()), "x", ""):
        assert browser.post("/mailbox/forwards/withdraw/", {"change": which}).status_code == 422
    assert last().stage == "held"
    assert browser.post("/mailbox/forwards/withdraw/", {"change": str(change.pk)})["Location"] == "/mailbox/"
    assert last().stage == "withdrawn" and HOME not in page(browser) and none()
    assert browser.post("/mailbox/forwards/withdraw/", {"change": str(change.pk)}).status_code == 422, "once"


def test_what_others_asked_for_at_her_mailbox_she_neither_reads_nor_takes_back(mia: Mailbox, house: House) -> None:
    browser = owner()
    held = do("forwards.create", house.olive, address=MIA, to=HOME, until=later(), owner="Mia")
    assert held.stage == "held" and HOME not in page(browser)
    assert browser.post("/mailbox/forwards/withdraw/", {"change": str(held.pk)}).status_code == 422
    assert last().stage == "held"


def test_whoever_owns_the_mailbox_never_agrees_as_somebody_else(mia: Mailbox, house: House) -> None:
    agreed(
        house, do("mailboxes.transfer", house.olive, mailbox=MIA, owner=str(house.ada.person), contact="ada@home.test")
    )
    change = do("forwards.create", owner_of(MIA), address=MIA, to=HOME, until=later())
    assert change.stage in ("held", "scheduled")
    with pytest.raises((OwnChange, ChangeError)):
        approve(change.pk, actor=house.ada, plan_hash=change.plan_hash)
    assert none()


@pytest.mark.parametrize("address", [LEO, "nobody@acme.example", "mia@globex.example", "nobody@nowhere.test",
                                     "postmaster@acme.example"])  # fmt: skip
def test_never_another_address(leo: Mailbox, house: House, address: str) -> None:
    """There or not, here or at another client: the answer is the same, and no address is made."""
    with acting_as(SYSTEM):
        before = Address.objects.count()
    with pytest.raises(Problems) as refused:
        do("forwards.create", owner_of(MIA), address=address, to=HOME, until=later())
    (one,) = refused.value.problems
    assert isinstance(one, NotThere) and one.where == "address" and none()
    with acting_as(SYSTEM):
        assert Address.objects.count() == before
    browser = owner()
    assert "Location" in browser.post(NEW, {**typed(LEO if address != LEO else MIA), "address": address}) or none()
    with acting_as(SYSTEM):
        assert not Forward.objects.exclude(address__address=MIA).exists(), "what a form says besides is not read"


def test_another_owners_forward_is_not_there(leo: Mailbox, house: House) -> None:
    do("forwards.create", house.olive, address=LEO, to=MIA, until=later())
    one, browser = the(Forward), owner()
    for act in ("disable", "end"):
        assert browser.post(f"/mailbox/forwards/{act}/", {"forward": str(one.pk)}).status_code == 422
    assert the(Forward).disabled_at is None and the(Forward).removed_at is None


def test_what_is_forbidden_is_refused_and_not_held(mia: Mailbox, house: House) -> None:
    browser = owner()
    agreed(house, do("clients.change", house.olive, client="acme", forward_forbidden=["gmail.com"]))
    answer = browser.post(NEW, typed(HOME))
    assert answer.status_code == 409 and "is forbidden by" in text(answer) and none()
    assert last().stage == "refused"


def test_twice_is_said_and_no_mailbox_fills_the_list_of_what_waits(mia: Mailbox, house: House) -> None:
    browser = owner()
    browser.post(NEW, typed(HOME))
    again = browser.post(NEW, typed(HOME))
    assert again.status_code == 422 and "asked for that already" in text(again)
    for n in range(4):
        assert browser.post(NEW, typed(f"mia{n}@gmail.com")).status_code == 200
    more = browser.post(NEW, typed("more@gmail.com"))
    assert more.status_code == 422 and "are answered first" in text(more)
    change = last()
    approve(change.pk, actor=house.ada, plan_hash=change.plan_hash)
    there = browser.post(NEW, typed("mia3@gmail.com"))
    assert there.status_code == 422 and "already" in text(there)


@pytest.mark.parametrize("more, words", [
    ({"to": ""}, "no mail address"), ({"to": "nothing"}, "no mail address"), ({"to": MIA}, "to itself"),
    ({"to": "ghost@acme.example"}, "does not exist yet"), ({"until": ""}, "until which day"),
    ({"until": "soon"}, "until which day"), ({"until": later(400)[:10]}, "a year from now"),
    ({"until": later(-2)[:10]}, "has passed"), ({"why": ""}, "what it is for"), ({"why": "x" * 501}, "what it is for"),
    ({"old": ""}, "not the password"), ({"old": "not it, but long enough"}, "not the password"),
])  # fmt: skip
def test_what_is_wrong_is_said_at_its_field(leo: Mailbox, more: dict[str, str], words: str) -> None:
    answer = owner().post(NEW, typed(LEO, **more))
    assert answer.status_code == 422 and words in text(answer) and none()


def test_a_vips_waits_inside_too(leo: Mailbox, house: House) -> None:
    agreed(house, do("mailboxes.change", house.olive, mailbox=MIA, vip=True))
    answer = owner().post(NEW, typed(LEO))
    assert answer.status_code == 200 and "It waits for a second person" in text(answer) and none()


def test_mail_that_would_leave_by_way_of_another_waits(leo: Mailbox, house: House) -> None:
    agreed(house, do("forwards.create", house.olive, address=LEO, to="leo@away.test", until=later(), owner="Leo"))
    answer = owner().post(NEW, typed(LEO))
    assert "It waits for a second person" in text(answer)
    with acting_as(SYSTEM):
        assert not Forward.objects.filter(address__address=MIA).exists()


def test_exactly_these_and_no_more(mia: Mailbox, house: House) -> None:
    agreed(house, do("forwards.create", house.olive, address=MIA, to=HOME, until=later(), owner="Mia"))
    one, let = str(the(Forward).pk), str(the(RouteException).pk)
    do("forwards.disable", house.olive, forward=one)
    for kind, params in {
        "forwards.enable": {"forward": one}, "forwards.change": {"forward": one, "until": later(60)},
        "exceptions.create": {"address": MIA, "target": "x@x.test", "owner": "x", "until": later()},
        "exceptions.end": {"exception": let},
    }.items():  # fmt: skip
        with suppress(NotAllowed):
            assert do(kind, owner_of(MIA), **params).stage == "refused", kind
    assert the(Forward).disabled_at and the(Forward).until.isoformat()[:10] == later()[:10]


def test_it_is_asked_of_her_whether_she_knows_it(leo: Mailbox, house: House) -> None:
    """What a thief with her password did stands where she looks, whoever the record says that it was."""
    browser = owner()
    browser.post(NEW, typed(LEO))
    mine = owner_of(MIA)
    with acting_as(mine):
        assert "forwards.create" in [one.said for one in lately(mine) if one.mine]
    assert "Mail is passed on to another address" in browser.get("/mailbox/recent/").content.decode()


def test_who_approves_reads_whose_wish_it_is(mia: Mailbox, house: House) -> None:
    owner().post(NEW, typed(HOME))
    said = visitor(house.ada).get(f"/changes/{last().pk}/").content.decode()
    assert "owner" in said and "while I travel" in said and HOME in said


def test_she_sees_that_all_her_mail_is_handed_to_another_server(leo: Mailbox, house: House) -> None:
    asked = {"address": MIA, "host": "mx.partner.test", "owner": "Mia", "until": later()}
    browser = owner()
    assert "mx.partner.test" not in page(browser)
    agreed(house, do("transports.create", house.olive, **asked))
    said = page(browser)
    assert "mx.partner.test:25" in said and "none of it lands here" in said
