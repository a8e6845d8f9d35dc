"""People: who may sign in to Postroom, and their sessions at the API."""

from collections.abc import Iterator

from pydantic import Field

from postroom.changes.errors import Problem
from postroom.changes.kind import APPROVED, ASKED, Kind
from postroom.changes.plan import Planned, create, edit, end
from postroom.changes.state import State
from postroom.models import ApiSession, Client, Grant, Invite, Letter, Person, Secret

from .clients import within_restore
from .fields import ClientRef, Line, MailAddress, Moment, Name, PersonRef, SessionRef
from .recovery import MOVED

COUNTED = "counted as done: demo"  # how the second factor of a session was shown that a demo hands out


class InvitePerson(Kind, name="people.invite"):
    """Somebody who may sign in to Postroom once a grant says to do what; a one-time link is mailed to them."""

    mints = True
    name: Name
    email: MailAddress
    client: ClientRef | None = None

    def plan(self, state: State) -> Iterator[Planned]:
        client = state.get(Client, self.client, where="client").pk if self.client else None
        person = state.new_id()
        yield create(Person, person, client_id=client, name=self.name, email=self.email)
        yield create(Invite, state.new_id(), client_id=client, person_id=person, contact=self.email, made=state.now)


class ChangePerson(Kind, name="people.change"):
    """Another name for a person, or another address: they sign in with it, and are told at the old one and the new."""

    person: PersonRef
    name: Name | None = None
    email: MailAddress | None = None

    def steps_up(self, act: str) -> bool:
        return act == ASKED and self.email is not None

    def plan(self, state: State) -> Iterator[Planned]:
        person = state.get(Person, self.person, where="person")
        yield edit(person, **self.model_dump(include={"name", "email"}, exclude_none=True))
        if self.email and self.email != person.email:
            about = {"client_id": person.client_id, "person_id": person.pk, "says": MOVED, "about": person.email}
            for contact in (person.email, self.email):
                yield create(Letter, state.new_id(), **about, contact=contact, made=state.now)


class SuspendPerson(Kind, name="people.suspend"):
    """Stop a person's sign-in to Postroom; their grants stay and count for nothing meanwhile."""

    person: PersonRef

    def plan(self, state: State) -> Iterator[Planned]:
        person = state.get(Person, self.person, where="person")
        if person.suspended_at is None:
            yield edit(person, suspended_at=state.now)
        yield from _without_sessions(person, state)


class ResumePerson(Kind, name="people.resume"):
    """Let a suspended person sign in again."""

    person: PersonRef

    def plan(self, state: State) -> Iterator[Planned]:
        yield edit(state.get(Person, self.person, where="person"), suspended_at=None)


class RemovePerson(Kind, name="people.remove"):
    """End a person's sign-in, sessions and grants. Thirty days of restore; grants are given again, not restored.

    Grants at clients belong to these clients' histories: they are ended there first.
    """

    step_up = frozenset({APPROVED})
    person: PersonRef

    def plan(self, state: State) -> Iterator[Planned]:
        person = state.get(Person, self.person, where="person")
        held = [grant for grant in state.hanging(Grant, "person_id", person.pk) if grant.ended_at is None]
        elsewhere = {grant.client_id for grant in held} - {None, person.client_id}
        names = [state.get(Client, one).slug for one in elsewhere if one]
        if person.client_id is None and names:
            raise Problem("person", f"{person.name} holds roles at {', '.join(sorted(names))}: end those first")
        if person.removed_at is None:
            yield edit(person, removed_at=state.now)
        for grant in held:
            if grant.client_id == person.client_id:
                yield edit(grant, ended_at=state.now)
        yield from _without_sessions(person, state)


def _without_sessions(person: Person, state: State) -> Iterator[Planned]:
    if person.client_id:
        return  # sessions belong to the organization; a suspended or removed person's count for nothing
    for session in state.hanging(ApiSession, "person_id", person.pk):
        if session.ended_at is None:
            yield edit(session, ended_at=state.now)


class RestorePerson(Kind, name="people.restore"):
    """Bring back a person removed within thirty days, without any grant."""

    person: PersonRef

    def plan(self, state: State) -> Iterator[Planned]:
        person = state.get(Person, self.person, where="person")
        within_restore(person.removed_at, state, "person")
        yield edit(person, removed_at=None)


class EnrolPerson(Kind, name="people.enrol"):
    """A person opened their link and made a login of their own; the link is spent."""

    by = frozenset({"link"})

    def plan(self, state: State) -> Iterator[Planned]:
        invite = state.get(Invite, state.access.invite or "", where="link")
        if (
            invite.person_id is None
            or invite.recovers
            or invite.used_at
            or invite.ended_at
            or (invite.until and invite.until < state.now)
        ):
            raise Problem("link", "this link is no longer good")
        yield edit(invite, used_at=state.now)
        for secret in state.hanging(Secret, "owner_row", invite.pk):
            yield end(secret)


class OpenSession(Kind, name="sessions.open"):
    """A personal session at the API: may do what its person may, for twelve hours."""

    by = frozenset({"system"})
    carries_secret = True
    person: PersonRef
    label: Line = ""
    mfa: Line = Field(default="", description="How the second factor was shown; empty where none was")
    until: Moment

    def plan(self, state: State) -> Iterator[Planned]:
        person, session = state.get(Person, self.person, where="person"), state.new_id()
        yield create(ApiSession, session, person_id=person.pk, label=self.label, mfa=self.mfa, until=self.until)
        yield create(Secret, state.new_id(), owner_row=session, purpose="session", made=state.now)


class EndSession(Kind, name="sessions.end"):
    """End a personal session at once, or all sessions of a person: browsers and terminals."""

    by = frozenset({"person", "clock", "system"})
    session: SessionRef | None = Field(default=None, description="A terminal's; say this one, or the person")
    person: PersonRef | None = Field(default=None, description="All of this person's, at the pages and at the API")

    def plan(self, state: State) -> Iterator[Planned]:
        if (self.session is None) is (self.person is None):
            raise Problem("session", "say either one session, or the person")
        yield from self._of_the_person(state) if self.person else self._this_one(state)

    def _of_the_person(self, state: State) -> Iterator[Planned]:
        person = state.get(Person, str(self.person), where="person")
        if person.removed_at:
            raise Problem("person", f"{person.name} is removed: nothing of theirs is open")
        yield edit(person, access_epoch=person.access_epoch + 1)
        yield from _without_sessions(person, state)

    def _this_one(self, state: State) -> Iterator[Planned]:
        session = state.get(ApiSession, str(self.session), where="session")
        if session.ended_at is None:
            yield edit(session, ended_at=state.now)
        for secret in state.hanging(Secret, "owner_row", session.pk):
            yield end(secret)
