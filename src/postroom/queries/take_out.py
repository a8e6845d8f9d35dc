"""One client's record, taken out for somebody: it stands in the record first, then the archive is made as they see it.

Under row security, as whoever asks: what they may not read is not in it.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from uuid import UUID

from django.db import connection

from postroom.access.acting import Actor, acting_as
from postroom.access.roles import EXPORT
from postroom.access.scope import visible
from postroom.changes.errors import NotSeen
from postroom.models import Client
from postroom.posture.signed import key_line
from postroom.protocols import note
from postroom.record.export import NothingSigned, export

from .exporting import exporting


@dataclass(frozen=True)
class Archive:
    """An open file that is nowhere any more once it is closed, and what to call it."""

    file: IO[bytes]
    name: str
    entries: int


def take_out(actor: Actor, ref: str, *, why: str, fresh: bool) -> Archive:
    """The archive of a client, by its slug or id. NotAllowed, StepUp, or NotSeen where nothing can be proven yet."""
    with exporting(actor, ref, EXPORT, said="record exported", why=why, fresh=fresh) as client:
        if not (key := key_line()):
            raise NotSeen("the signer's key cannot be read here, so nothing could be proven by it")
    with acting_as(actor), tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "record.zip"
        try:
            count = export(_raw(), _still(actor, client.pk), note.verifier(key), path)
        except (NothingSigned, note.BadNote) as none:
            raise NotSeen(str(none)) from None
        return Archive(path.open("rb"), f"record-{client.slug}.zip", count)


def _still(actor: Actor, client: UUID) -> UUID:
    found: UUID = visible(actor, Client).values_list("pk", flat=True).get(pk=client)
    return found


def _raw() -> Any:
    """The connection that this transaction runs on, for what knows no Django; its row security is the same."""
    return connection.connection
