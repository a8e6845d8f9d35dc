"""Record sets: planned from what was read in the zone, applied only while that still stands there."""

from datetime import timedelta
from typing import Any

import pytest

from cast import MIA, House, again, as_wanted, do, holds, kind, reasons, the
from postroom.access.acting import SYSTEM, acting_as
from postroom.changes import readings
from postroom.changes.approvals import approve, undo
from postroom.changes.errors import NothingToDo, Problem, Problems
from postroom.changes.history import edits_of
from postroom.changes.pipeline import apply_scheduled, submit
from postroom.changes.readings import ZoneRead
from postroom.changes.state import State
from postroom.models import Change, DkimKey, Domain, Reading, RecordSet

WWW = {"domain": "acme.example", "name": "www.acme.example", "type": "A"}


def the_edit(change: Change) -> Any:
    with acting_as(SYSTEM):
        (edit,) = (e for e in edits_of([change]) if e.table == "record_sets")
        return edit


def test_before_is_what_was_read_and_found_is_kept_for_ever(house: House) -> None:
    holds(house, "acme.example", {("www.acme.example.", "A"): ["192.0.2.9"]}, ttl=60)
    made = the_edit(do("record_sets.set", house.olive, **WWW, values=["192.0.2.1"]))
    assert made.after["found"] == {"ttl": 60, "values": ["192.0.2.9"]} and made.after["values"] == ["192.0.2.1"]

    holds(house, "acme.example", {("www.acme.example.", "A"): ["192.0.2.77"]}, ttl=60)  # somebody, by hand
    mended = the_edit(do("record_sets.set", house.olive, **WWW, values=["192.0.2.2"]))
    assert mended.before["values"] == ["192.0.2.77"] and mended.after["values"] == ["192.0.2.2"]
    assert the(RecordSet, name="www.acme.example.").found == {"ttl": 60, "values": ["192.0.2.9"]}


def test_drift_is_repaired_by_asking_for_what_stands_in_our_row(house: House) -> None:
    holds(house, "acme.example", {})
    do("record_sets.set", house.olive, **WWW, values=["192.0.2.1"])
    holds(house, "acme.example", {("www.acme.example.", "A"): ["192.0.2.1"]})
    with pytest.raises(NothingToDo):
        do("record_sets.set", house.olive, **WWW, values=["192.0.2.1"])
    holds(house, "acme.example", {("www.acme.example.", "A"): ["192.0.2.77"]})
    change = do("record_sets.set", house.olive, **WWW, values=["192.0.2.1"])
    assert change.stage == "applied" and the_edit(change).before["values"] == ["192.0.2.77"]
    with acting_as(SYSTEM):
        assert [d.target for d in change.delivery_set.all()] == ["zone"]


def test_drift_is_accepted_by_asking_for_what_stands_in_the_zone(house: House) -> None:
    holds(house, "acme.example", {})
    do("record_sets.set", house.olive, **WWW, values=["192.0.2.1"])
    holds(house, "acme.example", {("www.acme.example.", "A"): ["192.0.2.77"]})
    assert do("record_sets.set", house.olive, **WWW, values=["192.0.2.77"]).stage == "applied"
    assert the(RecordSet, name="www.acme.example.").values == ["192.0.2.77"]


def test_a_zone_that_moved_between_makes_it_stale(house: House) -> None:
    as_wanted(house, "acme.example")
    values = ["10 mx.postroom.example.", "20 mx2.postroom.example."]
    held = do("record_sets.set", house.olive, domain="acme.example", type="MX", values=values)
    assert held.stage == "held"
    holds(house, "acme.example", {("acme.example.", "MX"): ["5 elsewhere.example."]})
    stale = approve(held.pk, actor=house.ada, plan_hash=held.plan_hash)
    assert stale.stage == "stale" and "5 elsewhere.example. in the zone" in reasons(stale)


def test_a_held_domain_is_still_what_was_approved(house: House) -> None:
    """The zone of a domain that is no client's yet is read by whoever adds it, an approval later too."""
    holds(house, "old.example", {("old.example.", "MX"): ["10 mail.elsewhere.example."]})
    held = do("domains.add", house.olive, client="acme", name="old.example")
    assert held.stage == "held"
    assert approve(held.pk, actor=house.ada, plan_hash=held.plan_hash).stage == "applied"


