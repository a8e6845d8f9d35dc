"""States as badges: of changes, of what was read back, of mailboxes. Words and icon, always both."""

from collections.abc import Mapping
from typing import Any

from postroom.protocols.addresses import unicode_of
from postroom.protocols.scripts import mixed_scripts, scripts_of
from postroom.queries.mailboxes import Entry
from postroom.queries.records import CHECKS
from postroom.web.parts.shapes import Badge
from postroom.web.times import when

STAGES: dict[str, Badge] = {
    "proposed": Badge("waits", "proposed"),
    "held": Badge("waits", "held for a second person", "player-pause"),
    "scheduled": Badge("waits", "scheduled", "calendar-time"),
    "applied": Badge("waits", "applied, not all read back", "clock-pause"),
    "verified": Badge("good", "verified"),
    "refused": Badge("fact", "refused", "ban"),
    "withdrawn": Badge("fact", "withdrawn", "x"),
    "stale": Badge("warn", "stale: the rows changed meanwhile"),
}
BY_HAND = Badge("warn", "set up by hand, not yet its owner's")
NOT_MEASURED = Badge("unmeasured", "not measured yet")
CHECK_WORDS = {
    "good": Badge("good", "as wanted"),
    "bad": Badge("bad", "differs"),
    "waits": Badge("waits", "not written yet"),
    "unmeasured": NOT_MEASURED,
}


SEVERITIES: dict[str, Badge] = {
    "critical": Badge("bad", "critical", "alert-octagon"),
    "high": Badge("bad", "high", "urgent"),
    "medium": Badge("warn", "medium"),
    "low": Badge("fact", "low", "info-circle"),
}


def severity(name: str) -> Badge:
    return SEVERITIES[name]


def stage(name: str) -> Badge:
    return STAGES.get(name, Badge("fact", name))


def check(state: str, words: str = "") -> Badge:
    look = CHECK_WORDS.get(state, NOT_MEASURED)
    return Badge(look.state, words, look.icon) if words else look


def checks(states: Mapping[str, str] | None) -> Badge:
    """All checks of one domain in one badge."""
    known = states or {}
    if wrong := [name for name in CHECKS if known.get(name) == "bad"]:
        return Badge("bad", f"{', '.join(wrong)} {'differs' if len(wrong) == 1 else 'differ'}")
    if unread := [name for name in CHECKS if known.get(name, "unmeasured") == "unmeasured"]:
        return NOT_MEASURED if len(unread) == len(CHECKS) else Badge("unmeasured", f"{', '.join(unread)} not measured")
    return Badge("good", "as wanted")


def proof(domain: Any) -> Badge:
    match domain.proof:
        case "read":
            return Badge("good", "read")
        case "lost":
            return Badge("bad", "lost: it delivers no more")
    return Badge("waits", "waits to be read", "hourglass")


def standing(row: Any) -> tuple[Badge, ...]:
    """Removed, suspended, VIP: what is so of an object; nothing where nothing is."""
    found = []
    if getattr(row, "vip", False):
        found.append(Badge("fact", "VIP", "star"))
    if row.removed_at:
        found.append(Badge("fact", f"Removed {when(row.removed_at)}", "trash"))
    elif getattr(row, "suspended_at", None):
        found.append(Badge("fact", f"Suspended {when(row.suspended_at)}", "lock"))
    return tuple(found)


def spelt(name: str) -> tuple[Badge, ...]:
    """A name in letters of its own, beside the one it is kept by; and a warning where they are of several scripts."""
    read = unicode_of(name)
    if read == name:
        return ()
    scripts = sorted(one.capitalize() for one in scripts_of(read))
    mixed = (Badge("warn", f"mixes scripts: {', '.join(scripts)}"),) if mixed_scripts(read) else ()
    return (Badge("fact", read, "world"), *mixed)


def sign_in(mailbox: Any, entry: Entry) -> Badge:
    """Can the owner get in? What is set, what is out, never a guess."""
    if mailbox.removed_at:
        return Badge("fact", "removed", "trash")
    if mailbox.suspended_at:
        return Badge("fact", "suspended", "lock")
    if mailbox.kind == "shared":
        return Badge("fact", "no sign-in: shared", "users")
    if "password" in entry.secrets:
        return Badge("good", "password set")
    if "recovery code" in entry.secrets:
        return Badge("waits", "has to set another password", "hourglass")
    if entry.invite and not entry.invite.by_mail:
        return BY_HAND
    if entry.live_invite:
        return Badge("waits", "invited", "hourglass")
    if entry.invite:
        return Badge("warn", "invite ran out" if entry.invite.until else "invite not sent yet")
    return Badge("fact", "nobody invited", "mail-off")
