"""One change: what it does, who asked, who agreed, where it has arrived and by what evidence; and what undoes it."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render

from postroom.access.acting import roles_allowing
from postroom.changes.approvals import waiting_with
from postroom.changes.edit import model_of
from postroom.changes.kind import KINDS
from postroom.changes.policies.own_undo import alone_for
from postroom.models import Change
from postroom.models.base import state_models
from postroom.queries.approvals import approvers, may_decide, whole_batches
from postroom.queries.before_after import undone
from postroom.queries.changes import whole
from postroom.queries.naming import Names
from postroom.queries.people import SOMEBODY
from postroom.web import landing
from postroom.web.arrived import arrived, left
from postroom.web.asked import nothing, parameters
from postroom.web.badges import stage
from postroom.web.consequences import consequence, untouched
from postroom.web.door import page
from postroom.web.framed import freeze_notes, initials
from postroom.web.lines import OURS, by, headed
from postroom.web.parts.change_pages import ChangePage, Decision, Undo
from postroom.web.parts.shapes import (
    Act,
    Badge,
    Code,
    Crumb,
    Fact,
    Item,
    Line,
    Link,
    Note,
    PageHead,
    StageStep,
    Strong,
    Words,
)
from postroom.web.plans import counted, left_out, objects, said, verdicts
from postroom.web.progress import progress
from postroom.web.times import iso, when
from postroom.web.titles import called, icon_of

WITHDRAWN = "withdrawn"
WAITING, STOPPED = ("held", "scheduled"), ("refused", WITHDRAWN, "stale")
DONE = ("applied", "verified")


@page("changes.view")
def change(request: Any, change: UUID) -> HttpResponse:
    one = whole(change)
    row = Change.objects.select_related("client").get(pk=change)
    names = Names(one["edits"])
    words = headed(one, one["edits"], names, undone([one]).get(one["id"]))
    held, tables = one["stage"] == "held", {edit["table"] for edit in one["edits"]}
    shown = ChangePage(
        head=_head(request, one, row, words),
        notes=freeze_notes(request, row.client_id) if held else _notes(request, one, row),
        done=one["stage"] in DONE, stages=_stages(one), objects=objects(one["edits"], names),
        objects_title=_tense(one["stage"]), objects_sub=nothing(one) or counted(one["edits"], one["more_edits"]),
        left_out=left_out(one["left_out"], names), landing=landing.table(one),
        not_touched=untouched(tables), deliveries=arrived(one), deliveries_sub="each read back from who serves it",
        incomplete=left(one), progress=progress(one, request.path),
        decision=_decision(request, one, row) if held else None,
        verdicts=verdicts([v for v in one["verdicts"] if v["policy"] != WITHDRAWN]),
        approvers=_approvers(request, row) if held else (),
        approvers_sub="one is enough; nobody decides about their own", asked=_asked(one), plan=_plan(one),
        plan_hash=one["plan_hash"], undo=_undo(request, one, row, names), happened=_happened(one),
    )  # fmt: skip
    answer = render(request, "change.html", {"page": shown})
    if request.headers.get("HX-Request") and one["stage"] != "applied":
        answer["HX-Refresh"] = "true"  # the part that polled is done; the whole page has moved on
    return answer


def _head(request: Any, one: Mapping[str, Any], row: Change, said: str) -> PageHead:
    crumbs = [Crumb("Changes", "/changes/")]
    if row.client_id and row.client:
        crumbs.append(Crumb(row.client.name, f"/clients/{row.client.slug}/"))
    badges = [stage(one["stage"])] + ([Badge("fact", "undone", "arrow-back-up")] if one["undone_by"] else [])
    return PageHead(said, by(one), crumbs=tuple(crumbs), badges=tuple(badges), acts=_acts(request, one, row))


def _acts(request: Any, one: Mapping[str, Any], row: Change) -> tuple[Act, ...]:
    at = f"/changes/{row.pk}/"
    mine = row.proposer_id == request.actor.person
    if one["stage"] in WAITING and not whole_batches([row.batch_id]) and (mine or may_decide(request.access, row)):
        return (Act("Withdraw…", f"{at}withdraw/", icon="x"),)
    if (
        one["stage"] in STOPPED
        and one["kind"] != "history.roll_back"
        and not one["erased"]
        and request.access.can(one["kind"], row.client_id)
    ):
        return (Act("Plan it again", f"{at}replan/", icon="refresh", method="post"),)
    return ()


def _tense(now: str) -> str:
    will = "would have been" if now in STOPPED else "is" if now in DONE else "will be"
    return f"What {will} different"


def _stages(one: Mapping[str, Any]) -> tuple[StageStep, ...]:
    now = one["stage"]
    steps = [StageStep("Proposed", f"{when(one['now'])}", "done")]
    approved = [a for a in one["approvals"] if not a["void"]]
    if approved:
        who = approved[0]["person"]["name"] if approved[0]["person"] else SOMEBODY
        steps.append(StageStep("Approved", f"{when(approved[0]['at'])} by {who}", "done"))
    if now in STOPPED:
        return (*steps, StageStep(now.capitalize(), "nothing was changed", "now", tone="bad"))
    if now == "held":
        steps.append(StageStep("Held", "waits for a second person", "now"))
    if now == "scheduled":
        steps.append(StageStep("Scheduled", f"for {when(one['at'])}" if one["at"] else "", "now", "calendar-time"))
    at: Any = "done" if now == "verified" else "now" if now == "applied" else "next"
    version = f"version {one['version']}" if one["version"] else "in one step"
    steps.append(StageStep("Applied", version, at, "clock-pause" if at == "now" else ""))
    return (*steps, StageStep("Verified", "everything is read back" if now == "verified" else "when all is read back",
                              "done" if now == "verified" else "next"))  # fmt: skip


def _decision(request: Any, one: Mapping[str, Any], row: Change) -> Decision:
    what: tuple[Words, ...] = (
        ("If you approve, exactly this plan is applied at once, as", _who(one), "asked for it."),
    )
    if words := consequence(one["kind"]):
        what = (*what, words)
    cannot, batch = "", one["batch"] if whole_batches([row.batch_id]) else None
    if batch:
        what = (
            ("This is one of a batch, which is decided as a whole:", Link("see the batch", f"/batches/{batch}/"), "."),
        )
        cannot = "Decided with its batch"
    elif row.proposer_id == request.actor.person:
        cannot = "You proposed it, so somebody else decides"
    elif not request.access.can(KINDS[row.kind].approved_by, row.client_id):
        cannot = "Your role does not approve changes here"
    elif any(v["says"] == "refuse" for v in one["verdicts"]):
        cannot = "A refusal stands; what is refused is not approved"
    at = f"/changes/{row.pk}/"
    return Decision(what, one["plan_hash"], f"{at}approve/", f"{at}withdraw/", cannot=cannot)


def _who(one: Mapping[str, Any]) -> Strong:
    return Strong(one["proposer"]["name"] if one["proposer"] else OURS.get(one["actor"], one["actor"]))


def _approvers(request: Any, row: Change) -> tuple[Item, ...]:
    found: dict[Any, Item] = {}
    for grant in approvers(row, roles_allowing(KINDS[row.kind].approved_by)):
        who, own = grant.person, grant.person_id == row.proposer_id
        you = " This is you." if grant.person_id == request.actor.person else ""
        sub = "Proposed it, so may not approve it" if own else f"{grant.role.capitalize()}.{you}"
        found.setdefault(who.pk, Item(who.name, sub, "off" if own else "plain", initials=initials(who.name)))
    return tuple(found.values())


def _asked(one: Mapping[str, Any]) -> tuple[Fact, ...]:
    no_why = Badge("unknown", "erased" if one["erased"] else "no reason given")
    facts = [
        Fact("Proposed by", _who(one), f"{when(one['now'])}"),
        Fact("Why", one["why"] or no_why), Fact("Ticket", one["ticket"] or "none"),
    ]  # fmt: skip
    for name, words in (("caused_by", "Followed from"), ("undoes", "Takes back"), ("undone_by", "Taken back by"),
                        ("replans", "Plans again")):  # fmt: skip
        if one[name]:
            facts.append(Fact(words, Link("that change", f"/changes/{one[name]}/")))
    facts += [Fact("Planned again in", Link("this change", f"/changes/{pk}/")) for pk in one["replanned_by"]]
    if one["batch"]:
        facts.append(Fact("Part of", Link("a batch", f"/batches/{one['batch']}/")))
    return (*facts, *parameters(one))


def _plan(one: Mapping[str, Any]) -> tuple[Fact, ...]:
    version = str(one["version"]) if one["version"] else "none: it has not been applied"
    facts = [Fact("Kind", Code(one["kind"])), Fact("Version", version)]
    if one["at"]:
        facts.append(Fact("Not before", f"{when(one['at'])} UTC"))
    return tuple(facts)


def _undo(request: Any, one: Mapping[str, Any], row: Change, names: Names) -> Undo | None:
    """What an undo would bring back, as far as it is seen from here; its own plan says it exactly."""
    gone = any(edit["erased"] for edit in one["edits"])
    if one["version"] is None or one["undone_by"] or gone or row.kind in ("organization.found", "record.erase"):
        return None
    back: list[Words] = []
    stays: list[Words] = []
    for edit in one["edits"]:
        (stays if _ended(edit) else back).append(_one_back(edit, names))
    more = [f"and {len(back) - 4} more objects"] if len(back) > 5 else []
    may = all(request.access.can_about(one, row.client_id, row.domains) for one in ("history.roll_back", row.kind))
    see = Act("Show what comes back", f"/do/history.roll_back/?change={row.pk}", icon="arrow-back-up")
    return Undo((*back[: 4 if more else 5], *more), tuple(stays[:4]), _alone(request, row), see if may else None)


def _ended(edit: Mapping[str, Any]) -> bool:
    """Access that ended with this change stays ended: it is given again, never rolled back to."""
    if edit["table"] not in state_models() or not model_of(edit["table"]).grants_access:
        return False
    return edit["after"] is None or bool(edit["after"].get("ended_at")) or bool(edit["after"].get("used_at"))


def _one_back(edit: Mapping[str, Any], names: Names) -> Words:
    back = said(edit, names, names.known())
    if edit["before"] is None:
        return (back.noun, Code(back.label), "goes again")
    if edit["after"] is None:
        return (back.noun, Code(back.label))
    return (back.noun, Code(back.label), "as before:", ", ".join(one.field for one in back.fields[:4]))


def _alone(request: Any, row: Change) -> str:
    until = row.now + alone_for(row.client)
    if row.proposer_id == request.actor.person and until - datetime.now(UTC) > timedelta(0):
        return f"You alone until {when(until)}, while nobody else touched the same rows; then like any other change."
    return "Judged like any other change; where people touched the same rows since, a second person decides."


def _notes(request: Any, one: Mapping[str, Any], row: Change) -> tuple[Note, ...]:
    return (*_erased(one), *_waits_alone(one, row), *_to_review(request, one, row))


def _erased(one: Mapping[str, Any]) -> tuple[Note, ...]:
    if not (gone := one["erased"]):
        return ()
    words = (
        "What was asked, why, and what was said of it is gone for good, by",
        Link("a change", f"/changes/{gone['by']}/"),
    )
    return (Note(f"Erased on {when(gone['at'])}", words, "plain", "history-off"),)


def _waits_alone(one: Mapping[str, Any], row: Change) -> tuple[Note, ...]:
    """Scheduled with a reason to hold it, or a part of its batch, and nobody's approval: there was nobody to ask."""
    if one["stage"] != "scheduled" or any(not given["void"] for given in one["approvals"]):
        return ()
    if not waiting_with(row).filter(verdicts__contains=[{"says": "hold"}]).exists():
        return ()
    words = (
        f"It is made by itself on {when(one['at'])}, unless somebody withdraws it. Who asked, the owners and the"
        " postmaster got a letter with a link that stops it."
    )
    return (Note("Nobody else could approve this", words, "warn", "clock-pause"),)


