"""A person is told by mail what became of their second factors. The sign-in library has those; no kind alters any.

NIST SP 800-63B-4, 4.1.2: whoever binds another authenticator tells its subscriber, by what reaches them apart from it.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Literal

from pydantic import Field

from postroom.changes.kind import Kind
from postroom.changes.plan import Planned, create
from postroom.changes.state import State
from postroom.models import Letter, Person

from .fields import Line, PersonRef
from .recovery import MOVED

ADDED, REMOVED, CODES = "factor added", "factor removed", "codes made"  # what a letter says
LATELY = timedelta(days=30)  # so long whoever read an address that is not theirs any more is told too
CALLED = {"totp": "an authenticator app", "webauthn": "a passkey or security key", "recovery_codes": "recovery codes"}


class TellOfFactor(Kind, name="people.tell_of_factor"):
    """A second factor of a person was added or taken away, or recovery codes were made: a mail tells them, where they
    are reached, and where they were until thirty days ago."""

    by = frozenset({"system"})
    person: PersonRef
    factor: Literal["totp", "webauthn", "recovery_codes"] = Field(description="What it is")
    removed: bool = Field(default=False, description="Taken away, not added")
    source: Line = Field(default="", description="The address it was done from")

    def plan(self, state: State) -> Iterator[Planned]:
        person = state.get(Person, self.person, where="person")
        says = REMOVED if self.removed else CODES if self.factor == "recovery_codes" else ADDED
        about = f"{CALLED[self.factor]}, from {self.source}" if self.source else CALLED[self.factor]
        for contact in dict.fromkeys([person.email, *_before(person, state)]):
            yield create(
                Letter, state.new_id(), client_id=person.client_id, person_id=person.pk, contact=contact, says=says,
                about=about, made=state.now,
            )  # fmt: skip


def _before(person: Person, state: State) -> list[str]:
    """Whoever moved the address first, and then set up a factor of their own, is seen by whose address it was."""
    moved = state.rows(Letter, person=person, says=MOVED, made__gt=state.now - LATELY).order_by("id")
    return [one.about for one in moved]
