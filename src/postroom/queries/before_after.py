"""The first few edits of each change of a page, so that a timeline shows before and after: two queries a page."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db.models import F, Func, JSONField, Q, Value

from postroom.changes.erase import told
from postroom.models import Change, RecordedEdit

from .changes import edit_line, recorded

FEW = 3
Edits = dict[str, list[dict[str, Any]]]


def few_edits(lines: Sequence[Mapping[str, Any]], about: Sequence[UUID] = ()) -> Edits:
    """change → its first edits: as recorded where it took effect, as planned where it waits.

    about: rows of one object; of a recorded change that touched them, their edits alone.
    """
    done = [UUID(one["id"]) for one in lines if one["version"] is not None]
    waiting = [UUID(one["id"]) for one in lines if one["stage"] in ("held", "scheduled")]
    return {**_recorded(done, about), **_planned(waiting)}


def undone(lines: Sequence[Mapping[str, Any]]) -> dict[str, tuple[str, Any]]:
    """Of the undos among these: change → (kind, params) of what each takes back. One query, none without undos."""
    wanted = {one["undoes"]: one["id"] for one in lines if one["undoes"]}
    rows = Change.objects.filter(pk__in=wanted).values_list("pk", "kind", "params") if wanted else ()
    return {wanted[str(pk)]: (kind, params) for pk, kind, params in rows}


def _recorded(changes: list[UUID], about: Sequence[UUID]) -> Edits:
    """`n` numbers the edits of an entry; 0 is the move of the change itself."""
    if not changes:
        return {}
    of: dict[tuple[UUID | None, int], str] = {
        (c, v or 0): str(pk)
        for pk, c, v in Change.objects.filter(pk__in=changes).values_list("pk", "client", "version")
    }
    versions: dict[UUID | None, list[int]] = {}
    for whose, version in of:
        versions.setdefault(whose, []).append(version)
    where = Q()
    for owner, numbers in versions.items():
        where |= Q(entry__client=owner, entry__version__in=numbers)
    few = Q(n__gt=0, n__lte=FEW) | Q(row__in=about)
    rows = RecordedEdit.objects.filter(where, few).select_related("entry").order_by("entry_id", "n")
    found: Edits = {}
    for e in told(rows):
        found.setdefault(of[e.entry.client_id, e.entry.version or 0], []).append(recorded(e))
    own = {str(row) for row in about}
    return {change: [one for one in edits if one["id"] in own] or edits for change, edits in found.items()}


def _planned(changes: list[UUID]) -> Edits:
    """Of a plan that may hold ten thousand edits only the first few leave the database."""
    if not changes:
        return {}
    first = Func(
        F("plan"), Value(f"$[0 to {FEW - 1}]"), function="jsonb_path_query_array",
        template="%(function)s(%(expressions)s::jsonpath)", output_field=JSONField(),
    )  # fmt: skip
    rows = Change.objects.filter(pk__in=changes).annotate(first=first).values_list("pk", "first")
    return {str(pk): [edit_line(t, i, b, a) for t, i, b, a, _ in plan] for pk, plan in rows if plan}
