"""Roles are sets of permissions in code. A permission is a kind's name, or noun.view, or changes.approve.

Roles of an organization's own are rows (models/people.py): permissions by their names, and never a pattern.
"""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from functools import lru_cache

OPERATED = (
    "clients.*", "domains.*", "mailboxes.*", "aliases.*", "people.*", "freezes.*", "history.*", "record_sets.*",
    "forwards.*", "catch_alls.*", "exceptions.*", "transports.*", "destinations.*", "delegations.ask",
    "delegations.end", "filters.set", "filters.end", "redirects.*", "dkim_keys.*",
    "invites.*", "grants.*", "sessions.end", "findings.*", "nodes.deliver_again",
    "rosters.*", "recovery_channels.*", "app_passwords.end", "consents.end", "resets.start", "resets.record_call",
    "resets.send_link", "resets.end", "resets.ask_code", "resets.enter_code", "resets.declare_emergency",
    "doubts.settle", "probes.send",
)  # fmt: skip
APPROVE = "changes.approve"
EXPORT = "entries.export"  # take a client's record away
SHEET = "sheets.export"  # and its inventory
ONES_OWN = ("*.view", "tokens.create", "tokens.end", "grants.elevate")

SEALED = "break-glass"  # of the sealed logins: whoever uses one may do all, everywhere, and every owner is told

ROLES: dict[str, frozenset[str]] = {
    SEALED: frozenset({"*"}),
    "owner": frozenset({"*"}),
    "operator": frozenset({*ONES_OWN, *OPERATED, EXPORT, SHEET}),
    # Who signs an access review may end what shall not stay: no grant above them (policies/rank.py), any delegation.
    "approver": frozenset({
        *ONES_OWN, APPROVE, "resets.approve", "freezes.start", "findings.accept", "access_reviews.*", "grants.end",
        "delegations.end",
    }),
    "helpdesk": frozenset({
        *ONES_OWN, "invites.resend", "invites.cancel", "resets.start", "resets.record_call", "resets.end",
        "resets.ask_code", "resets.enter_code",
    }),
    "auditor": frozenset({*ONES_OWN, EXPORT, SHEET}),
    "client admin": frozenset({
        "*.view", "tokens.create", "tokens.end", "mailboxes.*", "aliases.*", "forwards.*", "catch_alls.*",
        "exceptions.*", "transports.*", "destinations.*", "delegations.*", "filters.*", "redirects.*", "invites.*",
        "history.roll_back", "access.suspend", "access.resume",
        "findings.acknowledge", "rosters.answer", "recovery_channels.*",
        "resets.start", "resets.vouch", "resets.send_link", "resets.end", "resets.ask_code", "resets.enter_code",
        "resets.declare_emergency", "resets.waive_wait", "resets.approve", EXPORT, "app_passwords.end", "consents.end",
        SHEET, "doubts.settle", "probes.send",
    }),
    "client viewer": frozenset({"*.view"}),
}  # fmt: skip

# A grant never exceeds the granter's, and nobody edits somebody above them.
RANK = ("client viewer", "auditor", "client admin", "helpdesk", "approver", "operator", "owner", SEALED)

# Held by a client's own people, at their client alone. Every other role is of whoever runs the service: these sign in
# with a second factor or not at all.
CLIENT_ROLES = frozenset({"client admin", "client viewer"})


# Of whoever signed in to a mailbox with its own password, at that one mailbox; no grant gives it.
MAILBOX_OWNER = "mailbox owner"
OWNED = frozenset({
    "secrets.change", "secrets.renew", "app_passwords.create", "app_passwords.end", "consents.grant", "consents.end",
    "recovery_channels.name", "recovery_channels.end", "mailboxes.end_sessions", "doubts.raise",
    "delegations.ask", "delegations.consent", "delegations.decline", "delegations.end",
    "forwards.create", "forwards.disable", "forwards.end",
    "filters.write", "filters.end",
})  # fmt: skip


def matches(allowed: Iterable[str], permission: str) -> bool:
    return _matches(frozenset(allowed), permission)


@lru_cache(maxsize=1 << 14)  # a change asks this hundreds of times, of a few roles and every permission there is
def _matches(allowed: frozenset[str], permission: str) -> bool:
    return any(fnmatchcase(permission, one) for one in allowed)


def permissions_of(role: str, own: Iterable[str] | None = None) -> Iterable[str]:
    """What a role lets its holder do; `own`: of a role that is the organization's, not ours."""
    if role == MAILBOX_OWNER:
        return OWNED
    return ROLES.get(role, frozenset()) if own is None else own


def allows(roles: Iterable[str], permission: str) -> bool:
    return any(matches(permissions_of(role), permission) for role in roles)


def operates(roles: Iterable[str]) -> bool:
    """Whether any of these roles is of whoever runs the service."""
    return bool(set(roles) - CLIENT_ROLES)


def rank(roles: Iterable[str]) -> int:
    """How high the highest of these roles stands; -1 for none."""
    return max((RANK.index(role) for role in roles if role in RANK), default=-1)


def rank_of(permissions: Iterable[str]) -> int:
    """Where a role of the organization's own stands: with the lowest of ours that may do all of it."""
    wanted = list(permissions)
    return next(n for n, role in enumerate(RANK) if all(matches(ROLES[role], one) for one in wanted))


def roles_that(permission: str) -> list[str]:
    return [role for role in ROLES if allows([role], permission)]
