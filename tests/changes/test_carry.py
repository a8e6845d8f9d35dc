"""What is left of an applied change: tried, noted, tried again, and never called done before it was read back."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from procrastinate.contrib.django import app

from cast import MIA, House, acknowledged, again, do, holds, kind, left, the
from mail_nodes import Node, acknowledge, pull
from postroom.access.acting import SYSTEM, acting_as
from postroom.changes import carry
from postroom.changes.carry import Outcome
from postroom.changes.pipeline import submit
from postroom.models import Change, Delivery, DkimKey, Entry, RecordedEdit

WWW = {"domain": "acme.example", "name": "www.acme.example", "type": "A", "values": ["192.0.2.1"]}


@pytest.fixture
def published(house: House) -> Change:
    holds(house, "acme.example", {})
    change = do("record_sets.set", house.olive, **WWW)
    assert change.stage == "applied"
    return change


def the_delivery(change: Change, **where: Any) -> Delivery:
    with acting_as(SYSTEM):
        return change.delivery_set.get(**where)


def test_carried_out_and_read_back_it_is_verified_with_an_entry(published: Change) -> None:
    carry.carry_out(str(published.pk))
    assert again(published).stage == "verified" and left(published) == []
    one = the_delivery(published)
    assert (one.done, one.evidence, one.attempt) == (True, {"seen": True}, 1)
    with acting_as(SYSTEM):
        moves = RecordedEdit.objects.filter(table="changes", row=published.pk).order_by("entry_id")
        assert [(m.before, m.after["stage"]) for m in moves] == [(None, "applied"), ({"stage": "applied"}, "verified")]
        assert Entry.objects.filter(client=published.client_id, version=published.version).count() == 1


def test_the_queue_carries_it_out(published: Change, monkeypatch: pytest.MonkeyPatch) -> None:
    real = carry.settle

    def and_hang_up(change_id: Any) -> None:
        real(change_id)
        connection.close()  # it runs in a thread of the worker's, which ends with the test

    monkeypatch.setattr(carry, "settle", and_hang_up)
    worker = app.with_connector(app.connector.get_worker_connector())
    worker.run_worker(wait=False, install_signal_handlers=False, listen_notify=False, queues=["deliver"])
    assert again(published).stage == "verified"


def test_what_does_not_answer_is_listed_and_tried_again(published: Change, targets: dict[str, Any]) -> None:
    carry.retry(datetime.now(UTC) + timedelta(hours=1))  # the founding of the cast left some: their turn is not now
    targets["zone"] = lambda change, delivery: Outcome(why="ns2 did not answer", again_in=timedelta(seconds=5))
    carry.carry_out(str(published.pk))
    assert again(published).stage == "applied" and left(published) == [("zone", "ns2 did not answer")]
    one = the_delivery(published)
    assert one.next_try and timedelta(0) < one.next_try - datetime.now(UTC) <= timedelta(seconds=5)
    assert carry.retry(datetime.now(UTC)) == 0 and carry.retry(datetime.now(UTC) + timedelta(seconds=6)) == 1
    carry.carry_out(str(published.pk))
    assert the_delivery(published).attempt == 2


def test_a_worker_that_slept_past_its_turn_writes_nothing(published: Change, targets: dict[str, Any]) -> None:
    """It took the delivery up, slept; another one took it up since and said why it waits."""
    stale = the_delivery(published)

    def slow(change: Change, delivery: Delivery) -> Outcome:
        targets["zone"] = lambda change, delivery: Outcome(why="the zone moved")
        carry.attempt(published.pk, the_delivery(published))
        return Outcome({"seen": "long ago"})

    targets["zone"] = slow
    carry.attempt(published.pk, stale)
    one = the_delivery(published)
    assert (one.attempt, one.done, one.why, one.evidence) == (2, False, "the zone moved", None)
    carry.attempt(published.pk, stale)
    assert the_delivery(published).attempt == 2, "its number is gone: not even tried"


def test_a_sender_that_dies_leaves_it_listed(published: Change, targets: dict[str, Any]) -> None:
    def dies(change: Change, delivery: Delivery) -> Outcome:
        raise ConnectionResetError

    targets["zone"] = dies
    with pytest.raises(ConnectionResetError):
        carry.carry_out(str(published.pk))
    assert again(published).stage == "applied" and left(published) == [("zone", "on its way")]


def test_a_node_is_done_when_its_list_is_empty_and_the_evidence_agrees(
    house: House, node: Callable[[str], Node]
) -> None:
    mx1 = node("mx1")
    acknowledge(mx1)
    change = do("mailboxes.suspend", house.olive, mailbox=MIA)
    acknowledged()
    assert left(change) == [("nodes", "1 to go; the node was not heard of for five minutes")]
    acknowledge(mx1)
    acknowledged()
    assert again(change).stage == "verified"
    one = the_delivery(change)
    assert one.label == "mx1" and {"question": f"who {MIA}", "answer": []} in one.evidence[0]["seen"]


def test_a_node_whose_daemon_says_otherwise_is_not_done(house: House, node: Callable[[str], Node]) -> None:
    mx1 = node("mx1")
    acknowledge(mx1)
    change = do("mailboxes.suspend", house.olive, mailbox=MIA)
    acknowledge(mx1, list(pull(mx1)), agrees=False)
    acknowledged()
    assert again(change).stage == "applied"
    ((_, why),) = left(change)
    assert "mx1 says otherwise" in why and f"{MIA} is missing" in why and "more" in why


def test_what_does_not_agree_is_asked_again_until_it_does(
    house: House, node: Callable[[str], Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    mx1 = node("mx1")
    acknowledge(mx1)
    change = do("mailboxes.suspend", house.olive, mailbox=MIA)
    acknowledge(mx1, list(pull(mx1)), agrees=False)
    monkeypatch.setattr(carry, "RETRIES", timedelta(0))
    for _ in range(2):
        acknowledged()
    assert len(pull(mx1)) == 1, "back on the list"
    acknowledge(mx1)
    acknowledged()
    assert again(change).stage == "verified"


def test_an_acknowledgement_without_any_evidence_is_none(house: House, node: Callable[[str], Node]) -> None:
    mx1 = node("mx1")
    acknowledge(mx1)
    change = do("mailboxes.suspend", house.olive, mailbox=MIA)
    mx1.execute("SELECT node_ack(%s, '[]')", [list(pull(mx1))])
    acknowledged()
    assert again(change).stage == "applied" and "nobody was asked" in left(change)[0][1]


def test_an_acknowledgement_of_another_change_does_not_count(house: House, node: Callable[[str], Node]) -> None:
    mx1 = node("mx1")
    acknowledge(mx1)
    first = do("mailboxes.change", house.olive, mailbox=MIA, quota_mb=1)
    second = do("mailboxes.change", house.olive, mailbox=MIA, quota_mb=2)
    acknowledge(mx1, list(pull(mx1))[:1])
    acknowledged()
    assert (again(first).stage, again(second).stage) == ("verified", "applied")


def test_nothing_to_deliver_is_verified_at_once(house: House) -> None:
    assert do("mailboxes.change", house.olive, mailbox=MIA, name="M").stage == "verified"
    assert do("clients.change", house.olive, client="acme", notes="x").stage == "verified"


def test_everything_of_the_founding_is_verified_in_the_end(house: House, all_done: Callable[[], None]) -> None:
    do("mailboxes.create", house.olive, address="leo@acme.example", contact="leo@home.example")
    do("clients.create", house.olive, name="New")
    all_done()
    with acting_as(SYSTEM):
        assert list(Change.objects.exclude(stage="verified").values_list("kind", "stage")) == []


# What follows.


def test_a_domain_gets_its_keys_made_published_and_used(
    house: House, all_done: Callable[[], None], sql: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nacl.encoding import Base64Encoder
    from nacl.public import PrivateKey

    public = PrivateKey.generate().public_key.encode(Base64Encoder).decode()
    sql("SELECT set_config('postroom.change', 'a test', false)", f"UPDATE nodes SET public_key = '{public}'")
    change = do("domains.add", house.olive, client="acme", name="new.example")
    all_done()
    with acting_as(SYSTEM):
        children = list(Change.objects.filter(caused_by=change).order_by("id"))
        grandchildren = list(Change.objects.filter(caused_by__in=children))
        assert [(c.kind, c.actor, c.stage) for c in children] == [("dkim_keys.make", "system", "verified")] * 2
        assert [(c.kind, c.stage) for c in grandchildren] == [("dkim_keys.activate", "verified")] * 2
        assert all(key.activated_at for key in DkimKey.objects.filter(domain__name="new.example"))
    assert again(change).stage == "verified"


def test_who_dies_between_the_last_delivery_and_the_move_is_made_up_for(
    published: Change, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(change: Any) -> Any:
        raise SystemExit

    monkeypatch.setattr(carry, "_verified", dies)
    with pytest.raises(SystemExit):
        carry.carry_out(str(published.pk))
    monkeypatch.undo()
    assert again(published).stage == "applied"
    acknowledged()
    assert again(published).stage == "verified"


def test_clients_without_a_home_get_the_node_that_joins(house: House, all_done: Callable[[], None]) -> None:
    for name in ("mx1", "mx2"):
        do("nodes.drain", house.oskar, node=name)
    do("clients.create", house.olive, name="Homeless")
    joined = do("nodes.add", house.oskar, node="mx3", role="postroom_node_mx3")
    assert joined.stage == "applied"
    all_done()
    from postroom.models import Client

    assert the(Client, slug="homeless").node_id is not None and again(joined).stage == "verified"


def test_secrets_of_what_follows_never_wait(house: House) -> None:
    """A follow-up that carries a secret and is held counts as refused."""
    key = the(DkimKey, domain__name="acme.example", selector__endswith="a")
    do("freezes.start", house.olive, scope="acme", reason="stop")
    made = kind("dkim_keys.make", key=str(key.pk), public="abcd", domain="acme.example")
    assert submit(made, actor=SYSTEM, why="x", secrets={"private key": "sealed"}).stage == "refused"
