"""A client that closes itself to the organization: nobody of it gets in, but by a sealed login."""

import pytest

from cast import MIA, House, do, person, reasons, the
from postroom.access.acting import SYSTEM, Actor, acting_as, others_who_may
from postroom.access.scope import visible
from postroom.changes.approvals import approve
from postroom.changes.errors import NotAllowed, Problems
from postroom.models import Change, Client, Entry, Mailbox
from postroom.models.base import state_models


def seen(actor: Actor) -> set[str]:
    with acting_as(actor):
        return {row.label for row in visible(actor, Mailbox)}


def test_nobody_of_the_organization_gets_in_and_its_own_people_go_on(house: House, sql: object) -> None:
    held = do("mailboxes.remove", house.olive, mailbox=MIA)
    assert held.stage == "held" and seen(house.oskar) == {MIA, "mia@globex.example"}
    acme = the(Client, slug="acme").pk
    # Carl is of Acme: an agency's own person who administers a client is shut out with the rest.
    do("people.invite", house.oskar, name="Amy", email="amy@acme.example", client="acme")
    do("grants.give", house.oskar, person="amy@acme.example", role="client admin", client="acme")
    amy = person("amy@acme.example", house.oskar)
    assert do("access.suspend", amy, client="acme").version

    for actor in (house.oskar, house.olive, house.ada, house.audrey):
        assert seen(actor) == {"mia@globex.example"}
        with acting_as(actor):
            assert Mailbox.objects.count() == 1 and not Change.objects.filter(client=acme).exists()
            assert not Entry.objects.filter(client=acme).exists()
            assert [c.slug for c in visible(actor, Client).exclude(closed_at=None)] == ["acme"], "this much is said"
            for model in state_models().values():
                assert set(visible(actor, model)) == set(model.objects.all()), model
    assert seen(house.carl) == set()
    with pytest.raises(Problems):
        do("mailboxes.suspend", house.olive, mailbox=MIA)
    for kind in ("clients.change", "access.resume"):
        with pytest.raises(NotAllowed):
            do(kind, house.oskar, client="acme", **({"notes": "x"} if kind == "clients.change" else {}))
    with acting_as(amy):
        assert others_who_may(["approver", "owner"], clients=[acme], beside=[]) == 0
    with pytest.raises(Exception, match="no change"):
        approve(held.pk, actor=house.ada, plan_hash=held.plan_hash)

    assert do("mailboxes.suspend", amy, mailbox=MIA).version and seen(amy) == {MIA}
    do("people.seal", SYSTEM, name="Sealed login 1", email="sealed-1@northlight.example")
    sealed = person("sealed-1@northlight.example", SYSTEM)
    assert seen(sealed) == {MIA, "mia@globex.example"} and do("mailboxes.resume", sealed, mailbox=MIA).version
    for away in ("people.suspend", "people.remove"):
        refused = do(away, house.oskar, person="sealed-1@northlight.example")
        assert refused.stage == "refused" and "stands above" in reasons(refused)

    assert do("access.resume", amy, client="acme").version
    assert seen(house.olive) == {MIA, "mia@globex.example"} and seen(house.carl) == {MIA}
