"""What holds or stops a change, rule by rule; beside each, what is just short of it and goes through."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cast import MIA, POSTMASTER, House, as_wanted, do, holds, kind, person, reasons, the, waits
from postroom.access.acting import CLOCK, SYSTEM, Actor, acting_as
from postroom.changes.approvals import approve
from postroom.changes.kind import Kind
from postroom.changes.pipeline import apply_scheduled, submit
from postroom.changes.plan import end
from postroom.models import Alias, Change, Domain, Grant, Mailbox, Person

ADA, CARL, OSKAR = "ada@northlight.example", "carl@northlight.example", "owner@northlight.example"
Act = Any


def many(n: int, prefix: str = "m") -> list[Kind]:
    return [kind("mailboxes.create", address=f"{prefix}{i}@acme.example") for i in range(n)]


def records(n: int) -> Kind:
    return kind("record_sets.set", domain="acme.example", name=f"h{n}.acme.example", type="A", values=["192.0.2.1"])


def vip(house: House) -> None:
    do("mailboxes.change", house.olive, mailbox=MIA, vip=True)


def vip_and_alias(house: House) -> None:
    vip(house)
    do("mailboxes.create", house.olive, address="leo@acme.example")
    do("aliases.create", house.olive, address="sales@acme.example", targets=[MIA])
    do("aliases.create", house.olive, address="info@acme.example", targets=["leo@acme.example"])


def empty(house: House) -> None:
    do("clients.create", house.olive, name="Empty")


def live_zone(house: House) -> None:
    as_wanted(house, "acme.example")


def new_zone_of_others(house: House) -> None:
    holds(house, "old.example", {("old.example.", "MX"): ["10 mail.elsewhere.example."]})


def nothing(house: House) -> None:
    pass


SET_MX = {"domain": "acme.example", "type": "MX"}
OURS = "10 mx.postroom.example."

# What is held: (what is there, the change, what the reason says; "" for what is not held)
HIGH_RISK = {
    "removing a client": (empty, [kind("clients.remove", client="empty")], "removes 1 client"),
    "creating one": (nothing, [kind("clients.create", name="New")], ""),
    "removing a mailbox": (nothing, [kind("mailboxes.remove", mailbox=MIA)], "removes 1 mailbox"),
    "suspending one": (nothing, [kind("mailboxes.suspend", mailbox=MIA)], ""),
    "suspending a VIP": (vip, [kind("mailboxes.suspend", mailbox=MIA)], "suspends a VIP: Mia"),
    "25 at once": (nothing, many(25), ""),
    "26 at once": (nothing, many(26), "26 mailboxes in one change"),
    "25 record sets": (nothing, [records(n) for n in range(25)], ""),
    "26 record sets": (nothing, [records(n) for n in range(26)], "26 record sets in one change"),
    "26 freezes": (nothing, [kind("freezes.start", scope="acme", reason="x")] * 26, "in one change"),
    "20 domains": (nothing, [kind("domains.add", client="acme", name=f"d{n}.example") for n in range(20)], ""),
    "26 domains": (
        nothing, [kind("domains.add", client="acme", name=f"d{n}.example") for n in range(26)],
        "26 domains in one change",
    ),
    "a low role": (nothing, [kind("grants.give", person=ADA, role="helpdesk")], ""),
    "a high role": (nothing, [kind("grants.give", person=CARL, role="approver", client="acme")], "the role approver"),
    "an alias to a VIP": (vip, [kind("aliases.create", address="x@acme.example", targets=[MIA])], ""),
    "what reaches a VIP": (
        vip_and_alias,
        [kind("aliases.change", alias="sales@acme.example", targets=["leo@acme.example"])],
        "moves mail of a VIP: ",
    ),
    "what a VIP gets more": (
        vip_and_alias, [kind("aliases.change", alias="info@acme.example", targets=[MIA])], "moves mail of a VIP: ",
    ),
    "what reaches a VIP no more": (
        vip_and_alias, [kind("aliases.remove", alias="sales@acme.example")], "moves mail of a VIP: ",
    ),
    "what reaches another": (vip_and_alias, [kind("aliases.remove", alias="info@acme.example")], ""),
    "MX of a live domain": (
        live_zone,
        [kind("record_sets.set", **SET_MX, values=[OURS, "20 mx2.postroom.example."])],
        "MX of a live domain",
    ),
    "DMARC of a live domain": (
        live_zone,
        [kind("record_sets.set", domain="acme.example", name="_dmarc.acme.example", type="TXT",
              values=["v=DMARC1; p=reject; rua=mailto:dmarc@postroom.example"])],
        "DMARC of a live domain",
    ),
    "another record of a live domain": (
        live_zone,
        [kind("record_sets.set", domain="acme.example", name="www.acme.example", type="A", values=["192.0.2.1"])],
        "",
    ),
    "a domain live elsewhere": (
        new_zone_of_others, [kind("domains.add", client="acme", name="old.example")],
        "live elsewhere: its mail goes to 10 mail.elsewhere.example.",
    ),
    "a domain live nowhere": (nothing, [kind("domains.add", client="acme", name="fresh.example")], ""),
    "starting a freeze": (nothing, [kind("freezes.start", scope="acme", reason="x")], ""),
}  # fmt: skip


@pytest.mark.parametrize("row", HIGH_RISK)
def test_high_risk_is_held_and_nothing_else(house: House, row: str) -> None:
    before, kinds, words = HIGH_RISK[row]
    before(house)
    change = submit(kinds, actor=house.oskar, why="x")
    assert (change.stage == "held") == bool(words), (change.stage, change.verdicts)
    assert change.stage in ("held", "applied", "verified") and words in reasons(change)
    if words:
        assert [v["policy"] for v in change.verdicts] == ["landing" if "mail of a VIP" in words else "high_risk"]


def test_removing_a_domain_is_held_with_every_reason_at_once(house: House) -> None:
    as_wanted(house, "acme.example")
    change = do("domains.remove", house.olive, domain="acme.example", accept_loss=True)
    assert change.stage == "held"
    for words in ("removes 1 domain", "loses its MX", "DMARC record goes", "SPF record goes"):
        assert words in reasons(change)


def test_removing_a_domain_needs_it_said_that_its_mail_stops(house: House) -> None:
    as_wanted(house, "acme.example")
    change = do("domains.remove", house.olive, domain="acme.example")
    assert change.stage == "refused" and "accept_loss" in reasons(change)


# Records that mail depends on.

DMARC = ["v=DMARC1; p=reject; rua=mailto:dmarc@postroom.example"]
LOSSES: dict[str, tuple[dict[str, Any], list[str], str]] = {
    "the MX goes": ({"type": "MX"}, [], "loses its MX"),
    "the MX says no mail": ({"type": "MX"}, ["0 ."], "loses its MX"),
    "SPF goes": ({"type": "TXT"}, ["verify=1"], "SPF record goes"),
    "SPF lets everybody": ({"type": "TXT"}, ["v=spf1 +all"], "everybody send"),
    "DMARC weakens": (
        {"type": "TXT", "name": "_dmarc.acme.example"},
        ["v=DMARC1; p=none"],
        "weakens from reject to none",
    ),
    "a key goes": ({"type": "TXT", "name": "k._domainkey.acme.example"}, [], "DKIM key in use goes"),
    "NS of a name below": ({"type": "NS", "name": "sub.acme.example"}, ["ns9.elsewhere.example."], "NS changes"),
}


@pytest.mark.parametrize("row", LOSSES)
def test_a_loss_is_refused_unless_it_is_meant_and_then_held(house: House, row: str) -> None:
    about, values, words = LOSSES[row]
    holds(house, "acme.example", {
        ("acme.example.", "MX"): [OURS],
        ("acme.example.", "TXT"): ["v=spf1 mx -all", "verify=1"],
        ("_dmarc.acme.example.", "TXT"): DMARC,
        ("k._domainkey.acme.example.", "TXT"): ["v=DKIM1; k=rsa; p=abcd"],
        ("sub.acme.example.", "NS"): ["ns1.sub.example."],
    })  # fmt: skip
    refused = do("record_sets.set", house.olive, domain="acme.example", values=values, **about)
    assert refused.stage == "refused" and words in reasons(refused) and "accept_loss" in reasons(refused)
    held = do("record_sets.set", house.olive, domain="acme.example", values=values, accept_loss=True, **about)
    assert held.stage == "held" and words in reasons(held)


# Role accounts.


def test_role_accounts_of_a_new_domain_answer_to_the_organization(house: House) -> None:
    for local in ("postmaster", "abuse"):
        assert the(Alias, address__address=f"{local}@acme.example").targets == [POSTMASTER]


@pytest.mark.parametrize("local", ["postmaster", "abuse"])
def test_they_are_never_removed_and_pointed_elsewhere_by_operators_alone(house: House, local: str) -> None:
    alias = f"{local}@acme.example"
    for who in (house.oskar, house.olive, house.carl):
        removed = do("aliases.remove", who, alias=alias)
        assert removed.stage == "refused" and "cannot be removed" in reasons(removed)
    refused = do("aliases.change", house.carl, alias=alias, targets=[MIA])
    assert refused.stage == "refused" and "operators alone" in reasons(refused)
    assert do("aliases.change", house.olive, alias=alias, targets=[MIA]).stage == "applied"


def test_an_operator_of_one_client_is_no_operator_of_the_agency(house: House) -> None:
    given = do("grants.give", house.oskar, person=CARL, role="operator", client="acme")
    approve(given.pk, actor=house.ada, plan_hash=given.plan_hash)
    assert do("aliases.change", house.carl, alias="abuse@acme.example", targets=[MIA]).stage == "refused"


# Rank.


def test_nobody_gives_or_takes_what_stands_above_them(house: House) -> None:
    given = do("grants.give", house.olive, person=CARL, role="owner")
    assert given.stage == "refused" and reasons(given).startswith("owner stands above")
    ended = do("grants.end", house.olive, grant=str(the(Grant, role="owner").pk))
    assert ended.stage == "refused" and "stands above" in reasons(ended)
    assert do("grants.give", house.olive, person=CARL, role="helpdesk").stage == "verified"


@pytest.mark.parametrize("permission", ["people.suspend", "people.change", "people.remove"])
def test_nobody_edits_who_stands_above_them(house: House, permission: str) -> None:
    more = {"name": "X"} if permission == "people.change" else {}
    change = do(permission, house.olive, person=OSKAR, **more)
    assert change.stage == "refused" and "above" in reasons(change)
    assert do(permission, house.olive, person=ADA, **more).version


def test_a_client_admin_has_no_say_over_people(house: House) -> None:
    assert do("people.change", house.olive, person=CARL, name="C").version
    do("people.invite", house.oskar, name="Cleo", email="cleo@acme.example", client="acme")
    assert do("people.suspend", house.carl, person="cleo@acme.example").stage == "refused"


# The last owner.


def test_the_last_owner_stays_whoever_asks_and_however(house: House) -> None:
    grant = str(the(Grant, role="owner").pk)
    for permission, params in (
        ("grants.end", {"grant": grant}),
        ("people.suspend", {"person": OSKAR}),
        ("people.remove", {"person": OSKAR}),
    ):
        change = do(permission, house.oskar, **params)
        assert change.stage == "refused" and "last owner" in reasons(change), permission
    assert do("grants.end", CLOCK, grant=grant).stage == "refused", "nor does the clock"


def second_owner(house: House, **until: str) -> Actor:
    do("people.invite", house.oskar, name="Otto", email="otto@northlight.example")
    given = do("grants.give", house.oskar, person="otto@northlight.example", role="owner", **until)
    approve(given.pk, actor=house.ada, plan_hash=given.plan_hash)
    return person("otto@northlight.example", house.oskar)


def test_an_owner_for_a_time_lets_the_last_lasting_owner_go_at_no_time(house: House) -> None:
    second_owner(house, until=(datetime.now(UTC) + timedelta(hours=1)).isoformat())
    otto = the(Grant, person__email="otto@northlight.example")
    for permission, params in (
        ("people.suspend", {"person": OSKAR}),
        ("people.remove", {"person": OSKAR}),
        ("grants.end", {"grant": str(the(Grant, person__email=OSKAR).pk)}),
    ):
        change = do(permission, house.oskar, **params)
        assert change.stage == "refused" and "last owner" in reasons(change), permission
    assert do("grants.end", house.oskar, grant=str(otto.pk)).version, "who stays is the lasting one"


def test_the_second_of_two_lasting_owners_may_have_gone_by_the_time_it_applies(house: House) -> None:
    second_owner(house)
    later = waits("people.suspend", house.oskar, person=OSKAR)
    assert later.stage == "scheduled"
    assert do("people.suspend", house.oskar, person="otto@northlight.example").version
    assert apply_scheduled(later.pk).stage == "held" and the(Person, email=OSKAR).suspended_at is None


def test_a_suspended_second_owner_does_not_count(house: House) -> None:
    second_owner(house)
    do("people.suspend", house.oskar, person="otto@northlight.example")
    assert do("grants.end", house.oskar, grant=str(the(Grant, person__email=OSKAR).pk)).stage == "refused"


# Whichever kind planned it.


class Sideways(Kind, name="mailboxes.sideways"):
    """Removes a role account by another name."""

    def plan(self, state):  # type: ignore[no-untyped-def]
        yield end(state.get(Alias, "abuse@acme.example"))


def test_a_policy_looks_at_the_plan_not_at_the_kinds_name(house: House) -> None:
    change = submit(Sideways(), actor=house.oskar, why="x")
    assert change.stage == "refused" and "cannot be removed" in reasons(change)


def test_every_reason_is_shown_not_the_first(house: House) -> None:
    do("freezes.start", house.olive, scope="acme", reason="dispute")
    change = submit(many(26), actor=house.olive, why="x")
    assert change.stage == "refused" and {v["policy"] for v in change.verdicts} == {"frozen", "high_risk"}


def test_who_is_scoped_to_a_domain_acts_in_it_alone(house: House) -> None:
    do("people.invite", house.oskar, name="Dora", email="dora@acme.example", client="acme")
    do("domains.add", house.olive, client="acme", name="other.example")
    given = do("grants.give", house.oskar, person="dora@acme.example", role="client admin", domain="acme.example")
    assert given.stage == "verified"
    dora = person("dora@acme.example", house.oskar)
    assert do("mailboxes.suspend", dora, mailbox=MIA).stage == "applied"
    assert do("mailboxes.create", dora, address="new@acme.example").stage == "applied"
    assert do("domains.suspend", dora, domain="acme.example").stage == "refused"
    from postroom.changes.errors import Problems

    with pytest.raises(Problems) as found:
        do("mailboxes.create", dora, address="new@other.example")
    assert found.value.only_not_there


def test_the_proof_of_a_domain_is_for_the_system_to_say(house: House) -> None:
    do("domains.add", house.olive, client="acme", name="unproven.example")
    assert do("domains.prove", house.oskar, domain="unproven.example", proof="I say so").stage == "refused"
    assert do("domains.prove", SYSTEM, domain="unproven.example", proof="TXT read").stage == "applied"
    assert the(Domain, name="unproven.example").proof == "read"
    with acting_as(SYSTEM):
        assert Change.objects.filter(kind="domains.prove", actor="person").get().stage == "refused"
        assert Mailbox.objects.count() == 2
