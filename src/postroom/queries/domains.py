"""Domains as their pages show them: what shares their addresses, and what becomes of mail to nobody."""

from django.db.models import Q
from django.utils import timezone

from postroom.access.acting import Actor
from postroom.access.scope import visible
from postroom.models import CatchAll, Domain


def beside(actor: Actor, one: Domain) -> tuple[str, list[str], CatchAll | None]:
    """(the domain that it is an alias of, or empty; those that are aliases of it; its catch-all); two queries."""
    rows = visible(actor, Domain).filter(Q(alias_of=one.pk) | Q(pk=one.alias_of_id), removed_at=None).order_by("name")
    found = list(rows)
    of = next((each.name for each in found if each.pk == one.alias_of_id), "")
    caught = visible(actor, CatchAll).filter(domain=one.pk, removed_at=None, until__gt=timezone.now()).first()
    return of, [each.name for each in found if each.alias_of_id == one.pk], caught
