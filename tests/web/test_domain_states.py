"""A domain's page: a zone that is being written does not differ yet, one that cannot be does; which key signs."""

from __future__ import annotations

from visitors import visitor

from cast import House, as_wanted, do, holds
from postroom.access.acting import SYSTEM, acting_as
from postroom.models import Delivery, Domain

WHY = "our own PowerDNS: 500 backend unavailable"


def page(house: House) -> str:
    return visitor(house.olive).get("/domains/acme.example/").content.decode()


def test_what_differs_while_its_delivery_is_stuck_is_said_to_differ_and_why(house: House) -> None:
    as_wanted(house, "acme.example")
    with acting_as(SYSTEM):
        domain = Domain.objects.get(name="acme.example")
        Delivery.objects.filter(target="zone").update(done=True)
    holds(house, "acme.example", {("acme.example.", "MX"): ["5 mx.elsewhere.example."]})
    assert "differs" in page(house)
    note = {"domain": "acme.example", "name": "n.acme.example", "type": "TXT", "values": ['"x"']}
    change = do("record_sets.set", house.olive, **note, accept_loss=True)
    assert change.version
    coming = page(house)
    assert "not written yet" in coming and "does not get through" not in coming
    with acting_as(SYSTEM):
        Delivery.objects.filter(target="zone", object=domain.pk, done=False).update(attempt=1, why=WHY)
    assert "not written yet" in page(house), "a first try may come to nothing"
    with acting_as(SYSTEM):
        Delivery.objects.filter(target="zone", object=domain.pk, done=False).update(attempt=4, why=WHY)
    stuck = page(house)
    assert "differs" in stuck and "not written yet" not in stuck
    assert WHY in stuck and f'href="/changes/{change.pk}/"' in stuck


def test_of_two_keys_in_use_one_signs_and_the_other_is_ready(house: House) -> None:
    """A node signs with the lowest selector that it has."""
    from postroom.models import DkimKey

    with acting_as(SYSTEM):
        keys = list(DkimKey.objects.filter(domain__name="acme.example").order_by("selector"))
    for one in keys:
        about = {"key": str(one.pk), "public": "AAAA", "domain": "acme.example"}
        do("dkim_keys.make", SYSTEM, secrets={"private key": "x"}, **about)
        as_wanted(house, "acme.example")
        used = do("dkim_keys.activate", house.olive, key=str(one.pk))
        assert used.version
    low, high = (one.selector for one in keys)
    found = page(house)
    assert found.count("signs, in use since") == 1 and f"; {low} signs" in found and f"; {high} signs" not in found
