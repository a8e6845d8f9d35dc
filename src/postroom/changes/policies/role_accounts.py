"""postmaster@ and abuse@ of every domain answer, and answer to the organization (RFC 2142).

Who reads what comes there proves a domain to those who issue certificates: nobody else gets it besides.
"""

from collections.abc import Iterator, Sequence

from postroom.access.roles import rank
from postroom.changes.policy import Move, Proposed, Verdict, refuse
from postroom.models import Address, Alias, Domain, Forward, RouteException
from postroom.models.routes import role_account


def role_accounts(proposed: Proposed) -> Verdict | None:
    """Refuse their removal, and any other or further target unless an operator of the agency sets it."""
    moves = [move for move in proposed.moves(Alias) if move.edit.before is not None]
    going = {m.edit.id for m in proposed.moves(Domain) if m.then is None}  # gone as a whole, role accounts too
    for move, address, domain in _addressed(moves):
        if not role_account(address) or domain in going:
            continue
        if not (move.then and not move.then["removed_at"]):
            return refuse(role_accounts, f"{address} cannot be removed; every domain has to answer there")
        if move.now and move.now["targets"] != move.then["targets"] and not _operates(proposed):
            return refuse(role_accounts, f"{address} is pointed elsewhere by the agency's operators alone")
    passed = [] if _operates(proposed) else [m for m in proposed.moves(Forward, RouteException) if m.opens]
    for _, address, _ in _addressed(passed):
        if role_account(address):
            return refuse(role_accounts, f"mail of {address} is passed on by the agency's operators alone")
    return None


def _operates(proposed: Proposed) -> bool:
    return proposed.access.everything or proposed.access.rank_at(None) >= rank(["operator"])


def _addressed(moves: Sequence[Move]) -> Iterator[tuple[Move, str, str]]:
    """Each with its address and its domain's id."""
    ids = {row["address_id"]: move for move in moves if (row := move.now or move.then)}
    if not ids:
        return
    rows = Address.objects.filter(pk__in=list(ids))
    yield from ((ids[str(pk)], address, str(domain)) for pk, address, domain in
                rows.values_list("pk", "address", "domain_id"))  # fmt: skip
