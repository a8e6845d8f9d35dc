"""Roles are sets of permissions in code. A permission is a kind's name, or noun.view, or changes.approve."""

from collections.abc import Iterable
from fnmatch import fnmatchcase

OPERATED = (
    "clients.*", "domains.*", "mailboxes.*", "aliases.*", "people.*", "freezes.*", "history.*", "record_sets.*",
    "dkim_keys.*", "invites.*", "grants.*", "sessions.end", "findings.*",
)  # fmt: skip

ROLES: dict[str, frozenset[str]] = {
    "owner": frozenset({"*"}),
    "operator": frozenset({"*.view", *OPERATED}),
    "approver": frozenset({"*.view", "changes.approve", "freezes.start", "findings.accept"}),
    "helpdesk": frozenset({"*.view", "invites.resend", "invites.cancel"}),
    "auditor": frozenset({"*.view"}),
    "client admin": frozenset(
        {"*.view", "mailboxes.*", "aliases.*", "invites.*", "history.roll_back", "findings.acknowledge"}
    ),
}

# A grant never exceeds the granter's, and nobody edits somebody above them.
RANK = ("auditor", "client admin", "helpdesk", "approver", "operator", "owner")

# Roles of whoever runs the service: these sign in with a second factor or not at all.
OPERATOR_ROLES = frozenset(RANK) - {"client admin"}


def allows(roles: Iterable[str], permission: str) -> bool:
    return any(fnmatchcase(permission, allowed) for role in roles for allowed in ROLES.get(role, ()))


def rank(roles: Iterable[str]) -> int:
    """How high the highest of these roles stands; -1 for none."""
    return max((RANK.index(role) for role in roles if role in RANK), default=-1)


def roles_that(permission: str) -> list[str]:
    return [role for role in ROLES if allows([role], permission)]