@pytest.mark.parametrize("state", ["failed", "old", "never read"])
def test_a_zone_that_was_not_read_is_not_planned_from(house: House, sql: Any, state: str) -> None:
    holds(house, "acme.example", {("www.acme.example.", "A"): ["192.0.2.9"]})
    if state == "failed":
        house.zones["acme.example"] = ZoneRead("acme.example", failed="timed out")
        readings.keep(house.zones["acme.example"], the(Domain, name="acme.example").client_id)
    elif state == "old":
        sql("UPDATE readings SET at = at - interval '11 minutes'")
        sql("ALTER TABLE readings ADD CONSTRAINT nobody_reads CHECK (false) NOT VALID")
    else:
        sql("DELETE FROM readings")
    with acting_as(house.olive) as access:
        from django.utils import timezone

        one = State(access, the_change_id(), timezone.now())
        with pytest.raises(Problem, match="not read"):
            one.reading("acme.example", "www.acme.example.", "A")
    if state == "failed":
        with pytest.raises(Problems, match="timed out"):
            do("record_sets.set", house.olive, **WWW, values=["192.0.2.1"])


def the_change_id() -> Any:
    from postroom.changes.state import new_change_id

    return new_change_id()


def test_a_failed_reading_leaves_the_last_there_and_says_so(house: House) -> None:
    holds(house, "acme.example", {("www.acme.example.", "A"): ["192.0.2.9"]})
    readings.keep(ZoneRead("acme.example", failed="timed out"), the(Domain, name="acme.example").client_id)
    with acting_as(house.olive):
        assert Reading.objects.get(zone="acme.example", type="A").values == ["192.0.2.9"]
        assert Reading.objects.get(zone="acme.example", type="").failed == "timed out"


def test_a_plan_has_what_it_needs_read_first(house: House, monkeypatch: pytest.MonkeyPatch, sql: Any) -> None:
    asked: list[str] = []

    def read(zone: str, hosting: str) -> ZoneRead:
        asked.append(f"{zone} {hosting}")
        return ZoneRead(zone)

    monkeypatch.setattr(readings, "READERS", [read])
    sql("UPDATE readings SET at = at - interval '1 minute'")
    do("record_sets.set", house.olive, **WWW, values=["192.0.2.1"])
    do("record_sets.set", house.olive, **WWW, values=["192.0.2.2"])
    do("domains.add", house.olive, client="acme", name="new.example", hosting="provider")
    do("mailboxes.suspend", house.olive, mailbox=MIA)
    assert asked == ["acme.example hosted", "new.example provider"], "once in half a minute; and only what is needed"


def test_an_undo_reads_the_zones_it_goes_back_in(house: House, monkeypatch: pytest.MonkeyPatch, sql: Any) -> None:
    holds(house, "acme.example", {})
    change = do("record_sets.set", house.olive, **WWW, values=["192.0.2.1"])
    house.zones["acme.example"] = ZoneRead(
        "acme.example", {("www.acme.example.", "A"): {"ttl": 3600, "values": ["192.0.2.1"]}}
    )
    sql("UPDATE readings SET at = at - interval '1 hour'")
    assert undo(change.pk, actor=house.olive, why="x").stage == "applied"


def test_a_removed_domain_has_its_records_as_found_and_a_restored_one_as_they_were(house: House) -> None:
    as_wanted(house, "acme.example")
    with acting_as(SYSTEM):
        before = {
            (r.name, r.type): (r.ttl, r.values, r.ours) for r in RecordSet.objects.filter(domain__name="acme.example")
        }
    held = do("domains.remove", house.olive, domain="acme.example", accept_loss=True)
    assert approve(held.pk, actor=house.ada, plan_hash=held.plan_hash).stage == "applied"
    with acting_as(SYSTEM):
        rows = list(RecordSet.objects.filter(domain__name="acme.example"))
        assert len(rows) == 3 and all(r.values == [] and r.ours == [] and r.set_aside for r in rows), (
            "nothing was there"
        )
    holds(house, "acme.example", {})
    held = do("domains.restore", house.olive, domain="acme.example")
    assert held.stage == "held" and "changes MX of a live domain" in reasons(held)
    assert approve(held.pk, actor=house.ada, plan_hash=held.plan_hash).stage == "applied"
    with acting_as(SYSTEM):
        after = {
            (r.name, r.type): (r.ttl, r.values, r.ours) for r in RecordSet.objects.filter(domain__name="acme.example")
        }
        assert after == before and not RecordSet.objects.filter(set_aside__isnull=False).exists()


