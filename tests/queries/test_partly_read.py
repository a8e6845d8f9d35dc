"""A script of which not all is known: what is known of it counts wherever ways are asked about, beside the unknown."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from cast import MIA, House, do, with_consent
from postroom.access.acting import SYSTEM, acting_as
from postroom.access.known import ask
from postroom.changes.kinds.replacing import _redirects
from postroom.models import Client, Mailbox
from postroom.posture.checks import loop
from postroom.queries import exceptions
from postroom.queries.route_rows import Asked, _scripts
from routed import later, script

AWAY = "mia@web.de"
PARTLY = "it has 200 redirects, of which 128 are listed"


def partly(*targets: str) -> None:
    script(MIA, *({"to": to} for to in targets), unreadable=PARTLY)


def test_an_exception_says_that_it_rests_on_it(house: House) -> None:
    asked = {"address": MIA, "target": AWAY, "owner": "Mia", "until": later()}
    with_consent(house, do("exceptions.create", house.olive, **asked))
    partly(AWAY)
    with acting_as(house.olive):
        (found,) = exceptions.listed(house.olive, exceptions.Asked()).items
    assert found.rests == ("the filter “main”",)


def test_the_map_has_what_is_known_beside_what_is_not(house: House) -> None:
    partly(AWAY)
    with acting_as(house.olive):
        rows = list(_scripts(Asked(house.olive, Client.objects.get(slug="acme"), timezone.now())))
    assert [one.targets for one in rows] == [(), (AWAY,)] and rows[0].words.startswith("not readable: it has 200")


def test_a_ring_through_it_is_found(house: House) -> None:
    do("mailboxes.create", house.olive, address="leo@acme.example")
    assert do("aliases.create", house.olive, address="desk@acme.example", targets=[MIA]).version
    partly("desk@acme.example")
    with acting_as(SYSTEM):
        leads = [loop.Lead(*row) for row in ask(loop.LEADING, now=timezone.now())]
    assert loop.may_come_back(leads) == {MIA, "desk@acme.example"}


def test_access_takes_the_place_of_what_is_known_of_it(house: House) -> None:
    partly(AWAY)
    with acting_as(SYSTEM):
        assert [one["to"] for one in _redirects(Mailbox.objects.get(address__address=MIA))] == [AWAY]


def test_that_mail_left_by_it_is_believed(house: House, sql: Any) -> None:
    partly(AWAY)
    ((client,),) = sql("SELECT id FROM clients WHERE slug = 'acme'")
    ((found,),) = sql(f"SELECT postroom_leads('{client}', '{MIA}', '{AWAY}')")
    ((other,),) = sql(f"SELECT postroom_leads('{client}', '{MIA}', 'else@web.de')")
    assert (found, other) == (AWAY, None)
