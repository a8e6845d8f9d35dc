"""The demo is as large as its page says, no list of it waits for a second person, and its own letters arrive."""

from collections import Counter
from datetime import timedelta
from typing import Any

from django.utils import timezone

from cast import House, do, reasons, the, with_consent
from postroom.cli import everyday, going_on, portfolio
from postroom.cli.demo import asked
from postroom.cli.portfolio import Step
from postroom.models import CatchAll, Forward
from postroom.models.clients import HELD_OVER
from postroom.protocols.patterns import private

STEPS = list(portfolio.steps(everyday.requests()))
TEAM = {portfolio.OWNER, *(one["email"] for one in portfolio.FOUND["team"])}


def parts(step: Step) -> list[dict[str, Any]]:
    return step.params if isinstance(step.params, list) else [step.params]


def test_four_clients_a_dozen_domains_some_60_mailboxes_and_some_160_changes() -> None:
    made = Counter(step.kind for step in STEPS for _ in parts(step))
    assert made["clients.create"] == 4 and made["domains.add"] == 12
    boxes = [one["address"] for step in STEPS if step.kind == "mailboxes.create" for one in parts(step)]
    assert len(boxes) == len(set(boxes)) == 60
    assert 155 <= len(STEPS) <= 165


def test_no_list_is_held_for_its_length() -> None:
    assert max(len(parts(step)) for step in STEPS) <= HELD_OVER


def test_who_is_written_to_is_there_by_then() -> None:
    ours = {name for names in portfolio.DOMAINS.values() for name in names}
    there: set[str] = set()
    nobody = []
    for step in STEPS:
        for params in parts(step):
            if step.kind in ("mailboxes.create", "aliases.create"):
                there.add(params["address"])
            written = (params.get("security_contact"), params.get("contact"), params.get("email"))
            nobody += [
                (step.kind, one) for one in written if one and one.partition("@")[2] in ours and one not in there
            ]
    assert nobody == []
    assert there >= TEAM, "alarms go to owners, and letters to whoever signs in"


def test_mail_goes_on_in_every_way_and_ends_by_itself(house: House) -> None:
    """Every route of it is asked as the demo asks it, in a small house with the addresses that it names."""
    steps = list(going_on.routes())
    ways = Counter(step.kind for step in steps)
    assert ways == {"forwards.create": 4, "catch_alls.set": 2, "domains.set_alias": 1}
    outward = [one.params["to"] for one in steps if one.then and "to" in one.params]
    assert [private(one) for one in outward] == [False, True]
    for domain in ("acme-shop.example", "acme-parts.example"):
        do("domains.add", house.olive, client="acme", name=domain)
    do("domains.add", house.olive, client="globex", name="globex-travel.example")
    boxes = {one.params[name] for one in steps for name in ("address", "to", "target") if name in one.params}
    for box in sorted(boxes - set(outward)):
        do("mailboxes.create", house.olive, address=box)
    for step in steps:
        change = do(step.kind, house.olive, **asked(step.params))
        assert (change.stage == "held") == (step.then != ""), (step.kind, reasons(change))
        if step.then:
            with_consent(house, change)
    assert the(Forward, to=outward[1]).until > timezone.now()
    ends = the(CatchAll, domain__name="globex-travel.example").until
    assert ends - timezone.now() < timedelta(minutes=1), "over when somebody looks"
