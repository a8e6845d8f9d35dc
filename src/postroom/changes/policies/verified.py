"""A verified reset: who starts it proves nothing in it, each proof is another person's, and wrong answers lock it.

What is refused here stands in the record, as every wrong answer does: an attempt that came to nothing is an attempt.
"""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from postroom.changes.cover import ADMIN, admins_of
from postroom.changes.policy import Move, Proposed, Verdict, hold, mark, refuse
from postroom.models import Change, Mailbox, Proof, ResetCode, Row, Secret, Verification
from postroom.models.verifying import CODE, CODES, CONTACT, HELD_FOR, LOCKED, TRIES

SENDS = "resets.send_link"


def verified(proposed: Proposed) -> Verdict | None:
    """Refuse a proof of who started it or gave one already, and a start while locked; hold the link of a VIP."""
    if refused := next(_wrong(proposed), None):
        return refuse(verified, refused)
    if declared := [m for m in proposed.moves(Verification) if _newly(m, "emergency_at")]:
        return mark(verified, f"an emergency: {(declared[0].then or {})['emergency']}")
    sent = [m.then for m in proposed.moves(Verification) if m.then and _sends(m)]
    if Mailbox.objects.filter(pk__in=[one["mailbox_id"] for one in sent], vip=True).exists():
        return hold(verified, "resets the mailbox of a VIP: a second person agrees, and 15 minutes are left to object")
    if any(_alone(one) for one in sent):
        return hold(verified, "a client's own admin resets it, and a code is all that was proven: their second "
                    "contact, or whoever approves here, agrees, and 15 minutes are left to object")  # fmt: skip
    return None


def _alone(session: Row) -> bool:
    """Whether a client's own admin started it, and nobody but them had a part in its proofs."""
    started = UUID(session["started_by_id"])
    others = Proof.objects.filter(verification=session["id"], good=True).exclude(by=started)
    return started in admins_of(UUID(session["client_id"])) and not others.exists()


def _sends(move: Move) -> bool:
    return _newly(move, "used_at")


def _newly(move: Move, column: str) -> bool:
    return bool(move.then and move.then[column] and not (move.now or {}).get(column))


def _wrong(proposed: Proposed) -> Iterator[str]:
    sessions = list(proposed.moves(Verification))
    if proposed.access.actor.sort == "token" and (sessions or any(proposed.moves(Proof))):
        yield "a token verifies nobody: its person does, in a session of their own"
    if len(proposed.kinds) > 1 and any(map(_alters, proposed.moves(Verification, Proof, ResetCode))):
        yield "one verification at a time: each is asked for, proven and stopped by itself"
    for move in sessions:
        if _newly(move, "emergency_at") or _newly(move, "waived_at"):
            yield from _no_emergency(proposed, move.now or {}, let_go=_newly(move, "waived_at"))
        if move.now is None and move.then and (until := _locked(proposed, move.then["mailbox_id"])):
            yield f"locked until {until} after {TRIES} wrong answers"
        if move.now and _taken_back(move.now, move.then):
            yield "what was found out in a verification is not taken back"
        if move.now and _sends(move):
            yield from _over(proposed, move.now)
    for code in proposed.moves(ResetCode):
        if code.now is None and code.then:
            yield from _too_many(proposed, code.then)
    for proof in proposed.moves(Proof):
        if proof.then:
            yield from _unfit(proposed, proof.then)


def _alters(move: Move) -> bool:
    """Other than by its end, which goes along with much: mailboxes that go to others, one change for all."""
    return move.now is None or set(move.edit.after or ()) != {"ended_at"}


def _locked(proposed: Proposed, mailbox: str) -> str:
    """Until when; empty where it is not. Counted over every session of the mailbox: a new one is no new try."""
    since = proposed.change.now - LOCKED
    wrong = Proof.objects.filter(verification__mailbox=mailbox, good=False, made__gt=since).order_by("-made")
    lately = list(wrong.values_list("made", flat=True)[:TRIES])
    return f"{lately[-1] + LOCKED:%H:%M} UTC" if len(lately) >= TRIES else ""


def _taken_back(now: Row, then: Row | None) -> bool:
    if then is None or then["failed"] < now["failed"] or then["given"] < now["given"]:
        return True
    return any(
        now[name] and then[name] != now[name]
        for name in ("passed_at", "used_at", "ended_at", "emergency_at", "waived_at")
    )


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
    elif Secret.objects.filter(owner_row=session["mailbox_id"], purpose="password", made__gt=passed).exists():
        yield "its owner has set another password since"


def _clients_own(proposed: Proposed, client: UUID) -> bool:
    """Whether who acts administers this client, as one of its own."""
    return any(one.role == ADMIN and one.client == client and not one.domain for one in proposed.access.held)


def _no_emergency(proposed: Proposed, session: Row, *, let_go: bool) -> Iterator[str]:
    """Who started it, or asked for its link, neither declares an emergency for it nor lets the wait go."""
    me = proposed.access.actor.person
    if str(me) == session["started_by_id"]:
        yield "who started a verification skips nothing of it"
    waiting = Change.objects.filter(kind=SENDS, params__verification=session["id"], stage__in=("held", "scheduled"))
    if waiting.filter(proposer=me).exists():
        yield "who asked for the link does not end its wait"
    if let_go and str(me) == session["emergency_by_id"]:
        yield "who declared the emergency does not let the wait go: it takes two"
    if let_go and not _clients_own(proposed, UUID(session["client_id"])):
        yield "the client's own admin lets it go, and nobody for them"


def _unfit(proposed: Proposed, proof: dict[str, object]) -> Iterator[str]:
    session = Verification.objects.get(pk=str(proof["verification_id"]))
    if until := _locked(proposed, str(session.mailbox_id)):
        yield f"locked until {until} after {TRIES} wrong answers"
    me = proposed.access.actor.person
    if proof["method"] == CODE:
        yield from _no_code(proposed, session)
    elif session.started_by_id == me:
        yield "who started a verification proves nothing in it"
    if Proof.objects.filter(verification=session, by=me, good=True).exists():
        yield "each proof is another person's"
    if proof["method"] == CONTACT and not _clients_own(proposed, session.client_id):
        yield "the client's own admin says so, and nobody for them"


def _too_many(proposed: Proposed, code: Row) -> Iterator[str]:
    """Codes of the last hour are counted over all verifications of the mailbox, like wrong answers."""
    box = Verification.objects.get(pk=code["verification_id"]).mailbox_id
    if until := _locked(proposed, str(box)):
        yield f"locked until {until} after {TRIES} wrong answers"
    since = proposed.change.now - LOCKED
    lately = ResetCode.objects.filter(verification__mailbox=box, made__gt=since)
    if lately.count() >= CODES:
        yield f"{CODES} codes were sent within an hour: another way is left, or wait"


def _no_code(proposed: Proposed, session: Verification) -> Iterator[str]:
    """Why there is nothing that could be read out; the try stands in the record all the same, and counts for nothing.

    Who started it may type one: it is the caller who proves something by it, and not who types.
    """
    code, now = session.newest_code(), proposed.change.now
    if why := session.over(now) or ("no code was sent" if code is None else code.over(now)):
        yield why
