"""What nodes tell of sign-ins and sessions: of mailboxes they serve, each row once, for who may see it, for 90 days."""

import os
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from psycopg.types.json import Jsonb

from cast import MIA, House, do, the
from mail_nodes import Node, acknowledge, answers, pull
from postroom.access.acting import SYSTEM, acting_as
from postroom.changes.carry import settle
from postroom.changes.errors import NothingToDo
from postroom.engines import sign_ins
from postroom.engines.doveadm import Session
from postroom.engines.sign_in_log import Log
from postroom.models import Change, Delivery, LiveSession, Mailbox, Report, SignIn, SignInPlace
from postroom.queries import sign_ins as queries
from postroom.worker import watch

Connect = Callable[[str], Node]
NUMBER = iter(range(1, 1_000_000))


@pytest.fixture
def mx1(node: Connect, house: House) -> Node:
    """Acme's node, with an empty list."""
    one = node("mx1")
    acknowledge(one)
    return one


def row(**said: Any) -> dict[str, Any]:
    address = said.get("address", "192.0.2.7")
    return {
        "number": next(NUMBER), "at": time.time(), "login": MIA, "protocol": "imap", "address": address,
        "network": f"{address.rpartition('.')[0]}.0/24", "success": True, "refused": False, "credential": "main",
        "session": "abc", "program": "", "times": 1, **said,
    }  # fmt: skip


def told(node: Node, *rows: dict[str, Any], sort: str = "sign-ins") -> None:
    node.execute("SELECT node_report(%s, %s)", [sort, Jsonb(list(rows))])


def kept(model: Any = SignIn, **where: Any) -> list[Any]:
    with acting_as(SYSTEM):
        return list(model.objects.filter(**where).order_by("id"))


def test_a_row_is_kept_once_and_of_mailboxes_that_the_node_serves(house: House, node: Connect, mx1: Node) -> None:
    one = row(program="Birdmail")
    told(mx1, one, row(login="nobody@acme.example"), row(success=False, credential=""))
    told(mx1, one)
    assert [(two.success, two.program) for two in kept()] == [(True, "Birdmail"), (False, "")]
    assert {two.mailbox_id for two in kept()} == {the(Mailbox, address__address=MIA).pk}
    told(node("mx2"), row())
    assert len(kept()) == 2, "mx2 serves nobody of Acme"


def test_what_was_typed_where_a_name_goes_is_counted_and_nowhere_kept(house: House, mx1: Node) -> None:
    told(mx1, {"number": next(NUMBER), "at": time.time(), "login": "", "unknown": 7, "dropped": 0})
    (report,) = kept(Report, sort="unknown sign-ins")
    assert report.facts == {"failed": 7, "dropped": 0} and kept() == []


def test_history_is_seen_by_who_may_and_paged(house: House, mx1: Node) -> None:
    told(mx1, *(row(address=f"192.0.2.{n}") for n in range(5)))
    mailbox = the(Mailbox, address__address=MIA)
    with acting_as(house.olive):
        first = queries.history(house.olive, mailbox, limit=3)
        second = queries.history(house.olive, mailbox, after=first.next, limit=3)
        assert [one.address for one in (*first.items, *second.items)] == [f"192.0.2.{n}" for n in (4, 3, 2, 1, 0)]
        assert second.next is None
    with acting_as(house.carl):
        assert len(queries.history(house.carl, mailbox).items) == 5


def test_after_ninety_days_it_is_gone_and_the_newest_place_stays(house: House, mx1: Node) -> None:
    told(mx1, row(), row(address="198.51.100.1"))
    with acting_as(SYSTEM):
        long_ago = timezone.now() - timedelta(days=91)
        SignIn.objects.update(at=long_ago)
        SignInPlace.objects.filter(network="192.0.2.0/24").update(last=long_ago)
        SignInPlace.objects.filter(network="198.51.100.0/24").update(last=long_ago + timedelta(hours=1))
    told(mx1, row(at=time.time() - 89 * 86_400))
    watch.forget()
    assert len(kept()) == 1
    told_places = {one.network for one in kept(SignInPlace)}
    assert "192.0.2.0/24" in told_places
    assert kept(SignInPlace)[0].pk


@pytest.mark.parametrize(("before", "then", "wanted"), [
    ([], {}, False),
    ([{}], {"address": "192.0.2.200"}, False),
    ([{}], {"address": "198.51.100.1"}, True),
    ([{"program": "A"}], {"program": "B"}, True),
    ([{"program": "A"}], {"program": ""}, False),
    ([{"program": "A"}, {"address": "198.51.100.1", "program": "B"}], {"program": "B"}, False),
    ([{"success": False}], {"address": "198.51.100.1"}, False),
    ([{}], {"address": "198.51.100.1", "success": False}, False),
])  # fmt: skip
def test_who_is_to_be_told_of(house: House, mx1: Node, before: list[dict[str, Any]], then: dict[str, Any],
                              wanted: bool) -> None:  # fmt: skip
    """A new network or a new program; not the first of all, not what never got in."""
    told(mx1, *(row(**one) for one in before))
    had = {one.pk for one in kept(SignInPlace)}
    told(mx1, row(**then))
    new = [one for one in kept(SignInPlace) if one.pk not in had]
    assert any(one.wanted for one in new) is wanted


