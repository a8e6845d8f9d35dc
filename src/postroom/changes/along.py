"""What follows the organization's postmaster to another address: postmaster@ and abuse@ of every domain.

Each client's aliases are changed by a change of that client, which the system submits (worker/follow_ups.py); here is
which those are, so that a plan can be looked at with them. One that somebody set by hand, to more than the postmaster
or by a destination, stays as it is, and is named.
"""

from collections.abc import Iterable, Iterator
from functools import reduce
from operator import or_

from django.db.models import Q, QuerySet

from postroom.models import Alias, Organization, Row
from postroom.models.routes import ROLE_ACCOUNTS

from .edit import Edit, LeftOut, edit

BY_HAND = "it leads to {old} and was set by hand, so it stays: point it elsewhere yourself"
TO_ITSELF = "it would lead to itself, so it still leads to {old}: make a mailbox of it, or point it elsewhere"


def along(edits: Iterable[Edit]) -> list[Edit]:
    """The edits that follow from these. One query where the postmaster is another one, else none."""
    return [
        edit(alias, targets=[new])
        for old, new in map(moved_from, edits)
        if old and new
        for alias in following(old, new)
    ]


def moved_from(e: Edit) -> tuple[str, str]:
    """The postmaster before and after; empty where this is not about it."""
    return postmaster_moved(e.table, e.before, e.after)


def postmaster_moved(table: str, before: Row | None, after: Row | None) -> tuple[str, str]:
    if table != Organization._meta.db_table or not before or not after:
        return "", ""
    return str(before.get("postmaster", "")), str(after.get("postmaster", ""))


def following(old: str, new: str) -> "QuerySet[Alias]":
    """Role accounts that lead to the old postmaster alone, by client and address."""
    rows = _role_accounts().filter(targets=[old], destination=None).exclude(address__address=new)
    return rows.select_related("address", "client").order_by("client__slug", "address__address")


def staying(old: str, new: str) -> Iterator[LeftOut]:
    """Those that lead there and do not follow, each with why."""
    rows = _role_accounts().filter(targets__contains=[old]).select_related("address").order_by("address__address")
    for alias in rows:
        plain = alias.targets == [old] and alias.destination_id is None
        if not plain or alias.address.address == new:
            why = (TO_ITSELF if plain else BY_HAND).format(old=old)
            yield LeftOut(Alias._meta.db_table, str(alias.pk), f"{alias.address.address}: {why}")


def _role_accounts() -> "QuerySet[Alias]":
    named = reduce(or_, (Q(address__address__startswith=f"{one}@") for one in ROLE_ACCOUNTS))
    rows: QuerySet[Alias] = Alias.objects.filter(named, removed_at=None)
    return rows
