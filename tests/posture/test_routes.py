"""What is found of routes: mail that leaves by nothing, routes to nobody, what is over, a mailbox of many hands."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from cast import MIA, House, agreed, at, do, the, with_consent
from postroom.access.acting import CLOCK, SYSTEM, acting_as
from postroom.changes import rings
from postroom.changes.errors import NothingToDo
from postroom.models import (
    Change,
    Domain,
    Finding,
    Forward,
    Letter,
    LiveSession,
    Mailbox,
    Node,
    RouteException,
    Transport,
)
from postroom.posture import run
from postroom.posture.checks import dead, loop, many_hands, overdue, unexcepted
from postroom.worker import forward_letters

LEO, HOME = "leo@acme.example", "mia@gmail.com"
LOOP, ANOTHERS = loop.check(rings.standing), "an address of another client"
BY_HAND = "SET session_replication_role = replica"  # past the trigger: what no change does


def later(days: int = 20) -> str:
    return (timezone.now() + timedelta(days=days)).replace(microsecond=0).isoformat()


def found(check: run.Check) -> list[tuple[str, str]]:
    run.run(check)
    with acting_as(SYSTEM):
        rows = Finding.objects.filter(check_name=check.name, closed_at=None).order_by("place")
        return [(one.severity, one.title) for one in rows]


def out(house: House, to: str = HOME) -> None:
    with_consent(house, do("forwards.create", house.olive, address=MIA, to=to, until=later(), owner="Mia"))


def test_a_forward_whose_exception_was_taken_away_is_found_until_it_is_disabled(house: House, sql: Any) -> None:
    out(house)
    assert found(unexcepted.UNEXCEPTED) == []
    sql(BY_HAND, "UPDATE exceptions SET ended_at = now()", "RESET session_replication_role")
    assert found(unexcepted.UNEXCEPTED) == [("critical", f"Mail of {MIA} leaves to {HOME} without an exception")]
    do("forwards.disable", house.olive, forward=str(the(Forward).pk))
    assert found(unexcepted.UNEXCEPTED) == []


def test_what_a_pattern_allowed_is_found_when_it_does_no_more(house: House) -> None:
    with_consent(house, do("clients.change", house.olive, client="acme", forward_allowed=["partner.test"]))
    assert do("forwards.create", house.olive, address=MIA, to="joe@partner.test", until=later()).version
    assert found(unexcepted.UNEXCEPTED) == []
    do("clients.change", house.olive, client="acme", forward_allowed=[])
    assert [severity for severity, _ in found(unexcepted.UNEXCEPTED)] == ["high"]
    with acting_as(SYSTEM):
        assert not RouteException.objects.exists()


def test_an_alias_that_leads_to_a_private_mailbox_by_way_of_a_forward_is_found(house: House) -> None:
    out(house)
    do("mailboxes.create", house.olive, address=LEO)
    with_consent(house, do("aliases.create", house.olive, address="team@acme.example", targets=[MIA, LEO]))
    with_consent(house, do("aliases.create", house.olive, address="all@acme.example", targets=["team@acme.example"]))
    assert sorted(found(unexcepted.UNEXCEPTED)) == [
        ("medium", f"Mail of {one}@acme.example leaves to {HOME}, a private mailbox, by the exception of {MIA}")
        for one in ("all", "team")
    ]
    do("forwards.disable", house.olive, forward=str(the(Forward).pk))
    assert found(unexcepted.UNEXCEPTED) == []


def test_a_target_that_takes_no_mail_and_one_that_has_left(house: House) -> None:
    do("mailboxes.create", house.olive, address=LEO)
    do("aliases.create", house.olive, address="team@acme.example", targets=[LEO, MIA])
    do("catch_alls.set", house.olive, domain="acme.example", target=LEO, until=later())
    assert found(dead.DEAD) == []
    do("mailboxes.suspend", house.olive, mailbox=LEO)
    assert found(dead.DEAD) == [
        ("medium", f"The alias team@acme.example leads to {LEO}, who has left"),
        ("medium", f"The catch-all @acme.example leads to {LEO}, who has left"),
    ]
    with_consent(house, do("mailboxes.remove", house.olive, mailbox=LEO))
    assert [severity for severity, _ in found(dead.DEAD)] == ["high", "high"]
    do("aliases.change", house.olive, alias="team@acme.example", targets=[MIA])
    do("catch_alls.end", house.olive, catch_all="acme.example")
    assert found(dead.DEAD) == []


def test_a_target_with_an_extension_or_at_a_twin_is_not_dead(house: House) -> None:
    do("domains.add", house.olive, client="acme", name="acme-parts.example")
    do("domains.prove", SYSTEM, domain="acme-parts.example", proof="a test")
    do("domains.set_alias", house.olive, domain="acme-parts.example", of="acme.example")
    do("mailboxes.create", house.olive, address=LEO)
    targets = ["leo+x@acme.example", "leo@acme-parts.example", "leo+x@acme-parts.example"]
    do("aliases.create", house.olive, address="team@acme.example", targets=targets)
    assert found(dead.DEAD) == []
    agreed(house, do("mailboxes.remove", house.olive, mailbox=LEO))
    assert [severity for severity, _ in found(dead.DEAD)] == ["high"] * 3


def test_a_target_that_another_server_takes_or_that_is_caught_is_not_dead(house: House) -> None:
    do("mailboxes.create", house.olive, address=LEO)
    do("aliases.create", house.olive, address="team@acme.example", targets=[LEO])
    asked = {"address": LEO, "host": "mx.partner.test", "owner": "Mia", "until": later()}
    agreed(house, do("transports.create", house.olive, **asked))
    do("mailboxes.suspend", house.olive, mailbox=LEO)
    assert found(dead.DEAD) == [], "nobody reads that mailbox, and no mail comes to it"
    transport = the(Transport)
    agreed(house, do("transports.end", house.olive, transport=str(transport.pk)))
    assert found(dead.DEAD) == [("medium", f"The alias team@acme.example leads to {LEO}, who has left")]
    agreed(house, do("mailboxes.remove", house.olive, mailbox=LEO))
    assert [severity for severity, _ in found(dead.DEAD)] == ["high"]
    agreed(house, do("catch_alls.set", house.olive, domain="acme.example", target=MIA, until=later()))
    assert found(dead.DEAD) == [], "it is caught"


def test_an_address_that_is_only_handed_to_another_server_is_not_dead(house: House) -> None:
    asked = {"address": "there@acme.example", "host": "mx.partner.test", "owner": "Mia", "until": later()}
    agreed(house, do("transports.create", house.olive, **asked))
    agreed(house, do("aliases.create", house.olive, address="team@acme.example", targets=["there@acme.example"]))
    assert found(dead.DEAD) == []


def ring(house: House) -> None:
    """What a catch-all takes over when an alias ends; nobody refuses an end."""
    gone, on = "gone@acme.example", "on@acme.example"
    do("aliases.create", house.olive, address=gone, targets=[MIA])
    do("aliases.create", house.olive, address=on, targets=[gone])
    do("catch_alls.set", house.olive, domain="acme.example", target=on, until=later())
    agreed(house, do("aliases.remove", house.olive, alias=gone))


def test_mail_that_goes_round_is_found_until_it_does_not(house: House) -> None:
    assert found(LOOP) == []
    ring(house)
    assert found(LOOP) == [
        ("high", "Mail to on@acme.example goes round and lands nowhere, by way of gone@acme.example"),
    ]
    do("catch_alls.end", house.olive, catch_all="acme.example")
    assert found(LOOP) == []


def test_over_two_clients_each_is_told_of_its_own_part(house: House) -> None:
    here, there = "a@acme.example", "b@globex.example"
    for address, to in ((here, MIA), (there, "mia@globex.example")):
        do("aliases.create", house.olive, address=address, targets=[to])
    with acting_as(SYSTEM):
        leads = [lead(here, there), lead(there, here)]
        assert loop.may_come_back([*leads, lead(MIA, here)]) == {here, there}
        said = [one.title for one in loop.evaluate(leads, {here: (here, there), there: (there, here)})]
    assert said == [f"Mail to {one} goes round and lands nowhere, by way of {ANOTHERS}" for one in (here, there)]
    assert loop.may_come_back(leads) == {here, there}


def lead(source: str, target: str) -> loop.Lead:
    domain = Domain.objects.get(name=source.rpartition("@")[2])
    return loop.Lead("aliases", domain.pk, source, target, domain.client_id, domain.pk, None)


def test_what_is_over_and_was_not_tidied_and_what_is_to_be_looked_at(house: House, sql: Any) -> None:
    out(house)
    with_consent(house, do("catch_alls.set", house.olive, domain="acme.example", target=MIA, until=later()))
    assert found(overdue.OVERDUE) == []
    sql(BY_HAND, "UPDATE exceptions SET review_on = current_date", "RESET session_replication_role")
    assert found(overdue.OVERDUE) == [("low", f"An exception of {MIA} to {HOME} is to be looked at again")]
    past = "until = now() - interval '2 hours'"
    sql(BY_HAND, *(f"UPDATE {table} SET {past}" for table in ("forwards", "catch_alls", "exceptions")),
        "RESET session_replication_role")  # fmt: skip
    assert sorted(found(overdue.OVERDUE)) == [
        ("medium", f"A catch-all of acme.example to {MIA} has expired, and its row still stands"),
        ("medium", f"A forward of {MIA} to {HOME} has expired, and its row still stands"),
        ("medium", f"An exception of {MIA} to {HOME} has expired, and its row still stands"),
    ]


def test_an_exception_that_asks_is_asked_of_until_somebody_renews_it_or_ends_the_forward(house: House) -> None:
    out(house)
    asks = [("medium", f"A forward of {MIA} to {HOME} was disabled when its exception ended: renew it, or end this")]
    do("exceptions.end", house.olive, exception=str(the(RouteException).pk))
    assert found(overdue.OVERDUE) == asks
    with acting_as(SYSTEM):
        one = Finding.objects.get(check_name="routes.overdue", closed_at=None)
        told = {(row.contact, row.about) for row in Letter.objects.filter(says="exception ended")}
    assert (one.kind, one.params) == ("forwards.end", {"forward": str(the(Forward).pk)})
    assert told == {(MIA, str(the(RouteException).pk))}, "who answers for it is no address: the mailbox's owner"
    renewed = {"address": MIA, "target": HOME, "owner": "mia@home.test", "until": later()}
    with_consent(house, do("exceptions.create", house.olive, **renewed))
    assert found(overdue.OVERDUE) == []
    assert do("forwards.enable", house.olive, forward=str(the(Forward).pk)).version
    do("exceptions.end", house.olive, exception=str(the(RouteException, ended_at=None).pk))
    assert found(overdue.OVERDUE) == asks
    with acting_as(SYSTEM):
        newest = Letter.objects.filter(says="exception ended").latest("id")
        text = forward_letters.ended(newest, Change.objects.latest("now")).get_content()
    assert newest.contact == "mia@home.test" and f"mail of {MIA}" in text and HOME in text and "renew it" in text
    do("forwards.end", house.olive, forward=str(the(Forward).pk))
    assert found(overdue.OVERDUE) == []


@pytest.mark.parametrize("first", ["exceptions.end", "forwards.end"])
def test_one_that_asks_is_asked_of_where_its_forward_ends_with_it_whichever_comes_first(
    house: House, first: str
) -> None:
    """Both were planned with one end. The forward lets nothing out from then on, and stays until somebody says."""
    out(house)
    forward, exception = {"forward": str(the(Forward).pk)}, {"exception": str(the(RouteException).pk)}
    ends = {"exceptions.end": exception, "forwards.end": forward}
    asks = [("medium", f"A forward of {MIA} to {HOME} was disabled when its exception ended: renew it, or end this")]
    with at(the(Forward).until):
        for kind in sorted(ends, key=lambda one: one != first):
            if kind == "forwards.end":
                with pytest.raises(NothingToDo):
                    do(kind, CLOCK, **ends[kind])
            else:
                assert do(kind, CLOCK, **ends[kind]).version
        one = the(Forward)
        assert one.removed_at is None and one.disabled_at == the(RouteException).ended_at
    with at(one.until + timedelta(days=2)):
        assert found(overdue.OVERDUE) == asks, "and it is asked until somebody says"
        assert do("forwards.end", house.olive, forward=str(one.pk)).version
    with at(one.until + timedelta(days=3)):
        assert found(overdue.OVERDUE) == []


def test_a_forward_that_somebody_disabled_before_is_not_asked_of(house: House) -> None:
    out(house)
    do("forwards.disable", house.olive, forward=str(the(Forward).pk))
    do("exceptions.end", house.olive, exception=str(the(RouteException).pk))
    with acting_as(SYSTEM):
        assert not Letter.objects.filter(says="exception ended").exists()


def test_a_roles_mailbox_in_three_places_at_once(house: House) -> None:
    do("mailboxes.create", house.olive, address="info@acme.example", kind="role")
    box = the(Mailbox, address__address="info@acme.example")
    for n, source in enumerate(("192.0.2.1", "198.51.100.1", "198.51.100.2")):
        opened(box, n, source)
    assert found(many_hands.MANY_HANDS) == []
    opened(box, 9, "203.0.113.5")
    assert found(many_hands.MANY_HANDS) == [
        ("medium", "info@acme.example is signed in to from 3 distant networks at once")
    ]


def opened(box: Mailbox, n: int, source: str) -> None:
    with acting_as(SYSTEM):
        LiveSession.objects.create(
            at=timezone.now(), client_id=box.client_id, domain_id=UUID(int=1), mailbox=box, key=str(n), protocol="imap",
            node=Node.objects.earliest("name"), address=source,
        )  # fmt: skip


NAMES = ("forwards.unexcepted", "routes.dead", "routes.loop", "routes.overdue", "mailboxes.many_hands")


def test_their_names_stay() -> None:
    checks = (unexcepted.UNEXCEPTED, dead.DEAD, LOOP, overdue.OVERDUE, many_hands.MANY_HANDS)
    assert tuple(one.name for one in checks) == NAMES


def test_what_is_forbidden_is_found_whatever_lets_it_leave(house: House) -> None:
    out(house)
    do("organization.change", house.oskar, forward_forbidden=["gmail.com"])
    assert found(unexcepted.UNEXCEPTED) == [("critical", f"Mail of {MIA} leaves to {HOME} which gmail.com forbids")]
