"""What each kind plans, where the other tests do not meet it; and what it refuses to plan."""

from typing import Any

import pytest
from pydantic import ValidationError

from cast import MIA, House, do, kind, person, reasons, redeemed, the
from postroom.access.acting import SYSTEM, acting_as
from postroom.changes.approvals import approve
from postroom.changes.errors import NothingToDo, Problems
from postroom.changes.history import edits_of
from postroom.changes.pipeline import dry_run, submit
from postroom.models import (
    Alias,
    Change,
    Client,
    DkimKey,
    Domain,
    Grant,
    Invite,
    Mailbox,
    Node,
    Organization,
    Person,
    RecordSet,
    Secret,
    Verification,
)  # fmt: skip

LEO, SAM = "leo@acme.example", "sam@acme.example"


def with_consent(house: House, permission: str, **params: Any) -> Change:
    held = do(permission, house.oskar, **params)
    assert held.stage == "held"
    return approve(held.pk, actor=house.ada, plan_hash=held.plan_hash)


def time_passes(sql: Any, table: str, days: int) -> None:
    sql("SELECT set_config('postroom.change', 'time passes', false)",
        f"UPDATE {table} SET removed_at = removed_at - interval '{days} days'")  # fmt: skip


def test_a_domain_starts_with_what_every_domain_needs(house: House) -> None:
    change = do("domains.add", house.olive, client="acme", name="new.example", registrar="R", dns_holder="Olive")
    with acting_as(SYSTEM):
        tables = sorted(e.table for e in edits_of([change]))
        wanted = {r.label: r.values for r in RecordSet.objects.filter(domain__name="new.example")}
        selectors = [k.selector for k in DkimKey.objects.filter(domain__name="new.example").order_by("selector")]
    assert tables == ["addresses"] * 2 + ["aliases"] * 2 + ["dkim_keys"] * 2 + ["domains"] + ["record_sets"] * 3
    assert wanted["MX new.example."] == ["10 mx.postroom.example."]
    assert wanted["TXT new.example."][0].startswith("v=spf1 ") and "mx" in wanted["TXT new.example."][0]
    assert wanted["TXT _dmarc.new.example."] == ["v=DMARC1; p=none; rua=mailto:dmarc@postroom.example"]
    assert [s[-1] for s in selectors] == ["a", "b"] and the(Domain, name="new.example").proof == "waiting"


NO_DOMAINS = ["example", "-x.example", "a..example", "x" * 64 + ".example", "x\0.example", "../x"]


@pytest.mark.parametrize("name", NO_DOMAINS)
def test_what_is_no_domain_is_not_added(name: str) -> None:
    with pytest.raises(ValidationError):
        kind("domains.add", client="acme", name=name)


def test_a_domain_leaves_room_for_the_names_below_it(house: House) -> None:
    most = ".".join(["a" * 63, "b" * 63, "c" * 63, "d" * 32, "example"])
    for longer, name in ((0, most), (1, f"d{most}"[1:].replace("d.", "dd.")), (21, most.replace("d.", "d" * 22 + "."))):
        asked = kind("domains.add", client="acme", name=name)
        if longer:
            with pytest.raises(Problems, match=f"name: {232 + longer} octets; at most 232"):
                dry_run(asked, actor=house.olive)
        else:
            assert len(name) == 232 and dry_run(asked, actor=house.olive).plan.edits


def test_a_link_is_not_sent_into_the_very_mailbox_that_it_opens(house: House) -> None:
    with pytest.raises(Problems, match="contact: its owner cannot read it there yet"):
        do("mailboxes.create", house.olive, address="new@acme.example", contact="New@ACME.example")


def test_an_alias_leads_to_addresses_of_its_client(house: House) -> None:
    do("mailboxes.create", house.olive, address=SAM)
    for target, words in (
        ("x@elsewhere.example", "comes as a forward, by exception"),
        ("mia@globex.example", "comes as a forward, by exception"),
        ("nobody@acme.example", "does not exist yet"),
        ("sales@acme.example", "to itself"),
    ):
        with pytest.raises(Problems, match=words):
            do("aliases.create", house.olive, address="sales@acme.example", targets=[MIA, target])
    do("aliases.create", house.olive, address="sales@acme.example", targets=[MIA, MIA, SAM])
    assert the(Alias, address__address="sales@acme.example").targets == [MIA, SAM]


