"""Where postmaster@ and abuse@ of every domain lead to is not let go while they do.

Whoever lets it go sees one client at most: what all the others lose is for the organization to move first. So it is
said of the address alone, which is theirs, and of no domain of another client.
"""

from collections.abc import Iterator

from postroom.changes.policy import Move, Proposed, Verdict, refuse
from postroom.models import Address, Alias, Client, Domain, Forward, Mailbox, Transport
from postroom.models.routes import postmaster
from postroom.protocols.extensions import parts

ENDS = ("removed_at", "ended_at", "disabled_at")
AT_IT = (Mailbox, Alias, Forward, Transport)
WORDS = "postmaster@ and abuse@ of every domain lead to {}: change the organization's postmaster first"


def postmaster_kept(proposed: Proposed) -> Verdict | None:
    """Refuse to let go its domain or client, or the last of what takes its mail there."""
    if not proposed.access.actor.limited:
        return None
    going = [m for m in proposed.moves(Client, Domain, Address, *AT_IT) if _goes(m)]
    to = postmaster() if going else ""
    return refuse(postmaster_kept, WORDS.format(to)) if to and _lost(going, to) else None


def _goes(move: Move) -> bool:
    """It stood, and does no more, or not there."""
    if move.now is None or _ended(move.now):
        return False
    if move.then is None or _ended(move.then):
        return True
    return any(move.now.get(one) != move.then.get(one) for one in ("address", "address_id"))


def _ended(row: dict[str, object]) -> bool:
    return any(row.get(name) for name in ENDS)


def _lost(going: list[Move], to: str) -> bool:
    ids = {m.edit.id for m in going}
    names = dict(_places(to))
    if any(domain in ids or client in ids for domain, client in names.values()):
        return True
    at = {str(pk) for pk in Address.objects.filter(address__in=names).values_list("pk", flat=True)}
    if not any(m.edit.id in at or str((m.now or {}).get("address_id")) in at for m in going):
        return False
    return not any(_stands(model, at - ids, ids) for model in AT_IT)


def _stands(model: type[Mailbox | Alias | Forward | Transport], at: set[str], ids: set[str]) -> bool:
    ends = {f"{name}": None for name in ENDS if name in model.columns()}
    return bool(model.objects.filter(address__in=at, **ends).exclude(pk__in=ids).exists())


def _places(to: str) -> Iterator[tuple[str, tuple[str, str]]]:
    """The addresses by which its mail is found, each with its domain and client: itself, without what stands after a
    +, and both at the domain that its own stands for. None where its domain is nobody's here."""
    name = to.rpartition("@")[2]
    rows = Domain.objects.filter(name=name).values_list("pk", "client_id", "alias_of_id", "alias_of__name")
    for pk, client, other, called in rows:
        for one in dict.fromkeys((to, parts(to)[0])):
            yield one, (str(pk), str(client))
            if other:
                yield f"{one.rpartition('@')[0]}@{called}", (str(other), str(client))
