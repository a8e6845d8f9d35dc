"""Rows by what people call them: an id, or a name in any spelling that would have made it."""

from collections.abc import Mapping
from uuid import UUID

from django.db.models import Q

from postroom.models import Address, Alias, Client, Destination, Domain, Mailbox, Node, Person, StateModel
from postroom.protocols.refs import Spelling, address_ref, domain_ref, short_ref

SPELT: Mapping[type[StateModel], Spelling] = {
    Client: short_ref, Domain: domain_ref, Node: short_ref,
    Mailbox: address_ref, Address: address_ref, Alias: address_ref, Person: address_ref,
}  # fmt: skip


def called(model: type[StateModel], ref: str) -> Q:
    """Those that go by this. A destination is called so within its client: there may be several."""
    if model is Destination:
        return Destination.called(ref)
    return by_id_or(model.natural_key, canonical(model, ref))


def canonical(model: type[StateModel], ref: str) -> str:
    """A reference as names are kept, however it was typed."""
    return SPELT.get(model, str)(ref)


def by_id_or(column: str, ref: str, *, pk: str = "pk") -> Q:
    try:
        return Q(**{pk: UUID(ref)})
    except ValueError:
        return Q(**{column: ref}) if column != "id" else Q(pk__in=[])
