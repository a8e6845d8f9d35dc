"""Transports: mail of an address that is handed to another server; what is planned, held and refused."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pydantic import ValidationError

from cast import MIA, House, agreed, at, do, reasons, the
from postroom.access.acting import CLOCK, SYSTEM, acting_as
from postroom.changes.approvals import approve, undo
from postroom.changes.errors import NothingToDo, OwnChange, Problems
from postroom.changes.landing import diff
from postroom.changes.plan import Plan
from postroom.models import Address, Change, Transport

HOST, THERE = "mx.partner.test", "mx.partner.test:25"
NEW, LEO = "tickets@acme.example", "leo@acme.example"


def later(days: int = 30) -> str:
    return (timezone.now() + timedelta(days=days)).replace(microsecond=0).isoformat()


def asked(house: House, **more: Any) -> Change:
    said = {"address": MIA, "host": HOST, "until": later(), "owner": "Mia", **more}
    return do("transports.create", house.olive, **said)


def handed(house: House, **more: Any) -> Transport:
    done = agreed(house, asked(house, **more))
    assert done.version, reasons(done)
    return the(Transport, address__address=more.get("address", MIA), ended_at=None)


def test_it_is_held_for_somebody_else_with_its_words_and_its_landing(house: House) -> None:
    held = asked(house)
    assert held.stage == "held"
    assert f"hands mail of {MIA} to {THERE}, until {later()[:10]}" in reasons(held)
    assert {one["policy"] for one in held.verdicts} == {"handed_over"}
    with pytest.raises(OwnChange):
        approve(held.pk, actor=house.olive, plan_hash=held.plan_hash)
    assert agreed(house, held).version
    one = the(Transport)
    assert (one.port, one.tls, one.owner, one.reason) == (25, "opportunistic", "Mia", held.why)
    assert one.review_on < one.until.date()


def test_one_that_is_no_address_yet_is_made_for_it(house: House) -> None:
    one = handed(house, address=NEW, port=2525, tls="required")
    assert the(Address, address=NEW).pk == one.address_id and (one.port, one.tls) == (2525, "required")
    with pytest.raises(Problems, match="who answers"):
        asked(house, address="fax@acme.example", owner="")


def test_a_second_one_waits_for_the_end_of_the_first(house: House) -> None:
    one = handed(house)
    with pytest.raises(Problems, match=f"handed to {THERE} already"):
        asked(house, host="mx2.partner.test")
    assert do("transports.end", house.olive, transport=str(one.pk)).version, "an end waits for nobody"
    assert handed(house, host="mx2.partner.test").pk != one.pk


def test_one_whose_time_is_over_is_ended_along(house: House) -> None:
    one = handed(house, until=later(1))
    with at(one.until + timedelta(seconds=1)):
        held = asked(house, until=later(3))
        assert held.stage == "held"
        assert agreed(house, held).version, reasons(held)
        assert the(Transport, pk=one.pk).ended_at and the(Transport, ended_at=None).pk != one.pk


@pytest.mark.parametrize(("host", "words"), [
    ("localhost", "this machine"), ("mail.localhost", "this machine"), ("127.0.0.1", "public network"),
    ("10.1.2.3", "public network"), ("169.254.1.1", "public network"), ("224.0.0.5", "public network"),
    ("0.0.0.0", "public network"), ("2606:4700::1111", "IPv4"), ("mx", "one label"), ("a b.test", "a b"),
])  # fmt: skip
def test_ourselves_and_networks_of_one_s_own_are_no_other_server(house: House, host: str, words: str) -> None:
    with pytest.raises((ValidationError, Problems), match=words):
        asked(house, host=host)


def test_bad_ones_are_told_with_where_and_why(house: House) -> None:
    with pytest.raises(Problems, match="is this mail server"):
        asked(house, host="MX.postroom.example.")
    with pytest.raises(Problems, match="a certificate is of a name"):
        asked(house, host="9.9.9.9", tls="required")
    assert asked(house, host="9.9.9.9").stage == "held"
    for until, words in ((later(-1), "has passed"), (later(500), "a year from now")):
        with pytest.raises(Problems, match=words):
            asked(house, until=until)
    do("domains.add", house.olive, client="acme", name="claimed.test")
    with pytest.raises(Problems, match="is not proven"):
        asked(house, address="x@claimed.test")


@pytest.mark.parametrize(("pattern", "host"), [
    ("partner.test", HOST), ("*.partner.test", HOST), ("partner.test", "partner.test"),
    ("private providers", "smtp.gmail.com"),
])  # fmt: skip
def test_what_is_forbidden_is_refused_with_every_server_below_it(house: House, pattern: str, host: str) -> None:
    do("organization.change", house.oskar, forward_forbidden=[pattern])
    refused = asked(house, host=host)
    assert refused.stage == "refused" and f"{host} is forbidden by {pattern}" in reasons(refused)
    assert asked(house, host="mx.otherpartner.test").stage == "held"


def test_what_is_allowed_is_held_all_the_same(house: House) -> None:
    agreed(house, do("clients.change", house.olive, client="acme", forward_allowed=["*.partner.test"]))
    assert asked(house).stage == "held"


def test_an_alias_or_a_forward_and_a_transport_are_one_or_the_other(house: House) -> None:
    do("mailboxes.create", house.olive, address=LEO)
    do("aliases.create", house.olive, address=NEW, targets=[LEO])
    forward = {"address": LEO, "to": MIA, "until": later(), "keep_copy": True}
    assert do("forwards.create", house.olive, **forward).version
    for address in (NEW, LEO):
        refused = asked(house, address=address)
        assert refused.stage == "refused" and f"mail of {address} would be passed on and handed" in reasons(refused)
    one = handed(house, address="fax@acme.example")
    assert one.until
    for kind, more in (("forwards.create", {"to": LEO, "until": later()}), ("aliases.create", {"targets": [LEO]})):
        refused = do(kind, house.olive, address="fax@acme.example", **more)
        assert refused.stage == "refused" and "handed to another server" in reasons(refused), kind


def test_an_undo_brings_none_back_and_takes_a_new_one_back(house: House) -> None:
    one = handed(house)
    ended = do("transports.end", house.olive, transport=str(one.pk))
    with pytest.raises(NothingToDo):
        undo(ended.pk, actor=house.olive, why="too early")
    made = agreed(house, asked(house))
    back = undo(made.pk, actor=house.olive, why="never mind")
    assert back.version
    with acting_as(SYSTEM):
        assert not Transport.objects.filter(ended_at=None).exists()


def test_the_clock_ends_it_when_its_time_is_over_and_not_before(house: House) -> None:
    one = handed(house)
    with pytest.raises(NothingToDo):
        do("transports.end", CLOCK, transport=str(one.pk))
    with at(one.until):
        assert do("transports.end", CLOCK, transport=str(one.pk)).version


@pytest.mark.parametrize("kind", ["mailboxes.remove", "mailboxes.transfer"])
def test_it_ends_with_the_mailbox_and_with_its_owner(house: House, kind: str) -> None:
    handed(house)
    more = {"contact": "new@home.test"} if kind.endswith("transfer") else {}
    done = agreed(house, do(kind, house.olive, mailbox=MIA, **more))
    assert done.version, reasons(done)
    assert the(Transport).ended_at


def test_what_leads_there_is_held_and_the_landing_is_told(house: House) -> None:
    handed(house)
    held = do("aliases.create", house.olive, address=NEW, targets=[MIA])
    assert held.stage == "held" and f"mail to {NEW} would leave by way of another address" in reasons(held)
    with acting_as(SYSTEM):
        (moved,) = diff(Plan.from_json(held.plan).edits, timezone.now(), most=5).moved
    assert [(one.sort, one.address) for one in moved.after.landings] == [("outside", THERE)]


def test_one_s_own_landing_moves_and_whoever_leads_there_is_named(house: House) -> None:
    do("aliases.create", house.olive, address=NEW, targets=[MIA])
    held = asked(house)
    assert f"mail to {NEW} would leave by way of another address" in reasons(held)
    with acting_as(SYSTEM):
        found = {one.address: one for one in diff(Plan.from_json(held.plan).edits, timezone.now(), most=5).moved}
    before, after = ({one.address for one in way.landings} for way in (found[MIA].before, found[MIA].after))
    assert (before, after) == ({MIA}, {THERE}) and found[NEW].differs


def test_a_domain_with_one_is_no_alias_of_another_and_such_an_alias_gets_none(house: House) -> None:
    for name in ("one.test", "two.test"):
        do("domains.add", house.olive, client="acme", name=name)
        do("domains.prove", SYSTEM, domain=name, proof="a test")
    handed(house, address="fax@one.test")
    with pytest.raises(Problems, match=r"fax@one\.test"):
        do("domains.set_alias", house.olive, domain="one.test", of="acme.example")
    agreed(house, do("domains.set_alias", house.olive, domain="two.test", of="acme.example"))
    refused = asked(house, address="fax@two.test")
    assert refused.stage == "refused" and "is an alias of another" in reasons(refused)
