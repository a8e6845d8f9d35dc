"""The organization keeps at least one owner, for good: one until some time is none the moment after."""

from django.db.models import Q

from postroom.changes.policy import Proposed, Verdict, refuse
from postroom.models import Grant, Person


def last_owner(proposed: Proposed) -> Verdict | None:
    """Refuse what would end the last owner. True under the lock only, which is why apply asks again."""
    grants = [m.edit.id for m in proposed.moves(Grant) if m.only_closes and m.now and m.now["role"] == "owner"]
    people = [m.edit.id for m in proposed.moves(Person) if m.only_closes]
    if not grants and not people:
        return None
    owners = Grant.objects.filter(until=None, client=None, role="owner", ended_at=None)
    left = owners.exclude(pk__in=grants).exclude(person_id__in=people)
    if left.filter(person__suspended_at=None, person__removed_at=None).exists():
        return None
    touched = owners.filter(Q(pk__in=grants) | Q(person_id__in=people)).exists()
    return refuse(last_owner, "this would end the last owner of the organization") if touched else None
