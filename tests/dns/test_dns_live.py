"""Record sets on a real PowerDNS: laid over what others published, read back, taken back."""

import contextlib
import sqlite3
import time
from collections.abc import Iterable

import dkim as dkimpy
import pytest
from name_servers import NS, NameServers, until

from postroom.dns.proof import below, proof, token_name, token_text
from postroom.dns.providers import NotWritten, Unsafe, ZoneNotRead, open_provider, read_zone, remove_empty_zone, write
from postroom.dns.read_back import all_agree, read_back
from postroom.dns.zone import CannotStand, RRsetChange, ZoneError, ZoneMoved
from postroom.protocols.dkim import key_record, make_rsa
from postroom.protocols.rrset import RRset, rrset
from postroom.resolve.answer import Answer, NotRead, Server
from postroom.resolve.ask import ask

pytestmark = pytest.mark.server

FOREIGN_TXT = ['"v=spf1 include:_spf.old.example ~all"', '"cut " "in two; \\"quoted\\""']


def change(before: RRset | None, after: RRset | None) -> RRsetChange:
    one = before or after
    assert one is not None
    return RRsetChange(one.name, one.type, before, after)


def baseline(zone: str) -> list[RRset]:
    return [
        rrset(zone, "MX", 300, ["10 mx.postroom.example"]),
        rrset(zone, "TXT", 300, ["v=spf1 mx -all"]),
        rrset(f"_dmarc.{zone}", "TXT", 300, ["v=DMARC1; p=none; rua=mailto:dmarc@northlight.example"]),
    ]


def add(all: Iterable[RRset]) -> list[RRsetChange]:
    return [change(None, one) for one in all]


def live_elsewhere(name_servers: NameServers, zone: str) -> None:
    name_servers.foreign_zone(
        zone,
        (zone, "MX", 7200, ["10 mail.old.example.", "20 mail2.old.example."]),
        (zone, "TXT", 1800, FOREIGN_TXT),
        (zone, "A", 60, ["192.0.2.7"]),
        (f"*.{zone}", "A", 61, ["192.0.2.8"]),
        (f"www.{zone}", "CNAME", 62, [f"{zone}"]),
        (f"_sip._tcp.{zone}", "SRV", 63, ["0 5 5060 sip.old.example."]),
        (zone, "CAA", 64, ['0 issue "ca.example"', '128 iodef "mailto:a@old.example"']),
        (f"host.{zone}", "SSHFP", 65, ["4 2 " + "ab" * 32]),
        (f"hw.{zone}", "HINFO", 66, ['"PDP-11" "UNIX"']),
        (f"web.{zone}", "HTTPS", 68, ["1 . alpn=h2"]),
        (f"svc.{zone}", "SVCB", 68, ["1 web.old.example. port=8443"]),
        (f"_25._tcp.{zone}", "TLSA", 69, ["3 1 1 " + "cd" * 32]),
        (f"tel.{zone}", "NAPTR", 70, ['10 20 "u" "E2U+sip" "!^.*$!sip:a@old.example!" .']),
        (f"place.{zone}", "LOC", 71, ["52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000.00m 10.00m"]),
        (f"7.{zone}", "PTR", 72, ["host.old.example."]),
        (f"sub.{zone}", "NS", 73, ["ns1.old.example.", "ns2.old.example."]),
        (f"sub.{zone}", "DS", 74, ["12345 13 2 " + "ef" * 32]),
        (f"flat.{zone}", "ALIAS", 75, ["web.old.example."]),
        (f"lua.{zone}", "LUA", 76, ["A \"ifportup(443, {'192.0.2.1'})\""]),
        (f"uri.{zone}", "URI", 77, ['10 1 "https://old.example/"']),
        (f"old.{zone}", "SPF", 78, ['"v=spf1 -all"']),
        (f"k1._domainkey.{zone}", "TXT", 67, ['"v=DKIM1; k=rsa; p=' + "A" * 100 + '" "' + "B" * 100 + '"']),
    )


