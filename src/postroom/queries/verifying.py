"""One verified reset: what is proven so far and what is missing, which channels count, who may prove something.

A fixed number of queries. What the one who looks may not see is named, so that nobody takes it for nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone

from postroom.access.acting import Actor, MayAct, access_of, acted, may_act
from postroom.access.roles import ROLES, SEALED, matches
from postroom.access.scope import changes_seen, visible
from postroom.changes.errors import NotThere
from postroom.models import Change, Person, Proof, RecoveryChannel, ResetCode, Role, Verification
from postroom.models.recovery import Ways
from postroom.models.verifying import CALL, CODE, CODES, CONTACT, LOCKED, TRIES

CALLS, VOUCHES, ADMIN = "resets.record_call", "resets.vouch", "client admin"
PARTS = {"proofs.view": "what is proven", "recovery_channels.view": "its recovery channels",
         "reset_codes.view": "the codes that were sent"}  # fmt: skip
METHODS = (CALL, CONTACT, CODE)


@dataclass(frozen=True)
class Session:
    """row: with its mailbox, client and who started it. code: the newest. codes, wrong: within an hour, over every
    verification of the mailbox. waiting: the change that sends its link, while somebody or the clock has to act.
    names: of who had a part in it. hidden: what of it is not for who looks, in words.
    """

    row: Verification
    now: datetime
    ways: Ways
    channels: tuple[RecoveryChannel, ...]
    proofs: tuple[Proof, ...]
    names: Mapping[UUID, str]
    code: ResetCode | None
    codes: int
    wrong: tuple[datetime, ...]
    waiting: Change | None
    callers: tuple[MayAct, ...]
    admins: tuple[MayAct, ...]
    hidden: tuple[str, ...]

    def name(self, person: UUID | None) -> str:
        return self.names.get(person, "somebody") if person else ""

    @property
    def given(self) -> frozenset[str]:
        return frozenset(one.method for one in self.proofs if one.good)

    @property
    def needed(self) -> int:
        return 2 if self.row.mailbox.vip else 1

    @property
    def locked(self) -> datetime | None:
        """Until when; None where it is not."""
        return self.wrong[TRIES - 1] + LOCKED if len(self.wrong) >= TRIES else None

    @property
    def waits(self) -> bool:
        """Whether something can be proven in it still."""
        return not self.row.over(self.now) and self.locked is None

    @property
    def codes_left(self) -> int:
        return max(CODES - self.codes, 0)


def session(actor: Actor, which: UUID) -> Session:
    """NotThere for one that is not there or not theirs."""
    along = ("mailbox__address", "mailbox__client")  # no people: a client does not see those who run the service
    row = visible(actor, Verification).select_related(*along).filter(pk=which).first()
    if row is None:
        raise NotThere("verification", "no such verification")
    now, box = timezone.now(), row.mailbox_id
    codes = list(visible(actor, ResetCode).filter(verification__mailbox=box, made__gt=now - LOCKED).order_by("-id"))
    wrong = visible(actor, Proof).filter(verification__mailbox=box, good=False, made__gt=now - LOCKED).order_by("-made")
    ways = Ways.of(row.mailbox)
    channels = visible(actor, RecoveryChannel).filter(ways.among(now), mailbox=box)
    callers, admins = _givers(actor, row)
    proofs = tuple(visible(actor, Proof).filter(verification=row.pk).select_related("channel").order_by("id"))
    people = {one for one in (row.started_by_id, row.emergency_by_id, *(one.by_id for one in proofs)) if one}
    return Session(
        row, now, ways, tuple(channels.order_by("made", "id")),
        proofs, _named(actor, people),
        next((one for one in codes if one.verification_id == row.pk), None), len(codes),
        tuple(wrong.values_list("made", flat=True)[:TRIES]), _waiting(row), callers, admins, _hidden(actor, row),
    )  # fmt: skip


def _named(actor: Actor, people: set[UUID]) -> Mapping[UUID, str]:
    """A client is told who of the organization had a part in it, and nothing else of them."""
    seen = dict(visible(actor, Person).filter(pk__in=people).values_list("pk", "name"))
    return acted(people) | seen


def _waiting(row: Verification) -> Change | None:
    asked = Change.objects.filter(changes_seen(), kind="resets.send_link", client=row.client_id)
    return asked.filter(params__verification=str(row.pk), stage__in=("held", "scheduled")).order_by("-id").first()


def _hidden(actor: Actor, row: Verification) -> tuple[str, ...]:
    may = access_of(actor).can
    return tuple(words for permission, words in PARTS.items() if not may(permission, row.client_id))


def _givers(actor: Actor, row: Verification) -> tuple[tuple[MayAct, ...], tuple[MayAct, ...]]:
    """(who may record a call-back, the client's own admins): never who started it."""
    own = dict(visible(actor, Role).filter(ended_at=None).values_list("name", "permissions"))
    roles = [one for one in may_act(row.client_id) if one.sort == "role" and one.role != SEALED and not one.domain]
    others = [one for one in roles if one.person != row.started_by_id]
    callers = {one.person: one for one in others if matches(own.get(one.role) or ROLES.get(one.role) or (), CALLS)}
    admins = {one.person: one for one in others if one.role == ADMIN and one.here}
    return tuple(callers.values()), tuple(admins.values())


def opened(actor: Actor, mailbox: UUID) -> UUID | None:
    """The verification of this mailbox that waits for proofs, or whose link can be sent still."""
    now = timezone.now()
    rows = visible(actor, Verification).filter(mailbox=mailbox, ended_at=None, used_at=None).order_by("-id")[:1]
    return next((one.pk for one in rows if not one.over(now) or one.releases(now)), None)


def shown(found: Session) -> dict[str, Any]:
    """As the API says it: times in ISO 8601, and of a code when it was sent, never what."""
    row, code = found.row, found.code
    return {
        "id": str(row.pk), "mailbox": row.mailbox.label, "vip": row.mailbox.vip, "ticket": row.ticket,
        "urgent": row.urgent, "started_by": found.name(row.started_by_id), "until": _iso(row.until),
        "needed": found.needed, "given": sorted(found.given), "waits": found.waits, "locked_until": _iso(found.locked),
        "passed_at": _iso(row.passed_at), "used_at": _iso(row.used_at), "ended_at": _iso(row.ended_at),
        "wrong_answers": len(found.wrong), "codes_left": found.codes_left,
        "code": code and {"sent_at": _iso(code.sent_at), "until": _iso(code.until), "over": code.over(found.now)},
        "emergency": row.emergency, "waived_at": _iso(row.waived_at), "hidden": list(found.hidden),
        "waiting": str(found.waiting.pk) if found.waiting else None,
        "proofs": [{"method": one.method, "good": one.good, "by": found.name(one.by_id), "made": _iso(one.made)}
                   for one in found.proofs],
        "channels": [{"id": str(one.pk), "sort": one.sort, "reached_at": one.value, "named": _iso(one.made),
                      "ended": _iso(one.ended_at), "counts": not found.ways.why_not(one, found.now),
                      "why": found.ways.why_not(one, found.now)} for one in found.channels],
        "may_prove": [{"name": one.name, "role": one.role} for one in (*found.callers, *found.admins)],
    }  # fmt: skip


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds") if moment else None
