"""Who sees what: the filter, row security and `can` say the same of every row, for everybody in the cast."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cast import MIA, House, do, person, the, together
from postroom.access.acting import (
    CLOCK,
    SYSTEM,
    Access,
    Actor,
    Held,
    NotActing,
    acting_as,
    acting_for,
    current,
    others_who_may,
)  # fmt: skip
from postroom.access.roles import RANK, ROLES, SEALED, allows, rank, roles_that
from postroom.access.scope import _everywhere, _mine, visible
from postroom.changes.errors import NotThere, Problems
from postroom.changes.kind import KINDS
from postroom.models import Change, Client, Domain, Finding, Freeze, Grant, Mailbox, Person
from postroom.models.base import state_models
from postroom.posture.findings import Found, observed
from postroom.queries.approvals import decided, queue, reviews, to_review
from postroom.queries.around import around
from postroom.queries.changes import timeline, whole
from postroom.queries.today import today

EVERYBODY = ("oskar", "olive", "ada", "henry", "audrey", "carl")


def furnished(house: House) -> None:
    """Something in every table that belongs to a client, at both of them."""
    for name in ("acme", "globex"):
        do("mailboxes.create", house.olive, address=f"x@{name}.example", contact=f"x@home.{name}.example")
        do("freezes.start", house.olive, scope=name, reason="x", until="2099-01-01T00:00:00Z")
        do("freezes.end", house.olive, freeze=str(the(Freeze, client__slug=name).pk))
        whose = the(Client, slug=name).pk
        observed(f"t.{name}", [Found("low", "clients", whose, name, "t", client=whose)])
        with acting_as(SYSTEM):
            finding = str(Finding.objects.get(client=whose).pk)
        do("findings.acknowledge", house.olive, finding=finding)
        for sort in ("access_reviews.open", "rosters.open"):
            do(sort, house.oskar, client=name)
    for who in ("carl", "olive"):
        email, until = f"{who}@northlight.example", "2099-01-01T00:00:00Z"
        do("sessions.open", SYSTEM, secrets={"session": who * 20}, person=email, mfa="x", until=until)
    do("freezes.start", house.olive, scope="organization", reason="x")


def test_visible_is_what_row_security_shows_to_everybody_in_every_table(house: House) -> None:
    furnished(house)
    for name in EVERYBODY:
        actor = getattr(house, name)
        with acting_as(actor):
            for model in (Finding, *state_models().values()):
                seen, walled = set(visible(actor, model)), set(model.objects.all())
                assert seen == walled, f"{name} and {model.__name__}"
    with acting_as(house.carl):
        assert [c.slug for c in visible(house.carl, Client)] == ["acme"]
        assert {p.email for p in visible(house.carl, Person)} == {"carl@northlight.example"}
        assert visible(house.carl, Mailbox).count() == 2


def test_changes_are_looked_at_where_a_role_says_so(house: House) -> None:
    """Rob looks at everything of Acme; of Globex at mailboxes alone, however he asks for its changes."""
    do("roles.create", house.oskar, name="boxes", permissions=["mailboxes.view", "mailboxes.suspend"])
    do("people.invite", house.oskar, name="Rob", email="rob@northlight.example")
    for role, client in (("boxes", "globex"), ("auditor", "acme")):
        assert do("grants.give", house.oskar, person="rob@northlight.example", role=role, client=client).version
    rob = person("rob@northlight.example", house.oskar)
    said = do("clients.change", house.oskar, client="globex", notes="nobody's business")
    held = do("mailboxes.remove", house.olive, mailbox="mia@globex.example")
    do("freezes.start", house.oskar, scope="globex", reason="x")
    closed = do("freezes.end", house.olive, freeze=str(the(Freeze, client__slug="globex").pk))
    assert {one["says"] for one in closed.verdicts} == {"mark"}
    with acting_as(rob) as access:
        assert {line["client"] for line in timeline(rob).items} == {"acme"}
        for hidden in (said, held):
            with pytest.raises(NotThere):
                whole(hidden.pk)
        assert not queue(access).elsewhere and not reviews(access) and not to_review(rob).items
        assert not decided(access) and around(rob).waiting == 0 and today(rob).total < Change.objects.count()
    own = do("mailboxes.suspend", rob, mailbox="mia@globex.example")
    with acting_as(rob):
        assert whole(own.pk)["id"] == str(own.pk), "what he asked for himself"


def test_a_stranger_sees_what_is_for_everybody_and_nothing_else(house: House) -> None:
    do("people.invite", house.oskar, name="New", email="new@northlight.example")
    stranger = person("new@northlight.example", house.oskar)
    with acting_as(stranger) as access:
        assert access.held == ()
        tables = {t for t, model in state_models().items() if model.objects.exists()}
    assert tables == {"organizations", "nodes", "people"}, "people: themselves"


# can(x) is x in visible(all), whatever roles are held where.

CLIENTS, DOMAINS = [UUID(int=n) for n in (1, 2)], [UUID(int=n) for n in (11, 21)]
CLIENT_OF = dict(zip(DOMAINS, CLIENTS, strict=True))
SOMEWHERE = st.one_of(
    st.builds(Held, st.sampled_from(list(ROLES))),
    st.builds(Held, st.sampled_from(list(ROLES)), st.sampled_from(CLIENTS)),
    st.sampled_from(DOMAINS).flatmap(
        lambda d: st.builds(Held, st.sampled_from(list(ROLES)), st.just(CLIENT_OF[d]), st.just(d))
    ),
)
PERMISSIONS = ["domains.view", "changes.approve", *sorted(KINDS)]


def test_can_is_in_visible(house: House) -> None:
    """Over domains, where a role may stand at the organization, the client or the domain itself."""
    with acting_as(SYSTEM):
        rows = list(Domain.objects.select_related("client"))
    ids = {row.pk: row.client_id for row in rows}

    def at_home(held: list[Held]) -> tuple[Held, ...]:
        """The same roles at the clients and domains that are there."""
        domains, clients = list(ids), list(ids.values())
        which = [None if h.client is None else CLIENTS.index(h.client) for h in held]
        return tuple(
            Held(h.role, None if n is None else clients[n], domains[n] if h.domain and n is not None else None)
            for h, n in zip(held, which, strict=True)
        )

    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(st.lists(SOMEWHERE, max_size=4), st.sampled_from(PERMISSIONS))
    def holds(held: list[Held], permission: str) -> None:
        access = Access(Actor(UUID(int=99), "X"), at_home(held))
        with acting_as(SYSTEM):
            mine = Domain.objects.all() if _everywhere(access, Domain, permission) else Domain.objects.filter(
                _mine(access, Domain, permission))  # fmt: skip
            seen = set(mine.values_list("pk", flat=True))
        may = {d for d, client in ids.items() if access.can(permission, client) or access.can_at_domain(permission, d)}
        assert seen == may

    holds()


def test_who_is_scoped_to_a_domain_sees_its_addresses_and_mailboxes(house: House) -> None:
    do("domains.add", house.olive, client="acme", name="other.example")
    do("mailboxes.create", house.olive, address="x@other.example")
    do("people.invite", house.oskar, name="Dora", email="dora@acme.example", client="acme")
    do("grants.give", house.oskar, person="dora@acme.example", role="client admin", domain="acme.example")
    dora = person("dora@acme.example", house.oskar)
    with acting_as(dora):
        assert [d.name for d in visible(dora, Domain)] == ["acme.example"]
        assert [m.label for m in visible(dora, Mailbox)] == [MIA]


def test_an_owner_of_a_mailbox_sees_it_and_themselves(house: House) -> None:
    do("people.invite", house.oskar, name="Mia", email="mia@home.example")
    do("mailboxes.change", house.oskar, mailbox=MIA, owner="mia@home.example")
    mia = person("mia@home.example", house.oskar)
    with acting_as(mia):
        assert [m.pk for m in visible(mia, Mailbox)] == [the_id(house)]
        assert visible(mia, Client).count() == 0
    with pytest.raises(Problems):
        do("mailboxes.suspend", mia, mailbox=str(the_id(house)))


def the_id(house: House) -> Any:
    return together(lambda: the(Mailbox, address__address=MIA).pk)[0]


# Acting.


def test_the_same_actor_joins_another_may_not(house: House) -> None:
    with acting_as(house.olive) as outer:
        with acting_as(house.olive) as inner:
            assert inner is outer is current()
        with pytest.raises(NotActing), acting_as(house.ada):
            pass
        with pytest.raises(NotActing):
            visible(house.ada, Mailbox)
    with pytest.raises(NotActing):
        current()


def test_acting_for_a_change_sees_its_client_and_no_other(house: House) -> None:
    change = do("mailboxes.suspend", house.oskar, mailbox=MIA)
    with acting_for(change.pk) as access:
        assert access.actor == house.oskar
        assert [c.slug for c in Client.objects.all()] == ["acme"], "whatever else its proposer may see"


def test_a_grant_ends_by_time_before_anybody_tidies(house: House, sql: Any) -> None:
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    do("grants.give", house.oskar, person="carl@northlight.example", role="auditor", client="globex", until=until)
    with acting_as(house.carl) as access:
        assert Client.objects.count() == 2 and len(access.held) == 2
    sql("SELECT set_config('postroom.change', 'time passes', false)",
        "UPDATE grants SET until = now() - interval '1 second' WHERE until IS NOT NULL")  # fmt: skip
    with acting_as(house.carl) as access:
        assert Client.objects.count() == 1 and len(access.held) == 1
    with acting_as(SYSTEM):
        assert Grant.objects.get(role="auditor", client__slug="globex").ended_at is None


def test_no_caller_names_a_scope_of_their_own(house: House) -> None:
    """The scope is worked out from the grants, by the database: there is no parameter for it."""
    with acting_as(Actor(house.carl.person, "Oskar")) as access:
        assert {h.role for h in access.held} == {"client admin"}
        assert [c.slug for c in Client.objects.all()] == ["acme"]


def test_how_many_others_is_a_number_and_never_a_name(house: House) -> None:
    acme, globex = the(Client, slug="acme").pk, the(Client, slug="globex").pk
    with acting_as(house.carl):
        for client, beside, expected in (
            (acme, house.carl.person, 2),
            (globex, None, 2),
            (None, house.oskar.person, 1),
        ):
            but = [beside] if beside else []
            assert others_who_may(roles_that("changes.approve"), clients=[client], beside=but) == expected
        assert others_who_may(["client admin"], clients=[acme], beside=[]) == 1
        assert others_who_may(["client admin"], clients=[globex], beside=[]) == 0


# Roles.

MAY: dict[str, tuple[str, ...]] = {
    "changes.approve": ("owner", "approver"),
    "clients.remove": ("owner", "operator"),
    "mailboxes.suspend": ("owner", "operator", "client admin"),
    "grants.give": ("owner", "operator"),
    "grants.elevate": ("owner", "operator", "approver", "helpdesk", "auditor"),
    "tokens.create": ("owner", "operator", "approver", "helpdesk", "auditor", "client admin"),
    "roles.create": ("owner",),
    "access.suspend": ("owner", "client admin"),
    "nodes.add": ("owner",),
    "organization.change": ("owner",),
    "invites.resend": ("owner", "operator", "helpdesk", "client admin"),
    "invites.issue": ("owner", "operator", "client admin"),
    "mailboxes.view": tuple(role for role in ROLES if role != SEALED),
    "freezes.start": ("owner", "operator", "approver"),
    "freezes.end": ("owner", "operator"),
    "record_sets.set": ("owner", "operator"),
    "history.roll_back": ("owner", "operator", "client admin"),
    "findings.view": tuple(ROLES),
    "findings.acknowledge": ("owner", "operator", "client admin"),
    "findings.accept": ("owner", "operator", "approver"),
    "findings.reopen": ("owner", "operator"),
    "record.erase": ("owner",),
    "grants.end": ("owner", "operator", "approver"),
    "access_reviews.open": ("owner", "approver"),
    "access_reviews.sign": ("owner", "approver"),
    "rosters.open": ("owner", "operator"),
    "rosters.answer": ("owner", "operator", "client admin"),
}


@pytest.mark.parametrize("permission", MAY)
def test_which_roles_allow_what(permission: str) -> None:
    assert set(roles_that(permission)) == {SEALED, *MAY[permission]}


def test_every_role_has_a_rank_and_no_more_than_the_one_above(house: House) -> None:
    assert set(RANK) == set(ROLES) and [rank([role]) for role in RANK] == list(range(len(RANK)))
    assert rank([]) == -1 and rank(["auditor", "owner"]) == rank(["owner"])
    assert not allows(["auditor"], "mailboxes.suspend") and not allows([], "mailboxes.view") and not allows(["?"], "x")
    with acting_as(CLOCK) as access:
        assert access.everything and access.rank_at(None) == -1