def test_no_alias_leads_back_to_itself_over_others(house: House) -> None:
    do("mailboxes.create", house.olive, address=SAM)
    a, b, c = (f"{name}@acme.example" for name in "abc")
    do("aliases.create", house.olive, address=a, targets=[MIA])
    do("aliases.create", house.olive, address=b, targets=[a, MIA])
    do("aliases.create", house.olive, address=c, targets=[b])
    refused = do("aliases.change", house.olive, alias=a, targets=[c])
    assert refused.stage == "refused" and f"mail to {a} would come back to it by way of {c}, {b}" in reasons(refused)
    assert do("aliases.change", house.olive, alias=a, targets=[SAM]).version


def test_a_loop_is_found_where_its_proposer_does_not_see_all_of_it(house: House) -> None:
    do("domains.add", house.olive, client="acme", name="acme-two.example")
    do("domains.prove", SYSTEM, domain="acme-two.example", proof="a test")
    do("mailboxes.create", house.olive, address="sam@acme-two.example")
    a, b, c = "a@acme.example", "b@acme.example", "c@acme-two.example"
    do("aliases.create", house.olive, address=a, targets=[MIA])
    do("aliases.create", house.olive, address=c, targets=[a])
    do("aliases.create", house.olive, address=b, targets=[c])
    do("people.invite", house.oskar, name="Dora", email="dora@northlight.example")
    about = {"person": "dora@northlight.example", "role": "operator", "client": "acme", "domain": "acme.example"}
    given = do("grants.give", house.oskar, **about)
    assert given.version or approve(given.pk, actor=house.ada, plan_hash=given.plan_hash).version
    dora = person("dora@northlight.example", house.oskar)
    refused, words = do("aliases.change", dora, alias=a, targets=[b]), f"by way of {b}, an address you do not see"
    assert refused.stage == "refused" and f"mail to {a} would come back to it {words}" in reasons(refused)
    assert do("aliases.change", dora, alias=a, targets=["sam@acme-two.example"]).version


def test_a_removed_alias_keeps_its_address_and_comes_back_by_being_made_again(house: House) -> None:
    do("mailboxes.create", house.olive, address=SAM)
    do("aliases.create", house.olive, address="sales@acme.example", targets=[MIA])
    do("aliases.remove", house.olive, alias="sales@acme.example")
    with pytest.raises(Problems, match="it is removed"):
        do("aliases.change", house.olive, alias="sales@acme.example", targets=[SAM])
    with pytest.raises(Problems, match="already taken"):
        do("mailboxes.create", house.olive, address="sales@acme.example")
    do("aliases.create", house.olive, address="sales@acme.example", targets=[SAM])
    assert the(Alias, address__address="sales@acme.example").targets == [SAM]


def test_a_mailbox_names_its_people_and_a_shared_one_invites_nobody(house: House) -> None:
    people = {"owner": "carl@northlight.example", "operator": "olive@northlight.example"}
    do("mailboxes.create", house.oskar, address=LEO, contact="leo@home.example", **people)
    row = the(Mailbox, address__address=LEO)
    assert (row.owner_id, row.operator_id) == (house.carl.person, house.olive.person)
    with pytest.raises(Problems, match="shared"):
        do("mailboxes.create", house.olive, address="x@acme.example", kind="shared", contact="x@home.example")
    do("mailboxes.create", house.olive, address="info@acme.example", kind="shared")
    with pytest.raises(Problems, match="no sign-in: it is shared"):
        do("invites.send", house.olive, mailbox="info@acme.example", contact="x@home.example")


