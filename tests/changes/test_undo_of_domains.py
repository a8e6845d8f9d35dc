"""Undo of adding a domain: all that followed from it goes too, and its zone is as it was found."""

from typing import Any

from cast import House, as_wanted, do, holds, kind, reasons, the, with_consent
from postroom.access.acting import SYSTEM, acting_as
from postroom.changes.approvals import undo
from postroom.changes.pipeline import submit
from postroom.models import Address, Change, DkimKey, Domain, Mailbox, RecordSet, Secret

FOUND = {
    ("new.example.", "MX"): ["10 mail.old.example."],
    ("new.example.", "TXT"): ["v=spf1 ip4:192.0.2.7 -all", "verify=42"],
    ("www.new.example.", "A"): ["192.0.2.1"],
}


PUBLIC = {"rsa-2048": "abcd", "ed25519": "A" * 43 + "="}


def added(house: House) -> Change:
    """Added over a live zone; its keys made and used, its records published."""
    holds(house, "new.example", FOUND, ttl=300)
    change = with_consent(house, do("domains.add", house.olive, client="acme", name="new.example"))
    with acting_as(SYSTEM):
        keys = list(DkimKey.objects.filter(domain__name="new.example").order_by("selector"))
    for key in keys:
        made = kind("dkim_keys.make", key=str(key.pk), public=PUBLIC[key.algorithm], domain="new.example")
        made = submit(made, actor=SYSTEM, why="x", secrets={"private key": "sealed"}, caused_by=change)
        assert made.version, reasons(made)
        published(house)
        used = submit(kind("dkim_keys.activate", key=str(key.pk)), actor=SYSTEM, why="x", caused_by=made)
        assert used.version, reasons(used)
    return change


def published(house: House) -> None:
    with acting_as(SYSTEM):
        ours = {(r.name, r.type): r for r in RecordSet.objects.filter(domain__name="new.example")}
    zone = FOUND | {key: r.values for key, r in ours.items() if r.values}
    holds(house, "new.example", zone, ttl=300)
    for key, r in ours.items():
        if r.values:
            house.zones["new.example"].rrsets[key]["ttl"] = r.ttl
    from postroom.changes import readings

    readings.keep(house.zones["new.example"], the(Domain, name="new.example").client_id)


def test_a_domain_goes_back_with_what_followed_and_its_zone_is_as_found(house: House) -> None:
    change = added(house)
    with acting_as(SYSTEM):
        assert RecordSet.objects.filter(domain__name="new.example").count() == 5
    back = undo(change.pk, actor=house.olive, why="the client stays where they are")
    assert back.stage == "applied", (back.stage, reasons(back))

    with acting_as(house.olive):
        for model in (DkimKey, RecordSet):
            assert not model.objects.filter(domain__name="new.example").exists()
        assert not Domain.objects.filter(name="new.example").exists()
        assert not Address.objects.filter(address__endswith="@new.example").exists(), "its role accounts go too"
        assert not Secret.objects.filter(purpose="private key").exists()
        targets = [d.target for d in back.delivery_set.order_by("target")]
        edits = edits_of(back)
    assert targets == ["nodes", "zone"]
    gone = {(e.before["name"], e.before["type"]): e.before["found"] for e in edits if e.table == "record_sets"}
    assert gone[("new.example.", "MX")] == {"ttl": 300, "values": ["10 mail.old.example."]}
    assert gone[("new.example.", "TXT")] == {"ttl": 300, "values": sorted(FOUND[("new.example.", "TXT")])}
    assert gone[("_dmarc.new.example.", "TXT")] is None
    assert ("www.new.example.", "A") not in gone, "what was never ours is not touched"


def edits_of(change: Change) -> list[Any]:
    from postroom.changes.history import edits_of

    return edits_of([change])


def test_what_somebody_did_between_a_change_and_what_followed_from_it_counts(house: House) -> None:
    change = do("domains.add", house.olive, client="acme", name="new.example")
    do("domains.change", house.oskar, domain="new.example", registrar="R")
    key = the(DkimKey, domain__name="new.example", selector__endswith="a")
    made = kind("dkim_keys.make", key=str(key.pk), public="abcd", domain="new.example")
    assert submit(made, actor=SYSTEM, why="x", secrets={"private key": "sealed"}, caused_by=change).version
    as_wanted(house, "new.example")
    back = undo(change.pk, actor=house.olive, why="x")
    assert back.stage == "held" and "goes back over 1 later changes: domains.change" in reasons(back)


def test_a_domain_that_has_a_mailbox_by_now_is_not_simply_undone(house: House) -> None:
    change = added(house)
    do("mailboxes.create", house.olive, address="a@new.example")
    back = undo(change.pk, actor=house.oskar, why="x")
    with_consent(house, back)
    assert the(Domain, name="new.example").removed_at == back.now, "softly: something hangs on it"
    assert the(Mailbox, address__address="a@new.example").removed_at is None