def test_a_key_signs_only_once_its_record_stands(house: House) -> None:
    key = the(DkimKey, domain__name="acme.example", selector__endswith="a")
    with pytest.raises(Problems, match="not made yet"):
        do("dkim_keys.activate", SYSTEM, **{"key": str(key.pk)})
    made = kind("dkim_keys.make", key=str(key.pk), public="abcd", domain="acme.example")
    change = submit(made, actor=SYSTEM, why="x", secrets={"private key": "sealed"})
    assert the_edit(change).after["values"] == ["v=DKIM1; k=rsa; p=abcd"]
    holds(house, "acme.example", {})
    with pytest.raises(Problems, match="not read in the zone yet"):
        do("dkim_keys.activate", house.olive, **{"key": str(key.pk)})
    as_wanted(house, "acme.example")
    assert do("dkim_keys.activate", house.olive, **{"key": str(key.pk)}).version


def test_what_is_no_record_is_refused_with_everything_that_is_wrong(house: House) -> None:
    holds(house, "acme.example", {})
    for about, values, words in (
        ({"type": "A", "name": "www.acme.example"}, ["not an address"], "values"),
        ({"type": "A", "name": "www.globex.example"}, ["192.0.2.1"], "not inside acme.example"),
        ({"type": "NS"}, ["ns1.elsewhere.example."], "at its registrar"),
        ({"type": "MX"}, ["mx.postroom.example."], "values"),
        ({"type": "NONSENSE"}, ["x"], "^type: type "),
    ):
        with pytest.raises(Problems, match=words):
            do("record_sets.set", house.olive, domain="acme.example", values=values, **about)


def test_a_scheduled_record_is_compared_when_its_time_comes(house: House) -> None:
    from datetime import UTC, datetime

    holds(house, "acme.example", {})
    one = kind("record_sets.set", **WWW, values=["192.0.2.1"])
    later = submit(one, actor=house.olive, why="x", at=datetime.now(UTC) + timedelta(hours=1))
    holds(house, "acme.example", {("www.acme.example.", "A"): ["192.0.2.5"]})
    assert apply_scheduled(later.pk).stage == "stale" and again(later).version is None


def test_undo_of_one_of_several_changes_of_a_set_leaves_what_changed_since(house: House) -> None:
    made = []
    for values, ttl in ((["192.0.2.1"], 3600), (["192.0.2.2"], 3600), (["192.0.2.2"], 300)):
        made.append(do("record_sets.set", house.olive, **WWW, values=values, ttl=ttl))
        assert made[-1].version, reasons(made[-1])
        holds(house, "acme.example", {("www.acme.example.", "A"): values}, ttl=ttl)
    with pytest.raises(NothingToDo):
        undo(made[1].pk, actor=house.olive, why="a test")


def test_a_domain_is_named_by_its_id_as_well(house: House) -> None:
    domain = str(the(Domain, name="acme.example").pk)
    assert do("record_sets.set", house.olive, **(WWW | {"domain": domain}), values=["192.0.2.1"]).version


def test_in_a_list_each_says_for_itself_that_a_loss_is_meant(house: House) -> None:
    holds(house, "acme.example", {("acme.example.", "TXT"): ["v=spf1 mx -all"]})
    loses = {"domain": "acme.example", "name": "@", "type": "TXT", "values": ["hello"]}
    for said, stage in ((False, "refused"), (True, "held")):
        parts = [WWW | {"values": ["192.0.2.1"], "accept_loss": True}, loses | {"accept_loss": said}]
        change = submit([kind("record_sets.set", **one) for one in parts], actor=house.olive, why="x")
        assert change.stage == stage, reasons(change)
