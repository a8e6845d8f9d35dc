"""Views that a person saved of the list of forwards that leave: their own, read by nobody else.

Written by changes/saved_views.py, which says what one is.
"""

from typing import Any

from postroom.access.acting import Actor, acting_as
from postroom.changes.saved_views import NARROWS, no_view
from postroom.models import SavedView


def views(actor: Actor) -> list[SavedView]:
    """Theirs, by name; a token has none."""
    if actor.sort != "person":
        return []
    with acting_as(actor):
        return list(SavedView.objects.filter(person=actor.person).order_by("name"))


def named(actor: Actor, name: str) -> SavedView:
    """One of theirs. Raises NotThere."""
    found = next((one for one in views(actor) if one.name == name), None)
    if found is None:
        raise no_view(name)
    return found


def shown(one: SavedView) -> dict[str, Any]:
    """As the API shows it: each parameter by name, empty where it narrows nothing."""
    return {"name": one.name, **{name: one.narrowed.get(name, "") for name in NARROWS}}
