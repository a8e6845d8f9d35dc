"""Which lines of the record are about somebody: where their mail address or the id of their row stands in one."""

import json
import re
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast

from postroom.access.acting import Actor
from postroom.access.scope import visible
from postroom.models import Address, Mailbox, Person, RecordedEdit

from .page import Page

BEFORE, BEHIND = r"(?<![\w.+-])", r"(?![\w-]|\.\w)"  # anna-mia@… is not mia@…


def lines_about(
    actor: Actor, ref: str, *, client: UUID | None, after: str | None = None, limit: int = 200
) -> Page[dict[str, Any]]:
    """Lines of one client's record (None: the organization's) about a person or mailbox, oldest first; none erased.

    ref: a mail address or the id of a row. A line is named `entry.n`, as record.erase takes it; line 0 of an entry says
    what was asked, by whom and why. fields: those in which they stand; none where the row itself is theirs.
    """
    words = sorted({ref, *_known(actor, ref)})
    rows = _holding(RecordedEdit.objects.filter(client=client, hashed=None), words)
    if after is not None:
        entry, _, n = after.partition(".")
        rows = rows.filter(Q(entry__gt=int(entry)) | Q(entry=int(entry), n__gt=int(n)))
    found = list(rows.select_related("entry").order_by("entry_id", "n")[: limit + 1])
    items = [_line(one, words) for one in found[:limit]]
    return Page(items, items[-1]["line"] if len(found) > limit else None)


def _known(actor: Actor, ref: str) -> set[str]:
    """Ids of the mailbox and person this is, and their addresses; nothing where no row knows it (any more)."""
    try:
        mailbox, person = Q(pk=UUID(ref)), Q(pk=UUID(ref))
    except ValueError:
        mailbox, person = Q(address__address=ref.lower()), Q(email=ref.lower())
    found: set[str] = set()
    for pk, address, name in visible(actor, Mailbox).filter(mailbox).values_list("pk", "address", "address__address"):
        found |= {str(pk), str(address), name}
    for pk, email in visible(actor, Person).filter(person).values_list("pk", "email"):
        found |= {str(pk), email}
    ids = visible(actor, Address).filter(address__in=[ref.lower()]).values_list("pk", flat=True)
    return found | {str(pk) for pk in ids}


def _holding(rows: "QuerySet[RecordedEdit]", words: list[str]) -> "QuerySet[RecordedEdit]":
    text = {f"{side}_text": Cast(side, TextField()) for side in ("before", "after")}
    pattern = f"{BEFORE}({'|'.join(map(_quoted, words))}){BEHIND}"
    ids = [word for word in words if _is_id(word)]
    held = Q(before_text__iregex=pattern) | Q(after_text__iregex=pattern) | Q(row__in=ids)
    return rows.annotate(**text).filter(held)


def _quoted(word: str) -> str:
    """As it stands in JSON, with nothing in it that a pattern takes for its own."""
    return re.escape(json.dumps(word, ensure_ascii=False)[1:-1])


def _is_id(word: str) -> bool:
    try:
        UUID(word)
    except ValueError:
        return False
    return True


def _line(one: RecordedEdit, words: list[str]) -> dict[str, Any]:
    return {
        "line": f"{one.entry_id}.{one.n}", "at": one.entry.at.isoformat(timespec="seconds"), "table": one.table,
        "row": str(one.row), "what": (one.after or {}).get("kind") or (one.after or {}).get("what") or "",
        "fields": sorted({name for row in (one.before, one.after) for name in _mentions(row or {}, words)}),
    }  # fmt: skip


def _mentions(row: dict[str, Any], words: list[str]) -> list[str]:
    pattern = re.compile(f"{BEFORE}({'|'.join(map(_quoted, words))}){BEHIND}", re.IGNORECASE)
    return [name for name, value in row.items() if pattern.search(json.dumps(value, ensure_ascii=False))]
