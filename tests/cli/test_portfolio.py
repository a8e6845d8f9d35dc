"""The demo's own letters arrive: whoever it writes to at a domain of its own is somebody by then."""

from collections.abc import Iterator
from typing import Any

from postroom.cli import everyday, portfolio

FOUNDED = {portfolio.OWNER, *(one["email"] for one in portfolio.FOUND["team"])}


def asked(step: portfolio.Step) -> Iterator[dict[str, Any]]:
    yield from step.params if isinstance(step.params, list) else [step.params]


def test_who_is_written_to_is_there_by_then() -> None:
    ours = {name for names in portfolio.DOMAINS.values() for name in names}
    there: set[str] = set()
    nobody = []
    for step in portfolio.steps(everyday.requests()):
        for params in asked(step):
            if step.kind in ("mailboxes.create", "aliases.create"):
                there.add(params["address"])
            written = (params.get("security_contact"), params.get("contact"), params.get("email"))
            nobody += [
                (step.kind, one) for one in written if one and one.partition("@")[2] in ours and one not in there
            ]
    assert nobody == []
    assert there >= FOUNDED, "alarms go to owners, and letters to whoever signs in"
