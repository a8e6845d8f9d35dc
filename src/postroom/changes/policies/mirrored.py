"""A domain that is an alias of another has no addresses of its own: they would hide those they are named after."""

from collections.abc import Iterator, Sequence

from postroom.changes.policy import Move, Proposed, Verdict, refuse
from postroom.models import Address, Alias, CatchAll, Domain, Forward, Mailbox, Transport
from postroom.models.routes import ROLE_ACCOUNTS

from .removed import ALIAS, places


def mirrored(proposed: Proposed) -> Verdict | None:
    """Refuse a mailbox, or a route of any sort, that opens there; postmaster@ and abuse@ stay its own."""
    opening = [m for m in proposed.moves(Mailbox, Alias, Forward, CatchAll, Transport) if m.opens]
    if not opening:
        return None
    names = {name for table, _, name in places(proposed) if table == ALIAS}
    wrong = next((one for one in _opened(proposed, opening) if _its_own(one, names)), None) if names else None
    return refuse(mirrored, f"{wrong.lstrip('@')}: the domain is an alias of another") if wrong else None


def _its_own(address: str, names: set[str]) -> bool:
    local, _, domain = address.rpartition("@")
    return domain in names and local not in ROLE_ACCOUNTS


def _opened(proposed: Proposed, moves: Sequence[Move]) -> Iterator[str]:
    """The addresses that open; of a catch-all the domain's name after an @."""
    made = {m.edit.id: str((m.then or {})["address"]) for m in proposed.moves(Address) if m.now is None}
    rows = [m.then or {} for m in moves]
    asked = {row["address_id"] for row in rows if row.get("address_id")} - made.keys()
    yield from (made[row["address_id"]] for row in rows if row.get("address_id") in made)
    if asked:
        yield from Address.objects.filter(pk__in=asked).values_list("address", flat=True)
    if caught := [row["domain_id"] for row in rows if "address_id" not in row]:
        yield from (f"@{name}" for name in Domain.objects.filter(pk__in=caught).values_list("name", flat=True))