def test_a_hosted_zone_is_made_published_read_back_and_emptied(name_servers: NameServers, zone: str) -> None:
    provider = name_servers.provider()
    assert not read_zone(provider, zone).exists

    done = write(provider, zone, add(baseline(zone)))
    assert [one.done for one in done] == ["written"] * 3
    assert [one.done for one in write(provider, zone, add(baseline(zone)))] == ["already"] * 3

    found = read_zone(provider, zone)
    assert found.exists
    assert set(found) == {*baseline(zone), RRset(zone, "NS", 3600, NS)}
    for one in baseline(zone):
        assert all_agree(read_back(name_servers.ours, one, one.name, one.type)) is True
    soa = ask(name_servers.ours[0], zone, "SOA")
    assert isinstance(soa, Answer)
    assert soa.values[0].startswith(f"ns1.postroom.example. hostmaster.{zone} ")

    assert not remove_empty_zone(provider, zone)
    write(provider, zone, [change(one, None) for one in baseline(zone)], accept_loss=True)
    for one in baseline(zone):
        assert all_agree(read_back(name_servers.ours, None, one.name, one.type)) is True
    assert remove_empty_zone(provider, zone)
    assert not read_zone(provider, zone).exists


def test_an_overlay_touches_nothing_else_and_undo_restores_record_for_record(
    name_servers: NameServers, zone: str
) -> None:
    live_elsewhere(name_servers, zone)
    before = name_servers.dump(zone)
    provider = name_servers.provider()
    found = read_zone(provider, zone)
    key = f"k1._domainkey.{zone}"
    ours = [*baseline(zone), rrset(key, "TXT", 300, ["v=DKIM1; k=rsa; p=CCCC"])]
    changes = [change(found.get(one.name, one.type), one) for one in ours]
    changes = [RRsetChange(c.after.name, c.after.type, c.before, c.after) for c in changes if c.after]

    write(provider, zone, changes)
    after = name_servers.dump(zone)
    touched = {one.key for one in changes}
    assert {key: value for key, value in after.items() if key not in touched} == {
        key: value for key, value in before.items() if key not in touched
    }
    assert after[(zone, "MX")] == (300, ["10 mx.postroom.example."])

    undo = [RRsetChange(c.name, c.type, c.after, c.before) for c in changes]
    write(provider, zone, undo)
    assert name_servers.dump(zone) == before
    assert [one.done for one in write(provider, zone, undo)] == ["already"] * 4


def test_a_zone_that_moved_is_left_alone(name_servers: NameServers, zone: str) -> None:
    provider = name_servers.provider()
    write(provider, zone, add(baseline(zone)))
    mx, spf, _ = baseline(zone)
    stranger = {"content": "5 mx.stranger.example.", "disabled": False}
    patch = {"name": zone, "type": "MX", "ttl": 300, "changetype": "REPLACE", "records": [stranger]}
    name_servers.api(f"/zones/{zone}", "PATCH", {"rrsets": [patch]})
    before = name_servers.dump(zone)

    new_spf = rrset(zone, "TXT", 300, ["v=spf1 -all"])
    with pytest.raises(ZoneMoved, match=r"MX .*expected 10 mx\.postroom\.example\..*found 5 mx\.stranger") as moved:
        write(provider, zone, [change(spf, new_spf), change(mx, None)])
    assert (moved.value.expected, moved.value.found) == (mx, rrset(zone, "MX", 300, ["5 mx.stranger.example"]))
    with pytest.raises(ZoneMoved):
        write(provider, zone, [change(RRset(zone, "TXT", 301, spf.values), new_spf)])
    with pytest.raises(ZoneMoved):
        write(provider, zone, [change(None, new_spf)])
    assert name_servers.dump(zone) == before


