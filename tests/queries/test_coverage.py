"""What of scripts is known: mailboxes that were checked of all there are, and of each other one why not."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from cast import MIA, House, at, do, person, with_consent
from postroom.access.acting import SYSTEM, Actor, acting_as
from postroom.changes.errors import NotThere
from postroom.models import Client, NodeTodo, SieveAsked, SieveScript
from postroom.queries.coverage import Coverage, coverage, shown
from postroom.queries.leaving import Asked, listed
from postroom.queries.looking import progress
from routed import looked, script


def known(actor: Actor, client: str = "") -> Coverage:
    with acting_as(actor):
        return coverage(actor, client)


def why(found: Coverage) -> set[tuple[str, str, int]]:
    return {(one.reason, one.node, one.mailboxes) for one in found.unchecked}


def test_where_no_node_ever_looked_nothing_is_checked(house: House) -> None:
    found = known(house.olive)
    assert (found.checked, found.all, found.at, found.whole) == (0, 2, None, False)
    assert why(found) == {("never", "mx1", 1), ("never", "mx2", 1)}
    assert found.unchecked[0].words == "mx1 has never looked at scripts"


def test_all_is_checked_only_while_each_node_has_just_looked(house: House) -> None:
    now = timezone.now()
    looked(at=now + timedelta(minutes=5))
    looked("mx2", at=now + timedelta(minutes=1))
    with at(now + timedelta(minutes=5, seconds=30)):
        found = known(house.olive)
    assert (found.checked, found.all, found.whole, found.at) == (2, 2, True, now + timedelta(minutes=1))
    with at(now + timedelta(minutes=7)):
        found, carls = known(house.olive), known(house.carl)
        of_one = [known(house.olive, slug).whole for slug in ("acme", "globex")]
    assert (found.checked, found.whole) == (1, False) and why(found) == {("long ago", "mx2", 1)}
    assert "mx2 has not looked within five minutes; it last did at" in found.unchecked[0].words
    assert carls.whole and carls.all == 1 and of_one == [True, False]


def test_what_cannot_be_read_or_came_since_is_not_checked(house: House) -> None:
    do("mailboxes.create", house.olive, address="leo@acme.example")
    looked()
    script(MIA, unreadable="does not compile: line 3")
    script(MIA, name="second", unreadable="too long")
    do("mailboxes.create", house.olive, address="new@acme.example")
    found = known(house.carl)
    assert (found.checked, found.all) == (1, 3)
    assert why(found) == {("unreadable", "mx1", 1), ("new", "mx1", 1)}
    assert {one.example for one in found.unchecked} == {MIA, "new@acme.example"}
    assert "not readable: does not compile: line 3" in {one.words for one in found.unchecked}
    with acting_as(SYSTEM):
        SieveScript.objects.all().delete()
    looked(at=timezone.now() + timedelta(seconds=1))
    assert known(house.carl).whole


def test_a_client_without_a_node_and_a_domain_that_none_serves_are_not_checked(house: House, sql: object) -> None:
    do("domains.add", house.olive, client="acme", name="later.example")
    do("mailboxes.create", house.olive, address="mia@later.example")
    looked(at=timezone.now() + timedelta(seconds=1))
    assert why(known(house.olive)) == {("not there", "mx1", 1)}
    do("people.invite", house.oskar, name="Dora", email="dora@northlight.example")
    asked = {"person": "dora@northlight.example", "role": "helpdesk", "client": "acme", "domain": "later.example"}
    assert do("grants.give", house.oskar, **asked).version
    doras = known(person("dora@northlight.example", house.oskar))
    assert (doras.checked, doras.all) == (0, 1), "who holds a role at one domain counts those there"
    do("clients.create", house.olive, name="Initech")
    do("domains.add", house.olive, client="initech", name="initech.example")
    do("mailboxes.create", house.olive, address="mia@initech.example")
    with acting_as(SYSTEM):
        node = Client.objects.get(slug="initech").node_id
    if node:
        sql("SET session_replication_role = replica", "UPDATE clients SET node_id = NULL WHERE slug = 'initech'",
            "SET session_replication_role = origin", "SELECT 1")  # type: ignore[operator]  # fmt: skip
    assert why(known(house.olive, "initech")) == {("no node", "", 1)}


def test_what_is_removed_is_not_counted_and_nothing_there_is_whole(house: House) -> None:
    with_consent(house, do("mailboxes.remove", house.olive, mailbox=MIA))
    assert why(known(house.carl)) == {("never", "mx1", 0)}, "what its node has all the same nobody knows"
    looked()
    found = known(house.carl)
    assert (found.checked, found.all, found.whole) == (0, 0, True)
    assert shown(found)["unchecked"] == [] and shown(found)["at"] is None


def test_a_client_that_is_not_there_is_not_covered(house: House) -> None:
    """Nothing leaves it and all was checked: that is said of no client that nobody has, or somebody else's."""
    looked()
    for who, client in ((house.olive, "amce"), (house.carl, "globex"), (house.carl, "amce")):
        with acting_as(who), pytest.raises(NotThere, match=f"client: no client {client} that you can see"):
            coverage(who, client)
        with acting_as(who), pytest.raises(NotThere):
            listed(who, Asked(client))
        with acting_as(who), pytest.raises(NotThere):
            progress(who, client)
    assert known(house.carl, "acme").all == 1


def test_a_silent_node_is_not_known_though_it_is_to_serve_no_mailbox(house: House) -> None:
    do("clients.create", house.oskar, name="Empty")
    do("domains.add", house.oskar, client="empty", name="empty.example")
    with acting_as(SYSTEM):
        home = Client.objects.get(slug="empty").node.name
    found = known(house.olive, "empty")
    assert (found.checked, found.all, found.whole) == (0, 0, False) and why(found) == {("never", home, 0)}
    looked(home)
    assert known(house.olive, "empty").whole
    with at(timezone.now() + timedelta(minutes=6)):
        found = known(house.olive, "empty")
    assert why(found) == {("long ago", home, 0)}
    assert found.unchecked[0].counted.startswith(
        f"Not known: {home} has not looked within five minutes; it last did at"
    )


def test_what_comes_back_is_not_checked_until_its_node_has_looked_again(house: House) -> None:
    held = do("mailboxes.remove", house.olive, mailbox=MIA)
    with_consent(house, held)
    looked()
    assert known(house.olive, "acme").whole
    assert do("mailboxes.restore", house.olive, mailbox=MIA).version
    found = known(house.olive, "acme")
    assert not found.whole and why(found) == {("asked", "mx1", 1)}
    answered("mx1")
    assert known(house.olive, "acme").whole
    with_consent(house, do("domains.remove", house.olive, domain="acme.example", accept_loss=True))
    looked()
    back = do("domains.restore", house.olive, domain="acme.example")
    with_consent(house, back)
    assert why(known(house.olive, "acme")) == {("asked", "mx1", 1)}


def answered(node: str) -> None:
    """It has looked at all, as it was asked to."""
    looked(node)
    with acting_as(SYSTEM):
        NodeTodo.objects.filter(node__name=node, object="scripts").delete()
        SieveAsked.objects.filter(node__name=node).update(answered_at=timezone.now())
