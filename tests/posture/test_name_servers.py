"""Each name server of a zone by itself: which says otherwise, which says nothing; and when that is no finding."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from cast import House, as_wanted, do, holds
from postroom import catalogue
from postroom.access.acting import SYSTEM, acting_as
from postroom.dns.read_back import Evidence
from postroom.models import Delivery, Domain, Finding, RecordSet, ServerReading
from postroom.posture.checks.name_servers import Told, evaluate
from postroom.posture.run import run
from postroom.resolve.answer import Answer, NotRead, Server
from postroom.resolve.fake import FakeResolver
from postroom.worker import name_servers, zones
from postroom.worker.name_servers import NameServers

NOW = datetime(2026, 1, 1, tzinfo=UTC)
APEX, MX, EVIL = "acme.example.", ["10 mx.postroom.example."], ["5 mx.evil.example."]
NS1, NS2 = "ns1.postroom.example.", "ns2.postroom.example."

CASES: list[tuple[list[str], list[str], list[str], str | None]] = [
    # agreed, as read where we write, said by the server → severity
    (MX, MX, MX, None),
    (MX, MX, EVIL, "critical"),
    (MX, MX, [], "critical"),
    (MX, EVIL, EVIL, None),  # drift of the zone, and said there
    (MX, EVIL, MX, None),  # as agreed
    (MX, EVIL, [], "critical"),
    ([], [], MX, "critical"),
]


@pytest.mark.parametrize("agreed, live, said, wanted", CASES)
def test_dns_name_servers(agreed: list[str], live: list[str], said: list[str], wanted: Any) -> None:
    row = RecordSet(id=UUID(int=1), client_id=UUID(int=2), domain_id=UUID(int=3), name=APEX, type="MX", values=agreed,
                    ours=agreed, ttl=300)  # fmt: skip
    found = list(evaluate([Told(row, "acme.example", NS2, tuple(said), tuple(live), NOW)]))
    assert [one.severity for one in found] == ([wanted] if wanted else [])
    for one in found:
        assert (one.evidence["before"], one.evidence["after"]) == (agreed, said)
        assert one.evidence["server"] in one.title and one.evidence["server"] == "ns2.postroom.example"


class World(FakeResolver):
    """Two servers for every zone; `other` is what the second one says of some names."""

    def __init__(self, house: House, *, servers: tuple[str, ...] = (NS1, NS2), silent: tuple[str, ...] = ()) -> None:
        zones = ("acme.example", "globex.example")
        super().__init__(delegations=dict.fromkeys(zones, servers), silent=silent)
        self.house, self.other, self.asked = house, dict[str, list[str]](), 0

    def ask(self, server: Server, name: str, type: str) -> Answer | NotRead:
        self.asked += 1
        zone = self.house.zones[".".join(name.rstrip(".").split(".")[-2:])]
        values = zone.rrsets.get((name, type), {"values": []})["values"]
        if server.name == NS2 and f"{type} {name}" in self.other:
            values = self.other[f"{type} {name}"]
        if server.name in self.silent:
            return NotRead(name, type, "no answer within 2 s", server, NOW)
        return Answer(name, type, tuple(values), 300, "NOERROR", server, NOW)


@pytest.fixture
def house_read(house: House) -> House:
    for zone in ("acme.example", "globex.example"):
        as_wanted(house, zone)
    with acting_as(SYSTEM):
        Delivery.objects.filter(target="zone").update(done=True)
    return house


def looked(world: World, monkeypatch: pytest.MonkeyPatch, *, later: bool = True) -> dict[str, Finding]:
    monkeypatch.setattr(name_servers, "resolver", lambda: world)
    with acting_as(SYSTEM):
        if later:
            ServerReading.objects.update(at=timezone.now() - timedelta(minutes=2))
    NameServers().look()
    return found()


def found() -> dict[str, Finding]:
    run(catalogue.NAME_SERVERS)
    with acting_as(SYSTEM):
        return {one.title: one for one in Finding.objects.filter(check_name="dns.name_servers", closed_at=None)}


LAGS = f"ns2.postroom.example answers otherwise for MX {APEX}"
SILENT = "ns2.postroom.example does not answer for acme.example"


def test_the_one_that_differs_is_named_and_a_read_closes_it(house_read: House, monkeypatch: Any) -> None:
    world = World(house_read)
    assert looked(world, monkeypatch) == {}
    world.other[f"MX {APEX}"] = EVIL
    (one,) = looked(world, monkeypatch).values()
    assert (one.title, one.severity, one.evidence["after"]) == (LAGS, "critical", EVIL)
    world.other.clear()
    assert looked(world, monkeypatch) == {}


def test_one_that_falls_silent_is_not_known_and_never_gone(house_read: House, monkeypatch: Any) -> None:
    world = World(house_read)
    world.other[f"MX {APEX}"] = EVIL
    assert set(looked(world, monkeypatch)) == {LAGS}
    world.silent = {NS2}
    seen = looked(world, monkeypatch)
    assert set(seen) == {LAGS} and seen[LAGS].unknown_since, "silent for a moment: not told of yet"
    with acting_as(SYSTEM):
        ServerReading.objects.exclude(failed="").update(failed_since=timezone.now() - timedelta(minutes=3))
    seen = looked(world, monkeypatch)
    assert seen[LAGS].unknown_since and seen[SILENT].evidence["why"] == "no answer within 2 s"
    with acting_as(SYSTEM):
        assert not ServerReading.objects.filter(server=NS1).exclude(failed="").exists(), "the other one was asked"
    world.silent, world.other = set(), {}
    assert looked(world, monkeypatch) == {}


def test_what_nobody_read_lately_is_not_known(house_read: House, monkeypatch: Any) -> None:
    world = World(house_read)
    world.other[f"MX {APEX}"] = EVIL
    assert set(looked(world, monkeypatch)) == {LAGS}
    with acting_as(SYSTEM):
        ServerReading.objects.update(at=timezone.now() - timedelta(minutes=11))
    assert found()[LAGS].unknown_since


def test_what_is_on_its_way_is_no_finding_and_a_server_that_went_is_none(house_read: House, monkeypatch: Any) -> None:
    world = World(house_read)
    www = {"domain": "acme.example", "name": "www.acme.example", "type": "A"}
    do("record_sets.set", house_read.olive, **www, values=["192.0.2.1"])
    assert looked(world, monkeypatch) == {}, "agreed, and not yet published"
    with acting_as(SYSTEM):
        Delivery.objects.filter(target="zone").update(done=True)
    as_wanted(house_read, "acme.example")
    world.other["A www.acme.example."] = []
    assert set(looked(world, monkeypatch)) == {"ns2.postroom.example does not have A www.acme.example."}
    assert looked(World(house_read, servers=(NS1,)), monkeypatch) == {}, "its parent names it no more"


def test_what_all_of_them_say_is_drift_and_said_there(house_read: House, monkeypatch: Any) -> None:
    holds(house_read, "acme.example", {(APEX, "MX"): EVIL})
    assert looked(World(house_read), monkeypatch) == {}


def test_a_silent_server_is_asked_once_a_minute(house_read: House, monkeypatch: Any) -> None:
    world = World(house_read, silent=(NS2,))
    world.silent = {NS2}
    monkeypatch.setattr(name_servers, "resolver", lambda: world)
    kept = NameServers()
    assert kept.look() == 2
    with acting_as(SYSTEM):
        silent = ServerReading.objects.filter(server=NS2)
        assert [one.failed for one in silent] == ["no answer within 2 s"] * 2
        answered = sum(len(one.said) for one in ServerReading.objects.filter(server=NS1))
    assert world.asked == answered + 1


def test_domains_that_nobody_answers_for_keep_no_other_waiting(house_read: House, monkeypatch: Any) -> None:
    """More of them than are looked at together, and never read, so that they stand first."""
    with acting_as(SYSTEM):
        acme = Domain.objects.get(name="acme.example")
        ServerReading.objects.create(at=timezone.now() - timedelta(hours=1), domain=acme, server=NS1)
    world = World(house_read)
    del world.delegations["globex.example."]
    monkeypatch.setattr(name_servers, "resolver", lambda: world)
    monkeypatch.setattr(name_servers, "AT_ONCE", 1)
    kept = NameServers()
    assert [kept.look() for _ in range(3)] == [1, 1, 0]
    with acting_as(SYSTEM):
        assert ServerReading.objects.filter(at__gt=timezone.now() - timedelta(minutes=1)).count() == 2


def test_what_was_said_before_the_zone_was_written_is_no_answer(house_read: House, monkeypatch: Any) -> None:
    world = World(house_read)
    www = {"domain": "acme.example", "name": "www.acme.example", "type": "A"}
    change = do("record_sets.set", house_read.olive, **www, values=["192.0.2.1"])
    assert looked(world, monkeypatch) == {}, "agreed, and not yet published"
    with acting_as(SYSTEM):
        delivery = Delivery.objects.get(change=change, target="zone")
    as_wanted(house_read, "acme.example")
    agrees = Evidence("A www.acme.example.", "192.0.2.1", NS1, timezone.now(), True)
    monkeypatch.setattr(zones, "_written", lambda *_: None)
    monkeypatch.setattr(zones, "_read_back", lambda *_: [agrees])
    monkeypatch.setattr(zones, "read", lambda zone, hosting: house_read.zones[zone])
    assert zones.publish(change, delivery).evidence
    with acting_as(SYSTEM):
        Delivery.objects.filter(target="zone").update(done=True)
    assert found() == {}, "nobody was asked since"
    assert looked(world, monkeypatch, later=False) == {}
    with acting_as(SYSTEM):
        assert ServerReading.objects.filter(said__has_key="A www.acme.example.", at__gt=delivery.since).count() == 2


def test_a_look_that_was_overtaken_is_not_kept(house_read: House, monkeypatch: Any) -> None:
    world = World(house_read)
    assert looked(world, monkeypatch) == {}
    with acting_as(SYSTEM):
        one = ServerReading.objects.get(server=NS1, domain__name="acme.example")
        domain = Domain.objects.get(name="acme.example")
    began = timezone.now() - timedelta(hours=1)
    name_servers.keep([name_servers.Looked(domain, {NS1: ({f"MX {APEX}": EVIL}, "")}, began)])
    with acting_as(SYSTEM):
        assert ServerReading.objects.get(server=NS1, domain__name="acme.example").pk == one.pk
