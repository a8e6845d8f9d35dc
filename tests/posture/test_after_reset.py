"""What changes of where a VIP's mail goes within three days of a reset: beside each that is found, one that is not."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import pytest

from cast import MIA, House, at, do, reachable, reasons, redeemed, the, with_consent
from postroom.access.acting import SYSTEM, acting_as
from postroom.changes.approvals import approve
from postroom.changes.pipeline import apply_scheduled
from postroom.models import Finding, Verification
from postroom.posture import run
from postroom.posture.checks.after_reset import AFTER_RESET, Reset, Routed, evaluate

THEN = datetime(2026, 11, 30, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
BOX, OWN, OTHER = UUID(int=1), UUID(int=2), UUID(int=3)


def routed(after: list[str], before: list[str] | None = None, *, address: UUID = OTHER, hours: int = 1) -> Routed:
    return Routed(UUID(int=9), address, tuple(before or ()), tuple(after), THEN + hours * HOUR)


@pytest.mark.parametrize(("move", "hours", "found"), [
    (routed([MIA]), 2, True), (routed(["leo@acme.example"]), 2, False),
    (routed(["leo@acme.example"], address=OWN), 2, True),
    (routed(["leo@acme.example"], [MIA]), 2, True), (routed([MIA, "x@acme.example"], [MIA]), 2, True),
    (routed([MIA], [MIA]), 2, False),
    (Routed(UUID(int=9), OWN, ("x@x.test",), (), THEN + HOUR, shut=True), 2, False),
    (Routed(UUID(int=9), None, (), (MIA,), THEN + HOUR), 2, True),
    (routed([MIA], hours=-1), 2, False), (routed([MIA], hours=71), 72, True), (routed([MIA], hours=71), 73, False),
])  # fmt: skip
def test_after_reset(move: Routed, hours: int, found: bool) -> None:
    box: Any = SimpleNamespace(label=MIA, address_id=OWN, pk=BOX, client_id=UUID(int=4),
                               address=SimpleNamespace(domain_id=UUID(int=5)))  # fmt: skip
    seen = list(evaluate([Reset(cast(Any, box), THEN)], [move], THEN + hours * HOUR))
    assert [one.severity for one in seen] == (["critical"] if found else [])
    assert AFTER_RESET.name == "resets.after_reset"


def watched() -> int:
    run.run(AFTER_RESET)
    with acting_as(SYSTEM):
        return Finding.objects.filter(check_name="resets.after_reset", closed_at=None).count()


def test_it_is_read_from_the_record_after_a_vips_reset_and_not_before(house: House) -> None:
    do("mailboxes.create", house.olive, address="leo@acme.example")
    do("invites.send", house.olive, mailbox=MIA, contact="mia@desk.example")
    redeemed(MIA)
    do("mailboxes.change", house.olive, mailbox=MIA, vip=True)
    do("aliases.create", house.olive, address="early@acme.example", targets=[MIA])
    assert watched() == 0
    time.sleep(1)  # a reset is known by the second: what happens within it is taken for later
    reachable(house, MIA, "mia@home.example", link="a" * 64)
    number = reachable(house, MIA, "+442079460123", link="b" * 64)
    do("resets.start", house.henry, mailbox=MIA, ticket="T")
    session = str(the(Verification).pk)
    do("resets.record_call", house.olive, verification=session, channel=str(number.pk), answer="right")
    do("resets.vouch", house.carl, verification=session, answer="right")
    change = do("resets.send_link", house.olive, verification=session, contact="mia@home.example")
    approve(change.pk, actor=house.ada, plan_hash=change.plan_hash)
    with at(change.now + timedelta(minutes=16)):
        assert apply_scheduled(change.pk).version, reasons(change)
    redeemed(MIA)
    assert watched() == 0
    do("aliases.create", house.olive, address="late@acme.example", targets=[MIA])
    assert watched() == 1
    soon = (datetime.now(UTC) + timedelta(days=9)).isoformat()
    for kind, more in (("forwards.create", {"to": "leo@acme.example"}),
                       ("exceptions.create", {"target": "m@x.test", "owner": "Mia"})):  # fmt: skip
        before = watched()
        with_consent(house, do(kind, house.olive, address=MIA, until=soon, **more))
        assert watched() == before + 1, kind
    with acting_as(SYSTEM):
        shown = [one.evidence["after"] for one in Finding.objects.filter(check_name="resets.after_reset")]
    assert ["leo@acme.example"] in shown and ["m@x.test"] in shown
    with_consent(house, do("catch_alls.set", house.olive, domain="acme.example", target=MIA, until=soon))
    assert watched() == 4
