"""postmaster@ and abuse@ of every domain answer, and answer to the organization (RFC 2142)."""

from collections.abc import Iterator

from postroom.access.roles import rank
from postroom.changes.policy import Move, Proposed, Verdict, refuse
from postroom.models import Address, Alias, Domain

LOCAL_PARTS = ("postmaster", "abuse")


def role_accounts(proposed: Proposed) -> Verdict | None:
    """Refuse their removal, and any other target unless an operator of the agency sets it."""
    for move in proposed.moves(Alias):
        if move.edit.before is None:
            continue
        address = _address(move)
        if address.partition("@")[0] not in LOCAL_PARTS or _domain_goes(move, proposed):
            continue
        if not (move.then and not move.then["removed_at"]):
            return refuse(role_accounts, f"{address} cannot be removed; every domain has to answer there")
        if (
            move.now
            and move.now["targets"] != move.then["targets"]
            and rank(proposed.access.roles_at(None)) < rank(["operator"])
            and not proposed.access.everything
        ):
            return refuse(role_accounts, f"{address} is pointed elsewhere by the agency's operators alone")
    return None


def _address(move: Move) -> str:
    row = move.now or move.then or {}
    return Address.objects.filter(pk=row.get("address_id")).values_list("address", flat=True).first() or ""


def _domain_goes(move: Move, proposed: Proposed) -> bool:
    """When a domain is taken back as a whole, so are its role accounts."""
    going: Iterator[str] = (m.edit.id for m in proposed.moves(Domain) if m.then is None)
    row = move.now or {}
    return bool(Address.objects.filter(pk=row.get("address_id"), domain_id__in=list(going)).exists())
