"""Which role may what, written by hand from the design and held against nothing of the product's.

Where this and `access/roles.py` part, one of the two is wrong, and a cell of the matrix says so.
"""

from __future__ import annotations

from typing import Literal

from principals import CUSTOM, CUSTOM_MAY, LINK, NO_FACTOR, NOBODY, OWNER, Principal

MAILBOXES = frozenset({
    "mailboxes.create", "mailboxes.change", "mailboxes.suspend", "mailboxes.resume", "mailboxes.remove",
    "mailboxes.restore", "mailboxes.transfer", "mailboxes.end_sessions",
})  # fmt: skip
ALIASES = frozenset({"aliases.create", "aliases.change", "aliases.remove"})
ROUTES = frozenset({
    "forwards.create", "forwards.change", "forwards.disable", "forwards.enable", "forwards.end", "catch_alls.set",
    "forwards.replace", "forwards.stop",
    "catch_alls.end", "exceptions.create", "exceptions.end", "transports.create",
    "transports.end",
})  # fmt: skip
INVITES = frozenset({"invites.send", "invites.issue", "invites.resend", "invites.redirect", "invites.cancel"})
CHANNELS = frozenset({"recovery_channels.name", "recovery_channels.ask", "recovery_channels.end"})
TOKENS = frozenset({"tokens.create", "tokens.end"})
OF_THE_AGENCY = TOKENS | {"grants.elevate"}
RESETS = frozenset(
    {
        "resets.start",
        "resets.end",
        "resets.send_link",
        "resets.ask_code",
        "resets.enter_code",
        "resets.declare_emergency",
    }
)
DELEGATIONS = frozenset({"delegations.ask", "delegations.end"})
FILTERS = frozenset({"filters.set", "filters.end", "redirects.stop", "redirects.resume"})
ANSWERS = frozenset({"delegations.consent", "delegations.decline"})
PROBES = frozenset({"probes.send"})
DESTINATIONS = frozenset({"destinations.create", "destinations.change", "destinations.end"})
AGENTS = FILTERS | DELEGATIONS | DESTINATIONS | PROBES | MAILBOXES | ALIASES | ROUTES | INVITES | CHANNELS | RESETS
OPERATES = AGENTS | {"resets.record_call"} | {
    "clients.create", "clients.change", "clients.place", "clients.suspend", "clients.resume", "clients.remove",
    "clients.restore", "clients.ask_contact", "domains.ask_contact", "domains.add", "domains.change", "domains.suspend",
    "domains.resume", "domains.remove", "domains.restore", "domains.set_alias", "record_sets.set",
    "record_sets.release", "dkim_keys.activate", "dkim_keys.rotate", "dkim_keys.retire", "dkim_keys.revoke",
    "people.invite", "people.change", "people.suspend", "people.resume",
    "people.remove", "people.restore", "grants.give", "grants.end", "freezes.start", "freezes.end", "history.roll_back",
    "sessions.end", "findings.acknowledge", "findings.accept", "findings.reopen", "entries.export", "sheets.export",
    "rosters.open", "rosters.answer", "nodes.deliver_again",
    "app_passwords.end", "consents.end", "doubts.settle", "forwards.tell_owner",
}  # fmt: skip
OWNS = OPERATES | ANSWERS | {
    "resets.vouch", "resets.waive_wait",
    "organization.change", "nodes.add", "nodes.drain", "nodes.remove", "roles.create", "roles.change", "roles.end",
    "record.erase", "access.suspend", "access.resume", "changes.approve", "recoveries.approve", "resets.approve",
    "access_reviews.open", "access_reviews.sign", "mail_apps.add", "mail_apps.end",
}  # fmt: skip
MAY: dict[str, frozenset[str]] = {
    "break-glass": OWNS | OF_THE_AGENCY,
    "owner": OWNS | OF_THE_AGENCY,
    "operator": OPERATES | OF_THE_AGENCY,
    "approver": OF_THE_AGENCY | {
        "changes.approve", "resets.approve", "freezes.start", "findings.accept", "access_reviews.open",
        "access_reviews.sign", "grants.end", "delegations.end",
    },
    "helpdesk": OF_THE_AGENCY | {
        "invites.resend", "invites.cancel", "resets.start", "resets.record_call", "resets.end",
        "resets.ask_code", "resets.enter_code",
    },
    "auditor": OF_THE_AGENCY | {"entries.export", "sheets.export"},
    "client admin": AGENTS | ANSWERS | TOKENS | {
        "resets.vouch", "resets.waive_wait", "resets.approve",
        "history.roll_back", "access.suspend", "access.resume", "findings.acknowledge", "entries.export",
        "sheets.export", "rosters.answer", "app_passwords.end", "consents.end", "doubts.settle", "forwards.tell_owner",
    },
    "client viewer": frozenset(),
    CUSTOM: frozenset(CUSTOM_MAY),
}  # fmt: skip
LOOKS = frozenset(MAY) - {CUSTOM}  # every role of Postroom's own may look at everything where it is held

# Whoever holds a role at one domain alone sees, of its client, what belongs to that domain, and nothing else: not the
# client itself, its people, their rights, what it is asked every quarter, nor links to its sign-ins. By the names of
# `asked.value`, and by the kinds of `asked_kinds`: those that are about something they see.
AT_A_DOMAIN = frozenset({
    "domain", "domain name", "mailbox", "mail", "address", "postmaster", "alias", "alias mail", "record_set", "key",
    "forward", "catch-all", "exception", "transport", "delegation",
    "finding", "finding known", "entry", "made", "held", "withdrawn", "later", "reviewed", "batch", "batch made",
    "batch gone",
    "dkim_keys.activate", "dkim_keys.rotate", "dkim_keys.retire", "dkim_keys.revoke",
    "domains.ask_contact", "domains.change", "domains.restore", "domains.resume",
    "domains.suspend", "forwards.tell_owner", "findings.accept",
    "findings.acknowledge", "findings.reopen", "history.roll_back", "invites.send", "record.erase",
    "record_sets.release", "record_sets.set", "recovery_channels.name", "resets.start",
}) | MAILBOXES | ALIASES | ROUTES | DELEGATIONS | PROBES | FILTERS  # fmt: skip
# What these write belongs to the client as a whole, whatever it is about.
OF_A_WHOLE = frozenset({"findings.accept", "findings.acknowledge", "findings.reopen", "record.erase"})

Verdict = Literal[
    "nobody", "their mailbox", "to that sign-in", "enrol", "not let in", "not there", "refused", "allowed"
]  # fmt: skip


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
    if principal.comes == OWNER:
        return "their mailbox"
    return "enrol" if principal.comes == NO_FACTOR else None


STOPPED = ("nobody", "their mailbox", "enrol", "not let in")


def verdict(principal: Principal, permission: str, letter: str, *, door: str = "", of: str = "") -> Verdict:
    """Of an act that takes `permission`, on an object of this client (`N`: of none), by a route that takes `door`.

    of: which object it is, or which kind says so; it matters to who sees a single domain.
    """
    if (told := stranger(principal)) is not None:
        return told
    if not may_somewhere(principal, door or permission):
        return "not let in"
    if letter not in (*principal.knows, "*"):
        return "not there"
    if principal.narrow and letter != "*" and of not in AT_A_DOMAIN:
        return "not there"
    if principal.narrow and permission in OF_A_WHOLE:
        return "refused"
    return "allowed" if may(principal, permission, letter) else "refused"