def test_a_zone_that_moves_between_reading_and_planning_is_left_alone(name_servers: NameServers, zone: str) -> None:
    provider = name_servers.provider()
    write(provider, zone, add(baseline(zone)))
    plan, stranger = provider.octo.plan, {"content": "192.0.2.99", "disabled": False}

    def late(desired: object) -> object:
        patch = {"name": f"late.{zone}", "type": "A", "ttl": 60, "changetype": "REPLACE", "records": [stranger]}
        name_servers.api(f"/zones/{zone}", "PATCH", {"rrsets": [patch]})
        return plan(desired)

    provider.octo.plan = late
    with pytest.raises(ZoneMoved, match="late"):
        write(provider, zone, [change(baseline(zone)[0], rrset(zone, "MX", 60, ["1 b.example"]))])
    assert (f"late.{zone}", "A") in name_servers.dump(zone)


@pytest.mark.parametrize(
    "name, type, value, says",
    [
        ("", "NS", "ns.stranger.example", "never ours"),
        ("elsewhere.test.", "A", "192.0.2.1", "does not lie in"),
        ("", "CNAME", "b.example", "stands alone"),
    ],
)
def test_what_may_not_stand_is_refused(
    name_servers: NameServers, zone: str, name: str, type: str, value: str, says: str
) -> None:
    provider = name_servers.provider()
    write(provider, zone, add(baseline(zone)))
    before = name_servers.dump(zone)
    one = rrset(name or zone, type, 300, [value])
    with pytest.raises(CannotStand, match=says):
        write(provider, zone, [change(None, one)])
    assert name_servers.dump(zone) == before


def test_taking_much_away_needs_a_word(name_servers: NameServers, zone: str) -> None:
    provider = name_servers.provider()
    write(provider, zone, add(baseline(zone)))
    removal = [change(one, None) for one in baseline(zone)]
    with pytest.raises(Unsafe):
        write(provider, zone, removal)
    assert len(name_servers.dump(zone)) == 4
    write(provider, zone, removal, accept_loss=True)


@pytest.mark.parametrize(
    "value",
    [
        "k" * 700,
        "k" * 4000,
        'say "hello"; \\092 back',
        "héllo; ünïcode",
        '"odd " "cut; here"',
        '"leading space is kept "',
        "",
        "a;b;;c;",
        "{curly} %percent $dollar",
    ],
)
def test_any_text_survives_the_round_trip(name_servers: NameServers, zone: str, value: str) -> None:
    provider = name_servers.provider()
    one = rrset(zone, "TXT", 300, [value])
    write(provider, zone, [change(None, one)])
    assert read_zone(provider, zone).get(zone, "TXT") == one
    assert all_agree(read_back(name_servers.ours, one, zone, "TXT")) is True
    assert [o.done for o in write(provider, zone, [change(None, one)])] == ["already"]


@pytest.mark.parametrize(
    "type, values",
    [
        ("A", ["192.0.2.1", "192.0.2.2"]),
        ("AAAA", ["2001:db8::1"]),
        ("MX", ["0 ."]),
        ("MX", ["10 a.example.", "10 b.example."]),
        ("CAA", ['0 issue "ca.example; account=1"', '128 issuewild ";"']),
        ("SRV", ["0 1 993 imap.acme.example."]),
        ("NS", ["ns1.sub.example.", "ns2.sub.example."]),
        ("CNAME", ["s1._domainkey.northlight.example."]),
    ],
)
def test_every_type_survives_the_round_trip(name_servers: NameServers, zone: str, type: str, values: list[str]) -> None:
    provider = name_servers.provider()
    name = f"_imap._tcp.{zone}" if type == "SRV" else f"sub.{zone}"
    one = rrset(name, type, 77, values)
    write(provider, zone, [change(None, one)])
    assert read_zone(provider, zone).get(name, type) == one
    if type != "NS":
        assert all_agree(read_back(name_servers.ours, one, name, type)) is True


