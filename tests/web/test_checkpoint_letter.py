"""The checkpoint that goes to each client's security contact: once a week, with what it takes to compare it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from django.conf import settings
from test_audit import Log, log  # noqa: F401  # a fixture
from visitors import visitor

from cast import House, do, together
from postroom.access.acting import SYSTEM, acting_as
from postroom.changes.carry import Outcome, attempt
from postroom.models import Change, Client, Delivery, Letter
from postroom.protocols import note
from postroom.queries.proofs import compared
from postroom.record.verify import Verification
from postroom.worker import mail
from postroom.worker.checkpoints import weekly

CONTACT = "security@acme.example"


@pytest.fixture
def post(monkeypatch: pytest.MonkeyPatch, log: Log) -> Iterator[list[tuple[str, EmailMessage]]]:  # noqa: F811
    """What our own submission was handed."""
    handed: list[tuple[str, EmailMessage]] = []

    def hand_in(to: str, letter: EmailMessage) -> Outcome:
        handed.append((to, letter))
        return Outcome([{"answer": "250 taken"}])

    monkeypatch.setattr(mail, "hand_in", hand_in)
    monkeypatch.setitem(settings.POSTROOM.values, "SUBMISSION", "127.0.0.1:2587")
    yield handed


def days(number: int) -> datetime:
    return datetime.now(UTC) + timedelta(days=number)


def letters() -> list[Letter]:
    with acting_as(SYSTEM):
        return list(Letter.objects.filter(says="checkpoint").order_by("id"))


def looked(*, at: datetime) -> list[Any]:
    return [work() for work in weekly(at)]


def delivered() -> list[Delivery]:
    with acting_as(SYSTEM):
        left = list(Delivery.objects.filter(change__kind="clients.mail_checkpoint", done=False))
    for one in left:
        attempt(one.change_id, one)
    with acting_as(SYSTEM):
        return list(Delivery.objects.filter(change__kind="clients.mail_checkpoint"))


def test_it_goes_once_a_week_to_who_is_named_and_to_nobody_else(house: House, post: Any, log: Log) -> None:  # noqa: F811
    do("clients.change", house.oskar, client="acme", security_contact=CONTACT)
    assert looked(at=days(8)) == [], "nothing is signed yet"
    log.sign()
    assert looked(at=days(0)) == [], "a client of today"
    both = together(*[lambda: looked(at=days(8))] * 3)
    assert not [one for one in both if isinstance(one, Exception)], both
    (only,) = letters()
    assert only.contact == CONTACT
    # Rows are made now, whatever week was asked for: what keeps the second look of that week away is the key.
    assert {one.pk for work in both for one in work} == {one.pk for one in looked(at=days(8))} and len(letters()) == 1
    looked(at=days(15))
    assert len(letters()) == 2
    with acting_as(SYSTEM):
        assert {one.kind for one in Change.objects.filter(key__startswith="checkpoint")} == {"clients.mail_checkpoint"}


def test_it_can_be_compared_and_verified_from(house: House, post: Any, log: Log) -> None:  # noqa: F811
    do("clients.change", house.oskar, client="acme", security_contact=CONTACT)
    log.sign()
    looked(at=days(8))
    (delivery,) = delivered()
    assert delivery.done and delivery.evidence == [{"answer": "250 taken"}]
    ((to, letter),) = post
    text = letter.get_body().get_content()
    assert to == CONTACT and str(log.signer.who) in text and "postroom audit verify --from" in text
    pasted = text[text.index("postroom.example/log\n") : text.index("It covers")]
    log.sign()
    with acting_as(house.carl):
        assert compared(pasted).same is True
    (attached,) = letter.iter_attachments()
    kept = attached.get_content().decode()
    size = note.checkpoint(note.opened(kept, log.signer.who)).size
    mine = log.system.execute("SELECT count(*) FROM places p JOIN clients c ON c.id = client_id WHERE slug = 'acme'"
                              " AND log_index < %s", [size]).fetchone()[0]  # fmt: skip
    assert f"It covers {size:,} entries, {mine} of them of Acme" in text
    assert Verification(log.system, log.signer.who, [kept]).whole().problems == []


def test_a_freeze_keeps_nobody_from_it(house: House, post: Any, log: Log) -> None:  # noqa: F811
    do("clients.change", house.oskar, client="acme", security_contact=CONTACT)
    do("freezes.start", house.olive, scope="organization", reason="a dispute")
    log.sign()
    (change,) = looked(at=days(8))
    assert change.stage == "applied" and change.verdicts == []


def test_nothing_is_sent_that_nobody_vouches_for(house: House, post: Any, log: Log, sql: Any) -> None:  # noqa: F811
    do("clients.change", house.oskar, client="acme", security_contact=CONTACT)
    log.sign()
    looked(at=days(8))
    sql("UPDATE signer_alarms SET why = 'leaves are gone'")
    (delivery,) = delivered()
    assert not delivery.done and "leaves are gone" in delivery.why and post == []
    sql("UPDATE signer_alarms SET why = ''")
    (delivery,) = delivered()
    assert delivery.done and len(post) == 1


def test_a_clients_page_says_whether_anybody_is_written_to(house: House) -> None:
    browser = visitor(house.oskar)
    assert "no checkpoint of the record is mailed" in browser.get("/clients/acme/").content.decode()
    do("clients.change", house.oskar, client="acme", security_contact=CONTACT)
    page = browser.get("/clients/acme/").content.decode()
    assert "no checkpoint of the record is mailed" not in page and CONTACT in page
    with acting_as(SYSTEM):
        assert Client.objects.filter(security_contact="").count() >= 1
