"""The checks we ship, each as a table: what is so, and what of it is a finding."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from cast import House, do, the
from postroom import catalogue
from postroom.access.acting import SYSTEM, acting_as
from postroom.changes.approvals import approve
from postroom.changes.kind import KINDS
from postroom.models import Domain, Finding, Grant, Organization, Person
from postroom.posture.checks import expiring, holders, owners
from postroom.posture.run import run

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ACME, OTHER = UUID(int=1), UUID(int=2)


@pytest.mark.parametrize(
    "until, ended, wanted",
    [
        (None, None, None),
        (timedelta(days=8), None, None),
        (timedelta(days=7), None, ("low", "ends", "grants.give")),
        (timedelta(seconds=1), None, ("low", "ends", "grants.give")),
        (timedelta(seconds=1), NOW, None),
        (timedelta(0), None, None),
        (timedelta(minutes=-59), None, None),
        (timedelta(minutes=-61), None, ("medium", "not tidied", "grants.end")),
        (timedelta(minutes=-61), NOW, None),
    ],
)
def test_access_expiring(until: timedelta | None, ended: datetime | None, wanted: Any) -> None:
    person = Person(id=UUID(int=9), name="Carl", email="carl@acme.example", client_id=ACME)
    grant = Grant(id=UUID(int=8), role="client admin", person=person, client_id=ACME, reason="contract",
                  until=None if until is None else NOW + until, ended_at=ended)  # fmt: skip
    found = list(expiring.evaluate([grant], NOW))
    assert [(one.severity, one.cause, one.kind) for one in found] == ([wanted] if wanted else [])
    for one in found:
        assert (one.client, one.object, one.noun) == (ACME, grant.pk, "grants") and "Carl" in one.title
        KINDS[one.kind].model_validate(one.params)


def test_a_client_reads_the_names_of_its_own_people_alone() -> None:
    ada = Person(id=UUID(int=9), name="Ada Okafor", email="ada@northlight.example")
    grant = Grant(id=UUID(int=8), role="operator", person=ada, reason="covers", until=NOW + timedelta(days=1))
    for client, named in ((ACME, False), (None, True)):
        grant.client_id = client
        (one,) = expiring.evaluate([grant], NOW)
        said = f"{one.title} {one.label} {one.evidence}"
        assert ("Ada" in said, "ada@" in said) == (named, False)


@pytest.mark.parametrize(
    "count, wanted",
    [(0, "high"), (1, "high"), (2, None), (3, None), (4, None), (5, "medium"), (9, "medium")],
)
def test_access_owners(count: int, wanted: str | None) -> None:
    found = list(owners.evaluate(ACME, "Northlight", [f"o{n}@northlight.example" for n in range(count)]))
    assert [one.severity for one in found] == ([wanted] if wanted else [])


def open_now() -> dict[str, str]:
    with acting_as(SYSTEM):
        return {one.check_name: one.title for one in Finding.objects.filter(closed_at=None)}


def test_who_counts_as_an_owner(house: House, sql: Any) -> None:
    """Those who may sign in, now, with a role at the whole organization; two roles of one person are one owner."""
    run(catalogue.OWNERS)
    assert open_now() == {"access.owners": "Northlight has one owner alone; two are the fewest"}
    soon = (datetime.now(UTC) + timedelta(days=2)).isoformat()
    for email, until in (("olive@northlight.example", None), ("olive@northlight.example", soon)):
        held = do("grants.give", house.oskar, person=email, role="owner", until=until)

        approve(held.pk, actor=house.ada, plan_hash=held.plan_hash)
    with acting_as(SYSTEM):
        assert owners.active_owners(datetime.now(UTC)) == ["olive@northlight.example", "owner@northlight.example"]
        assert list(owners._read(datetime.now(UTC))) == []
    run(catalogue.OWNERS)
    run(catalogue.EXPIRING)
    assert open_now() == {"access.expiring": "The role owner of Olive ends"}
    do("people.suspend", house.oskar, person="olive@northlight.example")
    run(catalogue.OWNERS)
    assert set(open_now()) == {"access.owners", "access.expiring"}
    do("grants.end", house.oskar, grant=str(the(Grant, role="owner", until__isnull=False).pk))
    run(catalogue.EXPIRING)
    assert set(open_now()) == {"access.owners"}


def test_nobody_is_missing_before_there_is_an_organization(database: str) -> None:
    run(catalogue.OWNERS)
    with acting_as(SYSTEM):
        assert not Organization.objects.exists()
    assert open_now() == {}


@pytest.mark.parametrize(
    "first, second, wanted",
    [
        ("", "", False),
        ("", "Mia", False),
        ("Carl", "", True),
        ("Carl", " carl ", True),
        ("Carl", "Mia", False),
    ],
)
def test_domains_holders(first: str, second: str, wanted: bool) -> None:
    one = Domain(id=UUID(int=8), name="acme.example", client_id=ACME, registrar="R", registrar_holder=first,
                 second_holder=second)  # fmt: skip
    found = list(holders.evaluate([one]))
    assert [(it.severity, it.client, it.object, it.cause) for it in found] == [
        ("medium", ACME, one.pk, "one holder")
    ] * wanted
    for it in found:
        KINDS[it.kind].model_validate(it.params)


def test_a_single_holder_is_found_until_there_is_a_second(house: House) -> None:
    do("domains.change", house.olive, domain="acme.example", registrar_holder="Carl")
    run(catalogue.HOLDERS)
    assert open_now() == {"domains.holders": "The login at the registrar of acme.example is held by one alone"}
    do("domains.change", house.olive, domain="acme.example", second_holder="Mia")
    run(catalogue.HOLDERS)
    assert open_now() == {}
    do("domains.change", house.olive, domain="acme.example", second_holder="")
    run(catalogue.HOLDERS)
    assert set(open_now()) == {"domains.holders"}
    do("domains.change", house.olive, domain="acme.example", registrar_holder="")
    run(catalogue.HOLDERS)
    assert open_now() == {}
