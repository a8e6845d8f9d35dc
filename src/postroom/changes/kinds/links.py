"""One-time sign-in links that `up` prints in a demo installation: each stands for both factors, and says so."""

from collections.abc import Iterator
from datetime import timedelta

from postroom.changes.kind import Kind
from postroom.changes.plan import Planned, create, edit, end
from postroom.changes.state import State
from postroom.models import Invite, Person, Secret

from .fields import PersonRef

GOOD_FOR = timedelta(hours=12)


class PrintLink(Kind, name="people.print_link"):
    """A link, printed on the machine itself, that signs one person in once; the one before it is void."""

    by = frozenset({"system"})
    carries_secret = True
    person: PersonRef

    def plan(self, state: State) -> Iterator[Planned]:
        person = state.get(Person, self.person, where="person")
        for old in state.rows(Invite, person=person, by_mail=False, used_at=None, ended_at=None):
            yield edit(old, ended_at=state.now)
            for secret in state.rows(Secret, owner_row=old.pk):
                yield end(secret)
        invite, about = state.new_id(), {"client_id": person.client_id}
        until = state.now + GOOD_FOR
        yield create(
            Invite, invite, person_id=person.pk, by_mail=False, contact="", made=state.now, until=until, **about
        )
        yield create(Secret, state.new_id(), owner_row=invite, purpose="link", made=state.now, **about)
