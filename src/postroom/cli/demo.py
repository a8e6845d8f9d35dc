"""Loads the demo portfolio, by submitting it; each step has an idempotency key, so it goes on where it was."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import click
from django.utils import timezone

from postroom.access.acting import FOUNDER, SYSTEM, Actor, acting_as
from postroom.access.scope import visible
from postroom.changes.approvals import approve, undo
from postroom.changes.errors import ChangeError
from postroom.changes.kind import KINDS
from postroom.changes.pipeline import submit
from postroom.models import Change, DkimKey, Domain, Forward, Node, Organization, Person

from . import everyday, portfolio
from .faults import plant

PATIENCE = 150  # seconds; three installations at once on two cores take their time
KEY = "demo "
INSIDE = ("forwards.", "catch_alls.", "exceptions.", "domains.set_alias")


@click.command()
def load() -> None:
    """The portfolio, once; also where an earlier version loaded its own, which may have been of other lengths."""
    steps = list(portfolio.steps(everyday.requests()))
    last = steps[-1]
    with acting_as(SYSTEM):
        if Change.objects.filter(key__startswith=KEY, kind=last.kind, why=last.why).exists():
            return
        founded = visible(SYSTEM, Organization).exists()
    if not founded:
        submit(KINDS["organization.found"].model_validate(portfolio.FOUND), actor=FOUNDER, why="the demo begins")
    _until("its mail node joined", lambda: visible(SYSTEM, Node).exists())
    for number, step in enumerate(steps):
        if step.kind.startswith(INSIDE):  # where mail goes on to has to be served here, or it leaves
            _until_proven()
        if step.kind == "freezes.start":  # what is under way shall not be caught by it
            _until_proven()
            _until("their keys sign", lambda: not visible(SYSTEM, DkimKey).filter(activated_at=None).exists())
        if number == len(steps) - 1:  # before what says that all of it is there: it may be killed in between
            plant()
        _do(step, _key(number))


def _until_proven() -> None:
    _until("domains are proven", lambda: not visible(SYSTEM, Domain).filter(proof="waiting").exists())


def _key(number: int) -> str:
    return f"{KEY}{number}"


def _do(step: portfolio.Step, key: str) -> None:
    with acting_as(SYSTEM):
        earlier = Change.objects.filter(key=key).first()
    params = step.params if isinstance(step.params, list) else [step.params]
    kinds = [KINDS[step.kind].model_validate(asked(one)) for one in params]
    try:
        _then(step, earlier or submit(kinds, actor=_person(step.by), why=step.why, key=key))
    except ChangeError as error:
        raise click.ClickException(f"{step.kind}: {error}") from None


def asked(params: dict[str, Any]) -> dict[str, Any]:
    """As a kind takes it: a span of time is so far from now."""
    now = timezone.now()
    return {name: now + one if isinstance(one, timedelta) else one for name, one in params.items()}


def _then(step: portfolio.Step, change: Change) -> None:
    if step.then in ("approve", "disable") and change.stage == "held":
        change = approve(change.pk, actor=_person(step.who), plan_hash=change.plan_hash)
    if step.then == "disable":
        with acting_as(SYSTEM):
            forward = visible(SYSTEM, Forward).get(address__address=step.params["address"], to=step.params["to"])
        if forward.disabled_at is None:
            disable = KINDS["forwards.disable"].model_validate({"forward": str(forward.pk)})
            submit(disable, actor=_person(step.by), why="a private mailbox: asked the client for another way")
    if step.then == "undo" and change.undone_by_id is None:
        undo(change.pk, actor=_person(step.who), why="wrong person; the client called back")


def _person(email: str) -> Actor:
    with acting_as(SYSTEM):
        row = visible(SYSTEM, Person).get(email=email)
    return Actor(row.pk, row.name)


def _until(what: str, done: Callable[[], bool]) -> None:
    """Wait for the worker, which does its part as in life."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        with acting_as(SYSTEM):
            if done():
                return
        time.sleep(0.2)
    raise click.ClickException(f"waited {PATIENCE} s in vain until {what}")
