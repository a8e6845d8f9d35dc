"""Which role may what, written by hand from the design and held against nothing of the product's.

Where this and `access/roles.py` part, one of the two is wrong, and a cell of the matrix says so.
"""

from __future__ import annotations

from typing import Literal

from principals import CUSTOM, CUSTOM_MAY, LINK, NO_FACTOR, NOBODY, Principal

MAILBOXES = frozenset({
    "mailboxes.create", "mailboxes.change", "mailboxes.suspend", "mailboxes.resume", "mailboxes.remove",
    "mailboxes.restore",
})  # fmt: skip
ALIASES = frozenset({"aliases.create", "aliases.change", "aliases.remove"})
INVITES = frozenset({"invites.send", "invites.issue", "invites.resend", "invites.redirect", "invites.cancel"})
CHANNELS = frozenset({"recovery_channels.name", "recovery_channels.ask", "recovery_channels.end"})
TOKENS = frozenset({"tokens.create", "tokens.end"})
OF_THE_AGENCY = TOKENS | {"grants.elevate"}
RESETS = frozenset({"resets.start", "resets.end", "resets.send_link"})
OPERATES = MAILBOXES | ALIASES | INVITES | CHANNELS | RESETS | {"resets.record_call"} | {
    "clients.create", "clients.change", "clients.place", "clients.suspend", "clients.resume", "clients.remove",
    "clients.restore", "domains.add", "domains.change", "domains.suspend", "domains.resume", "domains.remove",
    "domains.restore", "record_sets.set", "record_sets.release", "dkim_keys.activate", "people.invite",
    "people.change", "people.suspend", "people.resume", "people.remove", "people.restore", "grants.give", "grants.end",
    "freezes.start", "freezes.end", "history.roll_back", "sessions.end", "findings.acknowledge", "findings.accept",
    "findings.reopen", "entries.export", "rosters.open", "rosters.answer", "nodes.deliver_again",
}  # fmt: skip
OWNS = OPERATES | {
    "resets.vouch",
    "organization.change", "nodes.add", "nodes.drain", "nodes.remove", "roles.create", "roles.change", "roles.end",
    "record.erase", "access.suspend", "access.resume", "changes.approve", "recoveries.approve",
    "access_reviews.open", "access_reviews.sign",
}  # fmt: skip
MAY: dict[str, frozenset[str]] = {
    "break-glass": OWNS | OF_THE_AGENCY,
    "owner": OWNS | OF_THE_AGENCY,
    "operator": OPERATES | OF_THE_AGENCY,
    "approver": OF_THE_AGENCY | {
        "changes.approve", "freezes.start", "findings.accept", "access_reviews.open", "access_reviews.sign",
        "grants.end",
    },
    "helpdesk": OF_THE_AGENCY | {
        "invites.resend", "invites.cancel", "resets.start", "resets.record_call", "resets.end",
    },
    "auditor": OF_THE_AGENCY | {"entries.export"},
    "client admin": MAILBOXES | ALIASES | INVITES | CHANNELS | RESETS | TOKENS | {"resets.vouch"} | {
        "history.roll_back", "access.suspend", "access.resume", "findings.acknowledge", "entries.export",
        "rosters.answer",
    },
    "client viewer": frozenset(),
    CUSTOM: frozenset(CUSTOM_MAY),
}  # fmt: skip
LOOKS = frozenset(MAY) - {CUSTOM}  # every role of Postroom's own may look at everything where it is held

Verdict = Literal["nobody", "enrol", "not let in", "not there", "refused", "allowed", "either"]


def role_may(role: str, permission: str) -> bool:
    return permission in MAY[role] or (permission.endswith(".view") and role in LOOKS)


def may(principal: Principal, permission: str, letter: str) -> bool:
    """At this client (or, `*`, at the agency itself)."""
    if principal.only is not None and permission not in principal.only:
        return False
    held = {principal.roles.get(letter), principal.roles.get("*")} - {None}
    return any(role_may(role, permission) for role in held if role)


def may_somewhere(principal: Principal, permission: str) -> bool:
    return any(may(principal, permission, where) for where in principal.roles)


def stranger(principal: Principal) -> Verdict | None:
    """What somebody is told wherever they knock; None for who is somebody."""
    if principal.comes in (NOBODY, LINK):
        return "nobody"
    return "enrol" if principal.comes == NO_FACTOR else None


def verdict(principal: Principal, permission: str, letter: str, *, door: str = "") -> Verdict:
    """Of an act that takes `permission`, on an object of this client (`N`: of none), by a route that takes `door`.

    What is at one domain alone says nothing of the rest of its client: there both answers are right.
    """
    if (told := stranger(principal)) is not None:
        return told
    if not may_somewhere(principal, door or permission):
        return "not let in"
    if letter not in (*principal.knows, "*"):
        return "not there"
    if principal.narrow:
        return "either"
    return "allowed" if may(principal, permission, letter) else "refused"
