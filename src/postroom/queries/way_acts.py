"""What can be done to a way out, and of what cannot, why: one rule for the pages, the API and the program.

An act is to the rule that leads outside, whatever leads to it: all ways that end in that rule are one leak.
"""

from collections.abc import Callable
from dataclasses import dataclass

WORKED_OUT = "where it goes is worked out by a script when mail comes; its owner can be told"
OFF = "disabled, or stopped at its node, already: nothing goes by it"
HANDED = "handed to another server: a transport is its own exception, and can be ended"
NO_COPY = "handed to another server, so no mailbox here has the mail; the transport can be ended"
CAUGHT = "caught for a whole domain, which no exception covers: end it, or have it lead to an address inside"
NO_BOX = "caught for a whole domain, which has no mailbox of its own to open: end it, or have it lead to one"
NOTIFIES = "a filter tells of mail there and passes none on: nodes refuse such scripts"
NO_OWNER = "no mailbox passes it on, so there is no owner to tell: who made it stands in the list"
HANDS_OVER = "handed to another server by a transport: who answers for it stands on it"


@dataclass(frozen=True)
class Exit:
    """The rule by which a way leaves: at which address (@domain: caught for all of it), to what, by which mechanism.
    mailbox: at that address, empty where none is; off: nothing goes by it."""

    at: str
    target: str
    by: str
    mailbox: str
    off: bool


def _excepted(one: Exit) -> str:
    if one.by == "transport":
        return HANDED
    return CAUGHT if one.by == "catch-all" else "" if one.target else WORKED_OUT


def _stopped(one: Exit) -> str:
    if one.by == "sieve notify":
        return NOTIFIES
    return OFF if one.off else "" if one.target else WORKED_OUT


def _replaced(one: Exit) -> str:
    if one.by == "transport":
        return NO_COPY
    return NO_BOX if one.by == "catch-all" else _stopped(one)


def _told(one: Exit) -> str:
    return HANDS_OVER if one.by == "transport" else "" if one.mailbox else NO_OWNER


ACTS: dict[str, Callable[[Exit], str]] = {
    "exceptions.create": _excepted, "forwards.stop": _stopped, "forwards.replace": _replaced,
    "forwards.tell_owner": _told,
}  # fmt: skip


def why_not(act: str, one: Exit) -> str:
    """Why an act cannot be done to it, as a clause; empty where it can."""
    return ACTS[act](one)


def cannot(one: Exit) -> dict[str, str]:
    """Act → why not, of those that cannot be done."""
    return {act: why for act in ACTS if (why := why_not(act, one))}
