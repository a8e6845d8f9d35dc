"""Overlay and compare-and-swap, without a server."""

from datetime import UTC, datetime

import pytest

from postroom.dns.translate import txt_from_octo, txt_to_octo
from postroom.dns.zone import CannotStand, RRsetChange, Zone, ZoneMoved
from postroom.protocols.rrset import RRset, rrset

NAME = "acme.example."


def one(name: str, type: str, *values: str, ttl: int = 300) -> RRset:
    return rrset(name, type, ttl, values)


MX, SPF, WEB = one(NAME, "MX", "10 a.example"), one(NAME, "TXT", "v=spf1 -all"), one("www." + NAME, "A", "192.0.2.1")
NEW = one(NAME, "MX", "10 b.example")
LIVE = Zone(NAME, {(r.name, r.type): r for r in (MX, SPF, WEB)}, True, datetime(2026, 1, 1, tzinfo=UTC))


def of(before: RRset | None, after: RRset | None, name: str = NAME, type: str = "MX") -> RRsetChange:
    return RRsetChange(name, type, before, after)


def test_an_overlay_changes_what_is_asked_and_nothing_else() -> None:
    wanted = LIVE.overlay([of(MX, NEW), of(SPF, None, type="TXT")])
    assert list(wanted) == [NEW, WEB]
    assert set(LIVE) == {MX, SPF, WEB}


def test_what_stands_already_is_left_out() -> None:
    assert LIVE.open_changes([of(NEW, MX), of(MX, NEW), of(None, None, "x." + NAME)]) == [of(MX, NEW)]


@pytest.mark.parametrize(
    "change",
    [
        of(NEW, None),
        of(None, NEW),
        of(one(NAME, "MX", "10 a.example", ttl=301), NEW),
        of(WEB, None, "www." + NAME, "AAAA"),
    ],
)
def test_a_record_that_moved_stops_it_all(change: RRsetChange) -> None:
    other = LIVE.get(change.name, change.type)
    if change.before is not None and (change.before.name, change.before.type) != change.key:
        with pytest.raises(CannotStand, match="stands in a change of"):
            LIVE.overlay([of(SPF, None, type="TXT"), change])
        return
    with pytest.raises(ZoneMoved) as moved:
        LIVE.overlay([of(SPF, None, type="TXT"), change])
    assert (moved.value.name, moved.value.expected, moved.value.found) == (change.name, change.before, other)


def test_all_problems_are_told_at_once() -> None:
    cname = one("www." + NAME, "CNAME", "b.example")
    with pytest.raises(CannotStand, match="stands alone"):
        LIVE.overlay([of(None, cname, cname.name, "CNAME")])
    assert LIVE.overlay([of(None, cname, cname.name, "CNAME"), of(WEB, None, WEB.name, "A")]).get(cname.name, "CNAME")
    with pytest.raises(CannotStand) as refused:
        LIVE.overlay(
            [
                of(None, one(NAME, "NS", "ns.example.test"), type="NS"),
                of(None, None, type="SOA"),
                of(None, one("notacme.example", "A", "192.0.2.1"), "notacme.example.", "A"),
            ]
        )
    assert len(refused.value.problems) == 3


@pytest.mark.parametrize("value", ["v=DMARC1; p=none", '"a; " "b"', "", r"\092;", 'say "x"', r'"\034x\034"'])
def test_texts_pass_through_octodns_unharmed(value: str) -> None:
    assert txt_from_octo(txt_to_octo(value)) == value
    assert '"' not in txt_to_octo(value)[:1]
