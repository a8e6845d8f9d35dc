"""Views that a person saved of the list of forwards that leave, written: their own alone, and no change (decision 41).

Like the theme of the pages they are a preference: no mail, name or right depends on one, so the record says nothing of
them. A token has none: it reaches what it names, and not what else its person has.
"""

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction

from postroom.access.acting import Actor, acting_as
from postroom.models import SavedView

from .errors import NotThere, Problem

MOST, LONGEST, WIDEST = 50, 60, 200  # views of a person; characters of a name, and of a value
NARROWS = ("client", "mechanism", "risk", "only", "q")


def save(actor: Actor, name: str, narrowed: Mapping[str, str]) -> None:
    """Under this name, in the place of what was called so. Raises Problem."""
    called, kept = _name(name), {one: str(narrowed.get(one) or "")[:WIDEST] for one in NARROWS}
    mine = {"person_id": _person(actor), "name": called}
    with acting_as(actor):
        now = {one: value for one, value in kept.items() if value}
        if SavedView.objects.filter(**mine).update(narrowed=now):
            return
        if SavedView.objects.filter(person=actor.person).count() >= MOST:
            raise Problem("name", f"{MOST} are saved already: remove one first")
        SavedView.objects.bulk_create(
            [SavedView(**mine, narrowed=now)], update_conflicts=True, unique_fields=["person", "name"],
            update_fields=["narrowed"],
        )  # fmt: skip


def rename(actor: Actor, name: str, to: str) -> None:
    """Raises NotThere, Problem."""
    called = _name(to, "to")
    with acting_as(actor):
        try:
            with transaction.atomic():
                found = SavedView.objects.filter(person=_person(actor), name=name).update(name=called)
        except IntegrityError:
            raise Problem("to", f"another one is called {called} already") from None
    if not found:
        raise no_view(name)


def remove(actor: Actor, name: str) -> None:
    """Raises NotThere."""
    with acting_as(actor):
        if not SavedView.objects.filter(person=_person(actor), name=name).delete()[0]:
            raise no_view(name)


def no_view(name: str) -> NotThere:
    return NotThere("name", f"no view of yours is called {name[:LONGEST]}")


def _name(typed: str, where: str = "name") -> str:
    called = " ".join("".join(one if one.isprintable() else " " for one in typed).split())
    if not called or len(called) > LONGEST:
        raise Problem(where, f"a name has one to {LONGEST} characters")
    return called


def _person(actor: Actor) -> Any:
    if actor.sort != "person":
        raise Problem("name", "views are a person's own; a token has none")
    return actor.person