def _to_review(request: Any, one: Mapping[str, Any], row: Change) -> tuple[Note, ...]:
    """What went through at once waits to be looked at; who may do that finds the way here."""
    left = [review for review in one["reviews"] if not review["closed"]]
    if not left:
        return ()
    own = row.proposer_id is not None and row.proposer_id == request.actor.person
    may = not own and request.access.can("changes.approve", row.client_id)
    until = min(datetime.fromisoformat(review["until"]) for review in left)
    late = until < datetime.now(UTC)
    words = f"{'; '.join(review['reason'] for review in left)}. Due {when(until)}{', late' if late else ''}."
    who = "" if may else "By an approver other than you." if own else "By an approver who did not do it."
    close = (Act("Close the review…", f"/changes/{row.pk}/review/", icon="eye"),) if may else ()
    return (Note("To be reviewed", (words, who), "warn" if late else "plain", "eye", close),)


def _open(review: Mapping[str, Any]) -> Line:
    return Line(f"To be reviewed: {review['reason']}", when(review["until"]), "open, due then", "warn", "eye")


def _reviewed(review: Mapping[str, Any]) -> Line:
    who = review["closed_by"]["name"] if review["closed_by"] else ""
    sub = " · ".join(part for part in (who, review["found"]) if part)
    at = review["closed_at"]
    return Line(f"Reviewed: {review['reason']}", when(at), sub, "ok", "eye", iso=iso(at))


def _happened(one: Mapping[str, Any]) -> tuple[Line, ...]:
    found = [
        Line("Withdrawn", "", v["reason"], icon="x", tone="warn") for v in one["verdicts"] if v["policy"] == WITHDRAWN
    ]
    found += [
        Line((Link(called(f["kind"]), f"/changes/{f['id']}/", strong=True), stage(f["stage"])), "",
             "followed from this", icon=icon_of(f["kind"]), tone="warn" if f["stage"] in STOPPED else "ok")
        for f in reversed(one["follow_ups"])
    ]  # fmt: skip
    found += [
        Line("Approved" + (", void since: the plan or its reasons changed" if a["void"] else ""), when(a["at"]),
             a["person"]["name"] if a["person"] else SOMEBODY, icon="user-check", iso=iso(a["at"]))
        for a in reversed(one["approvals"])
    ]  # fmt: skip
    found += [_reviewed(r) if r["closed"] else _open(r) for r in one["reviews"]]
    return (*found, Line("Proposed", when(one["now"]), by(one), icon="plus", iso=iso(one["now"])))
