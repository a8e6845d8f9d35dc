"""A domain's page: a zone that is being written does not differ yet, one that cannot be does; which key signs."""

from __future__ import annotations

from typing import Any

from visitors import visitor

from cast import House, as_wanted, do, holds
from postroom.access.acting import SYSTEM, acting_as
from postroom.models import Delivery, DkimKey, Domain

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


def test_a_key_of_each_algorithm_signs_and_what_was_before_it_is_ready_until_retired(house: House, sql: Any) -> None:
    """A node signs with the newest of each that it has, and with Ed25519 only beside RSA."""
    with acting_as(SYSTEM):
        rsa, ed25519 = DkimKey.objects.filter(domain__name="acme.example").order_by("selector")
    used(house, ed25519, "A" * 43 + "=")
    assert "signs, in use since" not in page(house) and "; none signs" in page(house)
    used(house, rsa, "AAAA")
    assert page(house).count("signs, in use since") == 2
    do("dkim_keys.rotate", house.olive, domain="acme.example")
    found = page(house)
    assert found.count("wanted, not made yet") == 2 and "Rotate…" not in found, "none is asked for while some come"
    with acting_as(SYSTEM):
        after = DkimKey.objects.get(domain__name="acme.example", algorithm="rsa-2048", activated_at=None)
    sql("SELECT set_config('postroom.change', 'time passes', false)",
        "UPDATE dkim_keys SET activated_at = activated_at - interval '1 hour'")  # fmt: skip
    used(house, after, "BBBB")
    assert f"; {' and '.join(sorted([after.selector, ed25519.selector]))} signs" in page(house), "until it is retired"
    do("dkim_keys.retire", house.olive, key=str(rsa.pk))
    assert "its record stands until" in page(house)


def used(house: House, key: DkimKey, public: str) -> None:
    about = {"key": str(key.pk), "public": public, "domain": "acme.example"}
    do("dkim_keys.make", SYSTEM, secrets={"private key": "x"}, **about)
    as_wanted(house, "acme.example")
    assert do("dkim_keys.activate", house.olive, key=str(key.pk)).version
