"""Edits in plain words: a table's noun, a field's words, a value as a person reads it.

Takes what a change's edits hold (`table, label, before, after` with JSON values), so the plan of a new change, a
change of last year and an undo read alike. A table or field without words here is shown by its own name, never
left out: a kind somebody adds is readable before anybody adds words for it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime

from postroom.web.parts.shapes import FieldDiff, ObjectDiff

NOUNS: dict[str, tuple[str, str]] = {
    "organizations": ("Organization", "building-community"),
    "nodes": ("Node", "server-2"),
    "clients": ("Client", "building"),
    "freezes": ("Freeze", "snowflake"),
    "domains": ("Domain", "world"),
    "addresses": ("Address", "at"),
    "record_sets": ("Record set", "arrows-exchange"),
    "dkim_keys": ("Signing key", "key"),
    "mailboxes": ("Mailbox", "mailbox"),
    "aliases": ("Alias", "route"),
    "forwards": ("Forward", "route"),
    "destinations": ("Destination", "route"),
    "catch_alls": ("Catch-all", "route"),
    "probes": ("Probe", "send"),
    "exceptions": ("Exception", "route"),
    "transports": ("Transport", "route"),
    "delegations": ("Access to a mailbox", "user-cog"),
    "filters": ("Filter", "mail-cog"),
    "redirect_stops": ("Stop of a redirect", "hand-stop"),
    "invites": ("Invite", "mail"),
    "credentials": ("App password", "key"),
    "letters": ("Letter", "mail"),
    "secrets": ("Secret", "lock"),
    "people": ("Person", "user"),
    "grants": ("Role given", "user-check"),
    "acceptances": ("Decision about a finding", "urgent"),
    "api_sessions": ("API session", "plug-connected"),
    "api_tokens": ("API token", "plug-connected"),
    "roles": ("Role", "user-check"),
    "rounds": ("Access review or roster", "checklist"),
    "round_lines": ("Line", "checklist"),
    "recovery_channels": ("Recovery channel", "first-aid-kit"),
    "verifications": ("Verified reset", "phone"),
    "proofs": ("Proof of an owner", "phone"),
    "doubts": ("Doubt of an owner", "question-mark"),
    "reset_codes": ("Code to read out", "number"),
    "erasures": ("Erasure", "history-off"),
    "devices": ("Device", "device-desktop"),
    "redeliveries": ("Object at a node", "server-2"),
}
"""A table's noun and icon."""

FIELDS: dict[str, str] = {
    "access_epoch": "Sessions",
    "activated_at": "Signs since",
    "answered_at": "Answered",
    "ask_at": "Asked again",
    "answered_by_id": "Answered by",
    "client_admin_id": "Client admin",
    "client_id": "Client",
    "confirmed_at": "Confirmed",
    "confirms_id": "Confirms",
    "dns_holder": "DNS holder",
    "domain_id": "Domain",
    "drained_at": "Drained",
    "disabled_at": "Disabled",
    "alias_of_id": "Alias of",
    "forward_allowed": "Mail may be passed on to",
    "forward_forbidden": "Mail is never passed on to",
    "due_at": "Due",
    "ended_at": "Ended",
    "expires_on": "Registration ends",
    "found": "As found",
    "happened": "Happened",
    "given_by_id": "Given by",
    "held_over": "A second person looks at more objects than",
    "keep_copy": "Keeps a copy",
    "made": "Made",
    "may_ask": "May ask for changes",
    "node_id": "Node",
    "on_end": "When it ends, forwards are",
    "review_on": "Looked at again",
    "target": "Goes to",
    "to": "Goes to",
    "to_mailbox_id": "For the owner of",
    "rights": "May",
    "requester_id": "Asked by",
    "wants": "Consent is wanted of",
    "owner_at": "Its owner consented",
    "client_at": "The client consented",
    "client_by_id": "Of the client",
    "started_at": "Started",
    "on_behalf": "Told to the organization",
    "opened_at": "Opened",
    "operator_id": "Operator",
    "ours": "Ours",
    "owner_id": "Owner",
    "person_id": "Person",
    "proof": "Proof",
    "public": "Public half",
    "quota_mb": "Quota, MB",
    "confirmed_on": "Holders confirmed",
    "registrar_mfa": "Second factor at the registrar",
    "second_holder": "Second holder of that login",
    "sending": "Mail leaves",
    "registrar_account": "Registrar account mail",
    "registrar_account_holder": "Registrar account mail held by",
    "registrar_ask_at": "Registrar account mail asked again",
    "registrar_confirmed_at": "Registrar account mail confirmed",
    "security_ask_at": "Security contact asked again",
    "security_confirmed_at": "Security contact confirmed",
    "vouches": "Says it is read",
    "registrar_holder": "Registrar login held by",
    "removed_at": "Removed",
    "retired_at": "Retired",
    "saw": "What was so then",
    "security_contact": "Security contact",
    "set_aside": "Set aside",
    "stood": "As it stood",
    "suspended_at": "Suspended",
    "targets": "Lands at",
    "times": "Asked for, times",
    "ttl": "TTL",
    "undo_within": "One's own undo goes by itself, minutes",
    "until": "Until",
    "used_at": "Used",
    "values": "Values",
    "vip": "VIP",
}
"""A field's words, where its name is not good enough."""

