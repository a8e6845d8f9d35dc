"""What nodes tell of Sieve scripts: of mailboxes they serve, all that each has now, and how honest that is."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from psycopg.types.json import Jsonb

from cast import MIA, House, do, the
from mail_nodes import Node, acknowledge
from postroom.access.acting import SYSTEM, acting_as
from postroom.models import Mailbox, SieveRead, SieveScript
from postroom.models import Node as Server

Connect = Callable[[str], Node]
LEO = "leo@acme.example"
OUT = {"to": "spy@evil.example", "copy": False, "conditional": False, "by": "redirect"}


@pytest.fixture
def mx1(node: Connect, house: House) -> Node:
    """Acme's node, with an empty list and two mailboxes."""
    one = node("mx1")
    do("mailboxes.create", house.olive, address=LEO)
    acknowledge(one)
    return one


def script(name: str, **said: Any) -> dict[str, Any]:
    return {"name": name, "active": True, "digest": f"d {name}", "text": "redirect;", "cut": False, "redirects": [OUT],
            "vacation": False, "unreadable": "", **said}  # fmt: skip


def of(login: str, *scripts: dict[str, Any], at: float = 0) -> dict[str, Any]:
    return {"login": login, "at": at or time.time(), "scripts": list(scripts)}


def whole(*unread: tuple[str, str], at: float = 0) -> dict[str, Any]:
    said = [{"login": login, "why": why} for login, why in unread]
    return {"whole": True, "at": at or time.time(), "mailboxes": 2, "unread": said}


def told(node: Node, *rows: dict[str, Any]) -> None:
    node.execute("SELECT node_report(%s, %s)", ["sieve", Jsonb(list(rows))])


def kept(**where: Any) -> list[SieveScript]:
    with acting_as(SYSTEM):
        return list(SieveScript.objects.filter(**where).order_by("name"))


def names(login: str = MIA) -> list[str]:
    return [one.name for one in kept(mailbox=the(Mailbox, address__address=login))]


def test_a_mailbox_has_what_was_told_last_and_no_more(house: House, mx1: Node) -> None:
    told(mx1, of(MIA, script("a"), script("b", active=False)), of(LEO, script("a")))
    told(mx1, of(MIA, script("b", text="x" * 65_536, cut=True), script("c", redirects=[], vacation=True)))
    b, c = kept(mailbox=the(Mailbox, address__address=MIA))
    assert (b.name, b.active, b.cut, b.redirects, len(b.text)) == ("b", True, True, [OUT], 65_536)
    assert (c.name, c.vacation, c.redirects, c.unreadable) == ("c", True, [], "")
    mailbox = the(Mailbox, address__address=MIA)
    assert (c.client_id, c.mailbox_id, c.node_id) == (mailbox.client_id, mailbox.pk, the(Server, name="mx1").pk)
    told(mx1, of(MIA))
    assert names() == [] and names(LEO) == ["a"]


def test_of_two_rows_of_a_mailbox_the_later_counts_and_a_name_twice_is_one(house: House, mx1: Node) -> None:
    told(mx1, of(MIA, script("old")), of(MIA, script("new"), script("new"), script("")))
    assert names() == ["new"]


def test_since_when_it_stood_so_stays_while_its_text_does(house: House, mx1: Node) -> None:
    then = time.time() - 1000
    told(mx1, of(MIA, script("a", active=False), at=then))
    told(mx1, of(MIA, script("a"), at=then + 500))
    (one,) = kept()
    assert (one.first.timestamp(), one.at.timestamp()) == pytest.approx((then, then + 500))
    told(mx1, of(MIA, script("a", digest="another"), at=then + 700))
    (one,) = kept()
    assert one.first.timestamp() == pytest.approx(then + 700)


def test_a_node_tells_of_mailboxes_it_serves_alone(house: House, node: Connect, mx1: Node) -> None:
    told(mx1, of(MIA, script("a")), of("nobody@acme.example", script("a")))
    told(node("mx2"), of(MIA, script("b")), whole((MIA, "it says so")))
    assert [one.name for one in kept()] == ["a"]


def test_a_look_says_when_and_what_could_not_be_read_until_it_could(house: House, mx1: Node) -> None:
    then = time.time() - 100
    told(mx1, of(MIA, script("a")), whole((LEO, "sieve is no folder"), ("x@y.example", "no"), at=then))
    with acting_as(SYSTEM):
        read = SieveRead.objects.get()
    assert (read.mailboxes, read.unread, read.at.timestamp()) == (2, 2, pytest.approx(then))
    (one,) = kept(name="")
    assert (one.unreadable, one.active, one.redirects) == ("sieve is no folder", False, [])
    told(mx1, whole((LEO, "still"), (LEO, "twice"), at=then + 10))
    (one,) = kept(name="")
    assert one.first.timestamp() == pytest.approx(then) and one.at.timestamp() == pytest.approx(then + 10)
    told(mx1, whole((MIA, "now hers"), at=then + 20))
    assert names() == ["", "a"] and names(LEO) == [], "what was known before stays beside"
    told(mx1, of(MIA, script("a")), whole(at=then + 30))
    assert names() == ["a"]


def test_no_time_to_come_is_believed(house: House, mx1: Node) -> None:
    told(mx1, of(MIA, script("a"), at=time.time() + 9000), whole(at=time.time() + 9000))
    with acting_as(SYSTEM):
        assert SieveRead.objects.get().at.timestamp() < time.time() + 5
    assert kept()[0].at.timestamp() < time.time() + 5


@pytest.mark.parametrize("row", [{}, {"login": MIA}, {"login": MIA, "scripts": "x"}, {"whole": True}, {"whole": False}])
def test_what_is_not_as_agreed_changes_nothing(house: House, mx1: Node, row: dict[str, Any]) -> None:
    told(mx1, of(MIA, script("a")))
    told(mx1, row)
    assert names() == ["a"]
    with acting_as(SYSTEM):
        assert not SieveRead.objects.exists()


def test_a_script_of_which_nothing_is_said_is_unreadable(house: House, mx1: Node) -> None:
    told(mx1, of(MIA, {"name": "a"}))
    assert "did not say" in kept()[0].unreadable
