"""The checks we ship, each as a table: what is so, and what of it is a finding."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from allauth.mfa.models import Authenticator
from django.conf import settings

from cast import House, at, do, the, with_consent
from postroom import catalogue
from postroom.access.acting import SYSTEM, Actor, acting_as
from postroom.access.scope import visible
from postroom.changes.approvals import approve
from postroom.changes.kind import KINDS
from postroom.models import Client, Domain, Finding, Grant, Login, Organization, Person, Subject
from postroom.posture.checks import expiring, holders, no_contact, owners
from postroom.posture.run import run
from postroom.web.signing import login_of

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


@pytest.mark.parametrize("until, made, found", [
    (14, 300, True), (1, 300, True), (15, 300, False), (7, 20, False), (-1, 300, False),
])  # fmt: skip
def test_delegations_ending(house: House, sql: Any, until: int, made: int, found: bool) -> None:
    do("mailboxes.create", house.olive, address="team@acme.example", kind="shared")
    asked = {"mailbox": "team@acme.example", "to": "mia@acme.example", "rights": ["open"]}
    assert do("delegations.ask", house.olive, **asked).version
    sql("SELECT set_config('postroom.change', 'time passes', false)",
        f"UPDATE delegations SET until = now() + interval '{until} days' - interval '1 minute', "
        f"made = now() - interval '{made} days'")  # fmt: skip
    run(catalogue.ENDING)
    title = "What mia@acme.example may do at team@acme.example ends"
    assert open_now() == ({"delegations.ending": title} if found else {})
    with acting_as(SYSTEM):
        params = [one.params for one in Finding.objects.filter(check_name="delegations.ending")]
    assert params == ([asked] if found else [])
    for one in params:
        assert KINDS["delegations.ask"].model_validate(one)


def test_a_client_reads_the_names_of_its_own_people_alone() -> None:
    ada = Person(id=UUID(int=9), name="Ada Okafor", email="ada@northlight.example")
    grant = Grant(id=UUID(int=8), role="operator", person=ada, reason="covers", until=NOW + timedelta(days=1))
    for client, named in ((ACME, False), (None, True)):
        grant.client_id = client
        (one,) = expiring.evaluate([grant], NOW)
        said = f"{one.title} {one.label} {one.evidence}"
        assert ("Ada" in said, "ada@" in said) == (named, False)


def named(count: int, why: str = "") -> dict[str, str]:
    return {f"{why or 'o'}{n}@northlight.example".replace(" ", "-"): why for n in range(count)}


@pytest.mark.parametrize(
    "counted, others, wanted",
    [
        (0, 0, {"high": "Northlight has no owner; two are the fewest"}),
        (1, 0, {"high": "Northlight has one owner alone; two are the fewest"}),
        (2, 0, {}),
        (4, 0, {}),
        (5, 0, {"medium": "Northlight has 5 owners; four are the most"}),
        (9, 0, {"medium": "Northlight has 9 owners; four are the most"}),
        (0, 2, {"high": "Northlight has no owner who can sign in and stays; two are the fewest"}),
        (1, 1, {"high": "Northlight has one owner alone who can sign in and stays; two are the fewest"}),
        (2, 2, {}),
        (2, 3, {"medium": "Northlight has 5 owners; four are the most"}),
        (1, 4, {"high": "Northlight has one owner alone who can sign in and stays; two are the fewest",
                "medium": "Northlight has 5 owners; four are the most"}),
    ],
)  # fmt: skip
def test_access_owners(counted: int, others: int, wanted: dict[str, str]) -> None:
    """Who cannot sign in is no help; whoever holds the role is a way in."""
    found = list(owners.evaluate(ACME, "Northlight", named(counted) | named(others, owners.NO_LOGIN)))
    assert {one.severity: one.title for one in found} == wanted
    for one in found:
        assert len(one.evidence["owners"]) == counted and len(one.evidence["not counted"]) == others
        assert one.evidence["not counted"] == sorted(
            f"{who}: {why}" for who, why in named(others, owners.NO_LOGIN).items()
        )


def open_now() -> dict[str, str]:
    with acting_as(SYSTEM):
        return {one.check_name: one.title for one in Finding.objects.filter(closed_at=None)}


def owns(house: House, email: str, until: str | None = None) -> Grant:
    held = do("grants.give", house.oskar, person=email, role="owner", until=until)
    approve(held.pk, actor=house.ada, plan_hash=held.plan_hash)
    return the(Grant, role="owner", person__email=email, until__isnull=until is None)


def signs_in(email: str, factor: str | None = "totp") -> None:
    """They have used the link of their invite, and set up this."""
    with acting_as(SYSTEM):
        made = login_of(Person.objects.get(email=email), "two plain words")
        if factor:
            Authenticator.objects.create(user=made, type=factor, data={})


def why_not() -> dict[str, str]:
    with acting_as(SYSTEM):
        return {one.partition("@")[0]: why for one, why in owners.owners_now(datetime.now(UTC)).items()}


def test_who_counts_as_an_owner(house: House) -> None:
    """Those who can sign in, now and in a week, with a role at the whole organization; two roles of one are one."""
    olive, soon = "olive@northlight.example", (datetime.now(UTC) + timedelta(days=2)).isoformat()
    owns(house, olive)
    assert owns(house, olive, soon)
    assert why_not() == {"owner": owners.NO_LOGIN, "olive": owners.NO_LOGIN}
    signs_in("owner@northlight.example")
    for factor, why in ((None, owners.NO_FACTOR), ("recovery_codes", owners.NO_FACTOR), ("webauthn", "")):
        signs_in(olive, factor)
        assert why_not() == {"owner": "", "olive": why}
        run(catalogue.OWNERS)
        assert ("access.owners" in open_now()) == bool(why)
    with acting_as(SYSTEM):
        assert owners.active_owners(datetime.now(UTC)) == ["olive@northlight.example", "owner@northlight.example"]


def test_an_owner_who_goes_or_is_shut_out_is_none(house: House) -> None:
    olive, soon = "olive@northlight.example", (datetime.now(UTC) + timedelta(days=6)).isoformat()
    lasting = owns(house, olive)
    owns(house, olive, soon)
    for one in (olive, "owner@northlight.example"):
        signs_in(one)
    run(catalogue.OWNERS)
    run(catalogue.EXPIRING)
    assert open_now() == {"access.expiring": "The role owner of Olive ends"}
    do("people.suspend", house.oskar, person=olive)
    run(catalogue.OWNERS)
    assert open_now()["access.owners"] == "Northlight has one owner alone; two are the fewest"
    do("people.resume", house.oskar, person=olive)
    run(catalogue.OWNERS)
    assert "access.owners" not in open_now()
    do("grants.end", house.oskar, grant=str(lasting.pk))
    assert why_not() == {"owner": "", "olive": owners.ENDS}
    run(catalogue.OWNERS)
    with acting_as(SYSTEM):
        found = Finding.objects.get(check_name="access.owners", closed_at=None)
    assert found.evidence == {"owners": ["owner@northlight.example"], "not counted": [f"{olive}: {owners.ENDS}"]}
    do("grants.end", house.oskar, grant=str(the(Grant, role="owner", until__isnull=False).pk))
    assert why_not() == {"owner": ""}


@pytest.mark.parametrize(
    "now, why",
    [
        ({}, owners.NO_FACTOR),
        ({"OIDC_ISSUER": "https://id.example"}, owners.NO_FACTOR),
        ({"OIDC_ISSUER": "https://other.example", "OIDC_SECOND_FACTORS": ("mfa",)}, owners.NO_FACTOR),
        ({"OIDC_ISSUER": "https://id.example", "OIDC_SECOND_FACTORS": ("mfa",)}, ""),
        ({"DEMO": True}, ""),
    ],
)
def test_a_second_factor_elsewhere_counts_as_the_door_counts_it(
    house: House, monkeypatch: pytest.MonkeyPatch, now: dict[str, Any], why: str
) -> None:
    """The provider's, where the settings say that it is one; in a demo the printed link."""
    signs_in("owner@northlight.example", None)
    with acting_as(SYSTEM):
        oskar = Login.objects.get(email="owner@northlight.example")
        Subject.objects.create(issuer="https://id.example", subject="1", login=oskar)
    for name, value in now.items():
        monkeypatch.setitem(settings.POSTROOM.values, name, value)
    assert why_not() == {"owner": why}


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


