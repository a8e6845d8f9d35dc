"""The newest probe to an address: what was computed, and what was seen of it. Not seen is never arrived."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from postroom.access.acting import Actor
from postroom.access.scope import visible
from postroom.changes.errors import NotThere, Problem
from postroom.changes.state import LAST_32_BITS
from postroom.models import Delivery, Domain, Mailed, Probe, ProbeLanding, Report
from postroom.models.mailed import REFUSED as NOT_TAKEN
from postroom.models.probes import DISCARDED, MAILBOX, OUTSIDE, REFUSED, STILL_TO_BE_SENT, UNKNOWN, WAITING
from postroom.protocols.addresses import BadAddress
from postroom.protocols.addresses import address as canonical
from postroom.protocols.extensions import parts

from .service import SILENT

VIEW = "probes.view"
LATE = timedelta(minutes=5)  # after it is sent; then what was not seen did not come
MOST = 500
SEEN = {MAILBOX: "arrived", OUTSIDE: "left", REFUSED: "refused", DISCARDED: "thrown away", WAITING: "put off"}
NOT_YET, MISSING, NOT_KNOWN = "not arrived yet", "did not come", "not known"
AS_COMPUTED, DIFFERS, WAITS, NOT_YET_SENT, NOT_SENT = "as computed", "differs", "waits", "not sent yet", "not sent"


def probed(actor: Actor, typed: str, *, now: datetime | None = None) -> dict[str, Any]:
    """{address, probe}: none where there was none in the time that is kept. NotThere where its domain is none of
    theirs. Six queries."""
    address, now = _address(typed), now or timezone.now()
    name = parts(address)[2].removeprefix("@")
    seen = dict(visible(actor, Domain).filter(name=name).values_list("pk", "client_id"))
    if not seen:
        raise NotThere("address", f"no address {address} at a domain that you can see")
    one = visible(actor, Probe, VIEW).filter(address=address, domain__in=list(seen)).order_by("-made", "-id").first()
    return {"address": address, "probe": _shown(actor, one, now) if one else None}


def _address(typed: str) -> str:
    try:
        return canonical(typed)
    except BadAddress as wrong:
        raise Problem("address", str(wrong)) from None


def _shown(actor: Actor, probe: Probe, now: datetime) -> dict[str, Any]:
    rows = list(
        visible(actor, ProbeLanding, VIEW).filter(probe=probe.pk).order_by("-predicted", "sort", "address")[:MOST]
    )
    mail = Mailed.objects.filter(object=probe.pk).order_by("-id").first()
    sent = mail.at if mail and mail.state else None
    heard = _heard(probe, now)
    named = _named(actor, rows)
    gone = {row.address for row in rows if row.sort == DISCARDED and row.seen_at}
    landings = [_landing(row, _state(row, sent, heard, gone, now), row.of is None or row.of in named) for row in rows]
    came, why = verdict(landings, sent=sent is not None, strange=_strange(rows)), ""
    if came == NOT_YET_SENT and mail is None:
        came, why = _ended(probe)
    return {
        "id": str(probe.pk), "change": str(UUID(int=probe.pk.int & ~LAST_32_BITS)), "made": probe.made.isoformat(),
        "sent": sent.isoformat(timespec="seconds") if sent else None,
        "taken": bool(mail and mail.state not in ("", NOT_TAKEN)), "heard": heard,
        "verdict": came, "not_sent": why, "landings": landings,
    }  # fmt: skip


def _ended(probe: Probe) -> tuple[str, str]:
    """Of one that no letter is known of: whether it is still to be sent, and why not. Once done, it was turned down, or
    sent so long ago that its letter is forgotten."""
    done = Delivery.objects.filter(target="mail", object=probe.pk, done=True).order_by("-id").first()
    if done is None:
        return NOT_YET_SENT, ""
    said = (done.evidence or [{}])[-1]
    if said.get("question") != STILL_TO_BE_SENT:
        return NOT_KNOWN, ""
    return NOT_SENT, str(said.get("answer", "")).removeprefix("no: ")


def _strange(rows: Sequence[ProbeLanding]) -> bool:
    """Whether mail reached what was not computed. Thrown away there, it came there too; at a computed one, it is
    missing from where it was computed to end."""
    computed = {row.address for row in rows if row.predicted}
    return any(
        not row.predicted and row.sort != WAITING and not (row.sort == DISCARDED and row.address in computed)
        for row in rows
    )


def _heard(probe: Probe, now: datetime) -> bool:
    """Whether the node that serves it is there to say what came."""
    beats = Report.objects.filter(node__client=probe.client_id, sort="heartbeat", at__gte=now - SILENT)
    return bool(beats.exists())


def _named(actor: Actor, rows: Sequence[ProbeLanding]) -> set[UUID]:
    """Domains of the client whose addresses this actor may be told."""
    return set(visible(actor, Domain).filter(pk__in={row.of for row in rows if row.of}).values_list("pk", flat=True))


def _state(row: ProbeLanding, sent: datetime | None, heard: bool, gone: set[str], now: datetime) -> str:
    if row.seen_at:
        return SEEN[row.sort]
    if row.sort not in SEEN:
        return NOT_KNOWN
    if row.sort == MAILBOX and row.address in gone:
        return MISSING
    if sent is None or now < sent + LATE:
        return NOT_YET
    return MISSING if heard else NOT_KNOWN


def _landing(row: ProbeLanding, state: str, named: bool) -> dict[str, Any]:
    """What is at a domain that they do not see is a landing still, and no more is said of it."""
    told = {"address": row.address, "folder": row.folder, "said": row.said, "why": row.why}
    return {
        "sort": row.sort, "state": state, "computed": row.predicted, "sometimes": row.sometimes, "status": row.status,
        "at": row.seen_at.isoformat(timespec="seconds") if row.seen_at else None, "hidden": not named,
        **(told if named else dict.fromkeys(told, "")),
    }  # fmt: skip


def verdict(landings: Sequence[dict[str, Any]], *, sent: bool, strange: bool) -> str:
    """Of all of them; what a filter does sometimes need not come. Green only where everything was seen."""
    states = {one["state"] for one in landings if not one["sometimes"]}
    if strange or MISSING in states:
        return DIFFERS
    if not sent:
        return NOT_YET_SENT
    if states & {NOT_YET, SEEN[WAITING]} or any(one["state"] == NOT_YET for one in landings):
        return WAITS
    unknown = NOT_KNOWN in states or any(one["sort"] == UNKNOWN for one in landings)
    return NOT_KNOWN if unknown or not landings else AS_COMPUTED
