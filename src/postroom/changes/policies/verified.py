"""A verified reset: who starts it proves nothing in it, each proof is another person's, and wrong answers lock it.

What is refused here stands in the record, as every wrong answer does: an attempt that came to nothing is an attempt.
"""

from collections.abc import Iterator
from datetime import datetime

from django.utils import timezone

from postroom.changes.policy import Move, Proposed, Verdict, hold, refuse
from postroom.models import Change, Mailbox, Proof, Row, Verification
from postroom.models.verifying import CONTACT, HELD_FOR, LOCKED, TRIES

ADMIN, SENDS = "client admin", "resets.send_link"


def verified(proposed: Proposed) -> Verdict | None:
    """Refuse a proof of who started it or gave one already, and a start while locked; hold the link of a VIP."""
    if refused := next(_wrong(proposed), None):
        return refuse(verified, refused)
    sent = [m.then["mailbox_id"] for m in proposed.moves(Verification) if m.then and _sends(m)]
    if sent and Mailbox.objects.filter(pk__in=sent, vip=True).exists():
        return hold(verified, "resets the mailbox of a VIP: a second person agrees, and 15 minutes are left to object")
    return None


def _sends(move: Move) -> bool:
    return bool(move.then and move.then["used_at"] and not (move.now or {}).get("used_at"))


def _wrong(proposed: Proposed) -> Iterator[str]:
    sessions = list(proposed.moves(Verification))
    if proposed.access.actor.sort == "token" and (sessions or any(proposed.moves(Proof))):
        yield "a token verifies nobody: its person does, in a session of their own"
    for move in sessions:
        if move.now is None and move.then and (until := _locked(proposed, move.then["mailbox_id"])):
            yield f"locked until {until} after {TRIES} wrong answers"
        if move.now and _taken_back(move.now, move.then):
            yield "what was found out in a verification is not taken back"
        if move.now and _sends(move):
            yield from _over(proposed, move.now)
    for proof in proposed.moves(Proof):
        if proof.then:
            yield from _unfit(proposed, proof.then)


def _locked(proposed: Proposed, mailbox: str) -> str:
    """Until when; empty where it is not. Counted over every session of the mailbox: a new one is no new try."""
    since = proposed.change.now - LOCKED
    wrong = Proof.objects.filter(verification__mailbox=mailbox, good=False, made__gt=since).order_by("-made")
    lately = list(wrong.values_list("made", flat=True)[:TRIES])
    return f"{lately[-1] + LOCKED:%H:%M} UTC" if len(lately) >= TRIES else ""


def _taken_back(now: Row, then: Row | None) -> bool:
    if then is None or then["failed"] < now["failed"] or then["given"] < now["given"]:
        return True
    return any(now[name] and then[name] != now[name] for name in ("passed_at", "used_at", "ended_at"))


def _over(proposed: Proposed, session: Row) -> Iterator[str]:
    """Why a link goes no more, though it was released: somebody stopped it, it waits already, it is too old."""
    others = Change.objects.filter(kind=SENDS, params__verification=session["id"]).exclude(pk=proposed.change.pk)
    if others.filter(stage__in=("held", "scheduled")).exists():
        yield "its link was asked for already, and waits"
    if others.filter(stage="withdrawn").exists():
        yield "its link was stopped: whoever asks is verified anew"
    passed = datetime.fromisoformat(session["passed_at"]) if session["passed_at"] else None
    if session["ended_at"] or passed is None or timezone.now() > passed + HELD_FOR:
        yield "its proofs are too old, or it was ended: whoever asks is verified anew"


def _unfit(proposed: Proposed, proof: dict[str, object]) -> Iterator[str]:
    session = Verification.objects.get(pk=str(proof["verification_id"]))
    if until := _locked(proposed, str(session.mailbox_id)):
        yield f"locked until {until} after {TRIES} wrong answers"
    me = proposed.access.actor.person
    if session.started_by_id == me:
        yield "who started a verification proves nothing in it"
    elif Proof.objects.filter(verification=session, by=me, good=True).exists():
        yield "each proof is another person's"
    roles = {held.role for held in proposed.access.held if held.client == session.client_id and not held.domain}
    if proof["method"] == CONTACT and ADMIN not in roles:
        yield "the client's own admin says so, and nobody for them"