def test_a_removed_mailbox_is_restored_within_thirty_days_and_invited_anew(house: House, sql: Any) -> None:
    do("mailboxes.create", house.olive, address=LEO, contact="leo@home.example")
    redeemed(LEO)
    with_consent(house, "mailboxes.remove", mailbox=LEO)
    with pytest.raises(Problems, match="restore it first"):
        do("mailboxes.suspend", house.olive, mailbox=LEO)
    assert do("mailboxes.restore", house.olive, mailbox=LEO).stage == "applied"
    with acting_as(SYSTEM):
        assert not Secret.objects.exists(), "its old secret stays deleted"
        assert Invite.objects.filter(mailbox__address__address=LEO, used_at=None, ended_at=None).count() == 1
    with pytest.raises(Problems, match="not removed"):
        do("mailboxes.restore", house.olive, mailbox=LEO)
    with_consent(house, "mailboxes.remove", mailbox=LEO)
    time_passes(sql, "mailboxes", 32)
    with pytest.raises(Problems, match="more than 30 days"):
        do("mailboxes.restore", house.olive, mailbox=LEO)


def test_who_may_remove_or_transfer_leaves_nothing_standing_that_they_may_not_see(house: House) -> None:
    """By a role of one's own that may look at no secret, no app password and no verification."""
    may = ["mailboxes.remove", "mailboxes.transfer", "mailboxes.view"]
    do("roles.create", house.oskar, name="remover", permissions=may)
    do("people.invite", house.oskar, name="Rem", email="rem@northlight.example")
    given = do("grants.give", house.oskar, person="rem@northlight.example", role="remover", client="acme")
    assert given.version or approve(given.pk, actor=house.ada, plan_hash=given.plan_hash).version
    rem = person("rem@northlight.example", house.oskar)
    for address, act in ((LEO, {}), ("zoe@acme.example", {"contact": "new@home.example"})):
        do("mailboxes.create", house.olive, address=address, contact=f"x{address}")
        redeemed(address)
        started = do("resets.start", house.henry, mailbox=address, ticket="T-1")
        held = do("mailboxes.transfer" if act else "mailboxes.remove", rem, mailbox=address, **act)
        assert approve(held.pk, actor=house.ada, plan_hash=held.plan_hash).version
        with acting_as(SYSTEM):
            assert not Secret.objects.filter(purpose__in=("password", "recovery code")).exists(), address
            ((ended,),) = Verification.objects.filter(mailbox__address__address=address).values_list("ended_at")
        assert started.version and ended


def test_a_removed_client_is_restored(house: House, sql: Any) -> None:
    with_consent(house, "clients.remove", client="globex")
    assert the(Client, slug="globex").removed_at
    do("clients.restore", house.oskar, client="globex")
    assert the(Client, slug="globex").removed_at is None
    with pytest.raises(Problems, match="not removed"):
        do("clients.restore", house.oskar, client="globex")


def test_a_slug_is_made_from_the_name_and_stays(house: House) -> None:
    do("clients.create", house.olive, name="Bar & Söhne GmbH")
    with acting_as(SYSTEM):
        slug = Client.objects.get(name="Bar & Söhne GmbH").slug
    do("clients.change", house.olive, client=slug, name="Foo")
    assert the(Client, slug=slug).name == "Foo" and slug.isascii()
    with pytest.raises(Problems, match="name: acme is already taken"):
        do("clients.create", house.olive, name="Acme")


def test_a_new_client_goes_to_the_node_with_the_least(house: House) -> None:
    do("nodes.add", house.oskar, node="mx3", role="postroom_node_mx3")
    do("clients.create", house.olive, name="New")
    assert the(Client, slug="new").node_id == the(Node, name="mx3").pk
    do("nodes.drain", house.oskar, node="mx3")
    do("clients.create", house.olive, name="Newer")
    assert the(Client, slug="newer").node_id != the(Node, name="mx3").pk