QUIET = frozenset({"id", "version", "address_id", "owner_row", "proof_token"})
"""Fields of a new or ended row that say nothing to a reader; shown where they are the change."""

MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d")
DAY = re.compile(r"\d{4}-\d\d-\d\d$")
LONGEST = 2_000
"""Characters of one value that are shown."""


def plain_edit(
    table: str,
    label: str,
    before: Mapping[str, object] | None,
    after: Mapping[str, object] | None,
    *,
    names: Mapping[str, str] | None = None,
    url: str = "",
    read: str = "",
) -> ObjectDiff:
    """One edit as what becomes different of one object.

    `names` puts words to ids (`{"0191…": "Harbor Legal LLP"}`); an id without a name is shown as it is. A row that
    is made has no `before`, one that goes no `after`. `read`: when the state before was read.
    """
    noun, icon = NOUNS.get(table, (table.replace("_", " ").capitalize(), "point"))
    known = names or {}
    fields = tuple(
        FieldDiff(field_words(name), shown(old.get(name), known), shown(new.get(name), known))
        for old, new, name in differing(before, after)
    )
    return ObjectDiff(noun, label, fields, icon=icon, what=summed(before, after, len(fields)), url=url, read=read)


def differing(
    before: Mapping[str, object] | None, after: Mapping[str, object] | None
) -> tuple[tuple[Mapping[str, object], Mapping[str, object], str], ...]:
    """The fields to show, each with both sides: those that differ, of a whole row without what says nothing."""
    old, new = before or {}, after or {}
    whole = before is None or after is None
    names = [name for name in dict.fromkeys([*old, *new]) if old.get(name) != new.get(name)]
    return tuple((old, new, name) for name in names if not (whole and (name in QUIET or empty(old, new, name))))


def empty(old: Mapping[str, object], new: Mapping[str, object], name: str) -> bool:
    return old.get(name) in (None, "", []) and new.get(name) in (None, "", [])


def summed(before: Mapping[str, object] | None, after: Mapping[str, object] | None, fields: int) -> str:
    if before is None:
        return "is made"
    if after is None:
        return "goes"
    return "1 field" if fields == 1 else f"{fields} fields"


def field_words(name: str) -> str:
    """`registrar_account` → *Registrar account mail*; a name without words is spelt out."""
    return FIELDS.get(name, name.removesuffix("_id").replace("_", " ").capitalize())


def shown(value: object, names: Mapping[str, str] | None = None) -> str | None:
    """A JSON value as a person reads it; None for nothing. Several values stand one a line."""
    match value:
        case None | "" | [] | ():
            return None
        case bool():
            return "yes" if value else "no"
        case str() if MOMENT.match(value):
            return moment(value)
        case str() if DAY.match(value):
            return day(date.fromisoformat(value))
        case list() | tuple():
            return cut("\n".join(shown(one, names) or "nothing" for one in value))
        case Mapping():
            return cut("\n".join(f"{field_words(str(k))}: {shown(v, names) or 'nothing'}" for k, v in value.items()))
    return cut((names or {}).get(str(value), str(value)))


def cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text) - LONGEST:,} characters more)"


def moment(value: str) -> str:
    """`2026-11-24T09:12:00Z` → *24 Nov 2026 09:12:00 UTC*; what is not a time after all stays as it is."""
    try:
        at = datetime.fromisoformat(value.replace("Z", "+00:00"))
    except ValueError:
        return value
    utc = at.astimezone(UTC) if at.tzinfo else at
    return f"{day(utc.date())} {utc:%H:%M:%S}" + (" UTC" if at.tzinfo else "")


def day(at: date) -> str:
    return f"{at.day} {at:%b %Y}"