def session(key: str, **said: Any) -> dict[str, Any]:
    return {"login": MIA, "key": key, "protocol": "imap", "address": "192.0.2.7", "credential": "",
            "since": time.time() - 5, **said}  # fmt: skip


def now_of(house: House) -> queries.Now:
    mailbox = the(Mailbox, address__address=MIA)
    with acting_as(house.olive):
        mailbox = Mailbox.objects.select_related("client").get(pk=mailbox.pk)
        return queries.live(house.olive, mailbox)


def test_who_is_in_now_as_listed_and_unknown_when_the_node_is_silent(house: House, mx1: Node) -> None:
    assert not now_of(house).known
    told(mx1, {"whole": True}, session("imap 1"), session("imap 2"), session("imap 9", login="nobody@x.example"),
         sort="sessions")  # fmt: skip
    assert {one.key for one in now_of(house).sessions} == {"imap 1", "imap 2"}
    told(mx1, {"whole": False}, {"ended": "imap 1"}, session("submission 3", protocol="submission"), sort="sessions")
    assert {one.key for one in now_of(house).sessions} == {"imap 2", "submission 3"}
    told(mx1, {"whole": True}, sort="sessions")
    assert now_of(house).known and now_of(house).sessions == () and kept(LiveSession) == []
    with acting_as(SYSTEM):
        Report.objects.filter(sort="sessions").update(at=timezone.now() - timedelta(seconds=61))
    silent = now_of(house)
    assert not silent.known and silent.at and queries.shown_now(silent)["items"] is None


def test_by_which_credential_is_said_where_only_one_signed_in_from_there(house: House, mx1: Node) -> None:
    told(mx1, row(credential="app:1"), row(address="198.51.100.1", credential="app:2"))
    told(mx1, {"whole": True}, session("imap 1"), sort="sessions")
    assert [one.credential for one in now_of(house).sessions] == ["app:1"]
    told(mx1, row(credential="main"))
    assert [one.credential for one in now_of(house).sessions] == [""], "two did: it is not known which"


def test_ending_all_sessions_is_verified_when_those_of_before_are_gone(house: House, mx1: Node) -> None:
    change = do("mailboxes.end_sessions", house.olive, mailbox=MIA)
    assert change.stage == "applied"
    (listed,) = pull(mx1).items()
    staying = [
        {**line, "answer": ["not all gone"]} if str(line["question"]).startswith("sessions of before") else line
        for line in answers(listed[1])
    ]
    mx1.execute("SELECT node_ack(%s, %s)", [[listed[0]], Jsonb([staying])])
    settle(change.pk)
    assert the(Change, pk=change.pk).stage == "applied", "the node's word that they stay"
    with acting_as(SYSTEM):
        Delivery.objects.filter(change=change.pk).update(next_try=timezone.now() - timedelta(seconds=1))
    settle(change.pk)
    acknowledge(mx1)
    settle(change.pk)
    assert the(Change, pk=change.pk).stage == "verified"


def test_sessions_that_were_ended_come_back_by_no_undo(house: House, mx1: Node) -> None:
    change = do("mailboxes.end_sessions", house.olive, mailbox=MIA)
    with pytest.raises(NothingToDo):
        do("history.roll_back", house.olive, change=str(change.pk))
    assert the(Mailbox, address__address=MIA).access_epoch == 1


def test_what_the_node_makes_is_what_is_taken_here(house: House, mx1: Node) -> None:
    """Rows as the node's own code makes them, hostile text in every field that a stranger fills."""
    log, odd = Log(), "\x00\ud800'; DROP TABLE sign_ins; --"
    said = {"login": MIA, "remote": "2001:db8::7", "protocol": "imap", "success": True, "cred": "main",
            "session_id": odd, "device_id": f'("name" "{odd}")', "pwhash": "059e"}  # fmt: skip
    log.add(said, time.time())
    log.unknown = 3
    told(mx1, *log.take(0, time.time())["rows"])
    (one,) = kept()
    assert (one.address, one.network, one.credential) == ("2001:db8::7", "2001:db8::/48", "main")
    assert one.program == "'; DROP TABLE sign_ins; --" and kept(Report, sort="unknown sign-ins")[0].facts["failed"] == 3
    here = Session(MIA, "imap", str(os.getpid()), "192.0.2.7")
    told(mx1, *sign_ins._rows({"imap 1": here}, None), sort="sessions")
    (now,) = now_of(house).sessions
    assert now.since and abs((timezone.now() - now.since).total_seconds()) < 86_400 and now.address == "192.0.2.7"