def test_a_published_key_verifies_by_an_independent_program(name_servers: NameServers, zone: str) -> None:
    private, public = make_rsa()
    one = rrset(f"s1._domainkey.{zone}", "TXT", 300, [key_record(public)])
    write(name_servers.provider(), zone, [change(None, one)])
    message = b"From: mia@acme.example\r\nTo: ole@globex.example\r\nSubject: Hello\r\n\r\nHello.\r\n"
    signature = dkimpy.sign(message, b"s1", zone.rstrip(".").encode(), private.encode())

    def published(name: bytes, timeout: int = 5) -> bytes:
        answer = ask(name_servers.ours[0], name.decode(), "TXT")
        assert isinstance(answer, Answer)
        return answer.values[0].encode()

    assert dkimpy.verify(signature + message, dnsfunc=published)


def test_a_hosted_zone_is_delegated_within_two_seconds(name_servers: NameServers, zone: str) -> None:
    assert name_servers.resolver.delegation(zone) == ()
    nothing = proof(name_servers.resolver, zone, "t0ken", NS)
    assert (nothing.sort, [one.agrees for one in nothing.evidence]) == (None, [False])

    write(name_servers.provider(), zone, add(baseline(zone)))
    started = time.monotonic()
    assert until(lambda: name_servers.resolver.delegation(zone) == NS, 5)
    assert time.monotonic() - started < 2
    assert name_servers.resolver.authoritative(zone) == name_servers.ours
    assert proof(name_servers.resolver, zone, "t0ken", NS).sort == "delegation"
    assert proof(name_servers.resolver, zone, "t0ken", NS[:1]).sort is None
    mx = name_servers.resolver.look_up(zone, "MX")
    assert isinstance(mx, Answer)
    assert mx.rrset == baseline(zone)[0]
    host = name_servers.resolver.look_up("mx.postroom.example", "A")
    assert isinstance(host, Answer)
    assert host.values == (name_servers.address,)

    one = rrset(token_name(zone), "TXT", 300, ["other", token_text("t0ken")])
    write(name_servers.provider(), zone, [change(None, one)])
    assert proof(name_servers.resolver, zone, "t0ken", ["ns.else.example"]).sort == "token"
    assert proof(name_servers.resolver, zone, "other", ["ns.else.example"]).sort is None


def test_what_is_not_delegated_stays_unknown_to_the_world(name_servers: NameServers, zone: str) -> None:
    (name_servers.folder / "not-delegated").write_text(f"# held by its old owner\n{zone.rstrip('.').upper()}\n")
    write(name_servers.provider(), zone, add(baseline(zone)))
    other = f"other-{zone}"
    write(name_servers.provider(), other, add(baseline(other)))
    assert until(lambda: name_servers.resolver.delegation(other) == NS, 5)
    time.sleep(1.1)
    answer = name_servers.resolver.look_up(zone, "MX")
    assert isinstance(answer, Answer)
    assert (answer.rcode, answer.values, answer.server) == ("NXDOMAIN", (), name_servers.parent)
    assert name_servers.resolver.authoritative(zone) == ()
    assert proof(name_servers.resolver, zone, "t0ken", NS).sort is None


def test_a_zone_below_another_of_ours_does_not_prove_itself(name_servers: NameServers, zone: str) -> None:
    """Our PowerDNS holds both, so it answers for the lower one with authority; its parent has delegated nothing."""
    child = f"www.{zone}"
    write(name_servers.provider(), zone, add(baseline(zone)))
    assert until(lambda: name_servers.resolver.delegation(zone) == NS, 5)
    token = rrset(token_name(child), "TXT", 300, [token_text("t0ken")])
    write(name_servers.provider(), child, add([*baseline(child), token]))
    assert until(lambda: isinstance(ask(name_servers.ours[0], child, "MX"), Answer), 5)
    time.sleep(1.5)  # the registrar has looked again: it delegates no name below another
    assert isinstance(ask(name_servers.ours[0], child, "NS"), Answer)
    assert name_servers.resolver.delegation(child) == ()
    assert proof(name_servers.resolver, child, "t0ken", NS).sort is None
    assert proof(name_servers.resolver, zone, "t0ken", NS).sort == "delegation"
    assert below(name_servers.resolver, child, zone, NS).sort == "parent"
    cut = f"cut.{zone}"
    write(name_servers.provider(), zone, [change(None, rrset(cut, "NS", 300, ["ns.else.example."]))])
    assert until(lambda: below(name_servers.resolver, f"a.{cut}", zone, NS).sort is None, 5), "below a cut elsewhere"
    assert below(name_servers.resolver, cut, zone, NS).sort is None, "which is a cut itself"
    assert below(name_servers.resolver, f"a.{zone}", zone, NS).sort == "parent"


