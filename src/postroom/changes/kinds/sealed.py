"""Sealed logins (break-glass): two, printed once on the machine, on paper in an envelope, for when nobody else gets in.

Whoever uses one may do all, everywhere; every use is an alarm to every owner. They are nobody's second person: what
waits for an approval does not count them.
"""

from collections.abc import Iterator

from postroom.access.roles import SEALED
from postroom.changes.kind import Kind
from postroom.changes.plan import Planned, create
from postroom.changes.state import State
from postroom.models import Grant, Person

from .fields import MailAddress, Name


class SealLogin(Kind, name="people.seal"):
    """A sealed login: a person that is nobody, with the role. Its secrets are drawn where it is printed."""

    by = frozenset({"system"})
    name: Name
    email: MailAddress

    def plan(self, state: State) -> Iterator[Planned]:
        person = state.new_id()
        yield create(Person, person, name=self.name, email=self.email)
        yield create(Grant, state.new_id(), person_id=person, role=SEALED, reason=state.why)
