"""The first page: is the service up, is authentication correct, what changed; and what waits for somebody."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render

from postroom.posture import run as posture
from postroom.queries import rounds
from postroom.queries.approvals import queue, reviews
from postroom.queries.changes import timeline
from postroom.queries.clients import worst_first
from postroom.queries.findings import RECONCILER, Asked, Counts, Looked, counts, listed, looked
from postroom.queries.records import CHECKS, Standing, standing
from postroom.queries.service import Beat, beats
from postroom.queries.today import Today, today
from postroom.web import clients as clients_page
from postroom.web.badges import NOT_MEASURED
from postroom.web.doing import doable
from postroom.web.door import page
from postroom.web.framed import freeze_notes, offered
from postroom.web.lines import by, lines
from postroom.web.nodes import heartbeat
from postroom.web.parts.pages import Count, Measure, OverviewPage, Question
from postroom.web.parts.shapes import Act, Badge, Empty, Fact, Item, Link, Note, PageHead, Strong, Table
from postroom.web.rounds import PATHS, far
from postroom.web.times import ago, when
from postroom.web.titles import called, title

SHOWN, WORST = 8, 5
STEPS = (
    ("Client and people", "Name, security contact, who may ask for changes"),
    ("Domains", "Read as they are, proven, then planned over"),
    ("Mailboxes", "Each owner sets the password from a link"),
)


@page("overview.view")
def overview(request: Any) -> HttpResponse:
    found, known = beats(request.actor), standing(request.actor)
    recent = timeline(request.actor, limit=SHOWN, actors=("person", "clock")).items
    items = worst_first(request.actor, known, SHOWN)
    wrong, read = counts(request.actor), looked([one.name for one in posture.CHECKS])
    waiting, day = queue(request.access), today(request.actor)
    shown = OverviewPage(
        head=PageHead("Overview", f"{request.around.organization} · as {request.actor.name} sees it",
                      acts=offered(request, None, ("clients.create", clients_page.ADD))),
        notes=(*_silent(found), *freeze_notes(request)), up=_up(found), authentication=_authentication(known),
        changed=_changed(day, _past(request, wrong, read), wrong.past), recent=lines(recent), changes_url="/changes/",
        clients=Table("Clients", clients_page.COLUMNS, clients_page.rows(request, items)) if items else None,
        clients_foot=(f"{len(items)} shown", Link("All clients", "/clients/")),
        waiting=(*_waiting(waiting), *(_asked(one) for one in rounds.waiting(request.access))),
        findings=(*_worst(request), *_wrong(wrong, read)),
        reviews=tuple(_review(one) for one in reviews(request.access)), empty=None if items else _first(request),
    )  # fmt: skip
    return render(request, "overview.html", {"page": shown})


def _silent(found: Sequence[Beat]) -> tuple[Note, ...]:
    now = datetime.now(UTC)
    return tuple(
        Note(f"Node {one.node.name} is silent", _since(one), tone="bad",
             acts=(Act("Look", f"/nodes/{one.node.name}/"),))
        for one in found if one.silent(now)
    )  # fmt: skip


def _since(one: Beat) -> str:
    said = f"No heartbeat since {when(one.at)}" if one.at else "No heartbeat within a day"
    return f"{said}. What runs there now is unknown; mail may still flow."


def _up(found: Sequence[Beat]) -> Question:
    if not found:
        return Question(("Nothing to measure yet: no node serves.", NOT_MEASURED))
    now = datetime.now(UTC)
    speaking = [one for one in found if not one.silent(now)]
    wrong = [one.node.name for one in found if one not in speaking or not one.well()]
    newest = max((one.at for one in found if one.at), default=None)
    answer: Any = (
        (f"No, not all: {', '.join(wrong)}.",) if wrong else f"Yes: {len(found)} of {len(found)} nodes answer."
    )
    rows = (
        Measure("Heartbeat", f"{len(speaking)} of {len(found)}", heartbeat(min(found, key=_oldest))),
        _greeted(speaking, len(found), "smtp"), _greeted(speaking, len(found), "imap"),
        Measure("Test message, there and back", "–", NOT_MEASURED),
    )  # fmt: skip
    return Question(
        answer, Badge("bad", f"{len(wrong)} not well") if wrong else Badge("good", "Up"), rows,
        foot=Fact("Newest heartbeat", Strong(f"{ago(newest)} ago") if newest else NOT_MEASURED),
        acts=(Act("Nodes", "/nodes/", icon="server-2"),),
    )  # fmt: skip


def _oldest(one: Beat) -> datetime:
    return one.at or datetime.min.replace(tzinfo=UTC)


def _greeted(speaking: Sequence[Beat], of: int, name: str) -> Measure:
    told = [one for one in speaking if name in one.greetings]
    good = [one for one in told if one.greetings[name].get("ok")]
    if not told:
        return Measure(f"{name.upper()} greeting", "–", NOT_MEASURED)
    bad = [one.node.name for one in told if one not in good]
    newest = max((one.greeted_at for one in told if one.greeted_at), default=None)
    badge = Badge("bad", ", ".join(bad)) if bad else Badge("good", when(newest))
    return Measure(f"{name.upper()} greeting", f"{len(good)} of {of}", badge)


def _authentication(known: Standing) -> Question:
    if not known:
        return Question(("No domain yet:", NOT_MEASURED))
    counts = tuple(_count(name, known) for name in CHECKS)
    bad = sum(1 for states in known.values() if "bad" in states.values())
    unread = sum(1 for states in known.values() if "bad" not in states.values() and len(_read(states)) < len(CHECKS))
    good = len(known) - bad - unread
    said = [f"{good} of {len(known)} domains as wanted"]
    said += [f"{bad} {'differs' if bad == 1 else 'differ'}"] if bad else []
    said += [f"{unread} not measured"] if unread else []
    badge = (
        Badge("bad", f"{bad} to look at")
        if bad
        else Badge("unmeasured", "part not measured")
        if unread
        else Badge("good", "As wanted")
    )
    foot = Fact("Read from", "each zone, within ten minutes")
    return Question(", ".join(said) + ".", badge, counts=counts, foot=foot,
                    acts=(Act("Domains", "/domains/", icon="world"),))  # fmt: skip


def _read(states: dict[str, str]) -> list[str]:
    return [name for name in CHECKS if states.get(name) == "good"]


def _count(name: str, known: Standing) -> Count:
    states = [states.get(name, "unmeasured") for states in known.values()]
    return Count(name, states.count("good"), 0, states.count("bad"), states.count("unmeasured"))


def _changed(day: Today, past: Badge, many: int) -> Question:
    """past: whether anything was changed past Postroom, however long ago; many: how much of it is left."""
    explained, unexplained = day.total - day.unexplained, day.unexplained + many
    answer = (
        f"{day.total} changes in 24 h; {explained} have an actor and a reason." if day.total else "Nothing in 24 h."
    )
    rows = (
        Measure("Mailboxes and access", str(day.mail), Badge("fact", "on record")),
        Measure("Domains and DNS", str(day.dns), Badge("fact", "on record")),
        Measure("Changed past Postroom", str(many) if past.state in ("good", "bad") else "–", past),
        Measure("Refused, withdrawn, stale", str(day.stopped), Badge("fact", "nothing changed")),
    )
    badge = Badge("bad", f"{unexplained} unexplained") if unexplained else past
    badge = Badge("good", "All explained") if badge.state == "good" else badge
    left = Strong(f"{day.left} changes") if day.left else "all are"
    look = (Act("Findings", "/findings/", icon="alert-triangle"),) if many else ()
    return Question(answer, badge, rows, foot=Fact("Not verified yet" if day.left else "Verified", left),
                    acts=(Act("Changes", "/changes/", icon="history"), *look))  # fmt: skip


def _past(request: Any, wrong: Counts, read: Looked) -> Badge:
    """Whether what stands is as the record says; where that was not looked at, nobody knows."""
    if wrong.past:
        return Badge("bad", "unexplained")
    if not request.access.can_somewhere("findings.view"):
        return Badge("unknown", "not yours to see")
    if wrong.past_unread or set(RECONCILER) & set(read.unread):
        return Badge("unknown", "not all was read")
    return Badge("good", "nothing found")


def _waiting(found: Any) -> tuple[Item, ...]:
    items = [
        Item(title(one["kind"], one["params"]), by(one), "warn", "player-pause",
             acts=(Act("Look", f"/changes/{one['id']}/", of=title(one["kind"], one["params"])),))
        for one in found.held[:6]
    ]  # fmt: skip
    items += [
        Item(f"A batch of {len(parts)} changes", parts[0]["why"], "warn", "stack-2",
             acts=(Act("Look", f"/batches/{pk}/", of="the batch"),))
        for pk, parts in found.batches.items()
    ]  # fmt: skip
    items += [
        Item(title(one["kind"], one["params"]), f"yours; waits for {_whom(one)}", "plain", "clock-pause",
             acts=(Act("See", f"/changes/{one['id']}/", of=title(one["kind"], one["params"])),))
        for one in found.own[:4]
    ]  # fmt: skip
    items += [
        Item(title(one["kind"], one["params"]), f"{by(one)}; waits for somebody else", "plain", "clock-pause",
             acts=(Act("See", f"/changes/{one['id']}/", of=title(one["kind"], one["params"])),))
        for one in found.elsewhere[:4]
    ]  # fmt: skip
    return tuple(items)


def _asked(one: rounds.Listed) -> Item:
    """An access review to sign, a roster to answer."""
    name = f"{one.round.sort.capitalize()} of {one.round.client.name}"
    sub = f"{far(one)}, due {when(one.round.due_at)}" + (", late" if one.late else "")
    url = f"{PATHS[one.round.sort]}{one.round.pk}/?state=open"
    return Item(name, sub, "warn" if one.late else "plain", "checklist", acts=(Act("Answer", url, of=name),))


def _whom(one: Mapping[str, Any]) -> str:
    return "its time" if one["stage"] == "scheduled" else "somebody else"


def _worst(request: Any) -> tuple[Item, ...]:
    """The worst that nobody is at, each with what it is about, since when, and what mends it."""
    tones: dict[str, Any] = {"critical": "bad", "high": "bad", "medium": "warn"}
    return tuple(
        Item(
            Link(one.title, f"/findings/{one.pk}/"), f"{one.severity} · {one.label} · since {when(one.since)}",
            tones.get(one.severity, "plain"), "alert-triangle", acts=(mend(request, one),),
        )
        for one in listed(request.actor, Asked(state="open"), limit=WORST).items
    )  # fmt: skip


def mend(request: Any, one: Any) -> Act:
    """The act that would help, where whoever looks may do it; else to the finding, which says who may."""
    if one.kind and doable(request, one.kind) and request.access.can(one.kind, one.client_id):
        return Act(f"{called(one.kind)}…", f"/do/{one.kind}/?{urlencode(one.params, doseq=True)}", of=one.label)
    return Act("Look", f"/findings/{one.pk}/", of=one.title)


def _wrong(found: Counts, read: Looked) -> tuple[Item, ...]:
    """How many by severity. What could not be read stands apart; nothing found is said only where all was read."""
    tones: dict[str, Any] = {"critical": "bad", "high": "bad", "medium": "warn"}
    items = [
        Item(Link(f"{number} {name}", f"/findings/?severity={name}"), tone=tones.get(name, "plain"))
        for name, number in found.by.items() if number
    ]  # fmt: skip
    if found.unknown:
        unknown = Link(f"{found.unknown} unknown", "/findings/?state=unknown")
        items.append(Item(unknown, "could not be read: neither there nor gone", icon="question-mark"))
    if read.unread:
        names = ", ".join(read.unread)
        count = f"{len(read.unread)} check{'' if len(read.unread) == 1 else 's'} not read"
        items.append(Item(count, f"what they would find is unknown: {names}", icon="question-mark"))
    elif not items:
        items.append(Item("Nothing is wrong", f"all checks were read by {when(read.at)}", "ok"))
    if found.accepted:
        items.append(
            Item(Link(f"{found.accepted} accepted", "/findings/?state=accepted"), tone="off", icon="hand-stop")
        )
    return tuple(items)


def _review(one: Any) -> Item:
    late = one.until < datetime.now(UTC)
    due = f"due {when(one.until)}" + (", late" if late else "")
    what = title(one.change.kind, one.change.params)
    return Item(Link(what, f"/changes/{one.change_id}/"), f"{one.reason} · {due}", "warn" if late else "plain", "eye")


def _first(request: Any) -> Empty:
    add = Act("Add the first client", "/do/clients.create/", icon="plus", weight="primary")
    words = "A client is a customer whose mail you run. Everything here belongs to one."
    return Empty("No client yet", words, "building", offered(request, None, ("clients.create", add)), STEPS)
