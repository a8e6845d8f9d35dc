"""What an undo left out because it gives access: the change that gives it again, for a person to look at and send."""

from collections.abc import Mapping, Sequence
from typing import Any

from postroom.access.acting import current
from postroom.access.scope import visible
from postroom.models import Grant, Invite, RecordedEdit

Offer = dict[str, Any]  # {"kind": …, "params": …}


def offers(left_out: Sequence[Mapping[str, str]]) -> dict[str, Offer]:
    """id of a row that was left out → what would give it again. A query a table, whatever the number of rows."""
    ids = {table: [one["id"] for one in left_out if one["table"] == table] for table in SORTS}
    return {id: offer for table, found in SORTS.items() if ids[table] for id, offer in found(ids[table]).items()}


def _grants(ids: Sequence[str]) -> dict[str, Offer]:
    found = {}
    for one in visible(current().actor, Grant).filter(pk__in=ids):
        where = {name: str(id) for name, id in (("client", one.client_id), ("domain", one.domain_id)) if id}
        params = {"person": str(one.person_id), "role": one.role, **where, "reason": one.reason}
        found[str(one.pk)] = _offer("grants.give", params)
    return found


def _invites(ids: Sequence[str]) -> dict[str, Offer]:
    rows = visible(current().actor, Invite).filter(pk__in=ids, mailbox__isnull=False)
    return {str(one.pk): _invited(one.mailbox_id, one.contact) for one in rows}


def _secrets(ids: Sequence[str]) -> dict[str, Offer]:
    """A password is nobody's to give: its owner is invited to set another. The record knows whose it was."""
    gone = RecordedEdit.objects.filter(table="secrets", row__in=ids, after__isnull=True, before__purpose="password")
    return {str(one.row): _invited(one.before["owner_row"], "") for one in gone if one.before}


def _invited(mailbox: Any, contact: str) -> Offer:
    return _offer("invites.send", {"mailbox": str(mailbox), "contact": contact})


def _offer(kind: str, params: Mapping[str, str]) -> Offer:
    return {"kind": kind, "params": {name: value for name, value in params.items() if value}}


SORTS = {"grants": _grants, "invites": _invites, "secrets": _secrets}
