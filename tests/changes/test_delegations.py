"""Access of one mailbox's owner to another: who consents, who is told, and what ends it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from cast import MIA, House, again, at, do, owner_of, reasons, redeemed, the, tick
from mail_nodes import Node, acknowledge, pull
from postroom.access.acting import CLOCK, SYSTEM, Actor, acting_as
from postroom.changes.approvals import approve, undo
from postroom.changes.errors import NothingToDo, Problems
from postroom.models import Change, Delegation, Letter, Mailbox

LEO, TEAM, DESK = "leo@acme.example", "team@acme.example", "desk@acme.example"


def later(days: int = 30) -> str:
    return (timezone.now() + timedelta(days=days)).replace(microsecond=0).isoformat()


@pytest.fixture
def acme(house: House) -> House:
    """Mia and Leo have set their secrets; the team shares a mailbox, the desk has one of a role."""
    do("invites.send", house.olive, mailbox=MIA, contact="mia@home.test")
    redeemed(MIA)
    do("mailboxes.create", house.olive, address=LEO, name="Leo", contact="leo@home.test")
    redeemed(LEO)
    do("mailboxes.create", house.olive, address=TEAM, kind="shared")
    do("mailboxes.create", house.olive, address=DESK, kind="role")
    return house


def asked(house: House, by: Actor | None = None, /, **more: Any) -> Change:
    """Leo would write as Mia."""
    params = {"mailbox": MIA, "to": LEO, "rights": ["send-as"], "until": later(), **more}
    return do("delegations.ask", by or house.olive, **params)


def one() -> Delegation:
    return the(Delegation, ended_at=None)


def consented(house: House, **more: Any) -> Delegation:
    assert asked(house, **more).version
    done = do("delegations.consent", owner_of(MIA), delegation=str(one().pk))
    assert done.version, reasons(done)
    return one()


def told(says: str) -> list[str]:
    with acting_as(SYSTEM):
        return sorted(Letter.objects.filter(says=f"delegation {says}").values_list("contact", flat=True))


def test_nothing_opens_before_the_owner_says_so_signed_in(acme: House) -> None:
    change = asked(acme)
    assert change.version, reasons(change)
    row = one()
    assert row.started_at is None and row.missing == ["owner"] and (row.requester_id, row.reason) == (
        acme.olive.person, "a test"
    )  # fmt: skip
    assert told("asked") == [MIA] and told("started") == []
    for who in (acme.olive, acme.oskar, acme.carl):
        with pytest.raises(Problems, match="nobody does in their stead"):
            do("delegations.consent", who, delegation=str(row.pk))
    with pytest.raises(Problems, match="its owner answers, and not who asks"):
        do("delegations.consent", owner_of(LEO), delegation=str(row.pk))
    assert do("delegations.consent", owner_of(MIA), delegation=str(row.pk)).version
    assert one().started_at is not None and told("started") == sorted([MIA, LEO])


def test_the_owner_who_would_get_it_asks_for_it_themselves_and_for_nobody_else(acme: House) -> None:
    assert asked(acme, owner_of(LEO)).version
    assert one().requester_id is None
    with pytest.raises(Problems, match="you ask for yourself"):
        asked(acme, owner_of(LEO), to=DESK)
    with pytest.raises(Problems, match="that you can see"):
        asked(acme, owner_of(LEO), mailbox="mia@globex.example")
    with pytest.raises(Problems, match="not answered yet"):
        asked(acme)


def test_who_asks_never_consents_not_even_to_what_is_their_own(acme: House) -> None:
    held = do("mailboxes.change", acme.olive, mailbox=MIA, owner="carl@northlight.example")
    assert approve(held.pk, actor=acme.ada, plan_hash=held.plan_hash).version
    with pytest.raises(Problems, match="it is yours: whoever shall get it asks"):
        asked(acme, acme.carl)


def test_a_vips_is_held_and_wants_the_client_too(acme: House) -> None:
    do("mailboxes.change", acme.olive, mailbox=MIA, vip=True)
    do("clients.change", acme.olive, client="acme", security_contact="office@acme.test")
    held = asked(acme)
    assert held.stage == "held" and "the mailbox of a VIP" in reasons(held)
    assert told("asked") == [], "nobody is bothered before a second person agrees"
    assert approve(held.pk, actor=acme.ada, plan_hash=held.plan_hash).version
    assert told("asked") == sorted([MIA, "office@acme.test", "carl@northlight.example"])
    row = str(one().pk)
    assert do("delegations.consent", owner_of(MIA), delegation=row).version
    assert one().started_at is None and one().missing == ["client"], "her own word is not enough"
    with pytest.raises(Problems, match="said already"):
        do("delegations.consent", owner_of(MIA), delegation=row)
    with pytest.raises(Problems, match="nobody does in their stead"):
        do("delegations.consent", acme.oskar, delegation=row)
    assert do("delegations.consent", acme.carl, delegation=row).version
    assert one().started_at is not None and one().client_by_id == acme.carl.person
    assert told("started") == sorted([MIA, LEO, "office@acme.test"])


def test_of_a_vips_the_admin_who_asked_is_not_the_one_who_agrees(acme: House) -> None:
    do("mailboxes.change", acme.olive, mailbox=MIA, vip=True)
    held = asked(acme, acme.carl)
    assert approve(held.pk, actor=acme.ada, plan_hash=held.plan_hash).version
    with pytest.raises(Problems, match="you asked for it"):
        do("delegations.consent", acme.carl, delegation=str(one().pk))


def test_an_owner_asks_for_a_vips_and_it_is_held_too(acme: House) -> None:
    do("mailboxes.change", acme.olive, mailbox=MIA, vip=True)
    held = asked(acme, owner_of(LEO))
    assert held.stage == "held", reasons(held)
    done = approve(held.pk, actor=acme.ada, plan_hash=held.plan_hash)
    assert done.version, reasons(done)
    assert one().requester_id is None


@pytest.mark.parametrize("rights", [["open"], ["send-as"]])
@pytest.mark.parametrize("address", [TEAM, DESK])
def test_no_owner_lets_themselves_into_a_mailbox_of_a_task(acme: House, address: str, rights: list[str]) -> None:
    """Nobody owns it, so nobody is asked: somebody who runs it agrees."""
    held = asked(acme, owner_of(LEO), mailbox=address, rights=rights)
    assert held.stage == "held" and "no human owns" in reasons(held)
    with acting_as(SYSTEM):
        assert not Delegation.objects.exists()
    assert approve(held.pk, actor=acme.ada, plan_hash=held.plan_hash).version
    assert one().started_at


def test_who_becomes_a_vip_meanwhile_wants_the_client_too(acme: House) -> None:
    asked(acme)
    do("mailboxes.change", acme.olive, mailbox=MIA, vip=True)
    assert do("delegations.consent", owner_of(MIA), delegation=str(one().pk)).version
    assert one().started_at is None and one().missing == ["client"]
    assert do("delegations.consent", acme.carl, delegation=str(one().pk)).version
    assert one().started_at is not None


@pytest.mark.parametrize("address", [TEAM, DESK])
def test_a_mailbox_of_a_task_needs_nobodys_consent_and_ends_within_a_year(acme: House, address: str) -> None:
    change = asked(acme, mailbox=address, until=None)
    assert change.version, reasons(change)
    until = one().until
    assert one().started_at is not None and until and until - one().made == timedelta(days=366)
    with pytest.raises(Problems, match="say until when to have another end"):
        asked(acme, mailbox=address, until=None)
    assert told("started") == sorted({LEO, address} - {TEAM})


def test_what_is_wrong_is_said_with_where(acme: House) -> None:
    for more, words in (
        ({"until": None}, "say until when"),
        ({"until": later(-1)}, "has passed"),
        ({"until": later(500)}, "a year from now"),
        ({"to": MIA}, "is the mailbox itself"),
        ({"to": TEAM}, "nobody signs in"),
        ({"to": "mia@globex.example"}, "another client"),
    ):
        with pytest.raises(Problems, match=words):
            asked(acme, **more)
    with pytest.raises(Problems, match="that you can see"):
        asked(acme, mailbox="nobody@acme.example")


def test_declined_it_is_over_and_who_asked_hears_of_it(acme: House) -> None:
    asked(acme, owner_of(LEO))
    row = str(one().pk)
    with pytest.raises(Problems, match="its owner answers"):
        do("delegations.decline", owner_of(LEO), delegation=row)
    assert do("delegations.decline", owner_of(MIA), delegation=row).version
    assert the(Delegation).ended_at is not None and told("declined") == sorted([MIA, LEO])
    with pytest.raises(Problems, match="has ended already"):
        do("delegations.consent", owner_of(MIA), delegation=row)


@pytest.mark.parametrize("by", ["olive", "carl", MIA, LEO])
def test_it_is_ended_by_who_may_and_by_both_owners_and_both_hear_of_it(acme: House, by: str) -> None:
    row = consented(acme)
    who = owner_of(by) if "@" in by else getattr(acme, by)
    assert do("delegations.end", who, delegation=str(row.pk)).version
    assert the(Delegation).ended_at is not None and told("ended") == sorted([MIA, LEO])


def test_the_clock_ends_it_when_its_time_is_over_and_not_before(acme: House) -> None:
    row = consented(acme)
    with pytest.raises(NothingToDo):
        do("delegations.end", CLOCK, delegation=str(row.pk))
    assert row.until
    with at(row.until):
        assert any(change.kind == "delegations.end" and change.version for change in tick(row.until))
    assert the(Delegation).ended_at is not None


def test_too_late_nobody_consents(acme: House) -> None:
    asked(acme)
    row = one()
    assert row.until
    with at(row.until), pytest.raises(Problems, match="its time is over"):
        do("delegations.consent", owner_of(MIA), delegation=str(row.pk))


def test_more_or_longer_is_asked_for_anew_and_takes_the_place_of_the_one_before(acme: House) -> None:
    first = consented(acme)
    with pytest.raises(Problems, match="may just this already"):
        asked(acme, until=first.until)
    assert asked(acme, rights=["send-as", "send-on-behalf"], until=later(60)).version
    new = the(Delegation, started_at=None)
    assert the(Delegation, pk=first.pk).ended_at is None, "the one before stands meanwhile"
    assert do("delegations.consent", owner_of(MIA), delegation=str(new.pk)).version
    assert the(Delegation, pk=first.pk).ended_at is not None and one().pk == new.pk


@pytest.mark.parametrize("gone", [MIA, LEO])
@pytest.mark.parametrize("how", ["transfer", "remove"])
def test_a_mailbox_that_goes_or_goes_to_another_owner_ends_it_both_ways(acme: House, how: str, gone: str) -> None:
    consented(acme)
    more = {"contact": "new@home.test"} if how == "transfer" else {}
    held = do(f"mailboxes.{how}", acme.olive, mailbox=gone, **more)
    assert held.stage == "held", reasons(held)
    done = approve(held.pk, actor=acme.ada, plan_hash=held.plan_hash)
    assert done.version, reasons(done)
    assert the(Delegation).ended_at is not None and told("ended") == sorted([MIA, LEO])
    if how == "remove":
        do("mailboxes.restore", acme.olive, mailbox=gone)
        assert the(Delegation).ended_at is not None, "what let in is given again, and comes back by nothing"


def test_an_undo_of_a_consent_is_an_end_which_tells(acme: House) -> None:
    asked(acme)
    done = do("delegations.consent", owner_of(MIA), delegation=str(one().pk))
    back = undo(done.pk, actor=acme.carl, why="no")
    assert not back.version and "delegations.end" in reasons(back) and one().started_at is not None


def test_an_undo_of_a_membership_ends_it_and_no_undo_brings_it_back(acme: House) -> None:
    done = asked(acme, mailbox=TEAM)
    assert undo(done.pk, actor=acme.olive, why="no").version
    assert the(Delegation).ended_at is not None
    asked(acme, mailbox=TEAM)
    ended = do("delegations.end", acme.olive, delegation=str(one().pk))
    with pytest.raises((NothingToDo, Problems)):
        undo(ended.pk, actor=acme.olive, why="no")
    with acting_as(SYSTEM):
        assert not Delegation.objects.filter(ended_at=None).exists()


def test_a_freeze_lets_nobody_in_and_lets_everybody_out(acme: House) -> None:
    row = consented(acme)
    asked(acme, mailbox=MIA, to=DESK)
    waits = the(Delegation, started_at=None)
    do("freezes.start", acme.olive, scope="acme", reason="an attack")
    for refused in (
        asked(acme, mailbox=TEAM),
        do("delegations.consent", owner_of(MIA), delegation=str(waits.pk)),
    ):
        assert refused.stage == "refused" and "frozen" in reasons(refused)
    assert do("delegations.end", acme.olive, delegation=str(row.pk)).version
    assert do("delegations.decline", owner_of(MIA), delegation=str(waits.pk)).version


def test_another_owner_neither_sees_nor_ends_it(acme: House) -> None:
    row = consented(acme)
    do("mailboxes.create", acme.olive, address="zoe@acme.example", contact="zoe@home.test")
    redeemed("zoe@acme.example")
    for stranger in (owner_of("zoe@acme.example"), owner_of("mia@globex.example")):
        with pytest.raises(Problems, match="that you can see"):
            do("delegations.end", stranger, delegation=str(row.pk))


def test_for_the_mailbox_of_who_stands_above_nobody_asks(acme: House) -> None:
    """The owner of the organization has one at this client; its admin asks for access to it."""
    held = do("mailboxes.change", acme.oskar, mailbox=MIA, owner="owner@northlight.example")
    assert approve(held.pk, actor=acme.ada, plan_hash=held.plan_hash).version
    refused = asked(acme, acme.carl)
    assert refused.stage == "refused" and "stands above you" in reasons(refused)


def test_nodes_hear_of_both_mailboxes(acme: House) -> None:
    change = again(asked(acme, mailbox=TEAM))
    with acting_as(SYSTEM):
        addresses = set(Mailbox.objects.filter(address__address__in=[TEAM, LEO]).values_list("address_id", flat=True))
        assert set(change.nodetodo_set.values_list("object_id", flat=True)) == addresses


def served(node: Node) -> dict[str, Any]:
    """What the node has to write now, by the address; then its list is empty."""
    found = {one["maps"]["login"][0]["address"]: one["maps"] for one in pull(node).values()}
    acknowledge(node)
    return found


def test_a_node_serves_what_was_consented_to_until_its_end_and_while_the_mailbox_stands(
    acme: House, node: Callable[[str], Node]
) -> None:
    mx1 = node("mx1")
    acknowledge(mx1)
    asked(acme, rights=["send-as", "send-on-behalf"])
    own = {"sender": MIA, "login": MIA, "until": None}
    assert served(mx1) == {}, "asked for is not given"
    do("delegations.consent", owner_of(MIA), delegation=str(one().pk))
    until = one().until
    assert until
    leos = {"sender": MIA, "login": LEO, "until": int(until.timestamp())}
    found = served(mx1)
    assert found[MIA]["sender"] == [own, leos] and found[MIA]["behalf"] == [leos]
    assert found[LEO]["sender"] == [{"sender": LEO, "login": LEO, "until": None}] and found[LEO]["behalf"] == []
    do("mailboxes.suspend", acme.olive, mailbox=MIA)
    assert (served(mx1)[MIA]["sender"], served(mx1)) == ([], {})
    do("mailboxes.resume", acme.olive, mailbox=MIA)
    assert served(mx1)[MIA]["sender"] == [own, leos]
    do("delegations.end", owner_of(LEO), delegation=str(one().pk))
    assert (found := served(mx1)[MIA])["sender"] == [own] and found["behalf"] == []


def test_of_a_shared_mailbox_only_its_members_send(acme: House, node: Callable[[str], Node]) -> None:
    mx1 = node("mx1")
    acknowledge(mx1)
    asked(acme, mailbox=TEAM, until=None)
    found, until = served(mx1)[TEAM], one().until
    assert until
    ends = {"sender": TEAM, "login": LEO, "until": int(until.timestamp())}
    assert found["sender"] == [ends] and found["login"][0]["sign_in"] == 0


def test_a_node_lets_a_persons_mailbox_be_read_and_a_tasks_be_worked_in(
    acme: House, node: Callable[[str], Node]
) -> None:
    mx1 = node("mx1")
    acknowledge(mx1)
    consented(acme, rights=["open"])
    until = one().until
    assert until
    reads = {"address": MIA, "login": LEO, "rights": "lr", "until": int(until.timestamp())}
    found = served(mx1)
    assert found[MIA]["opens"] == [reads] and "opens" not in found[LEO] and len(found[MIA]["sender"]) == 1
    for address in (TEAM, DESK):
        asked(acme, mailbox=address, rights=["open"], until=None)
        with acting_as(SYSTEM):
            ends = Delegation.objects.get(mailbox__address__address=address).until
        assert ends
        works = {"address": address, "login": LEO, "rights": "lrwstipek", "until": int(ends.timestamp())}
        assert served(mx1)[address]["opens"] == [works]
    do("mailboxes.suspend", acme.olive, mailbox=MIA)
    assert "opens" not in served(mx1)[MIA], "a suspended mailbox is opened by nobody"
    do("mailboxes.resume", acme.olive, mailbox=MIA)
    assert served(mx1)[MIA]["opens"] == [reads]
    do("delegations.end", owner_of(MIA), delegation=str(the(Delegation, mailbox__address__address=MIA).pk))
    assert "opens" not in served(mx1)[MIA]