def test_silence_is_not_an_answer(name_servers: NameServers, zone: str) -> None:
    provider = name_servers.provider()
    write(provider, zone, add(baseline(zone)))
    assert until(lambda: name_servers.resolver.delegation(zone) == NS, 5)
    mx, *_ = baseline(zone)
    name_servers.stop_powerdns()
    try:
        seen = read_back(name_servers.ours, None, zone, "MX")
        assert [one.agrees for one in seen] == [None, None]
        assert all_agree(seen) is None
        assert "nothing listens" in seen[0].answer
        assert name_servers.resolver.delegation(zone) == NS
        assert isinstance(name_servers.resolver.look_up(zone, "MX"), NotRead)
        for refused in (lambda: read_zone(provider, zone), lambda: write(provider, zone, [change(mx, None)])):
            with pytest.raises(ZoneNotRead, match="cannot be reached"):
                refused()
    finally:
        name_servers.start_powerdns()
    assert all_agree(read_back(name_servers.ours, mx, zone, "MX")) is True
    assert all_agree(read_back(name_servers.ours, None, zone, "MX")) is False


def test_a_server_that_does_not_hold_the_zone_tells_nothing(name_servers: NameServers) -> None:
    assert isinstance(ask(name_servers.ours[0], "stranger.test.", "MX"), NotRead)
    assert isinstance(ask(name_servers.parent, "com.", "NS"), NotRead)
    assert isinstance(ask(Server("ns.x.example.", ""), "acme.example.", "MX"), NotRead)


def test_a_wrong_key_or_a_zone_of_nobody_is_not_read(name_servers: NameServers, zone: str) -> None:
    with pytest.raises(ZoneNotRead, match="refuses the API key"):
        read_zone(name_servers.provider(api_key="wrong"), zone)
    guest = open_provider("powerdns", name_servers.powerdns.settings)
    with pytest.raises(ZoneNotRead, match="not at this provider"):
        write(guest, zone, add(baseline(zone)))
    with pytest.raises(ZoneError, match="Address of the API, API key"):
        open_provider("powerdns", {})


def test_a_refusal_of_the_provider_is_told(name_servers: NameServers, zone: str) -> None:
    provider = name_servers.provider()
    write(provider, zone, add(baseline(zone)))
    provider.octo.apply = lambda plan: provider.octo._request("PATCH", f"zones/{zone}", {"rrsets": [{"name": "x."}]})
    with pytest.raises(NotWritten, match=r"\b(422|400)\b"):
        write(provider, zone, [change(baseline(zone)[0], rrset(zone, "MX", 60, ["1 b.example"]))])


def test_what_once_stood_there_is_put_back_unjudged(name_servers: NameServers, zone: str) -> None:
    provider = name_servers.provider()
    odd = rrset(zone, "CAA", 300, ['1 issue "ca.example"'])
    with pytest.raises(CannotStand, match="must be 0 or 128"):
        write(provider, zone, [change(None, odd)])
    assert not read_zone(provider, zone).exists
    write(provider, zone, [change(None, odd)], restore=True)
    assert read_zone(provider, zone).get(zone, "CAA") == odd


