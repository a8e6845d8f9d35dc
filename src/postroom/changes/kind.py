"""A kind of change: its parameters are its fields, and `plan` says what will be different.

A kind is a frozen pydantic model, so one class gives the typed call in Python, the JSON schema in the API,
the options of the CLI and the fields of the plain form.
"""

from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from typing import Any, ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from postroom.models import StateModel
from postroom.models.base import state_models

from .plan import Planned
from .state import State

PERSON = frozenset({"person"})
ASKED, APPROVED = "asked", "approved"
Ref = tuple[type[StateModel], str]
Hastens = tuple[str, str, str]  # a kind, one of its parameters, the value of it
OURS_TOO = {"roles"}  # most of these are no rows: they are Postroom's own


class Kind(BaseModel):
    """A change one can ask for.

    permission:     the kind's name, noun.verb, which is also what a role allows.
    carries_secret: a value comes beside the change; such a kind is never held, scheduled, batched or dry-run.
    may_wait_for_a_time: whether it may be asked for now and done then; an undo may not.
    by:             who may submit it: person, owner (of a mailbox), code, link, and of ours founder, clock, system.
    elevates:       the proposer asks for more than they hold; who approves it has to hold as much.
    mints:          it lets somebody in, or in further: by a person alone, never by a token of theirs.
    approved_by:    the permission it takes to approve one that is held.
    waits:          how long, once held, it waits at least, while whoever has to know is told and may stop it.
    step_up:        when a fresh second factor comes before it: where it is ASKED for, where it is APPROVED.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)
    permission: ClassVar[str]
    carries_secret: ClassVar[bool] = False
    may_wait_for_a_time: ClassVar[bool] = True
    by: ClassVar[frozenset[str]] = PERSON
    mints: ClassVar[bool] = False
    elevates: ClassVar[bool] = False
    approved_by: ClassVar[str] = "changes.approve"
    step_up: ClassVar[frozenset[str]] = frozenset()
    waits: ClassVar[timedelta | None] = None

    def __init_subclass__(cls, *, name: str, **config: Any) -> None:
        super().__init_subclass__(**config)
        cls.permission = name

    def plan(self, state: State) -> Iterator[Planned]:
        """Read and yield edits. Never write; never ask the clock or for a random number."""
        raise NotImplementedError

    def reads(self) -> Iterator[Ref]:
        """Rows the plan will ask for, so that ten thousand of these read each table once: what its parameters name."""
        yield from ((model, ref) for _, model, ref in self.names())

    def names(self) -> Iterator[tuple[str, type[StateModel], str]]:
        """What has to be there, each with its parameter: where one is missing, every other that is, is said too."""
        for field, model in _references(type(self)):
            if ref := getattr(self, field):
                yield field, model, str(ref)

    def claims(self, state: State) -> Iterator[Planned]:
        """Rows with a name of their own that it would make, where its plan ends at a problem: that the name is taken
        is said with it."""
        return iter(())

    def needs(self) -> Iterator[str]:
        """Zones whose records the plan reads; they are read again first if the last reading is old."""
        return iter(())

    @classmethod
    def for_actor(cls, sort: str) -> bool:
        """Whether this sort of actor may submit it at all. A token stands for its person, but where the kind mints."""
        return not cls.mints and "person" in cls.by if sort == "token" else sort in cls.by

    def steps_up(self, act: str) -> bool:
        """Whether this one, with its parameters, wants a fresh second factor where it is ASKED for or APPROVED."""
        return act in self.step_up

    @classmethod
    def never_approved_by(cls, params: Any) -> set[UUID]:
        """People who may not approve it beside its proposer, by what was asked."""
        return set()

    def waits_for(self, state: State) -> timedelta | None:
        """How long this one, with its parameters, waits at least once it is held; None where it does not."""
        return self.waits

    @property
    def takes_back(self) -> UUID | None:
        """The change this one undoes, if it is an undo."""
        return None

    @property
    def hastens(self) -> Hastens | None:
        """Which changes wait for their time no more by it: approved already, or by whoever approves them."""
        return None


@cache
def _references(kind: type[Kind]) -> tuple[tuple[str, type[StateModel]], ...]:
    """The parameters in which an id or a natural key stands, and whose."""
    models = state_models()
    found = []
    for field, schema in kind.model_json_schema()["properties"].items():
        named = [one["ref"] for one in (schema, *schema.get("anyOf", ())) if one.get("ref") in models]
        found += [(field, models[noun]) for noun in named if noun not in OURS_TOO]
    return tuple(found)


KINDS: dict[str, type[Kind]] = {}
