"""Who looked: somebody who runs the service opened a client, a mailbox or a person. One entry an object and hour.

A client's own people are not recorded at their own; they read in the record who of the organization was there.
"""

import os
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone

from postroom.access.acting import Access, widened
from postroom.access.roles import operates
from postroom.models import Client, StateModel
from postroom.models.base import plain
from postroom.protocols import entry

from .edit import Edit
from .record import COLUMNS, SALT
from .state import seconds

LOOKED = "looked at"
# In one statement, whether it is the first of the hour or the hundredth; of two at once, the second waits and finds
# that there is one.
ONCE = (
    "WITH first AS (INSERT INTO looked_at (person_id, client_id, object, hour)"
    " VALUES (%s, %s, %s, date_trunc('hour', now(), 'UTC')) ON CONFLICT DO NOTHING RETURNING client_id),"
    " one AS (INSERT INTO entries (client_id, leaf) SELECT client_id, %s FROM first RETURNING id, client_id)"
    f" INSERT INTO edits ({COLUMNS}) SELECT id, 0, client_id, 'events', %s, NULL, %s::jsonb, %s FROM one"
)


def opened(row: "StateModel | dict[str, Any]") -> dict[str, Any]:
    """What a view opened, a row or what the API says of one: its id, client and what people call it."""
    if isinstance(row, dict):
        whose = row["client_id"] if "client_id" in row else row["id"]
        return {"id": row["id"], "client": whose, "label": str(row["label"])}
    client = row.pk if isinstance(row, Client) else getattr(row, "client_id", None)
    return {"id": row.pk, "client": client, "label": row.label}


def look(access: Access, noun: str, *, id: "UUID | str", client: "UUID | str | None", label: str) -> None:
    """Record it, in the page's own transaction, in one statement. Nothing of oneself, nor of a client's own people."""
    actor = access.actor
    if not actor.somebody or str(actor.person) == str(id) or not operates({held.role for held in access.held}):
        return
    whose = UUID(str(client)) if client else None
    if whose in access.closed:
        return  # nothing of it is shown but that it is closed
    row = {
        "what": LOOKED, "noun": noun, "object": label, "person": plain(actor.person), "name": actor.name,
        "by": actor.sort, "client_id": plain(whose), "at": plain(seconds(timezone.now())),
    }  # fmt: skip
    with widened(access):
        once_an_hour(actor.person, Edit("events", str(id), None, row, whose), UUID(str(id)))


def once_an_hour(person: UUID | None, line: Edit, about: UUID) -> None:
    """An entry of this line, unless this person has one of the same within the hour.

    about: what is counted as the same. Of a look, the object; of anything else at an object, not the object itself.
    """
    salt = os.urandom(SALT)
    leaf = entry.leaf([entry.salted(salt, line.canonical)])
    with connection.cursor() as cursor:
        cursor.execute(ONCE, [person, line.client, about, leaf, line.id, line.after_json, salt])