def test_a_node_that_is_home_to_somebody_is_not_removed(house: House) -> None:
    with pytest.raises(Problems, match="home to 1 clients"):
        do("nodes.remove", house.oskar, node="mx1")
    do("nodes.add", house.oskar, node="mx3", role="postroom_node_mx3")
    do("nodes.remove", house.oskar, node="mx3")
    assert the(Node, name="mx3").removed_at and the(Node, name="mx3").drained_at


def test_a_released_record_set_stands_as_it_is_and_is_nobodys_of_ours(house: House) -> None:
    row = the(RecordSet, domain__name="acme.example", type="MX")
    change = do("record_sets.release", house.olive, record_set=str(row.pk))
    after = the(RecordSet, pk=row.pk)
    assert (after.ours, after.values) == ([], row.values)
    with acting_as(SYSTEM):
        assert not change.delivery_set.filter(target="zone").exists(), "nothing is written"


def test_a_removed_person_comes_back_without_a_grant(house: House) -> None:
    do("people.remove", house.oskar, person="henry@northlight.example")
    do("people.restore", house.oskar, person="henry@northlight.example")
    assert the(Person, email="henry@northlight.example").removed_at is None
    with acting_as(house.henry) as access:
        assert access.held == ()


def test_a_printed_link_voids_the_one_before_and_is_not_mailed(house: House) -> None:
    ada = "ada@northlight.example"
    for link in ("1" * 64, "2" * 64):
        printed = submit(kind("people.print_link", person=ada), actor=SYSTEM, why="demo", secrets={"link": link})
        assert printed.version
    with acting_as(SYSTEM):
        assert Invite.objects.filter(person__email=ada, by_mail=False, ended_at=None).count() == 1
        assert not printed.delivery_set.exists()
    assert (
        submit(kind("people.print_link", person=ada), actor=house.oskar, why="x", secrets={"link": "3"}).stage
        == "refused"
    )


def test_a_grant_names_where_and_until_when(house: House) -> None:
    ada = "ada@northlight.example"
    for params, words in (
        ({"role": "client admin"}, "one of some client"),
        ({"role": "auditor", "client": "globex", "domain": "acme.example"}, "not a domain of that client"),
        ({"role": "auditor", "until": "2020-01-01T00:00:00Z"}, "has passed"),
    ):
        with pytest.raises(Problems, match=words):
            do("grants.give", house.oskar, person=ada, **params)
    do("grants.give", house.oskar, person=ada, role="auditor", domain="acme.example")
    given = the(Grant, role="auditor", domain__name="acme.example")
    assert given.client_id == the(Client, slug="acme").pk and given.given_by_id == house.oskar.person


def test_a_reason_that_is_left_out_is_the_changes_own(house: House) -> None:
    do("freezes.start", house.olive, scope="acme")
    refused = do("mailboxes.change", house.olive, mailbox=MIA, quota_mb=1)
    assert "a test" in str(refused.verdicts), "what people read is why it was started"


def test_there_is_one_organization(house: House) -> None:
    again = {"owner_name": "X", "owner_email": "x@two.example", "postmaster": "postmaster@two.example"}
    from postroom.access.acting import FOUNDER

    with pytest.raises(Problems, match="already"):
        do("organization.found", FOUNDER, name="Two", **again)
    do("organization.change", house.oskar, postmaster="postmaster@acme.example")
    assert the(Organization).postmaster == "postmaster@acme.example"


def test_asking_for_what_stands_so_is_nothing_to_do(house: House) -> None:
    for permission, params in (
        ("clients.resume", {"client": "acme"}),
        ("domains.resume", {"domain": "acme.example"}),
        ("people.resume", {"person": "ada@northlight.example"}),
        ("clients.change", {"client": "acme", "name": "Acme"}),
        ("organization.change", {}),
    ):
        with pytest.raises(NothingToDo):
            do(permission, house.oskar, **params)


def test_every_kind_is_its_own_schema() -> None:
    from postroom.changes.kind import KINDS

    for permission, one in KINDS.items():
        schema = one.model_json_schema()
        assert schema.get("additionalProperties") is False, permission
        with pytest.raises(ValidationError):
            one.model_validate({"no_such_parameter": 1})
