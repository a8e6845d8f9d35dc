"""A domain below another of the same client: what its parent proves, and what it does not."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from cast import House, do, holds, kind, the, with_consent
from postroom.access.acting import SYSTEM, acting_as
from postroom.changes.errors import Problems
from postroom.changes.pipeline import submit
from postroom.models import Change, Client, Domain, Reading
from postroom.resolve.fake import FakeResolver
from postroom.worker import proofs
from postroom.worker.proofs import Proofs

ACME, CHILD = "acme.example", "sub.acme.example"
Sql = Callable[..., Any]


def ours() -> list[str]:
    return list(settings.POSTROOM.name_servers)


@pytest.fixture
def child(house: House) -> Domain:
    """Held, since it shadows a part of its parent's zone, and let through by another person."""
    holds(house, ACME, {(f"{ACME}.", "MX"): ["10 mx.postroom.example."]})
    with_consent(house, do("domains.add", house.olive, client="acme", name=CHILD))
    one = the(Domain, name=CHILD)
    assert (one.proof, the(Domain, name=ACME).proof) == ("waiting", "read")
    return one


def looked(monkeypatch: pytest.MonkeyPatch, **world: Any) -> str:
    """What the proof of the child is after the worker looked at a world like this."""
    there = FakeResolver(**{"delegations": {ACME: ours()}, **world})
    monkeypatch.setattr(proofs, "resolver", lambda: there)
    Proofs().look()
    return str(the(Domain, name=CHILD).proof)


def test_its_parents_delegation_proves_it(house: House, child: Domain, monkeypatch: pytest.MonkeyPatch) -> None:
    assert looked(monkeypatch) == "read"
    with acting_as(SYSTEM):
        params = Change.objects.get(kind="domains.prove", params__domain=CHILD).params
    assert params["under"] == ACME and params["proof"].startswith("parent: NS acme.example. at its parent")


def test_a_child_that_is_delegated_elsewhere_is_not(house: House, child: Domain, monkeypatch: Any) -> None:
    elsewhere = ["ns.else.example."]
    assert looked(monkeypatch, delegations={ACME: ours(), CHILD: elsewhere}) == "waiting"
    holds(house, ACME, {(f"{CHILD}.", "NS"): elsewhere})  # our server answers from the child's zone, and hides this
    assert looked(monkeypatch) == "waiting"
    holds(house, ACME, {(f"{CHILD}.", "NS"): [f"{name}." for name in ours()]})
    assert looked(monkeypatch) == "read"


def test_what_is_not_known_of_the_zone_above_proves_nothing(house: House, child: Domain, monkeypatch: Any) -> None:
    assert looked(monkeypatch, silent=[ACME]) == looked(monkeypatch, silent=[CHILD]) == "waiting"
    assert looked(monkeypatch, delegations={ACME: [*ours(), "ns.else.example"]}) == "waiting"
    with acting_as(SYSTEM):
        Reading.objects.filter(zone=ACME).update(at=timezone.now() - timedelta(minutes=11))
    assert looked(monkeypatch) == "waiting"


@pytest.mark.parametrize("so", ["proof = 'waiting'", "proof = 'lost'", "hosting = 'manual'", "removed_at = now()"])
def test_a_parent_that_is_not_proven_hosted_and_there_vouches_for_nobody(
    house: House, child: Domain, monkeypatch: Any, sql: Sql, so: str
) -> None:
    past = "SET session_replication_role = replica"
    sql(past, f"UPDATE domains SET {so} WHERE name = '{ACME}'")
    with monkeypatch.context() as at:
        at.setattr(proofs, "proof", lambda *_: proofs.Proof(None, ()))  # of neither by itself
        assert looked(at) == "waiting"
    assert refused(under=ACME) == ["under"]


def test_a_parent_of_another_client_vouches_for_nobody(house: House, child: Domain, monkeypatch: Any, sql: Sql) -> None:
    """It cannot come to this by a change: the trigger on the table and a policy are before it."""
    globex = the(Client, slug="globex").pk
    sql("SET session_replication_role = replica",
        f"UPDATE domains SET client_id = '{globex}' WHERE name = '{ACME}'")  # fmt: skip
    assert looked(monkeypatch) == "waiting" and proofs._vouching(child, ours()) == []
    assert refused(under=ACME) == ["under"]


def test_nobody_else_is_asked_to_vouch(house: House, child: Domain) -> None:
    assert refused(under="globex.example") == ["under"]
    assert refused(under=CHILD) == ["under"]


def refused(**params: str) -> list[str]:
    proving = kind("domains.prove", domain=CHILD, proof="a test", **params)
    with pytest.raises(Problems) as found:
        submit(proving, actor=SYSTEM, why="a test")
    return [one.where for one in found.value.problems]
