"""What the database tells the owner of a mailbox who acts, beside the rows that are their own (sql/install.sql)."""

from datetime import datetime
from uuid import UUID

from .known import ask


def own_entry(number: int) -> tuple[str, datetime] | None:
    """(kind or event, when) of an entry about the mailbox its owner acts for; None for none, and for anybody else's."""
    found = ask("SELECT entry, said, at FROM postroom_own_story(%s::bigint, NULL, NULL, 1)", number + 1)
    return next(((said, at) for entry, said, at in found if entry == number), None)


def own_filter() -> tuple[datetime, bool, str | None] | None:
    """When that mailbox's filter was last changed, whether its node has read that back, and the digest of the script
    that is to be in force since; None where none of ours is."""
    return next(iter(ask("SELECT at, read_back, digest FROM postroom_own_filter()")), None)


def own_node() -> tuple[UUID | None, datetime | None]:
    """Which node serves that mailbox, and when it last listed who is signed in."""
    return next(((node, at) for node, at in ask("SELECT * FROM postroom_own_listed()")), (None, None))