def test_a_target_that_is_an_alias_is_refused_unless_it_stood_there(name_servers: NameServers, zone: str) -> None:
    provider = name_servers.provider()
    alias = rrset(f"mail.{zone}", "CNAME", 300, ["mx.postroom.example"])
    write(provider, zone, [change(None, alias)])
    mx = rrset(zone, "MX", 300, [f"10 mail.{zone}"])
    with pytest.raises(CannotStand, match="CNAME"):
        write(provider, zone, [change(None, mx)])
    write(provider, zone, [change(None, mx)], restore=True)
    write(provider, zone, [change(None, rrset(zone, "TXT", 300, ["a zone that is wrong already can be changed"]))])


def test_a_set_without_values_is_a_set_that_goes(name_servers: NameServers, zone: str) -> None:
    provider = name_servers.provider()
    write(provider, zone, add(baseline(zone)))
    mx, *_ = baseline(zone)
    write(provider, zone, [change(mx, RRset(mx.name, mx.type, mx.ttl, ()))])
    assert read_zone(provider, zone).get(zone, "MX") is None


def test_what_somebody_disabled_stays_disabled(name_servers: NameServers, zone: str) -> None:
    name_servers.foreign_zone(zone, (zone, "MX", 300, ["10 mail.old.example."]))
    asleep = [{"content": "20 asleep.old.example.", "disabled": True}]
    awake = [{"content": "10 mail.old.example.", "disabled": False}]
    sets = [(zone, "MX", [*awake, *asleep]), (f"x.{zone}", "MX", asleep)]
    patch = [{"name": n, "type": t, "ttl": 300, "changetype": "REPLACE", "records": r} for n, t, r in sets]
    name_servers.api(f"/zones/{zone}", "PATCH", {"rrsets": patch})

    def asleep_now() -> list[str]:
        rrsets = name_servers.api(f"/zones/{zone}")["rrsets"]
        return [r["name"] for r in rrsets for record in r["records"] if record["disabled"]]

    provider = name_servers.provider()
    found = read_zone(provider, zone)
    old = rrset(zone, "MX", 300, ["10 mail.old.example"])
    assert (found.get(zone, "MX"), found.get(f"x.{zone}", "MX")) == (old, None)
    new = rrset(zone, "MX", 300, ["10 mx.postroom.example"])
    other = rrset(f"x.{zone}", "MX", 300, ["10 mx.postroom.example"])
    for changes in ([(old, new), (None, other)], [(new, None), (other, None)], [(None, old)]):
        write(provider, zone, [change(*sides) for sides in changes], accept_loss=True)
        assert sorted(asleep_now()) == [zone, f"x.{zone}"]
    assert not remove_empty_zone(provider, zone)


def test_what_somebody_deletes_by_hand_is_seen_at_once(name_servers: NameServers, zone: str) -> None:
    provider = name_servers.provider()
    write(provider, zone, add(baseline(zone)))
    mx, *_ = baseline(zone)
    assert all_agree(read_back(name_servers.ours, mx, zone, "MX")) is True
    with contextlib.closing(sqlite3.connect(name_servers.powerdns.database)) as database, database:
        database.execute("DELETE FROM records WHERE name = ? AND type = 'MX'", [zone.rstrip(".")])
    assert all_agree(read_back(name_servers.ours, mx, zone, "MX")) is False
    with pytest.raises(ZoneMoved, match="found nothing"):
        write(provider, zone, [change(mx, rrset(zone, "MX", 300, ["1 b.example"]))])


def test_a_name_in_another_script_is_served_like_any_other(name_servers: NameServers) -> None:
    zone = "xn--bcher-kva.example."
    provider = name_servers.provider()
    records = [*baseline(zone), rrset(f"*.{zone}", "MX", 300, ["0 ."])]
    write(provider, zone, add(records))
    assert set(read_zone(provider, "XN--bcher-kva.example")) == {*records, RRset(zone, "NS", 3600, NS)}
    assert all_agree(read_back(name_servers.ours, records[0], zone, "MX")) is True