@pytest.mark.parametrize(
    "contact, old, wanted",
    [
        ("", timedelta(days=1, seconds=1), True),
        ("", timedelta(days=400), True),
        ("", timedelta(hours=23), False),
        ("it@acme.example", timedelta(days=400), False),
    ],
)
def test_clients_no_contact(contact: str, old: timedelta, wanted: bool) -> None:
    made = UUID(int=int((NOW - old).timestamp() * 1000) << 80)
    acme = Client(id=made, name="Acme", slug="acme", security_contact=contact, may_ask=["b@x.test", "a@x.test"])
    found = list(no_contact.evaluate([acme], NOW))
    assert [(one.severity, one.client, one.object, one.label) for one in found] == [
        ("medium", acme.pk, acme.pk, "acme")
    ] * wanted
    for one in found:
        assert KINDS[one.kind].model_validate(one.params) and one.evidence["may ask"] == ["a@x.test", "b@x.test"]


def test_a_client_without_a_contact_is_found_until_it_has_one(house: House) -> None:
    """And is read by that client, and told nobody else."""
    run(catalogue.NO_CONTACT)
    assert open_now() == {}, "its first day"
    later(days=2)
    assert missed(SYSTEM) == ["acme", "globex"] and missed(house.carl) == ["acme"]
    do("clients.change", house.olive, client="acme", security_contact="security@acme.example")
    assert missed(SYSTEM) == ["acme", "globex"], "no word closes it, a read does"
    later(days=3)
    assert missed(SYSTEM) == ["globex"] and missed(house.carl) == []
    assert with_consent(house, do("clients.remove", house.olive, client="globex")).version
    later(days=4)
    assert missed(SYSTEM) == []


def later(**by: float) -> None:
    with at(datetime.now(UTC) + timedelta(**by)):
        run(catalogue.NO_CONTACT)


def missed(by: Actor) -> list[str]:
    with acting_as(by):
        found = visible(by, Finding).filter(check_name="clients.no_contact", closed_at=None)
        return sorted(found.values_list("label", flat=True))
