"""What comes back with a client or a domain is judged as if it were made now: its ways out, and what leads nowhere."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cast import MIA, SYSTEM, House, agreed, as_wanted, do, do_all, reasons, the, with_consent
from postroom.changes.approvals import undo
from postroom.models import Change, Client, Domain, Forward, Letter, RouteException
from routed import later

SMALL, LEO, INFO, OUT = "small.example", "leo@small.example", "info@small.example", "leo@gmail.com"
ASIDE, JO = "aside.example", "jo@aside.example"
LED = "mail to {} would leave by way of another address, which has a way out of its own"
LEAVES = f"lets mail leave to {OUT}, a private mailbox, until {later()[:10]}"
HANDED = f"hands mail of {LEO} to mx.partner.example:25, until {later()[:10]}"


def stands(house: House, name: str, box: str = "") -> None:
    do("domains.add", house.oskar, client="acme", name=name)
    do("domains.prove", SYSTEM, domain=name, proof="t")
    if box:
        do("mailboxes.create", house.olive, address=box)


@pytest.fixture
def small(house: House) -> House:
    stands(house, SMALL, LEO)
    return house


def forward(house: House, address: str = LEO, to: str = OUT) -> None:
    with_consent(house, do("forwards.create", house.olive, address=address, to=to, until=later(), owner="Leo"))


def alias(house: House) -> None:
    agreed(house, do("aliases.create", house.olive, address=INFO, targets=[LEO]))


def caught(house: House) -> None:
    with_consent(house, do("catch_alls.set", house.olive, domain=SMALL, target=LEO, until=later()))


def handed(house: House) -> None:
    asked = {"address": LEO, "host": "mx.partner.example", "until": later(), "owner": "Leo"}
    with_consent(house, do("transports.create", house.olive, **asked))


def removed(house: House, *names: str) -> Change:
    for one in names:
        as_wanted(house, one)
    parts = [{"domain": one, "accept_loss": True} for one in names]
    gone = with_consent(house, do_all("domains.remove", house.olive, parts))
    for one in names:
        as_wanted(house, one)
    return gone


def by_policy(change: Change) -> dict[str, str]:
    return {one["policy"]: one["reason"] for one in change.verdicts}


# What stands at it; what is said of it, by which policy.
WAYS: dict[str, tuple[list[Callable[[House], None]], dict[str, str]]] = {
    "a forward": ([forward], {"forwarding": LEAVES}),
    "a transport": ([handed], {"handed_over": HANDED}),
    "an alias of it": ([forward, alias], {"forwarding": LEAVES, "led_out": LED.format(INFO)}),
    "a catch-all": ([forward, caught], {"forwarding": LEAVES, "led_out": LED.format(f"any other address at {SMALL}")}),
    "none": ([alias], {}),
}


@pytest.mark.parametrize("row", WAYS)
def test_with_a_domain_its_ways_out_come_back_as_if_they_were_made(small: House, row: str) -> None:
    makes, said = WAYS[row]
    for make in makes:
        make(small)
    removed(small, SMALL)
    back = do("domains.restore", small.olive, domain=SMALL)
    assert said.items() <= by_policy(back).items(), back.verdicts
    assert by_policy(back).keys() & {"forwarding", "handed_over", "led_out"} == said.keys()
    assert agreed(small, back).version and the(Domain, name=SMALL).removed_at is None


@pytest.mark.parametrize("row", WAYS)
def test_and_with_a_client(small: House, row: str) -> None:
    makes, said = WAYS[row]
    for make in makes:
        make(small)
    with_consent(small, do("clients.remove", small.olive, client="acme"))
    back = do("clients.restore", small.olive, client="acme")
    assert by_policy(back) == said, back.verdicts
    assert agreed(small, back).version and the(Client, slug="acme").removed_at is None


def test_what_is_ended_meanwhile_is_nothing_that_comes_back(small: House) -> None:
    """Who answers for it is asked by a letter what becomes of its forward: that is let where all else is removed."""
    forward(small)
    removed(small, SMALL)
    assert do("exceptions.end", small.olive, exception=str(the(RouteException).pk)).version
    assert the(Letter, says="exception ended").contact == LEO and the(Forward).disabled_at is not None
    back = do("domains.restore", small.olive, domain=SMALL)
    assert not by_policy(back).keys() & {"forwarding", "led_out"}


def test_an_undo_of_somebody_elses_removal_brings_none_back_unseen(small: House) -> None:
    forward(small)
    gone = removed(small, SMALL)
    back = undo(gone.pk, actor=small.oskar, why="a test")
    assert back.stage == "held" and by_policy(back)["forwarding"] == LEAVES


def test_a_mirror_that_comes_back_leads_out_as_when_it_was_set(small: House) -> None:
    stands(small, ASIDE)
    forward(small)
    with_consent(small, do("domains.set_alias", small.olive, domain=ASIDE, of=SMALL))
    removed(small, ASIDE)
    back = do("domains.restore", small.olive, domain=ASIDE)
    assert by_policy(back)["led_out"] == LED.format(f"leo@{ASIDE}")


# What leads there is gone: it is refused, and nothing comes back.


def refused(house: House, words: str) -> None:
    back = do("domains.restore", house.olive, domain=SMALL)
    assert back.stage == "refused" and words in reasons(back), (back.stage, reasons(back))
    assert the(Domain, name=SMALL).removed_at is not None


def test_a_route_that_leads_to_a_domain_that_is_gone_is_refused(small: House) -> None:
    stands(small, ASIDE, JO)
    do("aliases.create", small.olive, address=INFO, targets=[JO])
    removed(small, SMALL, ASIDE)
    refused(small, f"an alias stays inside: {JO} is outside")
    both = do_all("domains.restore", small.olive, [{"domain": SMALL}, {"domain": ASIDE}])
    assert agreed(small, both).version, "together they lead to one another"


def test_a_forward_that_leads_there_needs_an_exception_by_now(small: House) -> None:
    stands(small, ASIDE, JO)
    agreed(small, do("forwards.create", small.olive, address=LEO, to=JO, until=later()))
    removed(small, SMALL, ASIDE)
    refused(small, f"no exception lets mail go to {JO} until")


def test_one_that_leads_to_nobody_is_refused_until_it_is_ended(small: House) -> None:
    made = do("mailboxes.create", small.olive, address="new@acme.example")
    do("aliases.create", small.olive, address=INFO, targets=["new@acme.example", MIA])
    removed(small, SMALL)
    assert undo(made.pk, actor=small.olive, why="a test").version
    refused(small, f"{INFO} leads to what cannot be: new@acme.example does not exist yet")
    assert do("aliases.remove", small.olive, alias=INFO).version
    assert agreed(small, do("domains.restore", small.olive, domain=SMALL)).version
