"""What the API answers with about changes, as schemas for its document. The answers are plain JSON as the queries make
it; nothing is filtered or read through these, and a test holds them against real answers.
"""

from typing import Any

from ninja import Schema
from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema


class Told:
    """Beside a dict in an answer's type: how it is described. Ten thousand edits are not validated once more."""

    def __init__(self, shape: type[Schema]) -> None:
        self.shape = shape

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.any_schema()

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return handler(self.shape.__pydantic_core_schema__)


class Verdict(Schema):
    policy: str = Field(description="Which rule")
    says: str = Field(description="hold: a second person decides; refuse; mark: looked at afterwards")
    reason: str


class EditOut(Schema):
    """One row, before and after: no `before` where it is made, no `after` where it goes, else what differs."""

    table: str
    id: str
    label: str = Field(description="What people call the row; nothing where it is not there")
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    erased: bool = Field(description="What stood there is gone for good; the fields' names are left")


class DeliveryOut(Schema):
    """What had to be done outside of the database, at one target."""

    target: str = Field(description="A node, zone or mail")
    object: str
    done: bool = Field(description="Read back, not only sent")
    why: str = Field(description="Why it is not done yet")
    evidence: dict[str, Any] | None = Field(description="What was read back")
    since: str
    next_try: str | None


class Left(Schema):
    """What an applied change waits for."""

    target: str
    object: str
    why: str
    since: str
    next_try: str | None


class LeftStanding(Schema):
    """What a plan leaves as it is, and the change that gives it again where there is one."""

    table: str
    id: str
    because: str
    again: dict[str, Any] | None


class Who(Schema):
    name: str
    email: str = Field(description="Nothing where the caller may not see the person")


class ApprovalOut(Schema):
    person: Who | None
    at: str
    void: bool = Field(description="The plan or its reasons changed since")


class ReviewOut(Schema):
    id: int
    reason: str
    until: str
    closed: bool
    closed_by: Who | None
    closed_at: str | None
    found: str


class FollowUpOut(Schema):
    id: str
    kind: str
    stage: str


class ErasedOut(Schema):
    by: str = Field(description="The change that erased what was asked here")
    at: str


class ChangeLine(Schema):
    """A change in the timeline."""

    id: str
    kind: str
    stage: str = Field(description="held, scheduled, applied, verified, refused, withdrawn or stale")
    client: str | None = Field(description="Its slug; nothing: the organization's")
    version: int | None = Field(description="Of the client's history, once applied")
    actor: str
    proposer: Who | None
    why: str
    ticket: str
    now: str
    params: Any = Field(description="As they were asked; a list where a list was")
    undone_by: str | None
    undoes: str | None
    batch: str | None
    erased: ErasedOut | None


class ClientNamed(Schema):
    slug: str
    name: str


class LandingOut(Schema):
    """One place where mail comes to an end."""

    sort: str = Field(
        description="mailbox, outside, refused, discarded, loop, unknown, hidden: you may not see what is there"
    )
    address: str
    why: str = Field(description="Why it is refused, goes round, or is not known")
    sometimes: bool = Field(description="Not every message: a filter looks at it first")
    client: ClientNamed | None = Field(description="Whose it is, where that is another client you see")


class LandsThen(LandingOut):
    """One place where mail would come to an end."""


class MovedOut(Schema):
    """An address a plan touches, or one that leads there. *@name: any address of that domain that is none."""

    address: str
    before: list[LandingOut]
    after: list[LandsThen]
    moved: bool


class ChangeOut(Schema):
    """A change as it stands now. A dry run has no id and is nowhere; of one that took the caller's own sight of it
    away, what became of it is told in short.
    """

    id: str | None
    kind: str
    stage: str = Field(description="proposed (a dry run), or as in the timeline")
    plan_hash: str = Field(description="What an approval names; nothing where it carries a secret")
    verdicts: list[Verdict]
    edits: list[EditOut] = Field(description="The first thousand")
    more_edits: bool
    deliveries: list[DeliveryOut]
    incomplete: list[Left] = Field(description="What is not done yet, and why; it finishes by itself")
    left_out: list[LeftStanding]
    landing: list[MovedOut] = Field(description="Of what waits, or a dry run: where mail would land")
    more_landings: int = Field(description="Addresses that were not followed")
    dry_run: bool | None = None
    client: str | None = None
    version: int | None = None
    actor: str | None = None
    proposer: Who | None = None
    why: str | None = None
    ticket: str | None = None
    now: str | None = None
    at: str | None = Field(default=None, description="When it is made, where it waits for its time")
    params: Any = None
    approvals: list[ApprovalOut] | None = None
    caused_by: str | None = None
    follow_ups: list[FollowUpOut] | None = None
    undone_by: str | None = None
    undoes: str | None = None
    replans: str | None = None
    replanned_by: list[str] | None = None
    batch: str | None = None
    reviews: list[ReviewOut] | None = None
    erased: ErasedOut | None = None


class ChangesOut(Schema):
    items: list[ChangeLine]
    next: str | None = Field(description="`after` of the next page")


class BatchOut(Schema):
    """Changes at several clients that are decided together."""

    id: str
    why: str
    plan_hash: str
    changes: list[ChangeOut]
