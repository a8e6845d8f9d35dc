"""Loads the demo portfolio, by submitting it; and prints the links with which people get in."""

import time
from collections.abc import Callable

import click

from postroom.access.acting import FOUNDER, SYSTEM, Actor, acting_as
from postroom.changes.approvals import approve, undo
from postroom.changes.errors import ChangeError
from postroom.changes.kind import KINDS
from postroom.changes.pipeline import submit
from postroom.models import Change, Domain, Node, Organization, Person

from . import portfolio

PATIENCE = 60


@click.command()
def load() -> None:
    """The portfolio, once: a state folder that has an organization is left as it is."""
    with acting_as(SYSTEM):
        if Organization.objects.exists():
            return
    found = KINDS["organization.found"].model_validate(portfolio.FOUND)
    submit(found, actor=FOUNDER, why="the demo begins")
    _until("its mail node joined", lambda: Node.objects.exists())
    for step in portfolio.steps():
        if step.kind == "people.invite":
            _until("its domains are proven", lambda: not Domain.objects.filter(proof="waiting").exists())
        _do(step)


def _do(step: portfolio.Step) -> None:
    params = step.params if isinstance(step.params, list) else [step.params]
    kinds = [KINDS[step.kind].model_validate(one) for one in params]
    try:
        change = submit(kinds, actor=_person(step.by), why=step.why)
        _then(step, change)
    except ChangeError as error:
        raise click.ClickException(f"{step.kind}: {error}") from None


def _then(step: portfolio.Step, change: Change) -> None:
    if step.then == "approve":
        approve(change.pk, actor=_person(step.who), plan_hash=change.plan_hash)
    if step.then == "undo":
        undo(change.pk, actor=_person(step.who), why="wrong person; the client called back")


def _person(email: str) -> Actor:
    with acting_as(SYSTEM):
        row = Person.objects.get(email=email)
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
