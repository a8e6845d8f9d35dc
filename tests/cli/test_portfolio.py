"""The demo is as large as its page says, no list of it waits for a second person, and its own letters arrive."""

from collections import Counter
from typing import Any

from postroom.cli import everyday, portfolio
from postroom.cli.portfolio import Step
from postroom.models.clients import HELD_OVER

STEPS = list(portfolio.steps(everyday.requests()))
TEAM = {portfolio.OWNER, *(one["email"] for one in portfolio.FOUND["team"])}


def parts(step: Step) -> list[dict[str, Any]]:
    return step.params if isinstance(step.params, list) else [step.params]


def test_four_clients_a_dozen_domains_some_60_mailboxes_and_some_150_changes() -> None:
    made = Counter(step.kind for step in STEPS for _ in parts(step))
    assert made["clients.create"] == 4 and made["domains.add"] == 12
    boxes = [one["address"] for step in STEPS if step.kind == "mailboxes.create" for one in parts(step)]
    assert len(boxes) == len(set(boxes)) == 60
    assert 145 <= len(STEPS) <= 155


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
