"""What filters of mailboxes pass on: beside each that is found, the one that is not; what is not read is not known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from cast import MIA, House, do, the, with_consent
from changes.test_sieve_told import OUT, Connect, of, script, told, whole
from mail_nodes import Node, acknowledge
from postroom.access.acting import SYSTEM, acting_as
from postroom.changes.approvals import approve
from postroom.models import Finding, Forward, SieveRead
from postroom.models.routes import Inside
from postroom.posture.checks import redirect, unreadable
from postroom.posture.checks.by_way import BY_WAY
from postroom.posture.checks.redirect import REDIRECT, Lets
from postroom.posture.checks.unreadable import UNREADABLE
from postroom.posture.run import run

THEN = datetime(2026, 11, 30, 12, tzinfo=UTC)
BOX, ADDRESS, CLIENT = UUID(int=1), UUID(int=2), UUID(int=4)
WITHIN = Inside(frozenset({"acme.example"}), "postmaster@northlight.example")
INSIDE = {CLIENT: Lets(WITHIN, ("partner.example",), ("joe@partner.example",))}


def one(*targets: str, vip: bool = False, why: str = "", name: str = "rules", at: str = MIA) -> Any:
    box = SimpleNamespace(label=at, address_id=ADDRESS, pk=BOX, client_id=CLIENT, vip=vip,
                          address=SimpleNamespace(domain_id=UUID(int=5)))  # fmt: skip
    return SimpleNamespace(
        mailbox=box, name=name, first=THEN, unreadable=why, redirects=[OUT | {"to": to} for to in targets]
    )


@pytest.mark.parametrize(("targets", "vip", "severities"), [
    (["spy@evil.example"], False, ["high"]), (["spy@evil.example"], True, ["critical"]),
    ([""], False, ["medium"]), ([""], True, ["high"]),
    (["joe@acme.example"], True, []), (["joe@sub.acme.example"], False, ["high"]),
    (["postmaster@northlight.example"], False, ["high"]), (["x@partner.example"], False, []),
    (["joe@partner.example"], False, ["high"]), (["known@home.example"], False, []),
    (["spy@evil.example", "spy@evil.example", "joe@acme.example", ""], False, ["high", "medium"]),
    ([f"u{n}@evil.example" for n in range(5)], False, ["high"] * 5),
    ([f"u{n}@evil.example" for n in range(200)], False, ["high"]),
])  # fmt: skip
def test_sieve_redirect(targets: list[str], vip: bool, severities: list[str]) -> None:
    found = list(redirect.evaluate([one(*targets, vip=vip)], INSIDE, {(ADDRESS, "known@home.example")}))
    assert [seen.severity for seen in found] == severities
    assert len({seen.cause for seen in found}) == len(found) and REDIRECT.name == "sieve.redirect"


def test_the_postmaster_is_inside_for_a_role_account() -> None:
    script = one("postmaster@northlight.example", "x@northlight.example", at="abuse@acme.example")
    assert [seen.cause for seen in redirect.evaluate([script], INSIDE, ())] == ["x@northlight.example"]


def test_a_redirect_that_is_stopped_is_no_finding_and_one_that_is_not_says_how() -> None:
    script = one("spy@evil.example", "other@evil.example")
    (seen,) = redirect.evaluate([script], INSIDE, (), {(BOX, "other@evil.example"), (ADDRESS, "spy@evil.example")})
    assert (seen.cause, seen.kind) == ("spy@evil.example", "redirects.stop")
    assert seen.params == {"mailbox": MIA, "target": "spy@evil.example"}
    (unknown,) = redirect.evaluate([one("")], INSIDE, ())
    assert (unknown.kind, unknown.params) == ("", {})


def test_what_is_said_of_it() -> None:
    (seen,) = redirect.evaluate([one("spy@evil.example")], INSIDE, ())
    assert seen.evidence == {"script": "rules", "to": "spy@evil.example", "by": "redirect", "copy": False,
                             "conditional": False, "first": THEN.isoformat(timespec="seconds")}  # fmt: skip
    (seen,) = redirect.evaluate([one(*(f"u{n}@evil.example" for n in range(200)))], INSIDE, ())
    assert (seen.evidence["targets"], len(seen.evidence["to"])) == (200, 20)


@pytest.mark.parametrize(("script", "severity"), [
    (one(why="the compiler refuses it"), "medium"), (one(why="stopped", vip=True), "high"), (one(), None),
    (one(why="sieve is no folder", name=""), "medium"),
])  # fmt: skip
def test_sieve_unreadable(script: Any, severity: str | None) -> None:
    assert [seen.severity for seen in unreadable.evaluate([script])] == ([severity] if severity else [])
    assert UNREADABLE.name == "sieve.unreadable"


@pytest.fixture
def mx1(node: Connect, house: House) -> Node:
    mine = node("mx1")
    acknowledge(mine)
    return mine


def opened(check: Any = REDIRECT) -> list[tuple[str, bool]]:
    """(cause as its title has it, known) of what is open."""
    run(check)
    with acting_as(SYSTEM):
        rows = Finding.objects.filter(check_name=check.name, closed_at=None).order_by("id")
        return [(row.evidence.get("to") or row.evidence["script"], row.unknown_since is None) for row in rows]


def older(minutes: int) -> None:
    with acting_as(SYSTEM):
        SieveRead.objects.update(at=timezone.now() - timedelta(minutes=minutes))


SPY = "spy@evil.example"


def test_it_opens_for_a_script_in_force_and_closes_by_a_fresh_look_alone(house: House, mx1: Node) -> None:
    told(mx1, of(MIA, script("a", active=False)), whole())
    assert opened() == []
    told(mx1, of(MIA, script("a")))
    assert opened() == [(SPY, True)]
    older(6)
    assert opened() == [(SPY, False)]
    told(mx1, of(MIA))
    older(6)
    assert opened() == [(SPY, False)], "gone, says a node that has not looked since"
    told(mx1, whole())
    assert opened() == []


def test_a_script_that_cannot_be_read_any_more_leaves_it_unknown(house: House, mx1: Node) -> None:
    told(mx1, of(MIA, script("a")), whole())
    assert opened() == [(SPY, True)] and opened(UNREADABLE) == []
    told(mx1, of(MIA, script("a", redirects=[], unreadable="stopped by SIGSEGV", digest="b")), whole())
    assert opened() == [(SPY, False)] and opened(UNREADABLE) == [("a", True)]
    told(mx1, of(MIA, script("a", active=False, unreadable="stopped by SIGSEGV", redirects=[])), whole())
    assert opened() == [] and opened(UNREADABLE) == []


def test_a_mailbox_that_cannot_be_read_leaves_both_unknown(house: House, mx1: Node) -> None:
    told(mx1, of(MIA, script("a", unreadable="it has 10000 redirects")), whole())
    assert opened() == [(SPY, True)] and opened(UNREADABLE) == [("a", True)]
    told(mx1, whole((MIA, "sieve is no folder")))
    assert opened() == [(SPY, False)]
    assert sorted(opened(UNREADABLE)) == [("", True), ("a", False)]
    older(6)
    assert sorted(opened(UNREADABLE)) == [("", False), ("a", False)]


def test_what_a_client_owns_and_an_exception_lets_is_no_finding(house: House, mx1: Node) -> None:
    home = "mia@home.example"
    told(mx1, of(MIA, script("a", redirects=[OUT | {"to": "joe@acme.example"}, OUT | {"to": home}])), whole())
    assert opened() == [(home, True)]
    until = (timezone.now() + timedelta(days=30)).isoformat()
    change = do("exceptions.create", house.olive, address=MIA, target=home, owner="Mia", until=until)
    approve(change.pk, actor=house.ada, plan_hash=change.plan_hash)
    assert opened() == []


LEO, HOME = "leo@acme.example", "leo@gmail.com"


@pytest.fixture
def led(house: House, mx1: Node) -> Node:
    """Leo's mail leaves by an exception of his; Mia's filter passes hers on to him."""
    do("mailboxes.create", house.olive, address=LEO)
    until = (timezone.now() + timedelta(days=30)).replace(microsecond=0).isoformat()
    with_consent(house, do("forwards.create", house.olive, address=LEO, to=HOME, until=until, owner="Leo"))
    told(mx1, of(MIA, script("a", redirects=[OUT | {"to": LEO}])), whole())
    return mx1


def test_a_filter_that_leads_to_a_way_out_of_somebody_elses_is_found(house: House, led: Node) -> None:
    assert BY_WAY.name == "sieve.by_way" and opened(BY_WAY) == [(HOME, True)]
    with acting_as(SYSTEM):
        (one,) = Finding.objects.filter(check_name="sieve.by_way")
    assert (one.severity, one.kind) == ("medium", "redirects.stop")
    assert one.params == {"mailbox": MIA, "target": LEO} and f"the exception of {LEO} to {HOME}" in one.title
    assert opened(REDIRECT) == [], "what stays inside is none of that one's"
    do("mailboxes.change", house.olive, mailbox=MIA, vip=True)
    opened(BY_WAY)
    with acting_as(SYSTEM):
        assert Finding.objects.get(check_name="sieve.by_way", closed_at=None).severity == "high"


@pytest.mark.parametrize(
    "how", ["the redirect stops", "the way out ends", "the script goes", "an exception", "allowed"]
)
def test_it_closes_by_itself(house: House, led: Node, how: str) -> None:
    assert opened(BY_WAY) == [(HOME, True)]
    if how == "the redirect stops":
        do("redirects.stop", house.olive, mailbox=MIA, target=LEO)
    elif how == "the way out ends":
        do("forwards.disable", house.olive, forward=str(the(Forward).pk))
    elif how == "the script goes":
        told(led, of(MIA), whole())
    elif how == "an exception":
        until = (timezone.now() + timedelta(days=30)).replace(microsecond=0).isoformat()
        asked = {"address": MIA, "target": HOME, "owner": "Mia", "until": until}
        with_consent(house, do("exceptions.create", house.olive, **asked))
    else:
        with_consent(house, do("clients.change", house.olive, client="acme", forward_allowed=["gmail.com"]))
    assert opened(BY_WAY) == []


def test_what_is_not_looked_at_any_more_is_not_known(house: House, led: Node) -> None:
    assert opened(BY_WAY) == [(HOME, True)]
    older(6)
    assert opened(BY_WAY) == [(HOME, False)]
