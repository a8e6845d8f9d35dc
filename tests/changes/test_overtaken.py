"""A plan rests on more rows than it writes: if another change comes before the lock, it is made again under it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cast import MIA, House, do, kind, together, with_consent
from postroom.access.acting import SYSTEM, acting_as
from postroom.changes.errors import Problems
from postroom.changes.kinds.invites import SendInvite
from postroom.changes.pipeline import dry_run
from postroom.models import Invite

INVITE = {"mailbox": MIA, "contact": "mia@home.test"}


@pytest.fixture
def planned() -> list[str]:
    """Each time that an invite was planned."""
    return []


@pytest.fixture
def between(monkeypatch: pytest.MonkeyPatch, planned: list[str]) -> Callable[[Callable[[], Any]], None]:
    """Once, when an invite's rows have been read, somebody else does something, and is done with it."""
    jobs: list[Callable[[], Any]] = []
    real = SendInvite.plan

    def slow(self: SendInvite, state: Any) -> Iterator[Any]:
        edits = list(real(self, state))
        planned.append(self.mailbox)
        if jobs:
            (came,) = together(jobs.pop())
            assert not isinstance(came, Exception), came
        yield from edits

    monkeypatch.setattr(SendInvite, "plan", slow)
    return jobs.append


def invites() -> int:
    with acting_as(SYSTEM):
        return Invite.objects.count()


def test_what_its_plan_rests_on_was_changed_meanwhile(house: House, between: Callable[..., None]) -> None:
    before = invites()
    between(lambda: with_consent(house, do("mailboxes.remove", house.oskar, mailbox=MIA)).version)
    with pytest.raises(Problems, match="it is removed"):
        do("invites.send", house.olive, **INVITE)
    assert invites() == before


def test_the_same_plan_again_goes_through(house: House, between: Callable[..., None]) -> None:
    between(lambda: do("aliases.create", house.olive, address="two@acme.example", targets=[MIA]))
    assert do("invites.send", house.olive, **INVITE).version


def test_another_plan_is_stale_and_nothing_is_written(house: House, between: Callable[..., None]) -> None:
    between(lambda: do("invites.send", house.olive, mailbox=MIA, contact="mia@other.test"))
    done = do("invites.send", house.olive, **INVITE)
    assert done.stage == "stale" and not done.version


def test_of_the_organization_too(house: House, between: Callable[..., None], planned: list[str]) -> None:
    between(lambda: do("people.suspend", house.oskar, person="henry@northlight.example"))
    assert do("invites.send", house.olive, **INVITE).version
    assert len(planned) == 2


def test_alone_it_is_planned_once(house: House, between: object, planned: list[str]) -> None:
    do("aliases.create", house.olive, address="two@acme.example", targets=[MIA])
    do("people.suspend", house.oskar, person="henry@northlight.example")
    assert do("invites.send", house.olive, **INVITE).version
    assert len(planned) == 1


def test_whose_right_ended_meanwhile_is_held_not_told_of(house: House, between: Callable[..., None]) -> None:
    between(lambda: do("people.suspend", house.oskar, person="olive@northlight.example"))
    assert do("invites.send", house.olive, **INVITE).stage == "held"


def test_looking_takes_no_snapshot(house: House) -> None:
    assert dry_run(kind("invites.send", **INVITE), actor=house.olive).begun == ""
