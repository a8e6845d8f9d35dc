"""Who it is that asks, by what they bring to a door: a token, a session, a sign-in. Asked before anybody acts."""

from typing import Any
from uuid import UUID

from django.db import connection

from .actor import Actor, Own, SignedIn


def ask(statement: str, *values: Any, **named: Any) -> list[tuple[Any, ...]]:
    """The rows of a statement with %s for each of `values`, or %(name)s for each that is named."""
    with connection.cursor() as cursor:
        cursor.execute(statement, named or values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def token_of(hashed: str) -> tuple[Actor, tuple[str, ...]] | None:
    """(who acts by it, the networks it may come from; none: any) of an API token's SHA-256; None for one no good."""
    found = ask("SELECT * FROM postroom_token(%s)", hashed)
    return (Actor(found[0][1], found[0][2], "token", token=found[0][0]), tuple(found[0][3])) if found else None


def session_of(hashed: str) -> tuple[UUID, Actor, str] | None:
    """(session, who, how the second factor was shown) of its token's SHA-256; None for any that is no good."""
    found = ask("SELECT * FROM postroom_session(%s)", hashed)
    return (found[0][0], Actor(found[0][1], found[0][2]), found[0][3]) if found else None


def signed_in(person: UUID) -> SignedIn | None:
    """Of a person who signed in once; None when they may not sign in (any more)."""
    found = ask("SELECT * FROM postroom_signed_in(%s)", person)
    return SignedIn(Actor(person, found[0][0]), frozenset(found[0][1]), found[0][2]) if found else None


def owner_at(address: str) -> Own | None:
    """The mailbox of this address, if its owner may sign in to it now."""
    found = ask("SELECT * FROM postroom_owner(NULL, %s, NULL)", address)
    return Own(*found[0]) if found else None


def own_of(mailbox: UUID, epoch: int | None = None, code: str | None = None) -> Own | None:
    """The same by its id; only while its access is as it was at this epoch, and its code the one with this hash, where
    they are named."""
    found = [Own(*row) for row in ask("SELECT * FROM postroom_owner(%s, NULL, %s)", mailbox, code)]
    return next((own for own in found if epoch is None or own.epoch == epoch), None)
