"""Getting a lost sign-in back: a link by mail, and with it a second factor that is still there, or an owner's word.

Two proofs, always (NIST SP 800-63B-4, 4.2.2.2): the mailed link, and either a factor or another person with a day's
wait, in which everybody who has to know can stop it. All of it is the organization's, whoever's person it is.
"""

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Q

from postroom.changes.errors import Problem
from postroom.changes.kind import APPROVED, Kind
from postroom.changes.plan import Planned, create, edit, end
from postroom.changes.state import State
from postroom.models import ApiSession, ApiToken, Change, Device, Grant, Invite, Letter, Login, Person, Secret

from .fields import InviteRef, MailAddress, PersonRef
from .invites import new_link

PASSWORD, SIGN_IN = "password", "sign-in"  # what a link recovers
RECOVERED, MOVED = "recovered", "moved"  # what a letter says
GOOD_FOR = timedelta(minutes=60)
WAITS = timedelta(hours=24)
NO_GOOD = "this link is no longer good"


class Forgot(Kind, name="people.forgot"):
    """Somebody says that they cannot sign in: a link goes to the address, if it is a person's who has a sign-in."""

    by = frozenset({"clock"})
    email: MailAddress

    def plan(self, state: State) -> Iterator[Planned]:
        person = state.rows(Person, email=self.email, suspended_at=None, removed_at=None).first()
        if person is None or not Login.objects.filter(person=person).exists():
            return
        # Links mailed before stay good until their hour is over, as a mailbox's do; all end with the first one used.
        about = {"person_id": person.pk, "recovers": PASSWORD}
        yield create(Invite, state.new_id(), **about, contact=person.email, made=state.now)


class IssueRecovery(Kind, name="people.issue_recovery"):
    """Draw a new link for a recovery, good for an hour; the one before it is void."""

    by = frozenset({"system"})
    carries_secret = True
    recovery: InviteRef

    def plan(self, state: State) -> Iterator[Planned]:
        invite = state.get(Invite, self.recovery, where="recovery")
        if not invite.recovers or invite.used_at or invite.ended_at:
            raise Problem("recovery", NO_GOOD)
        yield from new_link(invite, state, until=state.now + GOOD_FOR)


class Recover(Kind, name="people.recover"):
    """A person whose second factor is lost too gets a link to a new sign-in: an owner agrees, and a day passes."""

    by = frozenset({"link"})
    approved_by = "recoveries.approve"
    step_up = frozenset({APPROVED})
    person: PersonRef

    def plan(self, state: State) -> Iterator[Planned]:
        invite, person = opened(state), state.get(Person, self.person, where="person")
        if invite.recovers != PASSWORD or invite.person_id != person.pk:
            raise Problem("link", NO_GOOD)
        waiting = Change.objects.filter(kind=self.permission, stage__in=("held", "scheduled"))
        if waiting.filter(params__person=self.person).exists():
            raise Problem("person", "it was asked for already, and waits")
        about = {"person_id": person.pk, "recovers": SIGN_IN}
        yield create(Invite, state.new_id(), **about, contact=person.email, made=state.now)


class Regain(Kind, name="people.regain"):
    """A person is back: the link is spent, their sessions, tokens and devices end; they and every owner are told."""

    by = frozenset({"link"})

    def plan(self, state: State) -> Iterator[Planned]:
        invite = opened(state)
        person = state.get(Person, str(invite.person_id), where="link")
        if person.suspended_at or person.removed_at:
            raise Problem("link", NO_GOOD)
        yield edit(invite, used_at=state.now)
        mine = (ApiSession, ApiToken, Device)  # any of it may be whoever's had the sign-in meanwhile
        sessions = [row for model in mine for row in state.rows(model, person=person, ended_at=None).order_by("id")]
        others = (
            state.rows(Invite, person=person, used_at=None, ended_at=None).exclude(recovers="").exclude(pk=invite.pk)
        )
        for row in (*sessions, *others.order_by("id")):
            yield edit(row, ended_at=state.now)
        spent = [invite.pk, *(row.pk for row in sessions), *(row.pk for row in others)]
        for secret in state.rows(Secret, owner_row__in=spent).order_by("id"):
            yield end(secret)
        for contact in dict.fromkeys([person.email, *owners(state)]):
            yield create(Letter, state.new_id(), person_id=person.pk, contact=contact, says=RECOVERED, made=state.now)


def opened(state: State) -> Invite:
    """The recovery whose link somebody holds."""
    invite = state.get(Invite, state.access.invite or "", where="link")
    over = invite.until is None or invite.until <= state.now
    if not invite.recovers or invite.used_at or invite.ended_at or over:
        raise Problem("link", NO_GOOD)
    return invite


def owners(state: State) -> list[str]:
    """The addresses of every owner of the organization."""
    open_ended = Q(until=None) | Q(until__gt=state.now)
    held = state.rows(Grant, role="owner", client=None, ended_at=None).filter(open_ended).values("person_id")
    people = state.rows(Person, removed_at=None, suspended_at=None, pk__in=held).order_by("id")
    return list(people.values_list("email", flat=True))
