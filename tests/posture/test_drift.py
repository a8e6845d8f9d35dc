"""What stands in a zone otherwise than agreed, by what mail loses; what is on its way or was not read is no drift."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from cast import House, as_wanted, do, holds, the, with_consent
from postroom import catalogue
from postroom.access.acting import SYSTEM, acting_as
from postroom.changes import readings
from postroom.changes.kind import KINDS
from postroom.changes.readings import ZoneRead
from postroom.models import Delivery, Domain, Finding, Look, Reading, RecordSet
from postroom.posture.checks.drift import Standing, evaluate
from postroom.posture.run import run

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MX, SPF, PROOF = "10 mx.postroom.example.", "v=spf1 mx -all", "site-verification=7"
APEX, DMARC, KEY = "acme.example.", "_dmarc.acme.example.", "s1._domainkey.acme.example."

CASES: list[tuple[str, str, list[str], list[str], list[str], str | None]] = [
    # name, type, agreed, ours, live → severity
    (APEX, "MX", [MX], [MX], [MX], None),
    (APEX, "MX", [MX], [MX], [], "critical"),
    (APEX, "MX", [MX], [MX], ["5 mx.evil.example."], "critical"),
    (APEX, "MX", [MX], [MX], [MX, "5 mx.evil.example."], "high"),
    (APEX, "MX", [], [], [MX], "critical"),
    (APEX, "MX", [], [], [], None),
    (APEX, "TXT", [SPF, PROOF], [SPF], [PROOF, SPF], None),
    (APEX, "TXT", [SPF, PROOF], [SPF], [PROOF], "high"),
    (APEX, "TXT", [SPF, PROOF], [SPF], [SPF], "low"),
    (APEX, "TXT", [SPF], [SPF], [SPF, "new=1"], "low"),
    (APEX, "TXT", [SPF], [SPF], [SPF, "v=spf1 +all"], "high"),
    (APEX, "TXT", [SPF], [SPF], [SPF, '"v=sp" "f1 +all"'], "high"),
    (APEX, "TXT", [SPF], [SPF], [SPF, '"v=spf1'], "low"),
    (DMARC, "TXT", ["v=DMARC1; p=reject"], ["v=DMARC1; p=reject"], ["v=DMARC1; p=none"], "high"),
    (DMARC, "TXT", ["v=DMARC1; p=reject"], ["v=DMARC1; p=reject"], ["v=DMARC1; p=reject", "v=DMARC1; p=none"], "high"),
    (DMARC, "TXT", ["v=DMARC1; p=reject"], ["v=DMARC1; p=reject"], ["v=DMARC1; p=reject", "a note"], "medium"),
    (KEY, "TXT", ["v=DKIM1; p=A"], ["v=DKIM1; p=A"], ["v=DKIM1; p=A", "v=DKIM1; p=B"], "high"),
    (KEY, "TXT", ["v=DKIM1; p=A"], ["v=DKIM1; p=A"], ["v=DKIM1; p=B"], "high"),
    (KEY, "TXT", [], [], ["v=DKIM1; p=B"], "high"),
    ("www.acme.example.", "A", ["127.0.0.9"], ["127.0.0.9"], ["127.0.0.8"], "medium"),
    ("www.acme.example.", "A", ["127.0.0.9"], ["127.0.0.9"], [], "medium"),
]


@pytest.mark.parametrize("name, type, agreed, ours, live, wanted", CASES)
def test_dns_drift(name: str, type: str, agreed: list[str], ours: list[str], live: list[str], wanted: Any) -> None:
    row = RecordSet(id=UUID(int=1), client_id=UUID(int=2), domain_id=UUID(int=3), name=name, type=type, values=agreed,
                    ours=ours, ttl=300)  # fmt: skip
    found = list(evaluate([Standing(row, "acme.example", tuple(live), NOW)]))
    assert [one.severity for one in found] == ([wanted] if wanted else [])
    for one in found:
        assert (one.evidence["before"], one.evidence["after"]) == (agreed, sorted(live))
        assert (one.client, one.domain, one.object) == (row.client_id, row.domain_id, row.pk)
        suggested = KINDS[one.kind].model_validate(one.params)
        assert suggested.model_dump()["values"] == tuple(agreed)


def looked() -> dict[str, Finding]:
    run(catalogue.DRIFT)
    with acting_as(SYSTEM):
        return {one.label: one for one in Finding.objects.filter(check_name="dns.drift", closed_at=None)}


def delivered() -> None:
    with acting_as(SYSTEM):
        Delivery.objects.filter(target="zone").update(done=True)


def test_a_set_taken_away_by_hand_is_found_and_closes_when_it_is_back(house: House) -> None:
    with acting_as(SYSTEM):
        Reading.objects.all().delete()
    assert looked() == {}, "nothing was read yet: nothing is known"
    with acting_as(SYSTEM):
        assert "could not be read" in Look.objects.get(check_name="dns.drift").failed
    for zone in ("acme.example", "globex.example"):
        as_wanted(house, zone)
    delivered()
    assert looked() == {}
    with acting_as(SYSTEM):
        assert Look.objects.get(check_name="dns.drift").failed == ""
    wanted = house.zones["acme.example"]
    changed = {key: one["values"] for key, one in wanted.rrsets.items() if key[1] != "MX"}
    holds(house, "acme.example", {**changed, (DMARC, "TXT"): ["v=DMARC1; p=none"]})
    seen = looked()
    assert {label: one.severity for label, one in seen.items()} == {
        "MX acme.example.": "critical", "TXT _dmarc.acme.example.": "high"}  # fmt: skip
    assert seen["MX acme.example."].evidence["after"] == []
    readings.keep(ZoneRead("acme.example", failed="ns1 did not answer"), the(Domain, name="acme.example").client_id)
    assert all(one.unknown_since for one in looked().values()) and len(looked()) == 2
    as_wanted(house, "acme.example")
    assert looked() == {}


def test_what_is_on_its_way_is_no_drift_and_what_is_old_is_not_known(house: House) -> None:
    as_wanted(house, "acme.example")
    as_wanted(house, "globex.example")
    delivered()
    with acting_as(SYSTEM):
        mx = list(RecordSet.objects.get(domain__name="acme.example", type="MX").values)
    mine = {"domain": "acme.example", "name": "www", "type": "A"}
    do("record_sets.set", house.olive, **{**mine, "name": "www.acme.example"}, values=["127.0.0.9"])
    assert looked() == {}, "agreed, and not yet published"
    delivered()
    assert set(looked()) == {"A www.acme.example."}
    held = do("record_sets.set", house.olive, **{**mine, "name": "www.acme.example"}, values=["127.0.0.8"])
    if held.stage == "held":
        with_consent(house, held)
    assert looked()["A www.acme.example."].unknown_since, "a change of it is on its way"
    delivered()
    as_wanted(house, "acme.example")
    assert looked() == {}
    holds(house, "acme.example", {(APEX, "MX"): [*mx, "5 mx.evil.example."]})
    with acting_as(SYSTEM):
        Reading.objects.filter(zone="acme.example").update(at=datetime.now(UTC) - timedelta(minutes=11))
    assert looked() == {}


def test_a_slow_reading_does_not_replace_a_newer_one(house: House) -> None:
    began = datetime.now(UTC)
    old = ZoneRead("acme.example", {(APEX, "MX"): {"ttl": 1, "values": ["1 old."]}})
    new = ZoneRead("acme.example", {(APEX, "MX"): {"ttl": 1, "values": ["1 new."]}})
    readings.keep(new, None)
    readings.keep(old, None, began=began)
    with acting_as(SYSTEM):
        assert readings.newest([APEX])[APEX, "MX"]["values"] == ["1 new."]
    readings.keep(old, None, began=datetime.now(UTC))
    with acting_as(SYSTEM):
        assert readings.newest([APEX])[APEX, "MX"]["values"] == ["1 old."]
