"""Whether the addresses that are written to about a client, or a domain, are read still: asked every half year.

A client's security contact, and the address to which a registrar writes. As with recovery channels (its kinds draw the
link and take the answer): one click of whoever reads there, half a year, and a new address is a new question.
"""

from collections.abc import Iterator
from typing import Any

from postroom.changes.errors import Problem
from postroom.changes.kind import Kind
from postroom.changes.plan import Planned, create, edit, end
from postroom.changes.state import State
from postroom.models import Client, Domain, Invite, Secret
from postroom.models.recovery import ALIVE, REGISTRAR, REMINDED, SECURITY, readable, value_of

from .fields import ClientRef, DomainRef


class AskSecurityContact(Kind, name="clients.ask_contact"):
    """Mail a link by which whoever reads a client's security contact says so; the one before it is void."""

    by = frozenset({"person", "clock"})
    client: ClientRef

    def plan(self, state: State) -> Iterator[Planned]:
        client = state.get(Client, self.client, where="client")
        contact = "" if client.removed_at else readable(client.security_contact)
        yield from _asked(state, client, SECURITY, client.security_ask_at, contact, {"client_id": client.pk})


class AskRegistrarAddress(Kind, name="domains.ask_contact"):
    """Mail a link by which whoever reads the address of a registrar's account says so; the one before it is void."""

    by = frozenset({"person", "clock"})
    domain: DomainRef

    def plan(self, state: State) -> Iterator[Planned]:
        domain = state.get(Domain, self.domain, where="domain")
        contact = "" if domain.removed_at else readable(domain.registrar_account)
        about = {"client_id": domain.client_id, "domain_id": domain.pk}
        yield from _asked(state, domain, REGISTRAR, domain.registrar_ask_at, contact, about)


def _asked(
    state: State, row: Client | Domain, what: str, ask_at: Any, contact: str, about: dict[str, Any]
) -> Iterator[Planned]:
    if state.actor.sort == "clock" and (ask_at is None or ask_at > state.now or not contact):
        return  # it was confirmed, changed or removed since
    if not contact:
        raise Problem("domain" if what == REGISTRAR else "client", "no mail address is known that could be asked")
    for old in state.rows(Invite, vouches=what, used_at=None, ended_at=None, **about).order_by("id"):
        yield edit(old, ended_at=state.now)
        for secret in state.hanging(Secret, "owner_row", old.pk):
            yield end(secret)
    yield edit(row, **{f"{what}_ask_at": None})
    yield create(Invite, state.new_id(), **about, vouches=what, contact=contact, made=state.now)


def anew(what: str, before: str, after: str | None, state: State) -> dict[str, Any]:
    """Fields that go with another address: nobody has said yet that it is read, and the clock asks at once."""
    if after is None or after == before:
        return {}
    return {f"{what}_confirmed_at": None, f"{what}_ask_at": state.now if readable(after) else None}


def confirmed(state: State, invite: Invite) -> Iterator[Planned]:
    """Whoever reads there said so. Nothing, where another address stands there by now."""
    row = _row(state, invite)
    what = invite.vouches
    if row.removed_at or value_of(row) != invite.contact:
        raise Problem("link", "this link is no longer good")
    again = state.now + ALIVE - REMINDED
    yield edit(row, **{f"{what}_confirmed_at": state.now, f"{what}_ask_at": again})


def _row(state: State, invite: Invite) -> Client | Domain:
    if invite.vouches == REGISTRAR:
        return state.get(Domain, str(invite.domain_id), where="link")
    return state.get(Client, str(invite.client_id), where="link")
